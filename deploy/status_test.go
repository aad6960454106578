// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/deploy/deploytest"
)

// statusFrom puts a service there as JSON and asks for its status.
func statusFrom(t *testing.T, cfg deploytest.Config, body string) *Status {
	t.Helper()
	c, fake := world(t, cfg)
	fake.Put(guide().fullName(), []byte(body))
	st, err := c.Status(t.Context(), guide())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestStatusReadsTheService(t *testing.T) {
	st := statusFrom(t, deploytest.Config{}, foreign)
	if !st.Ready || st.Busy || st.Access != AccessPublic || st.MinInstances != 1 || st.MaxInstances != 1 || st.Concurrency != 80 || st.Parallel != 2 ||
		st.Model != "gemma-3-1b-it" || st.CPU != "4000m" || st.GPU != L4 || !st.Zonal || !strings.HasSuffix(st.Image, "gemma3-1b") {
		t.Errorf("%+v", st)
	}
	if url, audience, model, slots := st.GemmaEndpoint(); url != "https://my-gemma-a1b2c3d4e5-uc.a.run.app" || audience != url || model != "gemma-3-1b-it" || slots != 80 {
		t.Errorf("%s %s %s %d", url, audience, model, slots)
	}

	// The service's own scaling bounds its revisions'.
	st = statusFrom(t, deploytest.Config{}, `{"scaling":{"minInstanceCount":2,"maxInstanceCount":3},"customAudiences":["https://gemma.example.com"],
		"traffic":[{"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","revision":"my-gemma-00001-abc","percent":100}],
		"template":{"scaling":{"maxInstanceCount":10},"maxInstanceRequestConcurrency":16,"containers":[{"image":"europe-docker.pkg.dev/p/r/vllm","args":["serve","x","--served-model-name=tuned","--max-num-seqs=8"]}]}}`)
	if _, audience, model, slots := st.GemmaEndpoint(); st.MinInstances != 2 || slots != 48 || model != "tuned" || st.Parallel != 8 || audience != st.URL {
		t.Errorf("%+v", st)
	}
	if !slices.ContainsFunc(st.Warnings, func(w string) bool { return strings.Contains(w, "pinned") }) {
		t.Errorf("%q", st.Warnings)
	}

	// Without a default URL a custom audience is the only one that is accepted.
	st = statusFrom(t, deploytest.Config{}, `{"defaultUriDisabled":true,"customAudiences":["https://gemma.example.com"],"template":{"containers":[{"image":"i"}]}}`)
	if _, audience, _, _ := st.GemmaEndpoint(); audience != "https://gemma.example.com" {
		t.Errorf("%+v", st)
	}
}

func TestStatusWhileDeploying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{Startup: 10 * time.Minute})
		if _, err := c.Apply(t.Context(), guide(), Timeout(time.Minute)); !isKind(err, KindInterrupted) {
			t.Fatal(err)
		}
		st, err := c.Status(t.Context(), guide())
		if err != nil || st.Ready || !st.Busy || st.Reason == "" || st.Failure != nil || st.Revision != "" {
			t.Errorf("%+v %v", st, err)
		}
		if p := planOf(t, c, fake, guide()); p.Action != ActionResume {
			t.Errorf("%s", p.Action)
		}
		// Wait has no bound of its own if it is told so, and tells of a failure.
		if st, err = c.Wait(t.Context(), guide(), Timeout(-1)); err != nil || !st.Ready {
			t.Errorf("%+v %v", st, err)
		}
		fake.Next(deploytest.OutOfMemory())
		s := guide()
		s.Concurrency = 8
		if _, err := c.Apply(t.Context(), s, Timeout(time.Minute)); !isKind(err, KindInterrupted) {
			t.Fatal(err)
		}
		if st, err = c.Wait(t.Context(), s); !isKind(err, KindOutOfMemory) || st == nil || st.Revision != "my-gemma-00001-abc" {
			t.Errorf("%+v %v", st, err)
		}
	})
}

// TestDeletionUnderWay: Delete picks an interrupted deletion up, and Apply waits
// for it before it creates the service anew.
func TestDeletionUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{Startup: 3 * time.Minute})
		interrupt := func() {
			t.Helper()
			if err := c.Delete(t.Context(), guide(), Timeout(time.Second)); !isKind(err, KindInterrupted) {
				t.Fatal(err)
			}
		}
		mustApply(t, c, guide())
		interrupt()
		if err := c.Delete(t.Context(), guide()); err != nil || len(fake.Names()) != 0 {
			t.Errorf("%v", err)
		}
		mustApply(t, c, guide())
		interrupt()
		if st := mustApply(t, c, guide()); st.Action != ActionCreate || !st.Ready || st.Revision != "my-gemma-00001-abc" {
			t.Errorf("%+v", st)
		}
	})
}
