// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"errors"
	"iter"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/genai"
)

// adapters are all the functions of the package that return a sequence. Each
// finds at least two values in talk, and the contract is tested on each.
var adapters = map[string]func(Seq) iter.Seq2[any, error]{
	"Text":          func(s Seq) iter.Seq2[any, error] { return anys(Text(s)) },
	"Thoughts":      func(s Seq) iter.Seq2[any, error] { return anys(Thoughts(s)) },
	"FunctionCalls": func(s Seq) iter.Seq2[any, error] { return anys(FunctionCalls(s)) },
	"JSON":          func(s Seq) iter.Seq2[any, error] { return anys(JSON[[]string](s)) },
	"Elements":      func(s Seq) iter.Seq2[any, error] { return anys(Elements[string](s)) },
	"Checked":       func(s Seq) iter.Seq2[any, error] { return anys(Checked(s)) },
	"Candidate":     func(s Seq) iter.Seq2[any, error] { return anys(Candidate(s, 0)) },
	"Measure":       func(s Seq) iter.Seq2[any, error] { return anys(Measure(s, new(Stats))) },
}

func anys[V any](seq iter.Seq2[V, error]) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for v, err := range seq {
			if !yield(v, err) {
				return
			}
		}
	}
}

// talk has everything in it: thoughts, calls, and text that is JSON.
func talk() []*genai.GenerateContentResponse {
	return []*genai.GenerateContentResponse{
		respond(&genai.Part{Text: "so ", Thought: true}, &genai.Part{FunctionCall: &genai.FunctionCall{Name: "a"}}, &genai.Part{Text: `["a",`}),
		nil, // servers do not send it, but another Seq may
		{Candidates: []*genai.Candidate{nil, {}}},
		respond(nil, &genai.Part{Text: "what", Thought: true}, &genai.Part{FunctionCall: &genai.FunctionCall{Name: "b"}}, &genai.Part{Text: `"b"]`}),
		finish(genai.FinishReasonStop),
	}
}

func each(t *testing.T, f func(t *testing.T, adapt func(Seq) iter.Seq2[any, error])) {
	for name, adapt := range adapters {
		t.Run(name, func(t *testing.T) { f(t, adapt) })
	}
}

// drain ranges to the end and checks clause 3 on the way.
func drain(t *testing.T, seq iter.Seq2[any, error]) (values []any, err error) {
	t.Helper()
	for v, e := range seq {
		if err != nil {
			t.Fatalf("yielded (%v, %v) after the error %v", v, e, err)
		}
		if e != nil {
			if v != nil && !reflect.ValueOf(v).IsZero() {
				t.Fatalf("yielded the value %v with the error %v", v, e)
			}
			err = e
			continue
		}
		values = append(values, v)
	}
	return values, err
}

func TestContractLazy(t *testing.T) {
	each(t, func(t *testing.T, adapt func(Seq) iter.Seq2[any, error]) {
		src := &source{responses: talk()}
		adapt(src.seq())
		if src.ranges != 0 {
			t.Error("the sequence inside was started before the first range")
		}
	})
}

func TestContractSingleUse(t *testing.T) {
	each(t, func(t *testing.T, adapt func(Seq) iter.Seq2[any, error]) {
		src := &source{responses: talk()}
		seq := adapt(src.seq())
		values, err := drain(t, seq)
		if err != nil || len(values) < 2 {
			t.Fatalf("first range: %d values, %v", len(values), err)
		}
		values, err = drain(t, seq)
		if !errors.Is(err, ErrUsed) || len(values) != 0 {
			t.Errorf("second range: %d values, error %v; want ErrUsed", len(values), err)
		}
		if src.ranges != 1 {
			t.Errorf("the sequence inside was started %d times", src.ranges)
		}
	})
}

// A second range after a break is a second range, too.
func TestContractSingleUseAfterBreak(t *testing.T) {
	each(t, func(t *testing.T, adapt func(Seq) iter.Seq2[any, error]) {
		seq := adapt((&source{responses: talk()}).seq())
		for range seq {
			break
		}
		if _, err := drain(t, seq); !errors.Is(err, ErrUsed) {
			t.Errorf("error %v, want ErrUsed", err)
		}
	})
}

func TestContractErrorOnceLastUnchanged(t *testing.T) {
	each(t, func(t *testing.T, adapt func(Seq) iter.Seq2[any, error]) {
		cause := errors.New("connection reset")
		src := &source{responses: talk()[:4], err: cause, stubborn: true}
		values, err := drain(t, adapt(src.seq()))
		if err != cause {
			t.Errorf("error %v, want the very error of the sequence inside", err)
		}
		if len(values) < 1 {
			t.Error("what arrived before the error was not yielded")
		}
		if src.released != 1 {
			t.Error("the sequence inside was not ended")
		}
	})
}

// A sequence that yields a value with its error breaks the rules; the value must not get through.
func TestContractValueBesideError(t *testing.T) {
	each(t, func(t *testing.T, adapt func(Seq) iter.Seq2[any, error]) {
		cause := errors.New("both")
		_, err := drain(t, adapt(func(yield func(*genai.GenerateContentResponse, error) bool) {
			yield(talk()[0], cause)
		}))
		if err != cause {
			t.Errorf("error %v, want %v", err, cause)
		}
	})
}

func TestContractBreakReleases(t *testing.T) {
	each(t, func(t *testing.T, adapt func(Seq) iter.Seq2[any, error]) {
		src := &source{responses: talk()}
		for range adapt(src.seq()) {
			break
		}
		if src.released != 1 {
			t.Error("the sequence inside was not ended")
		}
		if src.asked == len(src.responses) {
			t.Error("the sequence inside was read to its end")
		}
	})
}

func TestContractPanicReleases(t *testing.T) {
	each(t, func(t *testing.T, adapt func(Seq) iter.Seq2[any, error]) {
		src := &source{responses: talk()}
		func() {
			defer func() { _ = recover() }()
			for range adapt(src.seq()) {
				panic("in the caller's loop")
			}
		}()
		if src.released != 1 {
			t.Error("the sequence inside was not ended")
		}
	})
}

func TestContractTruncation(t *testing.T) {
	unspecified := talk()
	unspecified[4] = finish(genai.FinishReasonUnspecified)
	second := append(talk(), at(1, respond(&genai.Part{Text: "and"})))
	for name, tc := range map[string]struct {
		responses []*genai.GenerateContentResponse
		want      error
	}{
		"no finish reason":                {talk()[:4], ErrTruncated},
		"nothing at all":                  {nil, ErrTruncated},
		"an unspecified finish reason":    {unspecified, ErrTruncated},
		"whole":                           {talk(), nil},
		"whole, then usage":               {append(talk(), &genai.GenerateContentResponse{}), nil},
		"another candidate did not end":   {second, ErrTruncated},
		"another candidate ended as well": {append(second, at(1, finish(genai.FinishReasonMaxTokens))), nil},
	} {
		each(t, func(t *testing.T, adapt func(Seq) iter.Seq2[any, error]) {
			t.Run(name, func(t *testing.T) {
				want := tc.want
				if name == "another candidate did not end" && strings.Contains(t.Name(), "/Candidate") {
					want = nil // Candidate leaves the other one out
				}
				if _, err := drain(t, adapt(of(tc.responses...))); !errors.Is(err, want) {
					t.Errorf("error %v, want %v", err, want)
				}
			})
		})
	}
}

// Every function works inside and around the ones that return a Seq.
func TestContractComposes(t *testing.T) {
	around := map[string]func(Seq) Seq{
		"Checked":   Checked,
		"Measure":   func(s Seq) Seq { return Measure(s, new(Stats)) },
		"Candidate": func(s Seq) Seq { return Candidate(s, 0) },
	}
	each(t, func(t *testing.T, adapt func(Seq) iter.Seq2[any, error]) {
		want, _ := drain(t, adapt(of(talk()...)))
		for name, wrap := range around {
			src := &source{responses: talk()}
			got, err := drain(t, adapt(wrap(src.seq())))
			if err != nil || len(got) != len(want) {
				// Responses with nothing for the candidate may be left out.
				if _, raw := want[0].(*genai.GenerateContentResponse); !raw || err != nil {
					t.Errorf("around %s: %d values and %v, want %d", name, len(got), err, len(want))
				}
			}
			if src.released != 1 {
				t.Errorf("around %s: not ended", name)
			}
		}
	})
}

func TestBlockedPrompt(t *testing.T) {
	blocked := &genai.GenerateContentResponse{PromptFeedback: &genai.GenerateContentResponsePromptFeedback{BlockReason: genai.BlockedReasonSafety}}
	each(t, func(t *testing.T, adapt func(Seq) iter.Seq2[any, error]) {
		values, err := drain(t, adapt(of(blocked)))
		if len(values) == 1 { // the response itself, which shows the refusal
			if err != nil {
				t.Errorf("error %v beside the response", err)
			}
			return
		}
		if !errors.Is(err, ErrBlocked) {
			t.Errorf("error %v, want ErrBlocked", err)
		}
	})
	if r, err := Collect(of(blocked)); err != nil || r.PromptFeedback == nil {
		t.Errorf("Collect: %v, %v", r, err)
	}
}
