// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// ask posts a question to Ollama's native route with an identity token, as
// any HTTP client might.
func ask(srv *gemmatest.Server, question string) (*http.Response, error) {
	body := fmt.Sprintf(`{"model":"gemma3:4b","messages":[{"role":"user","content":%q}],"options":{"num_predict":6}}`, question)
	req, err := http.NewRequest(http.MethodPost, srv.URL+"/api/chat", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	tok, err := srv.Source().Token(context.Background())
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+tok.Value)
	return srv.Transport().RoundTrip(req)
}

// The zero Config is a warm, private endpoint with the prebuilt container's
// Gemma 3 4B.
func ExampleNewServer() {
	srv := gemmatest.NewServer(gemmatest.Config{})
	defer srv.Close()

	resp, err := ask(srv, "Why is the sky blue?")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		_, text, _ := strings.Cut(lines.Text(), `"content":"`)
		text, _, _ = strings.Cut(text, `"`)
		fmt.Print(text)
	}
	fmt.Println()

	resp, err = http.Get(srv.URL + "/api/version") // no token
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	fmt.Println(resp.Status)
	// Output:
	// The sky looks blue because air
	// 403 Forbidden
}

// A cold endpoint that sheds what it has held for 30 ms, and is ready after 50.
// In a testing/synctest bubble, with Config.InMemory, times can be real ones.
func ExampleServer_coldStart() {
	srv := gemmatest.NewServer(gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{
		Start: 50 * time.Millisecond, Hold: 30 * time.Millisecond, ShedStatus: 503,
	}})
	defer srv.Close()
	for range 2 {
		resp, err := ask(srv, "Anybody there?")
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
	}
	for _, r := range srv.Requests() {
		fmt.Println(r.Phase, r.Status)
	}
	// Output:
	// cold 503
	// starting 200
}

// A model that breaks off after two words, and then behaves.
func ExampleScript() {
	srv := gemmatest.NewServer(gemmatest.Config{InMemory: true, Reply: gemmatest.Script(
		gemmatest.Reply{Chunks: []string{"One", " two", " three"}, Fault: gemmatest.ClosedEarly, At: 2},
		gemmatest.Text("All is well."),
	)})
	defer srv.Close()
	for range 2 {
		resp, err := ask(srv, "Count to three.")
		if err != nil {
			log.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(strings.Count(string(body), "\n"), "lines,", err)
	}
	// Output:
	// 2 lines, unexpected EOF
	// 4 lines, <nil>
}

// Cloud Run's front end before a handler of one's own.
func ExampleNewFrontEnd() {
	front := gemmatest.NewFrontEnd(gemmatest.FrontEndConfig{URL: "https://svc.example", Slots: 4},
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }))
	srv := gemmatest.NewServer(gemmatest.Config{InMemory: true, Local: true, Backend: front})
	defer srv.Close()
	for _, audience := range []string{"https://svc.example", "https://another.example"} {
		req, err := http.NewRequest(http.MethodGet, srv.URL, nil)
		if err != nil {
			log.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+gemmatest.Mint(gemmatest.MintOptions{Audience: audience}))
		resp, err := srv.Transport().RoundTrip(req)
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		fmt.Println(audience, resp.StatusCode)
	}
	// Output:
	// https://svc.example 200
	// https://another.example 401
}
