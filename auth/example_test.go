// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/gemma-go/sdk/auth"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// A private service of any kind is called with a token of the machine's own
// credentials: a service account's on Google Cloud, a person's on a laptop.
func ExampleGoogle() {
	const service = "https://hello-abc123-ew.a.run.app"
	src, err := auth.Google(service, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	rt, err := auth.NewTransport(service, src, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: rt} // its first request gets the first token
	_ = client
}

// A person's credentials give a token whose audience is gcloud. To get one for
// the service, impersonate an account that the person may use.
func ExampleGoogle_impersonate() {
	src, err := auth.Google("https://hello-abc123-ew.a.run.app", &auth.GoogleOptions{
		ImpersonateServiceAccount: "invoker@my-project.iam.gserviceaccount.com",
	})
	_, _ = src, err
}

// The token goes to the endpoint, and nowhere else.
func ExampleNewTransport() {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("the other host was called")
	}))
	defer other.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
			return
		}
		fmt.Fprintf(w, "Authorization: %q, X-Serverless-Authorization: %q",
			r.Header.Get("Authorization"), r.Header.Get("X-Serverless-Authorization"))
	}))
	defer srv.Close()

	rt, err := auth.NewTransport(srv.URL, auth.Static("TOKEN"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: rt}
	show := func(path, key string) {
		req, _ := http.NewRequest("GET", srv.URL+path, nil)
		if key != "" {
			req.Header.Set("Authorization", key)
		}
		resp, err := client.Do(req)
		if err != nil {
			_, refused := errors.AsType[*auth.Error](err)
			fmt.Println("refused:", refused)
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		fmt.Println(string(b))
	}
	show("/", "")
	show("/", "Bearer the-container's-own-key")
	show("/moved", "")
	// Output:
	// Authorization: "Bearer TOKEN", X-Serverless-Authorization: ""
	// Authorization: "Bearer the-container's-own-key", X-Serverless-Authorization: "Bearer TOKEN"
	// refused: true
}

// A refusal says what mends it.
func ExampleError() {
	front := httptest.NewServer(gemmatest.NewFrontEnd(gemmatest.FrontEndConfig{
		URL:      "https://gemma-123456789012.europe-west1.run.app",
		Invokers: []string{}, // nobody has roles/run.invoker
	}, nil))
	defer front.Close()
	const service = "https://gemma-123456789012.europe-west1.run.app"
	token := gemmatest.Mint(gemmatest.MintOptions{Audience: service, Principal: "ci@my-project.iam.gserviceaccount.com"})

	rt, _ := auth.NewTransport(service, auth.Static(token), to(front.URL))
	_, err := (&http.Client{Transport: rt}).Get(service + "/api/tags")
	if e, ok := errors.AsType[*auth.Error](err); ok {
		fmt.Println(e.Status, e.Message)
		fmt.Println(strings.ReplaceAll(e.Hint, " --", "\n    --"))
	}
	// Output:
	// 403 ci@my-project.iam.gserviceaccount.com lacks the role roles/run.invoker on the service (just granted? it takes a minute or two)
	// gcloud run services add-iam-policy-binding gemma
	//     --region=europe-west1
	//     --member=serviceAccount:ci@my-project.iam.gserviceaccount.com
	//     --role=roles/run.invoker
	//     --project=123456789012
}

// to sends requests for any host to a test server.
func to(url string) http.RoundTripper {
	return roundTripFunc(func(r *http.Request) (*http.Response, error) {
		out, err := http.NewRequestWithContext(r.Context(), r.Method, url+r.URL.Path, r.Body)
		if err != nil {
			return nil, err
		}
		out.Header = r.Header
		return http.DefaultTransport.RoundTrip(out)
	})
}

// A company's own token broker becomes a Source; Cached keeps what it gives.
func ExampleCached() {
	asked := 0
	src := auth.Cached(auth.SourceFunc(func(ctx context.Context) (auth.Token, error) {
		asked++
		return auth.Token{Value: "TOKEN", Expiry: time.Now().Add(time.Hour)}, nil
	}))
	for range 3 {
		if _, err := src.Token(context.Background()); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println("the broker was asked", asked, "time")
	// Output:
	// the broker was asked 1 time
}

func ExampleAudience() {
	for _, endpoint := range []string{
		"https://gemma-abc123-ew.a.run.app/v1",
		"https://canary---gemma-abc123-ew.a.run.app",
		"http://gemma-abc123-ew.a.run.app",
	} {
		fmt.Println(auth.Audience(endpoint))
	}
	// Output:
	// https://gemma-abc123-ew.a.run.app <nil>
	// https://gemma-abc123-ew.a.run.app <nil>
	//  auth: endpoint http://gemma-abc123-ew.a.run.app is not encrypted, and tokens are sent in clear only to this machine; use https://gemma-abc123-ew.a.run.app
}

// The proxy lends its identity to programs on this machine, and to no web page.
func ExampleNewProxy() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "identity: ", r.Header.Get("Authorization"))
	}))
	defer srv.Close()
	handler, err := auth.NewProxy(srv.URL, auth.Static("TOKEN"))
	if err != nil {
		fmt.Println(err)
		return
	}
	proxy := httptest.NewServer(handler)
	defer proxy.Close()

	for _, origin := range []string{"", "https://attacker.example.com"} {
		req, _ := http.NewRequest("GET", proxy.URL, nil)
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(resp.StatusCode, strings.TrimSpace(string(b)))
	}
	// Output:
	// 200 identity: Bearer TOKEN
	// 403 proxy: called by a web page of https://attacker.example.com
}
