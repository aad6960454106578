// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package ollama

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// process is `ollama serve` and what it starts, in a process group of their
// own under a shell that kills the group when its standard input ends. So they
// end with this process in whatever way it ends.
type process struct {
	shell     *exec.Cmd
	stdin     io.Closer
	serve     chan int    // its process id, once
	listening chan string // the address, once
	done      chan struct{}
}

// script prints the server's process id, and ends with its group.
const script = `"$0" serve </dev/null & echo "pid $!"; cat >/dev/null; kill -KILL 0`

func startProcess(binary string, env []string, note func(line []byte)) (*process, error) {
	p := &process{
		shell:     exec.Command("/bin/sh", "-c", script, binary),
		serve:     make(chan int, 1),
		listening: make(chan string, 1),
		done:      make(chan struct{}),
	}
	p.shell.Env = env
	p.shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := p.shell.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.shell.Stdout, p.shell.Stderr = w, w
	err = p.shell.Start()
	w.Close()
	if err != nil {
		r.Close()
		return nil, err
	}
	go p.read(r, note)
	return p, nil
}

var listens = regexp.MustCompile(`Listening on (127\.0\.0\.1:\d+) `)

// read takes the process's output until the last process of the group is gone.
func (p *process) read(r io.ReadCloser, note func([]byte)) {
	defer close(p.done)
	defer r.Close()
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			note(line)
			if m := listens.FindSubmatch(line); m != nil {
				offer(p.listening, string(m[1]))
			}
			if pid, ok := strings.CutPrefix(string(line), "pid "); ok {
				if n, err := strconv.Atoi(strings.TrimSpace(pid)); err == nil {
					offer(p.serve, n)
				}
			}
		}
		if err != nil {
			return
		}
	}
}

func offer[T any](c chan T, v T) {
	select {
	case c <- v:
	default:
	}
}

// pid waits for the server's process id, which the shell prints first.
func (p *process) pid() (int, error) {
	select {
	case n := <-p.serve:
		p.serve <- n
		return n, nil
	case <-p.done:
		return 0, fmt.Errorf("ollama: the server is not running")
	}
}

func (p *process) kill() error {
	n, err := p.pid()
	if err != nil {
		return err
	}
	return syscall.Kill(n, syscall.SIGKILL)
}

// killChildren finds the runners as the server's children in /proc, or by ps
// where there is none.
func (p *process) killChildren() error {
	parent, err := p.pid()
	if err != nil {
		return err
	}
	children, err := childrenOf(parent)
	if err != nil {
		return err
	}
	if len(children) == 0 {
		return fmt.Errorf("ollama: no model is loaded")
	}
	for _, n := range children {
		if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
			return err
		}
	}
	return nil
}

func childrenOf(parent int) ([]int, error) {
	var children []int
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		// "pid (name) state ppid …", where the name may hold anything.
		head, rest, _ := strings.Cut(string(b), " ")
		if i := strings.LastIndexByte(rest, ')'); i >= 0 {
			rest = rest[i+1:]
		}
		children = child(children, parent, head, strings.Fields(rest), 1)
	}
	if len(stats) > 0 {
		return children, nil
	}
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) == 2 {
			children = child(children, parent, f[0], f, 1)
		}
	}
	return children, err
}

// child appends pid if the field at i is its parent's id.
func child(children []int, parent int, pid string, fields []string, i int) []int {
	if len(fields) <= i || fields[i] != strconv.Itoa(parent) {
		return children
	}
	if n, err := strconv.Atoi(pid); err == nil {
		children = append(children, n)
	}
	return children
}

// end kills the group and waits until it is gone. It may be called again.
func (p *process) end() {
	p.stdin.Close()
	<-p.done
	p.shell.Wait()
}
