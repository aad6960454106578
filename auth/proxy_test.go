// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gemma-go/sdk/auth"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// private is an endpoint that lets nobody in without a token.
func private(t *testing.T, h http.HandlerFunc) (*httptest.Server, auth.Source) {
	s := httptest.NewServer(gemmatest.NewFrontEnd(gemmatest.FrontEndConfig{URL: endpoint}, h))
	t.Cleanup(s.Close)
	return s, auth.Static(gemmatest.Mint(gemmatest.MintOptions{Audience: endpoint}))
}

func newProxy(t *testing.T, target string, src auth.Source, opts *auth.ProxyOptions) *httptest.Server {
	t.Helper()
	h, err := auth.NewProxyWithOptions(target, src, opts)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func get(t *testing.T, url string, change func(*http.Request)) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// Every chunk arrives when it was sent: the endpoint sends the next one only
// after the client has the one before.
func TestProxyStreamsAsItComes(t *testing.T) {
	next := make(chan struct{})
	up, src := private(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("Content-Length", "40") // a length that is known is no reason to wait for all of it
		for i := range 5 {
			if i > 0 {
				select {
				case <-next:
				case <-r.Context().Done():
					return
				}
			}
			fmt.Fprintf(w, "{\"n\":%d}\n", i)
			w.(http.Flusher).Flush()
		}
	})
	p := newProxy(t, up.URL, src, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // reached only by a proxy that holds a chunk back
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "POST", p.URL+"/api/chat", strings.NewReader("{}"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for i := range 5 {
		line, err := lines.ReadString('\n')
		if err != nil || line != fmt.Sprintf("{\"n\":%d}\n", i) {
			t.Fatalf("chunk %d: %q, %v", i, line, err)
		}
		if i < 4 {
			next <- struct{}{}
		}
	}
}

// So does every chunk of a request.
func TestProxyStreamsRequests(t *testing.T) {
	got := make(chan string, 8)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		buf := make([]byte, 16)
		for {
			n, err := r.Body.Read(buf)
			if n > 0 {
				got <- string(buf[:n])
			}
			if err != nil {
				return
			}
		}
	}))
	defer up.Close()
	p := newProxy(t, up.URL, nil, nil)
	body, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		resp, err := http.Post(p.URL, "text/plain", body)
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	for _, chunk := range []string{"one", "two", "three"} {
		io.WriteString(in, chunk)
		if s := <-got; s != chunk {
			t.Fatalf("%q, want %q", s, chunk)
		}
	}
	in.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestProxyPassesWhatItGets(t *testing.T) {
	var seen *http.Request
	var text string
	up, src := private(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		seen, text = r, string(b)
		w.Header().Set("Trailer", "X-Sum")
		w.Header().Set("X-Served-By", "ollama")
		w.Header().Set("Connection", "X-Hop")
		w.Header().Set("X-Hop", "1")
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "short")
		w.Header().Set("X-Sum", "5")
	})
	p := newProxy(t, up.URL, src, nil)
	req, _ := http.NewRequest("PUT", p.URL+"/v1/mod%2Fels?q=a;b&x=%zz", strings.NewReader("body"))
	req.Header.Set("Authorization", "Bearer the-container's-key")
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("Connection", "X-Mine")
	req.Header.Set("X-Mine", "1")
	req.Header.Set("Proxy-Authorization", "Basic x")
	req.Header.Set("X-Forwarded-For", "1.2.3.4")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusTeapot || string(b) != "short" || resp.Header.Get("X-Served-By") != "ollama" || resp.Trailer.Get("X-Sum") != "5" {
		t.Errorf("answer %d %q %v %v", resp.StatusCode, b, resp.Header, resp.Trailer)
	}
	if resp.Header.Get("X-Hop") != "" {
		t.Error("a hop-by-hop header of the answer came through")
	}
	if seen.Method != "PUT" || seen.URL.EscapedPath() != "/v1/mod%2Fels" || seen.URL.RawQuery != "q=a;b&x=%zz" || text != "body" {
		t.Errorf("request %s %s?%s %q", seen.Method, seen.URL.EscapedPath(), seen.URL.RawQuery, text)
	}
	if seen.Host != strings.TrimPrefix(up.URL, "http://") {
		t.Errorf("host %s", seen.Host)
	}
	if seen.Header.Get("Authorization") != "Bearer the-container's-key" || !strings.HasPrefix(seen.Header.Get("X-Serverless-Authorization"), "Bearer ey") {
		t.Errorf("authorization headers %v", seen.Header)
	}
	for _, h := range []string{"X-Mine", "Proxy-Authorization", "X-Forwarded-For"} {
		if seen.Header.Get(h) != "" {
			t.Errorf("%s came through", h)
		}
	}
}

func TestProxyLeavesCompressionAlone(t *testing.T) {
	up, src := private(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "asked for: "+r.Header.Get("Accept-Encoding"))
	})
	p := newProxy(t, up.URL, src, nil)
	req, _ := http.NewRequest("GET", p.URL, nil)
	resp, err := (&http.Transport{DisableCompression: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); string(b) != "asked for: " {
		t.Errorf("%q", b)
	}
}

func TestProxyServesThisMachineOnly(t *testing.T) {
	up, src := private(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "served") })
	for _, tc := range []struct {
		name   string
		change func(*http.Request)
		ok     bool
	}{
		{"plain", nil, true},
		{"localhost", func(r *http.Request) { r.Host = "localhost:9090" }, true},
		{"IPv6", func(r *http.Request) { r.Host = "[::1]:9090" }, true},
		{"rebound name", func(r *http.Request) { r.Host = "attacker.example.com" }, false},
		{"look-alike", func(r *http.Request) { r.Host = "localhost.attacker.example.com:9090" }, false},
		{"another page", func(r *http.Request) { r.Header.Set("Origin", "https://attacker.example.com") }, false},
		{"opaque origin", func(r *http.Request) { r.Header.Set("Origin", "null") }, false},
		{"page of another local port", func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:1") }, false},
		{"its own page", func(r *http.Request) { r.Header.Set("Origin", "http://"+r.URL.Host) }, true},
		{"image of another page", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, false},
		{"typed into the address bar", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") }, true},
	} {
		p := newProxy(t, up.URL, src, nil)
		resp, text := get(t, p.URL, tc.change)
		if ok := resp.StatusCode == 200 && text == "served"; ok != tc.ok || !ok && resp.StatusCode != 403 {
			t.Errorf("%s: %d %s", tc.name, resp.StatusCode, text)
		}
	}
}

func TestProxyRemoteCallers(t *testing.T) {
	up, src := private(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "served") })
	status := func(opts *auth.ProxyOptions, host, from string) int {
		h, err := auth.NewProxyWithOptions(up.URL, src, opts)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.Host, r.RemoteAddr = host, from
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	named := &auth.ProxyOptions{Hosts: []string{"Gemma.internal"}}
	for _, tc := range []struct {
		opts       *auth.ProxyOptions
		host, from string
		want       int
	}{
		{nil, "localhost", "192.0.2.7:555", 403},
		{nil, "localhost", "127.0.0.1:555", 200},
		{nil, "localhost", "[::1]:555", 200},
		{nil, "localhost", "@", 200}, // a Unix socket
		{named, "gemma.internal:9090", "192.0.2.7:555", 200},
		{named, "other.internal:9090", "192.0.2.7:555", 403},
	} {
		if got := status(tc.opts, tc.host, tc.from); got != tc.want {
			t.Errorf("%v %s from %s: %d, want %d", tc.opts, tc.host, tc.from, got, tc.want)
		}
	}
}

func TestProxyRedirects(t *testing.T) {
	up, src := private(t, func(w http.ResponseWriter, r *http.Request) {
		to := "https://elsewhere.example.com/x"
		if r.URL.Path == "/self" {
			to = "http://" + r.Host + "/there?q=1"
		}
		http.Redirect(w, r, to, http.StatusTemporaryRedirect)
	})
	p := newProxy(t, up.URL, src, nil)
	if resp, _ := get(t, p.URL+"/self", nil); resp.StatusCode != 307 || resp.Header.Get("Location") != "/there?q=1" {
		t.Errorf("%d to %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	if resp, _ := get(t, p.URL+"/away", nil); resp.Header.Get("Location") != "https://elsewhere.example.com/x" {
		t.Errorf("to %s", resp.Header.Get("Location"))
	}
}

func TestProxyErrors(t *testing.T) {
	front := httptest.NewServer(gemmatest.NewFrontEnd(gemmatest.FrontEndConfig{URL: endpoint, Invokers: []string{}}, nil))
	defer front.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := "http://" + l.Addr().String()
	l.Close()
	good := auth.Static(gemmatest.Mint(gemmatest.MintOptions{Audience: endpoint}))
	failing := auth.SourceFunc(func(context.Context) (auth.Token, error) { return auth.Token{}, &auth.Error{Message: "no token"} })
	for _, tc := range []struct {
		name, target string
		src          auth.Source
		status       int
		want         string
	}{
		{"no role", front.URL, good, 403, "roles/run.invoker"},
		{"no token", front.URL, failing, 502, "no token"},
		{"unreachable", gone, good, 502, "refused"},
	} {
		p := newProxy(t, tc.target, tc.src, nil)
		if resp, text := get(t, p.URL, nil); resp.StatusCode != tc.status || !strings.Contains(text, tc.want) {
			t.Errorf("%s: %d %s", tc.name, resp.StatusCode, text)
		}
	}
	if _, err := auth.NewProxy("http://example.com", nil); err == nil {
		t.Error("an unencrypted endpoint was taken")
	}
}

// The endpoint's request ends when the client leaves.
func TestProxyClientLeaves(t *testing.T) {
	left := make(chan struct{})
	up, src := private(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(left)
	})
	p := newProxy(t, up.URL, src, nil)
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "GET", p.URL, nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(resp.Body, make([]byte, 5))
	cancel()
	resp.Body.Close()
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Error("the endpoint still streams to nobody")
	}
}

// A connection that is upgraded is passed through both ways.
func TestProxyUpgrade(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "echo" || r.Header.Get("Authorization") != "Bearer a.b.c" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		line, _ := rw.ReadString('\n')
		io.WriteString(c, "you said "+line)
	}))
	defer up.Close()
	p := newProxy(t, up.URL, auth.Static("a.b.c"), nil)
	c, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v %v", resp, err)
	}
	io.WriteString(c, "hello\n")
	if line, _ := in.ReadString('\n'); line != "you said hello\n" {
		t.Errorf("%q", line)
	}
}

// An answer that breaks off does not look whole to the client.
func TestProxyBrokenAnswer(t *testing.T) {
	up, src := private(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "half of it")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	p := newProxy(t, up.URL, src, nil)
	resp, err := http.Get(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err == nil || string(b) != "half of it" {
		t.Errorf("%q, %v", b, err)
	}
}
