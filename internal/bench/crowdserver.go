// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// serveArg makes this program the crowd's server, in a process of its own: so
// it takes nothing of the heap and of the files of the process measured.
const serveArg = "serve-the-crowd"

// crowdServer holds any number of streams open in Ollama's protocol. Each gets
// chunk 0 at once; the rest comes when /go says so: paced chunks, one stream
// after the other, and then a flood. A chunk's text is its number and the time
// at which it was written.
type crowdServer struct {
	mu      sync.Mutex
	streams []chan int // how many chunks to write; 0 = end the answer
}

func (s *crowdServer) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	switch req.URL.Path {
	case "/api/chat":
		s.chat(w, req)
	case "/go":
		s.run(w, req.URL.Query())
	default:
		_, _ = io.WriteString(w, `{"model":"gemma3:4b","created_at":"2026-11-23T09:18:29Z","response":"","done":true,"done_reason":"load"}`)
	}
}

func (s *crowdServer) chat(w http.ResponseWriter, req *http.Request) {
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	orders := make(chan int, 2)
	orders <- 1
	s.mu.Lock()
	s.streams = append(s.streams, orders)
	s.mu.Unlock()
	for seq := 0; ; {
		var n int
		select {
		case n = <-orders:
		case <-req.Context().Done():
			return
		}
		if n == 0 {
			_, _ = w.Write(end(ollama, seq)[0])
			return
		}
		for range n {
			if _, err := w.Write(chunk(ollama, fmt.Sprintf("%d %d", seq, time.Now().UnixNano()))); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			seq++
		}
	}
}

// run gives the orders, and answers when all of them were given.
func (s *crowdServer) run(w http.ResponseWriter, q url.Values) {
	number := func(key string) int { n, _ := strconv.Atoi(q.Get(key)); return n }
	s.mu.Lock()
	streams := s.streams
	s.streams = nil
	s.mu.Unlock()
	begun := time.Now()
	given := 0
	for range number("paced") {
		// Witnesses and measured streams in one mix: a stall hits both alike.
		rand.Shuffle(len(streams), func(i, j int) { streams[i], streams[j] = streams[j], streams[i] })
		for _, orders := range streams {
			if due := begun.Add(time.Duration(given) * time.Second / time.Duration(number("rate"))); time.Until(due) > time.Millisecond {
				time.Sleep(time.Until(due))
			}
			orders <- 1
			given++
		}
	}
	time.Sleep(200 * time.Millisecond) // the last paced chunks get through
	flooded := time.Now()
	for _, orders := range streams {
		orders <- number("flood")
		orders <- 0
	}
	fmt.Fprint(w, flooded.UnixNano())
}

// serveCrowd is the child's main: it says where it listens, and serves until its
// standard input ends.
func serveCrowd() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	server := &http.Server{Handler: &crowdServer{}}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	if err := server.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// startCrowdServer starts the child, and returns its URL and how to end it.
func startCrowdServer() (base string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command(self, serveArg)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = in.Close()
		_ = cmd.Wait()
	}
	var line [64]byte
	n, err := out.Read(line[:])
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("the crowd's server did not start: %w", err)
	}
	return strings.TrimSpace(string(line[:n])), stop, nil
}
