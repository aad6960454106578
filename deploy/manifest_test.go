// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// guide is the service of Google's guide, as a user writes it.
func guide() Service { return Service{Project: "demo-proj", Region: "us-central1", Name: "my-gemma"} }

// TestManifestIsGcloudsRequest maps what gcloud sent, field by field, and
// expects the manifest of the same service.
func TestManifestIsGcloudsRequest(t *testing.T) {
	with := func(name string, change func(*Service)) Service {
		s := guide()
		s.Name = name
		if change != nil {
			change(&s)
		}
		return s
	}
	for _, tc := range []struct {
		recording string
		service   Service
	}{
		{"01-create", guide()},
		{"02-redeploy-same", guide()},
		{"07-update-concurrency", with("my-gemma", func(s *Service) { s.Concurrency = 8 })},
		{"10-no-invoker-iam-check", with("g-noiam", func(s *Service) { s.DangerouslyDisableInvokerCheck = true })},
		{"11-min-instances", with("g-min", func(s *Service) { s.MinInstances = 1 })},
		{"12-service-account", with("g-sa", func(s *Service) { s.ServiceAccount = "runner@demo-proj.iam.gserviceaccount.com" })},
		{"20-allow-unauth", with("g-open", nil)}, // opening it is a binding, not a field
		{"30-api-disabled", with("g-api", nil)},
		{"32-async-ok", with("g-async", nil)},
	} {
		t.Run(tc.recording, func(t *testing.T) {
			rec := readRecording(t, tc.recording)
			m, err := tc.service.Manifest()
			if err != nil {
				t.Fatal(err)
			}
			want := v1ToV2(t, rec.write(t))
			if diff := cmp.Diff(want, asMap(t, m)); diff != "" {
				t.Errorf("manifest (-gcloud +ours):\n%s", diff)
			}
			// The request line: the name is an argument, never in the body.
			if m.Name != "" {
				t.Errorf("Name = %q; create demands it empty", m.Name)
			}
		})
	}
}

func TestManifestGolden(t *testing.T) {
	noInvoker, minOne, probe := guide(), guide(), guide()
	noInvoker.DangerouslyDisableInvokerCheck = true
	minOne.MinInstances = 1
	probe.StartupProbe = &Probe{HTTPPath: "/api/tags", Period: 10 * time.Second, Timeout: 10 * time.Second, FailureThreshold: 180}
	for file, s := range map[string]Service{
		"guide": guide(), "no-invoker-iam-check": noInvoker, "min-instances-revision": minOne, "startup-probe-http": probe,
	} {
		t.Run(file, func(t *testing.T) {
			var want obj
			readJSON(t, filepath.Join("testdata/gcloud/v2", file+".json"), &want)
			m, err := s.Manifest()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, asMap(t, m)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestManifestIsPure: neither the Service nor a former manifest is aliased.
func TestManifestIsPure(t *testing.T) {
	s := guide()
	s.Env = map[string]string{"OLLAMA_KEEP_ALIVE": "-1"}
	s.Labels = map[string]string{"team": "search"}
	s.CustomAudiences = []string{"https://gemma.example.com"}
	before := asMap(t, s)
	m, err := s.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	m.Labels["team"] = "other"
	m.Template.Containers[0].Image = "other"
	m.CustomAudiences[0] = "other"
	if diff := cmp.Diff(before, asMap(t, s)); diff != "" {
		t.Errorf("the Service changed:\n%s", diff)
	}
	if m.Template.Labels["team"] != "search" {
		t.Error("service and template share one map of labels")
	}
}

// full uses every field that a Service has.
func full() Service {
	return Service{
		Project: "demo-proj", Region: "europe-west4", Name: "g-full", Model: "gemma3:12b",
		Image: "europe-docker.pkg.dev/demo-proj/models/ollama-gemma:v2", Port: 11434,
		CPU: 4, Memory: "16Gi", ZonalRedundancy: true,
		Concurrency: 6, Parallel: 3, MinInstances: 1, MaxInstances: new(3), Timeout: 15 * time.Minute,
		Env:            map[string]string{"OLLAMA_KEEP_ALIVE": "-1", "GREETING": "a, b and \"c\"", "EMPTY": ""},
		Secrets:        map[string]string{"API_KEY": "gemma-key:3", "OTHER": "projects/123/secrets/shared"},
		ServiceAccount: "runner@demo-proj.iam.gserviceaccount.com", CustomAudiences: []string{"https://gemma.example.com"},
		Ingress: IngressInternal, Labels: map[string]string{"team": "search"}, Description: "Gemma: for search",
		ModelVolume:  &ModelVolume{Bucket: "my-tunes", MountOptions: []string{"only-dir=gemma"}},
		StartupProbe: &Probe{Period: 10 * time.Second, FailureThreshold: 60},
		Network:      &Network{Network: "default", Subnet: "gemma", Tags: []string{"gpu"}, AllTraffic: true},
	}
}

func TestEveryFieldReachesEveryForm(t *testing.T) {
	s := full()
	want := []string{ // path in v2 = value
		`template.containers.0.image="europe-docker.pkg.dev/demo-proj/models/ollama-gemma:v2"`,
		`template.containers.0.ports.0.containerPort=11434`,
		`template.containers.0.resources.limits.cpu="4"`,
		`template.containers.0.resources.limits.memory="16Gi"`,
		`template.containers.0.env.0.name="API_KEY"`,
		`template.containers.0.env.0.valueSource.secretKeyRef.secret="gemma-key"`,
		`template.containers.0.env.0.valueSource.secretKeyRef.version="3"`,
		`template.containers.0.env.1.name="EMPTY"`,
		`template.containers.0.env.1.value=""`,
		`template.containers.0.env.4.name="OLLAMA_NUM_PARALLEL"`,
		`template.containers.0.env.4.value="3"`,
		`template.containers.0.env.5.valueSource.secretKeyRef.version="latest"`,
		`template.containers.0.volumeMounts.0.mountPath="/models"`,
		`template.containers.0.startupProbe.tcpSocket.port=11434`,
		`template.containers.0.startupProbe.failureThreshold=60`,
		`template.volumes.0.gcs.bucket="my-tunes"`,
		`template.volumes.0.gcs.readOnly=true`,
		`template.volumes.0.gcs.mountOptions.0="only-dir=gemma"`,
		`template.gpuZonalRedundancyDisabled=false`,
		`template.maxInstanceRequestConcurrency=6`,
		`template.scaling.minInstanceCount=1`,
		`template.scaling.maxInstanceCount=3`,
		`template.timeout="900s"`,
		`template.serviceAccount="runner@demo-proj.iam.gserviceaccount.com"`,
		`template.labels.team="search"`,
		`template.vpcAccess.egress="ALL_TRAFFIC"`,
		`template.vpcAccess.networkInterfaces.0.subnetwork="gemma"`,
		`template.vpcAccess.networkInterfaces.0.tags.0="gpu"`,
		`labels.team="search"`,
		`customAudiences.0="https://gemma.example.com"`,
		`ingress="INGRESS_TRAFFIC_INTERNAL_ONLY"`,
		`description="Gemma: for search"`,
	}
	m, err := s.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	got := flatten("", asMap(t, m))
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("manifest lacks %s", w)
		}
	}
	if t.Failed() {
		t.Log(strings.Join(got, "\n"))
	}
}

func flatten(path string, v any) []string {
	var out []string
	switch v := v.(type) {
	case obj:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = append(out, flatten(path+"."+k, v[k])...)
		}
	case list:
		for i, e := range v {
			out = append(out, flatten(path+"."+string(rune('0'+i)), e)...)
		}
	default:
		b, _ := json.Marshal(v)
		out = append(out, strings.TrimPrefix(path, ".")+"="+string(b))
	}
	return out
}

func TestGemma4RunsOnVLLM(t *testing.T) {
	for _, tc := range []struct {
		model, gpu, memory string
		cpu, slots         int
		args               []string
	}{
		{"gemma-4-e2b-it", L4, "32Gi", 8, 32, []string{"serve", "google/gemma-4-E2B-it", "--max-model-len=32768"}},
		{"gemma4:26b", RTXPro6000, "80Gi", 20, 64, []string{"google/gemma-4-26B-A4B-it"}},
		{"google/gemma-4-31B-it", RTXPro6000, "80Gi", 20, 16, []string{"--quantization=fp8", "--kv-cache-dtype=fp8", "--max-model-len=32767", "--served-model-name=google/gemma-4-31B-it", "--max-num-seqs=16", "--tool-call-parser=gemma4", "--reasoning-parser=gemma4"}},
	} {
		s := guide()
		s.Model = tc.model
		m, err := s.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		c := m.Template.Containers[0]
		if c.Image != vllmImage || m.Template.NodeSelector.Accelerator != tc.gpu || c.Resources.Limits["memory"] != tc.memory ||
			m.Template.MaxInstanceRequestConcurrency != int64(tc.slots) || len(c.Env) != 0 {
			t.Errorf("%s: %+v %+v", tc.model, m.Template, c)
		}
		for _, a := range tc.args {
			if !slices.Contains(c.Args, a) {
				t.Errorf("%s: args %q lack %q", tc.model, c.Args, a)
			}
		}
		if p := c.StartupProbe; p == nil || p.InitialDelaySeconds != 240 || p.FailureThreshold != 40 {
			t.Errorf("%s: startup probe %+v", tc.model, p)
		}
	}
	s := guide()
	s.Model, s.Weights = "gemma-4-31b-it", "gs://my-bucket/gemma-4-31b"
	m, _ := s.Manifest()
	if args := m.Template.Containers[0].Args; args[1] != s.Weights || !slices.Contains(args, "--load-format=runai_streamer") {
		t.Errorf("streamed weights: %q", args)
	}
}

// TestKnativeIsGcloudsRequest compares the v1 form with what gcloud sent, less
// what identifies gcloud and the empty parts that it spells out.
func TestKnativeIsGcloudsRequest(t *testing.T) {
	want := readRecording(t, "01-create").write(t)
	delete(want, "status")
	meta := sub(want, "metadata")
	delete(meta, "labels")
	delete(meta, "annotations")
	tmeta := sub(want, "spec", "template", "metadata")
	delete(tmeta, "labels")
	delete(sub(tmeta, "annotations"), "run.googleapis.com/client-name")
	delete(sub(tmeta, "annotations"), "run.googleapis.com/client-version")
	container := at(want, "spec", "template", "spec", "containers", 0).(obj)
	delete(container, "name")
	delete(container["resources"].(obj), "requests")
	k, err := guide().knative()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, asMap(t, k)); diff != "" {
		t.Errorf("(-gcloud +ours):\n%s", diff)
	}
}

// TestGcloudIsTheGuidesCommand compares flags as a set with the recorded command.
func TestGcloudIsTheGuidesCommand(t *testing.T) {
	flags := func(args []string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(args); i++ {
			if !strings.HasPrefix(args[i], "--") {
				m[args[i]] = ""
				continue
			}
			name, value, ok := strings.Cut(args[i], "=")
			if !ok && i+1 < len(args) && !strings.HasPrefix(args[i+1], "--") {
				i++
				value = args[i]
			}
			m[name] = value
		}
		return m
	}
	want := flags(strings.Fields(readRecording(t, "01-create").Command))
	want["--project"] = "demo-proj"
	got, err := guide().Gcloud()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, flags(got)); diff != "" {
		t.Errorf("(-recorded +ours):\n%s", diff)
	}
}

func ExampleService_Gcloud() {
	s := Service{Project: "my-project", Region: "europe-west1", Name: "gemma", Env: map[string]string{"OLLAMA_KEEP_ALIVE": "24h"}}
	args, err := s.Gcloud()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.ReplaceAll(ShellJoin(args), " --", "\n  --"))
	// Output:
	// gcloud run deploy gemma
	//   --project=my-project
	//   --region=europe-west1
	//   --image=us-docker.pkg.dev/cloudrun/container/gemma/gemma3-4b
	//   --concurrency=4
	//   --cpu=8
	//   --memory=32Gi
	//   --gpu=1
	//   --gpu-type=nvidia-l4
	//   --no-gpu-zonal-redundancy
	//   --max-instances=1
	//   --no-allow-unauthenticated
	//   --no-cpu-throttling
	//   --timeout=600
	//   --set-env-vars=OLLAMA_KEEP_ALIVE=24h,OLLAMA_NUM_PARALLEL=4
}

// TestGcloudQuoting: values with gcloud's and the shell's special characters.
func TestGcloudQuoting(t *testing.T) {
	for _, tc := range []struct {
		items      []string
		flag, word string
	}{
		{[]string{"A=1", "B=2"}, "A=1,B=2", "A=1,B=2"},
		{[]string{"A=x,y", "B=2"}, "^;^A=x,y;B=2", "'^;^A=x,y;B=2'"},
		{[]string{"^A"}, "^,^^A", "'^,^^A'"},
		{[]string{"A=,;|@::"}, "^%%%^A=,;|@::", "'^%%%^A=,;|@::'"},
		{[]string{"A=it's"}, "A=it's", `'A=it'\''s'`},
		{[]string{""}, "", "''"},
	} {
		got := gcloudList(tc.items)
		if word := ShellJoin([]string{"--x=" + got}); got != tc.flag || word != "--x="+tc.word {
			t.Errorf("%q: %s and %s", tc.items, got, word)
		}
	}
}

func TestGcloudAndYAMLGolden(t *testing.T) {
	g4 := guide()
	g4.Model = "gemma-4-31b-it"
	for name, s := range map[string]Service{"guide": guide(), "full": full(), "gemma4": g4} {
		args, err := s.Gcloud()
		if err != nil {
			t.Fatal(err)
		}
		y, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".sh", []byte(strings.ReplaceAll(ShellJoin(args), " --", " \\\n  --")+"\n"))
		golden(t, name+".yaml", y)
	}
}

// golden compares with testdata; GOLDEN=write rewrites it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("GOLDEN") == "write" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
