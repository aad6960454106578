// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
)

// The goals are ratios to the peers in the same run, and bounds on what the
// client may add to net/http.
const (
	mostTimeToGenAI       = 1.0 / 12 // Ollama and OpenAI
	mostAllocsToGenAI     = 1.0 / 25
	mostTimeToOllama      = 1.0 / 4
	mostTimeToGenAIGemini = 1.0 / 8
	mostTimeOfBridge      = 1.35 // to plain go-genai
	mostFirstToken        = 50   // µs added, the median
	mostHeap              = 40   // KiB added to each stream
)

// short is the length of an answer that classifies or says yes.
const short = 8

// who is a client with a protocol.
type who struct {
	name string
	p    protocol
}

func (w who) String() string { return w.name + ", " + string(w.p) }

// chunkOf and unaryOf name what is measured of a client.
func chunkOf(w who) string             { return w.String() + ", per chunk" }
func unaryOf(w who, tokens int) string { return fmt.Sprintf("%v, unary call of %d tokens", w, tokens) }

// fake is the address of the answers that come from memory.
const fake = "http://127.0.0.1:1"

// addCosts measures what a chunk and a unary call cost.
func (r *report) addCosts(ctx context.Context, p plan) error {
	var tasks []task
	for _, proto := range protocols {
		for _, tokens := range []int{p.tokens, short} {
			a := newAnswer(proto, tokens)
			askers, err := newAskers(ctx, proto, fake, a)
			if err != nil {
				return err
			}
			for _, k := range askers {
				w := who{k.name, proto}
				if tokens == p.tokens {
					tasks = append(tasks, task{chunkOf(w), tokens, func() error { return k.streams(ctx, a) }})
				}
				tasks = append(tasks, task{unaryOf(w, tokens), 1, func() error { return k.gets(ctx, a) }})
			}
		}
	}
	found, err := costs(tasks, p.rounds, p.sample)
	if err != nil {
		return err
	}
	r.Costs = map[string]cost{}
	for name, cs := range found {
		r.Costs[name] = medianCost(cs)
	}
	// per is a row of costs per chunk.
	per := func(what string, our, peer who, figure func(cost) float64, unit string) row {
		a, b := found[chunkOf(our)], found[chunkOf(peer)]
		return row{What: what, Unit: unit, Ours: over(a, figure), Peer: peer.String(), Theirs: over(b, figure),
			Compare: divided, Result: ratio(a, b, figure)}
	}
	time := func(our, peer who) row { return per(string(our.p)+": time", our, peer, cpuOf, "ns") }
	allocs := func(our, peer who) row { return per(string(our.p)+": allocations", our, peer, allocsOf, "") }
	var (
		viaOllama, viaOpenAI, viaGemini = who{ours, ollama}, who{ours, openAI}, who{ours, gemini}
		bridged                         = who{viaBridge, gemini}
		genAI, toOpenAI, toOllama       = who{goGenAI, gemini}, who{openAIGo, openAI}, who{ollamaAPI, ollama}
	)
	r.add(fmt.Sprintf("Per chunk of a stream of %d tokens", p.tokens),
		time(viaOllama, genAI).goal(mostTimeToGenAI), allocs(viaOllama, genAI).goal(mostAllocsToGenAI),
		time(viaOllama, toOllama).goal(mostTimeToOllama), allocs(viaOllama, toOllama),
		time(viaOpenAI, genAI).goal(mostTimeToGenAI), allocs(viaOpenAI, genAI).goal(mostAllocsToGenAI),
		time(viaOpenAI, toOllama).goal(mostTimeToOllama),
		time(viaOpenAI, toOpenAI), allocs(viaOpenAI, toOpenAI),
		time(viaGemini, genAI).goal(mostTimeToGenAIGemini), allocs(viaGemini, genAI),
		per("GenAI(), over Gemini: time", bridged, genAI, cpuOf, "ns").goal(mostTimeOfBridge),
		per("GenAI(), over Gemini: allocations", bridged, genAI, allocsOf, ""),
	)
	for _, n := range []int{short, p.tokens} {
		var rows []row
		for _, pair := range [][2]who{{viaOllama, toOllama}, {viaOpenAI, toOpenAI}, {viaGemini, genAI}, {bridged, genAI}} {
			a, b := found[unaryOf(pair[0], n)], found[unaryOf(pair[1], n)]
			what := string(pair[0].p)
			if pair[0] == bridged {
				what = "GenAI(), over Gemini"
			}
			rows = append(rows, row{What: what + ": time", Unit: "µs", Ours: over(a, cpuOf) / 1e3, Peer: pair[1].String(), Theirs: over(b, cpuOf) / 1e3,
				Compare: divided, Result: ratio(a, b, cpuOf)})
		}
		r.add(fmt.Sprintf("A unary call with an answer of %d tokens", n), rows...)
	}
	return nil
}

func medianCost(cs []cost) cost {
	return cost{
		CPU: over(cs, cpuOf), Allocs: over(cs, allocsOf),
		Wall: over(cs, func(c cost) float64 { return c.Wall }), Bytes: over(cs, func(c cost) float64 { return c.Bytes }),
	}
}

// addFirst measures the first token.
func (r *report) addFirst(ctx context.Context, p plan) error {
	found, err := firstTokens(ctx, p.calls)
	if err != nil {
		return err
	}
	r.First = map[string]firstFigures{}
	var rows []row
	for _, w := range []who{{ours, ollama}, {ours, openAI}, {ours, gemini}, {viaBridge, gemini}, {ollamaAPI, ollama}, {openAIGo, openAI}, {goGenAI, gemini}} {
		f := firstFigures{median(found[w].client), median(found[w].floor), found[w].added()}
		r.First[w.String()] = f
		row := row{What: w.String(), Unit: "µs", Ours: f.Client / 1e3, Peer: netHTTP, Theirs: f.Floor / 1e3, Compare: subtracted, Result: f.Added / 1e3}
		if w.name == ours {
			row = row.goal(mostFirstToken)
		}
		rows = append(rows, row)
	}
	r.add("First token on a warm connection, p50", rows...)
	return nil
}

// firstFigures are medians in nanoseconds.
type firstFigures struct {
	Client float64 `json:"client_ns"`
	Floor  float64 `json:"net_http_ns"`
	Added  float64 `json:"added_ns"` // of the pairs
}

func (r *report) add(group string, rows ...row) {
	for _, row := range rows {
		row.Group = group
		r.Rows = append(r.Rows, row)
	}
}
