// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestValidateListsEverything: one error, every bad field in it, each with its
// limit and a source.
func TestValidateListsEverything(t *testing.T) {
	s := Service{
		Project: "Demo Proj", Region: "Europe", Name: "Gemma-", Model: "gemma-3-4b-it",
		CPU: 2, Memory: "8Gi", Concurrency: 9, Parallel: 4, MinInstances: 2, MaxInstances: new(0),
		Timeout:         2 * time.Hour,
		Env:             map[string]string{"PORT": "1", "OLLAMA_NUM_PARALLEL": "4", "1A": "x", "BOTH": "x"},
		Secrets:         map[string]string{"BOTH": "s", "BAD": "a/b"},
		Labels:          map[string]string{"Team": "x", "ok": "NO"},
		ServiceAccount:  "runner",
		CustomAudiences: []string{""},
		Ingress:         "open",
		ModelVolume:     &ModelVolume{Bucket: "gs://x", MountPath: "models"},
		StartupProbe:    &Probe{HTTPPath: "healthz", InitialDelay: time.Hour, Period: time.Second, Timeout: 2 * time.Second},
		Network:         &Network{},
		Exact:           []string{"everything"},
	}
	err := s.Validate()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != KindInvalid || e.Retryable() {
		t.Fatalf("%v", err)
	}
	want := map[string]string{ // field: what the problem must name
		"Project": "Demo Proj", "Region": "Europe", "Name": "Gemma-", "CPU": "minimum of 4", "Memory": "minimum of 16Gi",
		"Concurrency": "at most 8", "MaxInstances": "at least 1", "MinInstances": "above MaxInstances", "Timeout": "1h0m0s",
		`Env["PORT"]`: "Cloud Run", `Env["OLLAMA_NUM_PARALLEL"]`: "Parallel", `Env["1A"]`: "name", `Secrets["BOTH"]`: "one source",
		`Secrets["BAD"]`: "secret:version", `Labels["Team"]`: "lower-case", `Labels["ok"]`: "NO", "ServiceAccount": "runner",
		"CustomAudiences[0]": "audience", "Ingress": "open", "ModelVolume.Bucket": "without gs://", "ModelVolume.MountPath": "absolute",
		"StartupProbe.HTTPPath": "/", "StartupProbe.InitialDelay": "30m0s", "StartupProbe.Timeout": "Period", "Network": "Subnet",
		"Exact": "customAudiences",
	}
	for _, f := range e.Faults {
		if !strings.Contains(f.Problem, want[f.Field]) || want[f.Field] == "" {
			t.Errorf("unexpected %+v", f)
		}
		if f.Source == "" && f.Field != "Exact" {
			t.Errorf("%s names no source", f.Field)
		}
		if !strings.Contains(err.Error(), f.Field) {
			t.Errorf("the text leaves out %s", f.Field)
		}
		delete(want, f.Field)
	}
	if len(want) != 0 {
		t.Errorf("not found: %v\n%v", want, err)
	}
	if _, err := s.Manifest(); err == nil {
		t.Error("an invalid Service has a manifest")
	}
}

func TestValidateRules(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Service)
		fault  string // "" = valid
	}{
		{"guide", func(s *Service) {}, ""},
		{"equal", func(s *Service) { s.Concurrency, s.Parallel = 4, 4 }, ""},
		{"twice", func(s *Service) { s.Concurrency, s.Parallel = 8, 4 }, ""},
		{"beyond twice", func(s *Service) { s.Concurrency, s.Parallel = 9, 4 }, "Concurrency"},
		{"below", func(s *Service) { s.Concurrency, s.Parallel = 2, 4 }, "Concurrency"},
		{"beyond, forced", func(s *Service) { s.Concurrency, s.Parallel, s.ForceConcurrency = 80, 4, true }, ""},
		{"above Cloud Run's limit, forced", func(s *Service) { s.Concurrency, s.ForceConcurrency = 1001, true }, "Concurrency"},
		{"one number", func(s *Service) { s.Parallel = 6 }, ""},
		{"no instance", func(s *Service) { s.MaxInstances = new(0) }, "MaxInstances"},
		{"negative", func(s *Service) { s.MaxInstances = new(-1) }, "MaxInstances"},
		{"RTX below its minimum", func(s *Service) { s.GPU, s.CPU = RTXPro6000, 16 }, "CPU"},
		{"RTX memory", func(s *Service) { s.GPU, s.Memory = RTXPro6000, "64Gi" }, "Memory"},
		{"L4 at its minimum", func(s *Service) { s.CPU, s.Memory = 4, "16384Mi" }, ""},
		{"an hour", func(s *Service) { s.Timeout = time.Hour }, ""},
		{"half a second", func(s *Service) { s.Timeout = 1500 * time.Millisecond }, "Timeout"},
		{"49 characters", func(s *Service) { s.Name = strings.Repeat("a", 49) }, ""},
		{"50 characters", func(s *Service) { s.Name = strings.Repeat("a", 50) }, "Name"},
		{"ends with a hyphen", func(s *Service) { s.Name = "gemma-" }, "Name"},
		{"starts with a digit", func(s *Service) { s.Name = "3gemma" }, "Name"},
		{"unknown region", func(s *Service) { s.Region = "mars-north1" }, ""},
		{"unknown model with an image", func(s *Service) { s.Model, s.Image = "my-tune", "europe-docker.pkg.dev/p/r/i" }, ""},
		{"unknown model without one", func(s *Service) { s.Model = "my-tune" }, "Image"},
		{"a model without a prebuilt image", func(s *Service) { s.Model = "gemma-3-270m-it" }, "Image"},
		{"unknown GPU with its sizes", func(s *Service) { s.GPU, s.CPU, s.Memory = "nvidia-h100-80gb", 20, "80Gi" }, ""},
		{"probe of half an hour", func(s *Service) {
			s.StartupProbe = &Probe{Period: 10 * time.Second, FailureThreshold: 180}
		}, ""},
		{"probe beyond", func(s *Service) {
			s.StartupProbe = &Probe{Period: 10 * time.Second, FailureThreshold: 181}
		}, "StartupProbe.FailureThreshold"},
		{"everything", func(s *Service) { *s = full() }, ""},
	} {
		s := guide()
		tc.change(&s)
		var fields []string
		if e, ok := errors.AsType[*Error](s.Validate()); ok {
			for _, f := range e.Faults {
				fields = append(fields, f.Field)
			}
		}
		if tc.fault == "" && fields != nil || tc.fault != "" && !slices.Equal(fields, []string{tc.fault}) {
			t.Errorf("%s: faults %q, want %q", tc.name, fields, tc.fault)
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, tc := range []struct {
		change func(*Service)
		want   string
	}{
		{func(s *Service) { s.Region = "europe-north1" }, "not documented to have nvidia-l4"},
		{func(s *Service) { s.Model, s.Image = "my-tune", "europe-docker.pkg.dev/p/r/i" }, "not in the model table"},
		{func(s *Service) { s.GPU, s.CPU, s.Memory = "tpu", 4, "16Gi" }, "not one this package knows"},
		{func(s *Service) { s.DangerouslyDisableInvokerCheck = true }, "EVERYONE"},
		{func(s *Service) { s.DangerouslyDisableInvokerCheck, s.Ingress = true, IngressInternal }, "inside the network"},
		{func(s *Service) { s.Model, s.GPU = "gemma-4-26b-a4b-it", L4 }, "52 GB"},
		{func(s *Service) { s.MinInstances = 1 }, "around the clock"},
		{func(s *Service) { s.Concurrency, s.Parallel, s.ForceConcurrency = 9, 4, true }, "outside the rule"},
		{func(s *Service) {}, "default account"},
	} {
		s := guide()
		tc.change(&s)
		if w := s.Warnings(); !slices.ContainsFunc(w, func(w string) bool { return strings.Contains(w, tc.want) }) {
			t.Errorf("%q lacks %q", w, tc.want)
		}
	}
	s := guide()
	s.ServiceAccount = "runner@demo-proj.iam.gserviceaccount.com"
	for _, model := range []string{"gemma-3-1b-it", "gemma-3-27b-it", "gemma-3n-e4b-it", "gemma-4-e2b-it", "gemma-4-e4b-it", "gemma-4-12b-it", "gemma-4-26b-a4b-it", "gemma-4-31b-it"} {
		s.Model = model
		if w := s.Warnings(); w != nil {
			t.Errorf("%s: the defaults warn: %q", model, w)
		}
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", model, err)
		}
	}
}

func ExampleService_Validate() {
	s := Service{Project: "my-project", Region: "europe-west1", Name: "gemma", CPU: 2, MaxInstances: new(0)}
	e, _ := errors.AsType[*Error](s.Validate())
	for _, f := range e.Faults {
		fmt.Println(f.Field + ": " + f.Problem)
	}
	// Output:
	// CPU: 2 is below the minimum of 4 with nvidia-l4
	// MaxInstances: 0 leaves no instance to answer; at least 1
}
