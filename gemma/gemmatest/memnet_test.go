// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memPipe()
		buf := make([]byte, 8)

		// What was written before a close is read after it.
		a.Write([]byte("hello"))
		a.Close()
		if n, err := b.Read(buf); string(buf[:n]) != "hello" || err != nil {
			t.Errorf("%q %v", buf[:n], err)
		}
		if _, err := b.Read(buf); err != io.EOF {
			t.Errorf("after the close: %v", err)
		}
		if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write to a closed peer: %v", err)
		}
		if _, err := a.Read(buf); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after own close: %v", err)
		}

		// A reset is an error after what was written.
		a, b = memPipe()
		a.Write([]byte("sent"))
		a.reset()
		if n, err := b.Read(buf); n != 4 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		if n, err := b.Read(buf); n != 0 || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%d %v", n, err)
		}

		// Deadlines, past and future, and their removal.
		a, b = memPipe()
		began := time.Now()
		b.SetReadDeadline(began.Add(time.Second))
		if _, err := b.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		b.SetReadDeadline(time.Time{})
		time.AfterFunc(time.Hour, func() { a.Write([]byte("late")) })
		if n, err := b.Read(buf); n != 4 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		b.SetReadDeadline(time.Unix(1, 0))
		if _, err := b.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}

		// A writer waits for room, as on a socket.
		a.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := a.Write(make([]byte, memBuffer+1))
		if n != memBuffer || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%d %v", n, err)
		}
		a.SetWriteDeadline(time.Time{})
		done := make(chan error, 1)
		go func() { _, err := a.Write([]byte("more")); done <- err }()
		synctest.Wait()
		select {
		case <-done:
			t.Error("a write went into a full buffer")
		default:
		}
		b.SetReadDeadline(time.Time{})
		io.CopyN(io.Discard, b, memBuffer)
		if err := <-done; err != nil {
			t.Error(err)
		}
		a.Close()
		b.Close()
	})
}

// TestMemConnCarriesEverything: a large body both ways, with net/http on both
// ends.
func TestMemConnCarriesEverything(t *testing.T) {
	s := NewServer(Config{InMemory: true, Local: true, Backend: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(w, r.Body)
	})})
	defer s.Close()
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	resp, err := (&http.Client{Transport: s.Transport()}).Post(s.URL, "text/plain", bytes.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes of %d, %v", len(got), len(sent), err)
	}
}

func TestTransportKnowsOnlyItsServer(t *testing.T) {
	a := NewServer(Config{InMemory: true, Local: true})
	defer a.Close()
	b := NewServer(Config{InMemory: true, Local: true, URL: "https://b.example"})
	defer b.Close()
	try := func(rt http.RoundTripper, url string) error {
		req, err := http.NewRequestWithContext(context.Background(), "GET", url+"/api/version", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := rt.RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	if err := try(a.Transport(), a.URL); err != nil {
		t.Error(err)
	}
	_, isDNS := errors.AsType[*net.DNSError](try(a.Transport(), b.URL))
	if !isDNS {
		t.Error("a reached b")
	}
	both := Network(a, b)
	defer both.CloseIdleConnections()
	for _, url := range []string{a.URL, b.URL} {
		if err := try(both, url); err != nil {
			t.Error(err)
		}
	}
	b.Close()
	both.CloseIdleConnections()
	if err := try(both, b.URL); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after Close: %v", err)
	}
}
