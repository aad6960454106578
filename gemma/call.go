// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"sync/atomic"
	"time"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/coldstart"
	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/models"
	"github.com/gemma-go/sdk/internal/telemetry"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/stream"
)

// call is one Stream from the first range to its end. It lives on one
// goroutine.
type call struct {
	c        *Client
	ctx      context.Context
	contents []*genai.Content
	config   *genai.GenerateContentConfig // the caller's; replaced, never written to
	headers  http.Header                  // from config.HTTPOptions
	yield    func(*genai.GenerateContentResponse, error) bool

	server    *server
	options   coldstart.Options
	span      *telemetry.Span
	note      note // what the log will say
	trace     coldstart.Trace
	partial   partial
	delivered bool // something reached the caller
	stopped   bool // the caller broke out
	answered  bool // the last request got an answer, of whatever kind
	repeated  bool // the one repetition after a wrong answer is used up
	resumed   int
	seam      string // white space that the caller has and the resumed answer may repeat
}

// stream is Stream. The bridge and the typed helpers use it too.
func (c *Client) stream(ctx context.Context, contents []*genai.Content, config *genai.GenerateContentConfig) iter.Seq2[*genai.GenerateContentResponse, error] {
	var ranged atomic.Bool
	return func(yield func(*genai.GenerateContentResponse, error) bool) {
		if ranged.Swap(true) {
			yield(nil, newError(ctx, errTwice))
			return
		}
		k := &call{c: c, ctx: ctx, contents: contents, config: config, yield: yield}
		k.options = coldstart.Options{Trace: &k.trace, Model: c.model}
		k.begin()
		cancel, err := k.takeOptions()
		defer cancel() // not before fail has looked at the context
		if err == nil {
			err = k.run()
		}
		var failure *Error
		if err != nil && !k.stopped {
			failure = k.fail(err)
		}
		k.end(failure) // before the caller hears of it, who may never come back
		if failure != nil {
			yield(nil, failure)
		}
	}
}

// fail completes an error with what the call knows.
func (k *call) fail(err error) *Error {
	e := *newError(k.ctx, err) // a copy: a failure of the gate is shared by all who waited
	if e.Partial == nil {
		e.Partial = k.partial.response()
	}
	e.Attempts = max(e.Attempts, k.note.requests)
	e.Waited = max(e.Waited, k.note.waited)
	return &e
}

// run sends the request until an answer ended well, the caller broke out, or
// nothing more may be tried.
func (k *call) run() (err error) {
	if err = k.settle(); err != nil {
		return err
	}
	if err := k.server.oneModel(k.c.model); err != nil {
		return err
	}
	if err := k.server.window(k.c.ep.cfg.ContextWindow); err != nil {
		return err
	}
	if err := k.askAbilities(); err != nil {
		return err
	}
	r := k.c.request(k.server)
	r.Contents, r.Config = k.contents, k.config
	if _, refused := k.c.ep.noTools.Load(r.Model); refused {
		r.Server.NoTools = true
	}
	x, err := k.server.codec.Encode(k.ctx, r)
	if err != nil {
		return err
	}
	k.tellEmulated(x)
	for {
		err := k.exchange(x)
		if err == nil || k.stopped {
			return nil
		}
		if k.ctx.Err() != nil {
			return err
		}
		if x, err = k.again(r, x, err); err != nil || x == nil {
			return err
		}
	}
}

// again decides what follows a failed exchange: the next exchange, the error, or
// neither if the answer turned out to be whole.
func (k *call) again(r *wire.Request, x *wire.Exchange, err error) (*wire.Exchange, error) {
	f := fault.Of(err)
	if f == nil {
		return nil, err
	}
	k.note.after = f.Kind
	switch {
	case f.Kind == fault.Unsupported && f.Field == "config.tools" && !r.Server.NoTools && !k.delivered:
		// The table or the server's own word was wrong about this model.
		r.Server.NoTools = true
		k.c.ep.noTools.Store(r.Model, true) // so that the next call need not be told again
		k.event(Event{Type: EventRetry, Status: f.Status, Reason: "the model takes no tools natively: asking by prompt"})

	case k.answered && !k.delivered && !k.repeated && (f.Retry && f.Kind == fault.Server || f.Kind == fault.Interrupted):
		// Another caller's or another protocol's answer, or an empty one. Once.
		// What got no answer the gate has sent again as often as is wise.
		k.repeated = true
		k.event(Event{Type: EventRetry, Attempts: k.trace.Attempts, Status: f.Status, Reason: outline(f)})

	case f.Kind == fault.Interrupted && k.delivered && x.Resumable && k.partial.plain() && k.resumed < k.c.ep.cfg.Resume:
		k.resumed++
		k.event(Event{Type: EventResume, Attempts: k.resumed, Reason: outline(f)})
		r.Prefix, k.seam = k.partial.text(), ""
		if k.server.server.Software == wire.VLLM {
			r.Prefix, k.seam = split(r.Prefix)
		}
		if limit := k.limit(); limit > 0 {
			left := limit - k.partial.tokens()
			if left <= 0 {
				k.finishAtLimit()
				return nil, nil
			}
			c := *k.config
			c.MaxOutputTokens = left
			r.Config = &c
		}
		k.partial.part()

	default:
		return nil, err
	}
	return k.server.codec.Encode(k.ctx, r)
}

// outline says what failed without the server's own words, which may repeat
// the prompt: an event is no error, and may be logged by whoever gets it.
func outline(f *fault.Error) string {
	if f.Kind == fault.Interrupted {
		return "the answer broke off"
	}
	return "the server answered with something that is no answer"
}

// limit is the caller's own bound on the answer's tokens; 0 = none.
func (k *call) limit() int32 {
	if k.config == nil {
		return 0
	}
	return k.config.MaxOutputTokens
}

// finishAtLimit ends an answer that broke right behind its last allowed token.
func (k *call) finishAtLimit() {
	n := k.partial.tokens()
	k.emit(&genai.GenerateContentResponse{
		ModelVersion:  k.partial.model,
		Candidates:    []*genai.Candidate{{Content: &genai.Content{Role: genai.RoleModel}, FinishReason: genai.FinishReasonMaxTokens}},
		UsageMetadata: &genai.GenerateContentResponseUsageMetadata{CandidatesTokenCount: n, TotalTokenCount: n},
	})
}

// exchange sends one request and hands out its answer. It returns nil at the
// answer's own end.
func (k *call) exchange(x *wire.Exchange) error {
	ctx, cancel := context.WithCancelCause(coldstart.With(k.ctx, &k.options))
	defer cancel(nil)
	for name, values := range k.headers {
		x.HTTP.Header[http.CanonicalHeaderKey(name)] = values // or the identity would not see that its place is taken
	}
	k.answered = false
	asked := time.Now()
	resp, err := k.c.ep.do(x.HTTP.WithContext(ctx))
	k.asked(asked, k.trace.Waited, k.trace.Attempts)
	if err != nil {
		return err
	}
	k.answered = true
	if resp.StatusCode/100 != 2 {
		return k.server.codec.Fault(resp)
	}
	body := newIdleBody(resp.Body, cmp.Or(k.c.ep.cfg.ColdStart.MaxWait, defaultMaxWait), k.idle(), cancel)
	defer body.Close()
	d := x.Open(resp.Header, body)
	if x.Hold {
		return k.hold(ctx, x, d)
	}
	for {
		r, err := d.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return k.broken(ctx, err)
		}
		if k.seam != "" {
			k.seam = mend(r, k.seam)
		}
		k.partial.add(r)
		if k.resumed > 0 {
			k.partial.addUp(r)
		}
		if !k.emit(r) {
			return nil
		}
	}
}

func (k *call) emit(r *genai.GenerateContentResponse) bool {
	k.delivered = true
	k.span.Response(r)
	k.stopped = !k.yield(r, nil)
	return !k.stopped
}

// hold collects an answer that may be shown only after it was checked, and
// has it repaired once.
func (k *call) hold(ctx context.Context, x *wire.Exchange, d wire.Decoder) error {
	held := 0
	full, err := stream.Collect(func(yield func(*genai.GenerateContentResponse, error) bool) {
		for {
			r, err := d.Next()
			if err == io.EOF {
				return
			}
			if held += textBytes(r); held > maxHeld {
				yield(nil, &fault.Error{Kind: fault.Server, Message: fmt.Sprintf("the answer is longer than the %d MiB that are held to be checked", maxHeld>>20),
					Hint: "ask for less: config.maxOutputTokens"})
				return
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	})
	k.partial = partial{} // nothing was handed out: a repeated answer takes the place of the one before
	k.partial.add(full)
	if err != nil {
		return k.broken(ctx, err)
	}
	if why := x.Check(full); why != nil {
		if x.Repair == nil {
			return why
		}
		r := x.Repair(full, why)
		if r == nil || k.repeated {
			return why
		}
		k.repeated = true
		k.event(Event{Type: EventRetry, Attempts: k.trace.Attempts, Reason: "the answer does not fit: asking for a repair"})
		fixed, err := k.server.codec.Encode(k.ctx, r)
		if err != nil {
			return err
		}
		return k.exchange(fixed)
	}
	k.emit(full)
	return nil
}

// broken says why reading an answer failed, in the client's terms.
func (k *call) broken(ctx context.Context, err error) error {
	if k.ctx.Err() != nil {
		return &fault.Error{Kind: fault.Interrupted, Message: "the call's context ended in the middle of the answer", Err: context.Cause(k.ctx)}
	}
	if errors.Is(context.Cause(ctx), errIdle) {
		return &fault.Error{Kind: fault.Interrupted,
			Message: fmt.Sprintf("the stream was silent for %v", k.idle()),
			Hint:    "raise Config.IdleTimeout if the model really thinks that long, or set Config.Resume", Err: errIdle}
	}
	return err
}

func (k *call) idle() time.Duration {
	switch d := k.c.ep.cfg.IdleTimeout; {
	case d < 0:
		return 0
	case d == 0:
		return defaultIdleTimeout
	default:
		return d
	}
}

// takeOptions applies what config.HTTPOptions can mean here and takes it out,
// since no server can be sent it.
func (k *call) takeOptions() (cancel context.CancelFunc, err error) {
	cancel = func() {}
	if k.config == nil || k.config.HTTPOptions == nil {
		return cancel, nil
	}
	o := k.config.HTTPOptions
	refuse := func(field, why string) (context.CancelFunc, error) {
		return cancel, fault.Refuse("config.httpOptions."+field, why)
	}
	switch {
	case o.BaseURL != "":
		return refuse("baseUrl", "a client is bound to Config.Endpoint")
	case o.APIVersion != "":
		return refuse("apiVersion", "the endpoint's server decides it")
	case o.BaseURLResourceScope != "":
		return refuse("baseUrlResourceScope", "it is of the hosted API only")
	case o.ExtraBody != nil:
		return refuse("extraBody", "the server may not speak the Gemini API; use Client.HTTPClient for requests of its own")
	case o.ExtrasRequestProvider != nil:
		return refuse("extrasRequestProvider", "the server may not speak the Gemini API; use Client.HTTPClient for requests of its own")
	case o.RetryOptions != nil:
		return refuse("retryOptions", "the client retries by itself, within the context's deadline and Config.ColdStart.MaxWait")
	}
	k.headers = o.Headers
	if o.Timeout != nil && *o.Timeout > 0 {
		k.ctx, cancel = context.WithTimeout(k.ctx, *o.Timeout)
	}
	c := *k.config
	c.HTTPOptions = nil
	k.config = &c
	return cancel, nil
}

func (k *call) tellEmulated(x *wire.Exchange) {
	for _, e := range x.Emulated {
		k.event(Event{Type: EventEmulated, Feature: e.Feature, Reason: e.How})
	}
}

// askAbilities finds out what a model that the table does not know can do, the
// first time that a request depends on it.
func (k *call) askAbilities() error {
	if k.config == nil || k.config.Tools == nil || k.server.codec.Protocol() != wire.Ollama || k.server.server.Known {
		return nil
	}
	name := k.server.name(k.c.model)
	if k.c.about(name).Family != models.Unknown {
		return nil
	}
	s, err := k.c.ep.abilities(k.ctx, k.server, name)
	if err == nil {
		k.server = s
	}
	return err
}
