// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/api/googleapi"
	run "google.golang.org/api/run/v2"
)

// attempts bounds every loop of conflict or outage; with the pauses between
// them they last about half a minute.
const attempts = 6

// pause sleeps before the n-th repetition, 1 s doubling to 8 s.
func pause(ctx context.Context, n int) error { return sleep(ctx, min(time.Second<<n, 8*time.Second)) }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// read repeats an idempotent call while the API is unavailable.
func read[T any](ctx context.Context, op, service string, call func() (T, error)) (T, error) {
	for n := 0; ; n++ {
		v, err := call()
		if err == nil {
			return v, nil
		}
		e := failure(ctx, op, service, err)
		var zero T
		if e.Kind != KindUnavailable || n == 3 {
			return zero, e
		}
		if pause(ctx, n) != nil {
			return zero, failure(ctx, op, service, ctx.Err())
		}
	}
}

// failure turns whatever a call returned into an *Error. It never returns nil.
func failure(ctx context.Context, op, service string, err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if ctx.Err() != nil && !isAnswer(err) {
		return &Error{Kind: KindInterrupted, Op: op, Service: service, Err: context.Cause(ctx), Retry: true,
			Advice: "what was begun goes on at Google's side; run it again to pick it up"}
	}
	g, ok := errors.AsType[*googleapi.Error](err)
	if !ok {
		e := &Error{Kind: KindUnavailable, Op: op, Service: service, Err: err, Retry: true}
		if s := err.Error(); strings.Contains(s, "could not find default credentials") || strings.Contains(s, "oauth2:") || strings.Contains(s, "cannot fetch token") {
			e.Kind, e.Retry = KindCredentials, false
			e.Advice = "run `gcloud auth application-default login`, or run as a service account"
		}
		return e
	}
	text, details := answerText(g)
	e := Explain(text)
	e.Op, e.Service, e.Status, e.Err = op, service, g.Code, err
	if strings.Contains(details, "SERVICE_DISABLED") {
		link := e.Link
		e = Explain("SERVICE_DISABLED")
		e.Op, e.Service, e.Status, e.Message, e.Err, e.Link = op, service, g.Code, clip(text), err, link
		if m := manageRE.FindString(text); m != "" {
			e.Link = m
		}
	}
	if e.Kind != KindUnknown {
		return e
	}
	switch {
	case g.Code == http.StatusBadRequest:
		e.Kind = KindInvalid
		e.Advice = "Cloud Run refuses this; its message names the field"
	case g.Code == http.StatusUnauthorized:
		e.Kind = KindCredentials
		e.Advice = "the credentials are not valid, or have expired: sign in again"
	case g.Code == http.StatusForbidden:
		e.Kind = KindPermission
		e.Advice = "grant the caller " + roleFor(text)
	case g.Code == http.StatusNotFound:
		e.Kind = KindNotFound
		e.Advice = "check Project, Region and Name"
	case g.Code == http.StatusConflict:
		e.Kind, e.Retry = KindConflict, true
		e.Advice = "somebody else changed it at the same time; run it again"
	case g.Code == http.StatusTooManyRequests, g.Code >= 500:
		e.Kind, e.Retry, e.After = KindUnavailable, true, 5*time.Second
		e.Advice = "the API fails or sheds calls; try again"
	}
	return e
}

func isAnswer(err error) bool { _, ok := errors.AsType[*googleapi.Error](err); return ok }

// answerText joins the message and the field violations of an error answer.
func answerText(g *googleapi.Error) (text, details string) {
	text = g.Message
	b, err := json.Marshal(g.Details)
	if err != nil {
		return text, ""
	}
	var list []struct {
		FieldViolations []struct{ Field, Description string }
	}
	if json.Unmarshal(b, &list) == nil {
		for _, d := range list {
			for _, v := range d.FieldViolations {
				if !strings.Contains(text, v.Description) {
					text += " " + v.Field + ": " + v.Description
				}
			}
		}
	}
	return cmp.Or(text, strings.TrimSpace(g.Body)), string(b)
}

// roleFor names the predefined role for the permission a message speaks of.
func roleFor(message string) string {
	switch {
	case strings.Contains(message, "setIamPolicy"):
		return "roles/run.admin (run.services.setIamPolicy)"
	case strings.Contains(message, "serviceusage.services.enable"):
		return "roles/serviceusage.serviceUsageAdmin, or have the API enabled by somebody who has it"
	case strings.Contains(message, "run."):
		return "roles/run.developer, or roles/run.admin"
	}
	return "the permission that the message names"
}

// live is a service as it is: the JSON as it came, so that fields which the
// generated types do not know survive a read-modify-write, and its typed view.
type live struct {
	raw obj
	*run.GoogleCloudRunV2Service
}

// get reads the service; a missing one is KindNotFound.
func (c *Client) get(ctx context.Context, name string) (live, error) {
	return read(ctx, "read service", name, func() (live, error) {
		raw, err := c.send(ctx, http.MethodGet, c.run.BasePath+"v2/"+name, nil)
		if err != nil {
			return live{}, err
		}
		return asLive(raw)
	})
}

func asLive(raw obj) (live, error) {
	b, err := json.Marshal(raw)
	if err != nil {
		return live{}, err
	}
	l := live{raw: raw, GoogleCloudRunV2Service: new(run.GoogleCloudRunV2Service)}
	return l, json.Unmarshal(b, l.GoogleCloudRunV2Service)
}

// patch writes whole top-level fields of a service. The body carries the etag
// of what was read.
func (c *Client) patch(ctx context.Context, name string, body obj, mask []string, force bool) (*run.GoogleLongrunningOperation, error) {
	q := url.Values{"updateMask": {strings.Join(mask, ",")}}
	if force {
		q.Set("forceNewRevision", "true")
	}
	raw, err := c.send(ctx, http.MethodPatch, c.run.BasePath+"v2/"+name+"?"+q.Encode(), body)
	if err != nil {
		return nil, failure(ctx, "update service", name, err)
	}
	b, err := json.Marshal(raw)
	if err != nil {
		return nil, err
	}
	op := new(run.GoogleLongrunningOperation)
	return op, json.Unmarshal(b, op)
}

// send is one JSON call outside the generated client.
func (c *Client) send(ctx context.Context, method, u string, body any) (obj, error) {
	var in bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&in).Encode(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, u, &in)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if err := googleapi.CheckResponse(res); err != nil {
		return nil, err
	}
	var out obj
	dec := json.NewDecoder(http.MaxBytesReader(nil, res.Body, 16<<20))
	dec.UseNumber()
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("decode answer: %w", err)
	}
	return out, nil
}
