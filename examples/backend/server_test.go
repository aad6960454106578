// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// backend is the service under test before an endpoint in memory, in virtual time.
func backend(t *testing.T, c gemmatest.Config, f func(t *testing.T, h http.Handler, srv *gemmatest.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.InMemory = true
		srv := gemmatest.NewServer(c)
		defer srv.Close()
		status := newStatus()
		client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: srv.URL, Auth: srv.Source(), Transport: srv.Transport(), OnEvent: status.observe})
		if err != nil {
			t.Fatal(err)
		}
		f(t, newServer(client, status, 10*time.Minute), srv)
	})
}

type event struct{ name, data string }

// ask returns the answer's status and its events.
func ask(ctx context.Context, h http.Handler, header http.Header) (*httptest.ResponseRecorder, []event) {
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/stream?q=Why+is+the+sky+blue%3F", nil)
	maps.Copy(req.Header, header)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w, parse(w.Body)
}

func parse(r io.Reader) []event {
	var events []event
	var e event
	for s := bufio.NewScanner(r); s.Scan(); {
		switch name, value, _ := strings.Cut(s.Text(), ": "); name {
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "":
			events = append(events, e)
		}
	}
	return events
}

func answer(events []event) string {
	var b strings.Builder
	for _, e := range events {
		if e.name == "text" {
			var s string
			_ = json.Unmarshal([]byte(e.data), &s)
			b.WriteString(s)
		}
	}
	return b.String()
}

// TestColdStartIsShown: a patient browser sees the start as a state, then the
// answer, then the figures.
func TestColdStartIsShown(t *testing.T) {
	backend(t, gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Start: 20 * time.Second}}, func(t *testing.T, h http.Handler, srv *gemmatest.Server) {
		w, events := ask(t.Context(), h, nil)
		cold := 0
		for _, e := range events {
			if e.name == "state" && strings.Contains(e.data, `"cold"`) {
				cold++
			}
		}
		if w.Code != 200 || cold < 15 || !strings.HasPrefix(answer(events), "The sky") || events[len(events)-1].name != "done" {
			t.Errorf("%d, %d cold states, %v", w.Code, cold, events)
		}
	})
}

// Test500Browsers: 500 at once, a cold start, 4 slots. Everybody gets the whole
// answer and nobody an error.
func Test500Browsers(t *testing.T) {
	c := gemmatest.Config{
		FirstToken: time.Second, Pace: 10 * time.Millisecond,
		FrontEnd: gemmatest.FrontEndConfig{Start: 20 * time.Second, Slots: 4},
	}
	backend(t, c, func(t *testing.T, h http.Handler, srv *gemmatest.Server) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		good := 0
		for range 500 {
			wg.Go(func() {
				w, events := ask(t.Context(), h, nil)
				if len(events) == 0 || w.Code != 200 || events[len(events)-1].name != "done" {
					t.Errorf("%d %v", w.Code, events[max(0, len(events)-1):])
					return
				}
				mu.Lock()
				defer mu.Unlock()
				good++
			})
		}
		wg.Wait()
		s := srv.Stats()
		t.Logf("%d good, %d requests for %d generations, at most %d running", good, s.Requests, s.Generations, s.MaxRunning)
		if good != 500 {
			t.Errorf("%d of 500", good)
		}
	})
}

// TestImpatientCaller: "Prefer: wait=2" on a cold endpoint is a 503 after 2 s
// that says when to come back; the endpoint is woken all the same, so that
// coming back helps.
func TestImpatientCaller(t *testing.T) {
	backend(t, gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Start: 30 * time.Second}}, func(t *testing.T, h http.Handler, srv *gemmatest.Server) {
		begin := time.Now()
		w, _ := ask(t.Context(), h, http.Header{"Prefer": {"wait=2"}})
		after, _ := strconv.Atoi(w.Header().Get("Retry-After"))
		if took := time.Since(begin); w.Code != 503 || took > 3*time.Second || after < 1 || after > 120 {
			t.Fatalf("%d after %v, Retry-After %q", w.Code, took, w.Header().Get("Retry-After"))
		}
		time.Sleep(2 * time.Minute)
		if w, events := ask(t.Context(), h, http.Header{"Prefer": {"wait=2"}}); w.Code != 200 || answer(events) == "" {
			t.Errorf("two minutes later: %d", w.Code)
		}
	})
}

// TestClosedTabStopsTheModel: the generation ends with the browser's request.
func TestClosedTabStopsTheModel(t *testing.T) {
	backend(t, gemmatest.Config{Pace: time.Second}, func(t *testing.T, h http.Handler, srv *gemmatest.Server) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		ask(ctx, h, nil)
		time.Sleep(time.Second)
		if s := srv.Stats(); s.InFlight != 0 {
			t.Errorf("%d still in flight", s.InFlight)
		}
	})
}

// TestBrokenAnswerIsTold: a stream that breaks ends with an error event, whose
// text holds no detail.
func TestBrokenAnswerIsTold(t *testing.T) {
	reply := gemmatest.Text("The sky is blue because")
	reply.Fault, reply.At = gemmatest.EndEarly, 2
	backend(t, gemmatest.Config{Reply: func(gemmatest.Call) gemmatest.Reply { return reply }}, func(t *testing.T, h http.Handler, srv *gemmatest.Server) {
		_, events := ask(t.Context(), h, nil)
		if e := events[len(events)-1]; e.name != "error" || e.data != `{"kind":"interrupted","retry":true}` {
			t.Errorf("%v", events)
		}
	})
}

func TestReadyzAndPage(t *testing.T) {
	backend(t, gemmatest.Config{}, func(t *testing.T, h http.Handler, srv *gemmatest.Server) {
		for path, want := range map[string]string{"/readyz": `"ready":true`, "/": "<title>Ask Gemma</title>"} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
		for _, q := range []string{"", strings.Repeat("x", maxQuestion+1)} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/stream?q="+q, nil))
			if w.Code != 400 {
				t.Errorf("a question of %d bytes: %d", len(q), w.Code)
			}
		}
		if n := len(srv.Requests()); n != 0 {
			t.Errorf("the endpoint got %d requests", n)
		}
	})
}

// TestGracefulShutdown runs the program itself: a signal lets the answer in
// flight finish.
func TestGracefulShutdown(t *testing.T) {
	t.Setenv("GEMMA_ENDPOINT", "")
	ctx, stop := context.WithCancel(t.Context())
	address := make(chan net.Addr, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-listen", "127.0.0.1:0", "-grace", "1m", "-start", "20ms", "-pace", "0s"}, quiet, func(a net.Addr) { address <- a })
	}()
	resp, err := http.Get("http://" + (<-address).String() + "/stream?q=hi")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	stop() // the answer has begun with its first state
	events := parse(resp.Body)
	if len(events) == 0 || events[len(events)-1].name != "done" {
		t.Errorf("events %v", events)
	}
	if err := <-ended; err != nil && !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}
