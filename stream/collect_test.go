// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genai"
)

func TestCollectJoinsParts(t *testing.T) {
	call := &genai.Part{FunctionCall: &genai.FunctionCall{Name: "f", Args: map[string]any{"x": 1}}}
	signed := &genai.Part{Text: "c", ThoughtSignature: []byte{1}}
	image := &genai.Part{InlineData: &genai.Blob{MIMEType: "image/png", Data: []byte{2}}}
	got, err := Collect(of(
		respond(&genai.Part{Text: "hm", Thought: true}),
		respond(&genai.Part{Text: "m", Thought: true}, &genai.Part{Text: "a"}),
		respond(&genai.Part{Text: ""}, &genai.Part{Text: "b"}, signed, &genai.Part{Text: "d"}),
		respond(call, image, &genai.Part{Text: "e"}),
		finish(genai.FinishReasonStop),
	))
	if err != nil {
		t.Fatal(err)
	}
	want := []*genai.Part{{Text: "hmm", Thought: true}, {Text: "ab"}, signed, {Text: "d"}, call, image, {Text: "e"}}
	if diff := cmp.Diff(want, got.Candidates[0].Content.Parts); diff != "" {
		t.Error(diff)
	}
	if got.Candidates[0].FinishReason != genai.FinishReasonStop || got.UsageMetadata.CandidatesTokenCount != 7 || got.Candidates[0].Content.Role != "model" {
		t.Errorf("finish, usage or role lost: %+v", got)
	}
}

func TestCollectReturnsWhatArrived(t *testing.T) {
	cause := errors.New("reset")
	got, err := Collect((&source{responses: say("Hel", "lo")[:2], err: cause}).seq())
	if err != cause || got.Text() != "Hello" {
		t.Errorf("%q, %v", got.Text(), err)
	}
	got, err = Collect(of(say("Hel", "lo")[:2]...))
	if !errors.Is(err, ErrTruncated) || got.Text() != "Hello" {
		t.Errorf("without a finish reason: %q, %v", got.Text(), err)
	}
	got, err = Collect((&source{err: cause}).seq())
	if err != cause || got == nil || got.Text() != "" {
		t.Errorf("nothing arrived: %v, %v", got, err)
	}
	got, err = Collect(func(yield func(*genai.GenerateContentResponse, error) bool) {
		yield(respond(&genai.Part{Text: "beside the error"}), cause)
	})
	if err != cause || got.Text() != "beside the error" {
		t.Errorf("%q, %v", got.Text(), err)
	}
}

func TestCollectIsSingleUseToo(t *testing.T) {
	src := &source{responses: say("x")}
	seq := Checked(src.seq())
	if _, err := Collect(seq); err != nil {
		t.Fatal(err)
	}
	if _, err := Collect(seq); !errors.Is(err, ErrUsed) {
		t.Errorf("error %v, want ErrUsed", err)
	}
}

func TestCollectLeavesResponsesAlone(t *testing.T) {
	make := func() []*genai.GenerateContentResponse {
		rs := []*genai.GenerateContentResponse{respond(&genai.Part{Text: "a"}), respond(&genai.Part{Text: "b"}), finish(genai.FinishReasonStop)}
		for _, r := range rs {
			fill(reflect.ValueOf(r.Candidates[0]).Elem(), "Content", "Index", "FinishReason")
		}
		return rs
	}
	rs := make()
	if _, err := Collect(of(rs...)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(make(), rs); diff != "" {
		t.Error(diff)
	}
}

// Whatever a response, a candidate or a part holds must come through, in the
// first response or in a later one. genai adds fields; this sees them.
func TestCollectLosesNoField(t *testing.T) {
	for i := range reflect.TypeFor[genai.GenerateContentResponse]().NumField() {
		f := reflect.TypeFor[genai.GenerateContentResponse]().Field(i)
		if f.Name == "Candidates" || f.Name == "PromptFeedback" {
			continue
		}
		for pos := range 3 {
			rs := say("a", "b")
			for _, r := range rs {
				r.UsageMetadata = nil
			}
			set(reflect.ValueOf(rs[pos]).Elem().Field(i))
			got, err := Collect(of(rs...))
			if err != nil || reflect.ValueOf(got).Elem().Field(i).IsZero() {
				t.Errorf("response %d: %s is lost (%v)", pos, f.Name, err)
			}
		}
	}
	for i := range reflect.TypeFor[genai.Candidate]().NumField() {
		f := reflect.TypeFor[genai.Candidate]().Field(i)
		if f.Name == "Index" {
			continue
		}
		for pos := range 3 {
			rs := say("a", "b")
			set(reflect.ValueOf(rs[pos].Candidates[0]).Elem().Field(i))
			rs = append(rs, finish(genai.FinishReasonStop))
			got, err := Collect(of(rs...))
			if err != nil || reflect.ValueOf(got.Candidates[0]).Elem().Field(i).IsZero() {
				t.Errorf("candidate %d: %s is lost (%v)", pos, f.Name, err)
			}
		}
	}
	for i := range reflect.TypeFor[genai.Part]().NumField() {
		f := reflect.TypeFor[genai.Part]().Field(i)
		if f.Name == "Thought" {
			continue
		}
		p := new(genai.Part)
		set(reflect.ValueOf(p).Elem().Field(i))
		got, err := Collect(of(append([]*genai.GenerateContentResponse{respond(&genai.Part{Text: "a", Thought: f.Name == "Text"}, p)}, say("b")...)...))
		if err != nil || len(got.Candidates[0].Content.Parts) < 2 || reflect.ValueOf(got.Candidates[0].Content.Parts[1]).Elem().Field(i).IsZero() {
			t.Errorf("part: %s is lost (%v)", f.Name, err)
		}
	}
}

func fill(v reflect.Value, but ...string) {
	for i := range v.NumField() {
		skip := false
		for _, b := range but {
			skip = skip || v.Type().Field(i).Name == b
		}
		if !skip {
			set(v.Field(i))
		}
	}
}

// set gives v a value that says something.
func set(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type().Elem().Kind() == reflect.Struct && v.Type().Elem() != reflect.TypeFor[time.Time]() {
			v.Set(reflect.New(v.Type().Elem()))
			if v.Elem().NumField() > 0 {
				set(v.Elem().Field(0))
			}
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		set(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		set(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.Zero(v.Type().Key()), reflect.Zero(v.Type().Elem()))
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(-1)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1, 0)))
			return
		}
		set(v.Field(0))
	case reflect.Interface:
		v.Set(reflect.ValueOf("x"))
	default:
		panic("set: " + v.Type().String())
	}
}

func TestCollectStringsTogether(t *testing.T) {
	piece := func(token string, p float32, uri string) *genai.GenerateContentResponse {
		r := respond(&genai.Part{Text: token})
		c := r.Candidates[0]
		sum := p
		c.LogprobsResult = &genai.LogprobsResult{
			ChosenCandidates:  []*genai.LogprobsResultCandidate{{Token: token, LogProbability: p}},
			TopCandidates:     []*genai.LogprobsResultTopCandidates{{Candidates: []*genai.LogprobsResultCandidate{{Token: token}}}},
			LogProbabilitySum: &sum,
		}
		c.AvgLogprobs = float64(p)
		c.CitationMetadata = &genai.CitationMetadata{Citations: []*genai.Citation{{URI: uri}}}
		return r
	}
	web := piece("b", -2.5, "https://b.example")
	web.Candidates[0].GroundingMetadata = &genai.GroundingMetadata{WebSearchQueries: []string{"q"}}
	late := finish(genai.FinishReasonStop)
	late.Candidates[0].GroundingMetadata = &genai.GroundingMetadata{RetrievalQueries: []string{"r"}}
	got, err := Collect(of(piece("a", -1, "https://a.example"), web, piece("c", -2.5, "https://a.example"), late,
		&genai.GenerateContentResponse{UsageMetadata: &genai.GenerateContentResponseUsageMetadata{}}))
	if err != nil {
		t.Fatal(err)
	}
	c := got.Candidates[0]
	var tokens []string
	for _, l := range c.LogprobsResult.ChosenCandidates {
		tokens = append(tokens, l.Token)
	}
	if strings.Join(tokens, "") != "abc" || len(c.LogprobsResult.TopCandidates) != 3 || *c.LogprobsResult.LogProbabilitySum != -6 {
		t.Errorf("log probabilities: %+v", c.LogprobsResult)
	}
	if math.Abs(c.AvgLogprobs+2) > 1e-9 {
		t.Errorf("average %v, want -2", c.AvgLogprobs)
	}
	if n := len(c.CitationMetadata.Citations); n != 2 {
		t.Errorf("%d citations, want 2 different ones", n)
	}
	if len(c.GroundingMetadata.WebSearchQueries) != 1 || len(c.GroundingMetadata.RetrievalQueries) != 1 {
		t.Errorf("grounding: %+v", c.GroundingMetadata)
	}
	if got.UsageMetadata.CandidatesTokenCount != 7 {
		t.Error("an empty usage after the real one must not replace it")
	}
}

// A piece costs the same however much is there already.
func BenchmarkCollect(b *testing.B) {
	rs := say(split(strings.Repeat("word ", 1000), 5)...)
	for b.Loop() {
		if _, err := Collect(of(rs...)); err != nil {
			b.Fatal(err)
		}
	}
}
