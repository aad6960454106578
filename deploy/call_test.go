// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gemma-go/sdk/deploy/deploytest"
	run "google.golang.org/api/run/v2"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answers is a client whose every call gets one answer.
func answers(t *testing.T, status int, body string) *Client {
	t.Helper()
	c, err := NewClient(t.Context(), &Options{HTTPClient: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestFailure: what an answer means when its words say nothing.
func TestFailure(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		kind   Kind
		retry  bool
		text   string // a part of the error's text
		link   string
	}{
		{401, `{"error":{"code":401,"message":"Request had invalid authentication credentials.","status":"UNAUTHENTICATED"}}`, KindCredentials, false, "sign in", ""},
		{403, `{"error":{"code":403,"message":"Permission 'run.services.get' denied on resource 'x'."}}`, KindPermission, false, "roles/run.developer", ""},
		{403, `{"error":{"code":403,"message":"Nope, https://console.developers.google.com/apis/api/run.googleapis.com/overview?project=1.","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED"}]}}`, KindAPIDisabled, false, "EnableAPI", "overview?project=1"},
		{404, `{"error":{"code":404,"message":"gone"}}`, KindNotFound, false, "check Project", ""},
		{409, `{"error":{"code":409,"message":"no words"}}`, KindConflict, true, "a retry can help", ""},
		{400, `{"error":{"code":400,"message":"Bad.","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"service.template.timeout","description":"too long"}]}]}}`, KindInvalid, false, "service.template.timeout: too long", ""},
		{429, `{"error":{"code":429,"message":"slow down"}}`, KindUnavailable, true, "5s", ""},
		{502, `<html>bad gateway</html>`, KindUnavailable, true, "bad gateway", ""},
		{200, `not JSON`, KindUnavailable, true, "decode answer", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			_, err := answers(t, tc.status, tc.body).get(t.Context(), guide().fullName())
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Kind != tc.kind || e.Retry != tc.retry || !strings.Contains(err.Error(), tc.text) || !strings.Contains(e.Link, tc.link) {
				t.Errorf("%d: %v, kind %q, retry %t, link %q", tc.status, err, e.Kind, e.Retry, e.Link)
			}
		})
	}
	// An answer that came is an answer, although the time is up by now.
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c, err := NewClient(ctx, &Options{HTTPClient: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if err := r.Context().Err(); err != nil {
				return nil, err
			}
			cancel()
			return &http.Response{StatusCode: 403, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
		})}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.get(ctx, "x"); !isKind(err, KindPermission) {
			t.Errorf("%v", err)
		}
		if _, err := c.get(ctx, "x"); !isKind(err, KindInterrupted) || !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// TestReadsAreRepeated while the API is unavailable, and not for ever.
func TestReadsAreRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{})
		mustApply(t, c, guide())
		down := deploytest.Unavailable(deploytest.OnGet)
		fake.Next(down, down, down)
		if _, err := c.Status(t.Context(), guide()); err != nil || len(fake.Left()) != 0 {
			t.Errorf("%v", err)
		}
		fake.Next(down, down, down, down, down)
		if _, err := c.Status(t.Context(), guide()); !isKind(err, KindUnavailable) || len(fake.Left()) != 1 {
			t.Errorf("%v", err)
		}
	})
}

// TestQuotaBuckets: the region's own limit beats the default of all, and -1 is
// no limit.
func TestQuotaBuckets(t *testing.T) {
	list := func(buckets string) string {
		return `{"metrics":[{"metric":"run.googleapis.com/other"},{"metric":"run.googleapis.com/nvidia_l4_gpu_allocation_no_zonal_redundancy","consumerQuotaLimits":[{"quotaBuckets":[` + buckets + `]}]}]}`
	}
	for _, tc := range []struct {
		body   string
		n      int64
		enough Answer
	}{
		{list(`{"effectiveLimit":"0"},{"effectiveLimit":"5","dimensions":{"region":"us-central1"}}`), 5, Yes},
		{list(`{"effectiveLimit":"7","dimensions":{"region":"us-central1"}},{"effectiveLimit":"0"}`), 7, Yes},
		{list(`{"effectiveLimit":"9","dimensions":{"region":"europe-west1"}},{"effectiveLimit":"0"}`), 0, No},
		{list(`{"effectiveLimit":"-1"}`), -1, Yes},
		{list(`{"effectiveLimit":"9","dimensions":{"region":"europe-west1"}}`), 0, Unknown},
	} {
		if q := answers(t, 200, tc.body).planQuota(t.Context(), guide().settle()); q.Allowed != tc.n || q.Enough != tc.enough {
			t.Errorf("%s: %+v", tc.body, q)
		}
	}
}

// TestEnvChangesItsKind: a variable that came from a secret and is to be the
// plain empty string is a difference, and the other way round.
func TestEnvChangesItsKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{})
		s := guide()
		s.Secrets = map[string]string{"A": "s:1"}
		mustApply(t, c, s)
		s.Secrets, s.Env = nil, map[string]string{"A": ""}
		if st := mustApply(t, c, s); len(st.Changes) != 1 {
			t.Errorf("%v", st.Changes)
		}
		if e := at(asMap(t, fake.Service(s.fullName())), "template", "containers", 0, "env", 0); at(e, "valueSource") != nil {
			t.Errorf("%v", e)
		}
		if st := mustApply(t, c, s); st.Action != ActionNone {
			t.Errorf("%v", st.Changes)
		}
	})
}

// TestConditionalBindings stay conditional: a grant makes a binding of its own,
// and a revoke takes both.
func TestConditionalBindings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{})
		mustApply(t, c, guide())
		const bob, eve = "user:bob@example.com", "user:eve@example.com"
		err := c.editPolicy(t.Context(), guide(), func(p *run.GoogleIamV1Policy) bool {
			p.Bindings = append(p.Bindings, &run.GoogleIamV1Binding{Role: invokerRole, Members: []string{bob}, Condition: &run.GoogleTypeExpr{Title: "until noon", Expression: "true"}})
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.GrantInvoker(t.Context(), guide(), eve, bob); err != nil {
			t.Fatal(err)
		}
		p, err := c.policy(t.Context(), guide().fullName())
		if err != nil || len(p.Bindings) != 2 || p.Bindings[0].Condition == nil || !slices.Equal(p.Bindings[0].Members, []string{bob}) || !slices.Equal(p.Bindings[1].Members, []string{eve, bob}) {
			t.Errorf("%+v %v", p, err)
		}
		if err := c.RevokeInvoker(t.Context(), guide(), bob); err != nil {
			t.Fatal(err)
		}
		if m := fake.Members(guide().fullName(), invokerRole); !slices.Equal(m, []string{eve}) {
			t.Errorf("%q", m)
		}
	})
}

// TestNewClientWithoutCredentials says so and how to get them.
func TestNewClientWithoutCredentials(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
	_, err := NewClient(t.Context(), nil)
	if !isKind(err, KindCredentials) || !strings.Contains(err.Error(), "gcloud auth application-default login") {
		t.Errorf("%v", err)
	}
}
