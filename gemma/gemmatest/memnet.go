// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// memBuffer is how many bytes one direction of an in-memory connection holds
// before the writer waits, as a socket's buffers would.
const memBuffer = 64 << 10

// memListener accepts in-memory connections. Unlike sockets they work inside
// a testing/synctest bubble, because a goroutine that waits for one is
// durably blocked.
type memListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newMemListener() *memListener {
	return &memListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *memListener) Addr() net.Addr { return memAddr("gemmatest") }

// dial gives the client's end of a new connection.
func (l *memListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := memPipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, &net.OpError{Op: "dial", Net: "mem", Addr: l.Addr(), Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "mem", Addr: l.Addr(), Err: ctx.Err()}
	}
}

type memAddr string

func (a memAddr) Network() string { return "mem" }
func (a memAddr) String() string  { return string(a) }

// memConn is one end of an in-memory connection.
type memConn struct {
	in, out *memHalf
}

func memPipe() (client, server *memConn) {
	up, down := newMemHalf(), newMemHalf()
	return &memConn{in: down, out: up}, &memConn{in: up, out: down}
}

func (c *memConn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *memConn) Write(b []byte) (int, error) { return c.out.write(b) }

// Close ends both directions: the peer reads what was written, then io.EOF.
func (c *memConn) Close() error {
	c.out.end(io.EOF, syscall.EPIPE)
	c.in.end(net.ErrClosed, syscall.ECONNRESET)
	return nil
}

// reset ends both directions as a TCP reset does: once the peer has read what
// has reached it, its calls fail with ECONNRESET.
func (c *memConn) reset() {
	c.out.end(syscall.ECONNRESET, syscall.ECONNRESET)
	c.in.end(net.ErrClosed, syscall.ECONNRESET)
}

func (c *memConn) LocalAddr() net.Addr  { return memAddr("gemmatest") }
func (c *memConn) RemoteAddr() net.Addr { return memAddr("gemmatest") }

func (c *memConn) SetDeadline(t time.Time) error {
	c.in.rd.set(c.in, t)
	c.out.wd.set(c.out, t)
	return nil
}
func (c *memConn) SetReadDeadline(t time.Time) error  { c.in.rd.set(c.in, t); return nil }
func (c *memConn) SetWriteDeadline(t time.Time) error { c.out.wd.set(c.out, t); return nil }

// memHalf is one direction of a connection.
type memHalf struct {
	mu       sync.Mutex
	wake     sync.Cond
	buf      []byte
	readErr  error // what a reader gets after the buffer; nil while open
	writeErr error // what a writer gets; nil while open
	rd, wd   memDeadline
}

func newMemHalf() *memHalf {
	h := &memHalf{}
	h.wake.L = &h.mu
	return h
}

func (h *memHalf) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case errors.Is(h.readErr, net.ErrClosed):
			return 0, h.readErr
		case h.rd.passed:
			return 0, os.ErrDeadlineExceeded
		case len(h.buf) > 0:
			n := copy(b, h.buf)
			h.buf = h.buf[n:]
			if len(h.buf) == 0 {
				h.buf = nil
			}
			h.wake.Broadcast()
			return n, nil
		case h.readErr == io.EOF:
			return 0, io.EOF
		case h.readErr != nil:
			return 0, &net.OpError{Op: "read", Net: "mem", Err: h.readErr}
		case len(b) == 0:
			return 0, nil
		}
		h.wake.Wait()
	}
}

func (h *memHalf) write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	sent := 0
	for {
		switch {
		case h.writeErr != nil:
			return sent, &net.OpError{Op: "write", Net: "mem", Err: h.writeErr}
		case h.wd.passed:
			return sent, os.ErrDeadlineExceeded
		case len(b) == 0:
			return sent, nil
		case len(h.buf) < memBuffer:
			n := min(len(b), memBuffer-len(h.buf))
			h.buf = append(h.buf, b[:n]...)
			b, sent = b[n:], sent+n
			h.wake.Broadcast()
			continue
		}
		h.wake.Wait()
	}
}

// end closes the direction; the first end wins.
func (h *memHalf) end(readErr, writeErr error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.readErr == nil || errors.Is(readErr, net.ErrClosed) {
		h.readErr = readErr
	}
	if h.writeErr == nil {
		h.writeErr = writeErr
	}
	h.rd.stop()
	h.wd.stop()
	h.wake.Broadcast()
}

// memDeadline is guarded by its half's mutex.
type memDeadline struct {
	timer  *time.Timer
	passed bool
}

func (d *memDeadline) set(h *memHalf, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d.stop()
	d.passed = false
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.passed = true
		h.wake.Broadcast()
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if d.timer == timer { // else a later deadline took its place
			d.passed = true
			h.wake.Broadcast()
		}
	})
	d.timer = timer
}

func (d *memDeadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
