// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/auth"
	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// answer is a response of a scripted transport.
func answer(r *http.Request, status int, contentType, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// TestNoToken: the identity's own diagnosis is told, once, and whether a retry
// can help.
func TestNoToken(t *testing.T) {
	for _, retry := range []bool{true, false} {
		bubble(t, gemmatest.Config{}, func(t *testing.T, srv *gemmatest.Server) {
			client := dial(t, srv, func(c *gemma.Config) {
				c.Auth = auth.SourceFunc(func(context.Context) (auth.Token, error) {
					return auth.Token{}, &auth.Error{Message: "the token server says no", Hint: "do this", Retry: retry}
				})
			})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			_, err := text(client.Stream(ctx, hi, nil))
			time.Sleep(5 * time.Minute) // virtual: the fetch that others may wait for has ended
			e := fails(t, err, gemma.KindUnauthenticated)
			if e.Retryable() != retry {
				t.Errorf("retry %v: %v", retry, err)
			}
			if s := err.Error(); e.Hint != "do this" || strings.Count(s, "do this") != 1 || strings.Count(s, "says no") != 1 {
				t.Errorf("retry %v: %v", retry, err)
			}
		})
	}
}

// TestContextErrors: the end of a context is found by its own error and by the
// reason that was given, wherever it ended the call.
func TestContextErrors(t *testing.T) {
	why := errors.New("the user closed the tab")
	slow := words(50)
	slow.Pace = time.Second
	check := func(t *testing.T, err error, k gemma.Kind) {
		t.Helper()
		fails(t, err, k)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, why) {
			t.Errorf("%v", err)
		}
	}
	bubble(t, gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Start: time.Hour, Timeout: 2 * time.Hour}, Reply: always(slow)}, func(t *testing.T, srv *gemmatest.Server) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, why)
		defer cancel()
		_, err := text(dial(t, srv).Stream(ctx, hi, nil))
		check(t, err, gemma.KindCold)
		check(t, dial(t, srv).Ready(ctx), gemma.KindCold)
		_, err = dial(t, srv).GenAI().Models.CountTokens(ctx, "gemma-3-4b-it", hi, nil)
		check(t, err, gemma.KindCold)
	})
	bubble(t, gemmatest.Config{Reply: always(slow)}, func(t *testing.T, srv *gemmatest.Server) {
		client := dial(t, srv)
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, why)
		defer cancel()
		_, err := text(client.Stream(ctx, hi, nil))
		check(t, err, gemma.KindInterrupted)
	})
	bubble(t, gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Slots: 1}, Reply: always(slow)}, func(t *testing.T, srv *gemmatest.Server) {
		client := dial(t, srv, func(c *gemma.Config) { c.Concurrency = 1 })
		for range client.Stream(t.Context(), hi, nil) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, why)
			_, err := text(client.Stream(ctx, hi, nil))
			cancel()
			check(t, err, gemma.KindOverloaded)
			break
		}
	})
}

// TestRetriesDoNotMultiply: what the gate has given up on is not sent again by
// the call above it.
func TestRetriesDoNotMultiply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chats := 0
		client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: "https://gemma.example", Model: "gemma3:4b", Public: true, Protocol: gemma.ProtocolOllama,
			Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
				if r.URL.Path != "/api/chat" {
					return answer(r, 200, "application/json", `{"done":true,"done_reason":"load"}`), nil
				}
				chats++
				return nil, syscall.ECONNRESET
			})})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err = text(client.Stream(t.Context(), hi, nil))
		fails(t, err, gemma.KindInterrupted)
		if chats > 5 {
			t.Errorf("%d requests", chats)
		}
	})
}

// TestRedirectIsTold: an endpoint that has moved says where to, in the first
// call already.
func TestRedirectIsTold(t *testing.T) {
	for to, hint := range map[string]string{
		"https://new.example/x?state=secret":    "Config.Endpoint",
		"https://accounts.google.com/o/oauth2?": "Identity-Aware Proxy",
	} {
		for _, p := range []gemma.Protocol{gemma.ProtocolAuto, gemma.ProtocolOllama} {
			client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: "https://old.example", Model: "gemma3:4b", Public: true, Protocol: p,
				Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
					resp := answer(r, 302, "text/html", "moved")
					resp.Header.Set("Location", to)
					return resp, nil
				})})
			if err != nil {
				t.Fatal(err)
			}
			_, err = text(client.Stream(t.Context(), hi, nil))
			fails(t, err, gemma.KindInvalid)
			for _, want := range []string{"https://old.example", strings.SplitAfterN(to, "/", 4)[2], hint} {
				if !strings.Contains(err.Error(), strings.Trim(want, "/")) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
		}
	}
}

// TestPageOfAnotherRequest: a page of the server's that leads elsewhere, or is
// not there, fails who asked for it, and nobody who waits for a slot.
func TestPageOfAnotherRequest(t *testing.T) {
	pages := map[string]struct {
		change func(*gemma.Config)
		page   func(*http.Request) *http.Response
		kind   gemma.Kind
	}{
		"leads elsewhere": {func(c *gemma.Config) { c.Public = true }, func(r *http.Request) *http.Response {
			resp := answer(r, 302, "text/html", "there")
			resp.Header.Set("Location", "https://ollama.example/")
			return resp
		}, gemma.KindInvalid},
		"is not there": {func(c *gemma.Config) { c.Auth = auth.Static("T") }, func(r *http.Request) *http.Response {
			return answer(r, 404, "text/html", "<html><title>404</title>")
		}, gemma.KindNotFound},
	}
	for name, p := range pages {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow := make(chan struct{})
				c := gemma.Config{Endpoint: "https://gemma.example", Model: "gemma3:4b", Protocol: gemma.ProtocolOllama, Concurrency: 1,
					Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
						switch r.URL.Path {
						case "/page":
							<-slow
							return p.page(r), nil
						case "/api/chat":
							return answer(r, 200, "application/x-ndjson", `{"message":{"role":"assistant","content":"hi"},"done":true,"done_reason":"stop"}`+"\n"), nil
						}
						return answer(r, 200, "application/json", `{"done":true,"done_reason":"load"}`), nil
					})}
				p.change(&c)
				client, err := gemma.NewClient(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				if err := client.Ready(t.Context()); err != nil {
					t.Fatal(err)
				}
				go func() {
					resp, err := client.HTTPClient().Get("https://gemma.example/page")
					if err == nil {
						resp.Body.Close()
					}
					if e, ok := errors.AsType[*gemma.Error](err); !ok || e.Kind != p.kind {
						t.Errorf("%v", err)
					}
				}()
				synctest.Wait()
				for range 3 {
					go func() {
						if got, err := text(client.Stream(t.Context(), hi, nil)); err != nil || got != "hi" {
							t.Errorf("%q, %v", got, err)
						}
					}()
				}
				synctest.Wait()
				close(slow)
				synctest.Wait()
			})
		})
	}
}

// TestServerWithoutAList: a server that does not list its models can serve one
// all the same, in the first call as in the second.
func TestServerWithoutAList(t *testing.T) {
	client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: "https://gemma.example", Model: "mine", Public: true, Protocol: gemma.ProtocolOpenAI,
		Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/v1/chat/completions" {
				return answer(r, 404, "application/json", `{"detail":"Not Found"}`), nil
			}
			return answer(r, 200, "text/event-stream", "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"model\":\"mine\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"), nil
		})})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := text(client.Stream(t.Context(), hi, nil)); got != "hi" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := client.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	_, err = text(client.WithModel("").Stream(t.Context(), hi, &genai.GenerateContentConfig{HTTPOptions: &genai.HTTPOptions{Timeout: new(time.Minute)}}))
	if err != nil {
		t.Errorf("no model named: %v", err)
	}
}

// TestKeysOfOtherRequests: the container's key goes into the header that the
// route reads, and nothing else that a request brings is touched.
func TestKeysOfOtherRequests(t *testing.T) {
	for _, tt := range []struct {
		key, path, authorization, google string
	}{
		{"K", "/api/generate", "Bearer K", "mine"},
		{"K", "/v1beta/models/m:generateContent", "Basic mine", "K"},
		{"", "/api/generate", "Basic mine", "mine"},
	} {
		var got *http.Request
		client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: "https://gemma.example", Model: "m", Auth: auth.Static("T"), APIKey: tt.key, Protocol: gemma.ProtocolOllama,
			Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
				got = r
				return answer(r, 200, "application/json", "{}"), nil
			})})
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://gemma.example"+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Basic mine")
		req.Header.Set("X-Goog-Api-Key", "mine")
		resp, err := client.HTTPClient().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		h := got.Header
		if h.Get("Authorization") != tt.authorization || h.Get("X-Goog-Api-Key") != tt.google || h.Get("X-Serverless-Authorization") != "Bearer T" {
			t.Errorf("%+v: %v", tt, h)
		}
		if req.Header.Get("Authorization") != "Basic mine" || req.Header.Get("X-Goog-Api-Key") != "mine" {
			t.Error("the caller's request was written to")
		}
	}
}

// TestHeadersOfACall: a header in any spelling takes its place once; a token
// beside it goes where the front end looks.
func TestHeadersOfACall(t *testing.T) {
	var got http.Header
	client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: "https://gemma.example", Model: "m", Auth: auth.Static("T"), Protocol: gemma.ProtocolOllama,
		Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/api/chat" {
				got = r.Header
			}
			return answer(r, 200, "application/x-ndjson", `{"model":"m","message":{"role":"assistant","content":"hi"},"done":true,"done_reason":"stop"}`+"\n"), nil
		})})
	if err != nil {
		t.Fatal(err)
	}
	config := &genai.GenerateContentConfig{HTTPOptions: &genai.HTTPOptions{Headers: http.Header{"authorization": {"Basic mine"}, "x-team": {"blue"}}}}
	check := func(entrance string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", entrance, err)
		}
		//lint:ignore SA1008 a name that was not made canonical would stand there as it is
		if got.Get("Authorization") != "Basic mine" || len(got["authorization"]) > 0 || got.Get("X-Serverless-Authorization") != "Bearer T" || got.Get("X-Team") != "blue" {
			t.Errorf("%s: %v", entrance, got)
		}
		got = nil
	}
	_, err = text(client.Stream(t.Context(), hi, config))
	check("client", err)
	_, err = client.GenAI().Models.GenerateContent(t.Context(), "m", hi, config)
	check("genai", err)
	_, err = text(client.GenAI().Models.GenerateContentStream(t.Context(), "m", hi, config))
	check("genai, stream", err)
}

type closer struct {
	transportFunc
	closed int
}

func (c *closer) CloseIdleConnections() { c.closed++ }

// TestCloseIdleConnections reaches the caller's transport.
func TestCloseIdleConnections(t *testing.T) {
	base := &closer{}
	client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: "https://gemma.example", Public: true, Transport: base})
	if err != nil {
		t.Fatal(err)
	}
	client.HTTPClient().CloseIdleConnections()
	if base.closed != 1 {
		t.Errorf("%d times", base.closed)
	}
}

// TestLiveStaysHere: the Gen AI SDK's Live dials past every transport, without
// a token; it must not get as far as that.
func TestLiveStaysHere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan bool)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			conn.Close()
		}
		accepted <- err == nil
	}()
	client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: "https://" + l.Addr().String(), Public: true})
	if err != nil {
		t.Fatal(err)
	}
	if session, err := client.GenAI().Live.Connect(t.Context(), "gemma-3-4b-it", nil); err == nil {
		session.Close()
		t.Error("connected")
	}
	l.Close()
	if <-accepted {
		t.Error("the endpoint was dialled")
	}
}

// TestErrorTellsTheEffort: what was spent, and nothing of what was not; a model
// that is not there is told with the next step.
func TestErrorTellsTheEffort(t *testing.T) {
	cold := gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Start: time.Minute}}
	bubble(t, cold, func(t *testing.T, srv *gemmatest.Server) {
		client := dial(t, srv, func(c *gemma.Config) { c.Model = "llama3" })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := text(client.Stream(ctx, hi, nil))
		fails(t, err, gemma.KindCold)
		if s := err.Error(); !strings.Contains(s, "[waited 10s, about ") || strings.Contains(s, "0 request") {
			t.Error(s)
		}
		_, err = text(client.Stream(t.Context(), hi, nil))
		if e := fails(t, err, gemma.KindNotFound); !strings.Contains(e.Message, "'llama3' not found") || !strings.Contains(e.Hint, "Client.Models") {
			t.Error(err)
		}
	})
	e := &gemma.Error{Kind: gemma.KindServer, Message: "no", Attempts: 3}
	if got := e.Error(); got != "gemma: server: no [3 requests]" {
		t.Error(got)
	}
}

// TestNoModelNamed: what can be told without the endpoint does not wake it.
func TestNoModelNamed(t *testing.T) {
	bubble(t, gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Start: time.Minute}}, func(t *testing.T, srv *gemmatest.Server) {
		client := dial(t, srv, func(c *gemma.Config) { c.Model, c.Protocol = "", gemma.ProtocolGemini })
		_, err := text(client.Stream(t.Context(), hi, nil))
		fails(t, err, gemma.KindInvalid)
		if n := srv.Stats().Requests; n != 0 || !strings.Contains(err.Error(), "Config.Model: is empty") {
			t.Errorf("%d requests, %v", n, err)
		}
	})
}

// TestContainersOwnKey: a missing or wrong key is told as one, whichever
// request meets it first.
func TestContainersOwnKey(t *testing.T) {
	for _, kind := range []gemmatest.Kind{gemmatest.Prebuilt, gemmatest.VLLM} {
		for _, key := range []string{"", "wrong"} {
			bubble(t, gemmatest.Config{Kind: kind, APIKey: "sesame", FrontEnd: gemmatest.FrontEndConfig{Start: time.Minute}}, func(t *testing.T, srv *gemmatest.Server) {
				client := dial(t, srv, func(c *gemma.Config) { c.APIKey = key })
				_, err := text(client.Stream(t.Context(), hi, nil))
				if e := fails(t, err, gemma.KindForbidden); !strings.Contains(e.Hint, "Config.APIKey") {
					t.Errorf("%v, key %q: %v", kind, key, err)
				}
			})
		}
	}
}
