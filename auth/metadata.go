// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// metadata talks to the metadata server of Cloud Run, Cloud Functions, GCE or
// GKE.
//
// It does not use cloud.google.com/go/compute/metadata, and so not
// google.golang.org/api/idtoken: that package finds out once per process, and
// for good, whether there is a metadata server; its retries outlast a caller's
// deadline; and idtoken takes every token for 55 minutes, although the server
// hands out tokens that it minted earlier.
type metadata struct {
	client *http.Client
	host   string
	sure   bool // this is Google's infrastructure, so an unreachable server is a passing fault
}

func newMetadata(client *http.Client) *metadata {
	m := &metadata{
		client: client,
		host:   cmp.Or(os.Getenv("GCE_METADATA_HOST"), "169.254.169.254"),
		sure:   onGoogle(),
	}
	if client == nil {
		// Never through a proxy: the address is the machine's own. A request
		// an hour is not worth an idle connection.
		m.client = &http.Client{Transport: &http.Transport{
			DialContext:       (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
			DisableKeepAlives: true,
		}}
	}
	return m
}

// onGoogle reports whether this process surely runs on Google's
// infrastructure. Elsewhere the metadata server is asked all the same, but not
// waited for.
func onGoogle() bool {
	for _, env := range []string{"GCE_METADATA_HOST", "K_SERVICE", "CLOUD_RUN_JOB", "FUNCTION_TARGET", "GAE_SERVICE"} {
		if os.Getenv(env) != "" {
			return true
		}
	}
	name, err := os.ReadFile("/sys/class/dmi/id/product_name") // Linux; other systems have no such file
	return err == nil && strings.HasPrefix(string(name), "Google")
}

// get asks for one value. Query parameters are part of the path.
func (m *metadata) get(ctx context.Context, path, what string) ([]byte, error) {
	wait := 5 * time.Second
	if !m.sure {
		wait = time.Second
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wait, errMetadataSilent)
	defer cancel()
	ctx, w := watched(ctx, m.client)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.host+"/computeMetadata/v1/"+path, nil)
	if err != nil {
		return nil, &Error{Message: fmt.Sprintf("GCE_METADATA_HOST %q is not a host", m.host), Err: err}
	}
	req.Header.Set("Metadata-Flavor", "Google")
	resp, err := w.client.Do(req)
	if err != nil {
		if !m.sure {
			return nil, &Error{
				Message: "no Google credentials: GOOGLE_APPLICATION_CREDENTIALS is not set, gcloud has no application default login, " +
					"and there is no metadata server",
				Hint: "gcloud auth application-default login",
				Err:  err,
			}
		}
		return nil, w.explain(what, "", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, w.explain(what, "give the instance or the service a service account; on GKE, bind one to the Kubernetes service account", nil)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return nil, &Error{Message: what + ": the metadata server broke off its answer: " + clip(err.Error()), Retry: true, Err: err}
	}
	return body, nil
}

var errMetadataSilent = &Error{Message: "the metadata server does not answer", Retry: true}

// accessToken gets an access token of the attached service account.
func (m *metadata) accessToken(ctx context.Context) (string, error) {
	const what = "an access token of the attached service account"
	body, err := m.get(ctx, "instance/service-accounts/default/token?scopes="+url.QueryEscape(cloudPlatform), what)
	if err != nil {
		return "", err
	}
	var t struct {
		AccessToken string `json:"access_token"`
	}
	if json.Unmarshal(body, &t) != nil || t.AccessToken == "" {
		return "", &Error{Message: what + ": the metadata server's answer has none", Retry: true}
	}
	return t.AccessToken, nil
}

// metadataIdentity gets identity tokens of the attached service account.
type metadataIdentity struct {
	md       *metadata
	audience string
}

func (s *metadataIdentity) Token(ctx context.Context) (Token, error) {
	const what = "an identity token of the attached service account"
	q := url.Values{"audience": {s.audience}, "format": {"full"}} // full has the email
	body, err := s.md.get(ctx, "instance/service-accounts/default/identity?"+q.Encode(), what)
	if err != nil {
		return Token{}, err
	}
	value := strings.TrimSpace(string(body))
	if _, ok := parseClaims(value); !ok {
		return Token{}, &Error{Message: what + ": the answer is none", Hint: "see that nothing stands in for the metadata server at " + s.md.host}
	}
	return Token{Value: value}.fill(), nil
}
