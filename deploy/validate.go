// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gemma-go/sdk/internal/models"
)

// Where the limits come from.
const (
	srcGPU     = "https://cloud.google.com/run/docs/configuring/services/gpu"
	srcProto   = "Cloud Run Admin API v2, CreateServiceRequest"
	srcTimeout = "https://cloud.google.com/run/docs/configuring/request-timeout"
	srcConc    = "https://cloud.google.com/run/docs/about-concurrency"
	srcGuide   = "https://cloud.google.com/run/docs/tutorials/gpu-gemma-with-ollama"
	srcEnv     = "https://cloud.google.com/run/docs/container-contract"
	srcProbe   = "https://cloud.google.com/run/docs/configuring/healthchecks"
	srcLabels  = "https://cloud.google.com/run/docs/configuring/services/labels"
	srcQuota   = "GPU quota is checked against max instances, " + quotaLink
)

const (
	parallelEnv    = "OLLAMA_NUM_PARALLEL"
	maxConcurrency = 1000
	maxTimeout     = time.Hour
	maxProbe       = 1800 * time.Second // for GPU services; 600 s or less without
	maxNameLen     = 49
)

var (
	nameRE    = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)
	projectRE = regexp.MustCompile(`^[a-z0-9][-a-z0-9.:]*$`)
	regionRE  = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)
	envRE     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	memoryRE  = regexp.MustCompile(`^([0-9]+)(Gi|Mi|G|M)$`)
	imageRE   = regexp.MustCompile(`^[a-z0-9][a-z0-9.:-]*(/[A-Za-z0-9._-]+)+(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$`)
	saRE      = regexp.MustCompile(`^[^@\s/]+@[^@\s/]+\.[^@\s/]+$`)
	labelRE   = regexp.MustCompile(`^[a-z][-_a-z0-9]{0,62}$`)
	bucketRE  = regexp.MustCompile(`^[a-z0-9][-_.a-z0-9]{1,220}[a-z0-9]$`)
	secretRE  = regexp.MustCompile(`^(projects/[^/:\s]+/secrets/)?[A-Za-z0-9_-]{1,255}(:(latest|[0-9]+|[A-Za-z][A-Za-z0-9_-]*))?$`)
)

// reserved are variables that Cloud Run sets itself and refuses.
var reserved = []string{"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"}

// exactParts are the names that Exact takes.
var exactParts = []string{"env", "labels", "customAudiences", "volumes", "vpcAccess", "description"}

// faults collects what is wrong with a Service.
type faults []Fault

func (f *faults) add(field, source, format string, args ...any) {
	*f = append(*f, Fault{Field: field, Problem: fmt.Sprintf(format, args...), Source: source})
}

// Validate returns nil, or one [*Error] of [KindInvalid] whose Faults name every
// bad field, the limit and where the limit comes from. It needs no network and
// knows no quotas. What Google may change any day (regions, models, GPU types)
// is never a fault: see Warnings.
func (s Service) Validate() error {
	var f faults
	r := s.settle()
	r.checkNames(&f)
	r.checkSizes(&f)
	r.checkScaling(&f)
	r.checkEnv(&f)
	r.checkAccess(&f)
	r.checkProbe(&f)
	if len(f) == 0 {
		return nil
	}
	return &Error{
		Kind: KindInvalid, Op: "validate", Service: s.fullName(), Faults: f,
		Message: fmt.Sprintf("%d bad %s", len(f), plural(len(f), "field")),
	}
}

func (r settled) checkNames(f *faults) {
	switch {
	case r.Project == "":
		f.add("Project", srcProto, "is required")
	case !projectRE.MatchString(r.Project):
		f.add("Project", srcProto, "%q is not a project id", r.Project)
	}
	switch {
	case r.Region == "":
		f.add("Region", srcProto, "is required")
	case !regionRE.MatchString(r.Region):
		f.add("Region", srcProto, "%q does not read like a region", r.Region)
	}
	switch {
	case r.Name == "":
		f.add("Name", srcProto, "is required")
	case len(r.Name) > maxNameLen:
		f.add("Name", srcProto, "%q has %d characters, at most %d are allowed", r.Name, len(r.Name), maxNameLen)
	case !nameRE.MatchString(r.Name):
		f.add("Name", srcProto, "%q must be lower-case letters, digits and hyphens, begin with a letter and not end with a hyphen", r.Name)
	}
	switch {
	case r.Image == "":
		f.add("Image", "the model table", "is required: there is no prebuilt image for model %q", r.Model)
	case !imageRE.MatchString(r.Image):
		f.add("Image", srcProto, "%q is not the path of a container image", r.Image)
	}
	if r.model.Family == models.EmbeddingGemma && r.Service.Image == "" {
		f.add("Model", "the model table", "%q makes embeddings, not text", r.Model)
	}
	switch r.Server {
	case ServerOllama, ServerVLLM, ServerOther:
	default:
		f.add("Server", "", "%q is not a Server", r.Server)
	}
	if r.Port < 0 || r.Port > 65535 {
		f.add("Port", srcEnv, "%d is not between 1 and 65535", r.Port)
	}
	for _, p := range r.Exact {
		if !slices.Contains(exactParts, p) {
			f.add("Exact", "", "%q is not one of %s", p, strings.Join(exactParts, ", "))
		}
	}
}

func (r settled) checkSizes(f *faults) {
	lim, known := gpuTypes[r.GPU]
	mem, ok := memoryBytes(r.Memory)
	switch {
	case r.Memory == "":
		f.add("Memory", srcGPU, "is required with GPU %q, whose usual size is not known", r.GPU)
	case !ok:
		f.add("Memory", srcProto, `%q is not a quantity such as "32Gi"`, r.Memory)
	case known:
		if least, _ := memoryBytes(lim.minMemory); mem < least {
			f.add("Memory", srcGPU, "%s is below the minimum of %s with %s", r.Memory, lim.minMemory, r.GPU)
		}
	}
	switch {
	case r.CPU < 0, r.CPU == 0:
		f.add("CPU", srcGPU, "%d is not a number of vCPUs", r.CPU)
	case known && r.CPU < lim.minCPU:
		f.add("CPU", srcGPU, "%d is below the minimum of %d with %s", r.CPU, lim.minCPU, r.GPU)
	}
}

func (r settled) checkScaling(f *faults) {
	if r.max < 1 {
		f.add("MaxInstances", srcQuota, "%d leaves no instance to answer; at least 1", r.max)
	}
	if r.MinInstances < 0 {
		f.add("MinInstances", srcProto, "%d is negative", r.MinInstances)
	} else if r.MinInstances > max(r.max, 1) {
		f.add("MinInstances", srcProto, "%d is above MaxInstances %d", r.MinInstances, r.max)
	}
	bad := false
	for _, n := range []struct {
		field string
		value int
	}{{"Concurrency", r.Concurrency}, {"Parallel", r.Parallel}} {
		if n.value < 1 || n.value > maxConcurrency {
			if bad && r.Parallel == r.Concurrency {
				break // one number, taken from the other: one fault
			}
			f.add(n.field, srcConc, "%d is not between 1 and %d", n.value, maxConcurrency)
			bad = true
		}
	}
	if !bad && !r.ForceConcurrency {
		switch {
		case r.Concurrency > 2*r.Parallel:
			f.add("Concurrency", srcGuide, "%d is more than twice Parallel %d: requests would queue inside the instance while Cloud Run starts no other; at most %d, or ForceConcurrency", r.Concurrency, r.Parallel, 2*r.Parallel)
		case r.Concurrency < r.Parallel:
			f.add("Concurrency", srcGuide, "%d is below Parallel %d: the model server's slots would never fill; at least %d, or ForceConcurrency", r.Concurrency, r.Parallel, r.Parallel)
		}
	}
	switch {
	case r.Timeout < time.Second || r.Timeout > maxTimeout:
		f.add("Timeout", srcTimeout, "%s is not between 1s and %s", r.Timeout, maxTimeout)
	case r.Timeout%time.Second != 0:
		f.add("Timeout", srcTimeout, "%s is not whole seconds", r.Timeout)
	}
}

func (r settled) checkEnv(f *faults) {
	for _, set := range []struct {
		name string
		vars map[string]string
	}{{"Env", r.Env}, {"Secrets", r.Secrets}} {
		for _, k := range sortedKeys(set.vars) {
			field := set.name + "[" + strconv.Quote(k) + "]"
			switch {
			case !envRE.MatchString(k):
				f.add(field, srcEnv, "is not the name of a variable")
			case slices.Contains(reserved, k):
				f.add(field, srcEnv, "is set by Cloud Run itself")
			case k == parallelEnv && r.Server == ServerOllama:
				f.add(field, srcGuide, "is set from Parallel; set that")
			}
			if _, both := r.Env[k]; both && set.name == "Secrets" {
				f.add(field, srcProto, "is in Env too; a variable has one source")
			}
			if set.name == "Secrets" && !secretRE.MatchString(set.vars[k]) {
				f.add(field, "https://cloud.google.com/run/docs/configuring/services/secrets", "must read secret or secret:version")
			}
		}
	}
	for _, k := range sortedKeys(r.Labels) {
		field := "Labels[" + strconv.Quote(k) + "]"
		if !labelRE.MatchString(k) {
			f.add(field, srcLabels, "must be at most 63 lower-case letters, digits, hyphens and underscores, and begin with a letter")
		} else if v := r.Labels[k]; v != "" && !regexp.MustCompile(`^[-_a-z0-9]{0,63}$`).MatchString(v) {
			f.add(field, srcLabels, "the value %q must be at most 63 lower-case letters, digits, hyphens and underscores", v)
		}
	}
	if v := r.ModelVolume; v != nil {
		if !bucketRE.MatchString(v.Bucket) {
			f.add("ModelVolume.Bucket", "https://cloud.google.com/storage/docs/buckets#naming", "%q is not the name of a bucket (without gs://)", v.Bucket)
		}
		if !strings.HasPrefix(v.MountPath, "/") || v.MountPath == "/" {
			f.add("ModelVolume.MountPath", srcProto, "%q is not an absolute path below /", v.MountPath)
		}
	}
}

func (r settled) checkAccess(f *faults) {
	switch r.Ingress {
	case "", IngressAll, IngressInternal, IngressInternLB:
	default:
		f.add("Ingress", srcProto, "%q is not an Ingress", r.Ingress)
	}
	if r.ServiceAccount != "" && !saRE.MatchString(r.ServiceAccount) {
		f.add("ServiceAccount", srcProto, "%q is not the email address of a service account", r.ServiceAccount)
	}
	for i, a := range r.CustomAudiences {
		if a == "" || strings.ContainsAny(a, " \t\r\n,") {
			f.add(fmt.Sprintf("CustomAudiences[%d]", i), "https://cloud.google.com/run/docs/configuring/custom-audiences", "%q is not an audience", a)
		}
	}
	if n := r.Network; n != nil && n.Network == "" && n.Subnet == "" {
		f.add("Network", "https://cloud.google.com/run/docs/configuring/vpc-direct-vpc", "needs a Network or a Subnet")
	}
}

func (r settled) checkProbe(f *faults) {
	p := r.StartupProbe
	if p == nil {
		return
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"InitialDelay", p.InitialDelay}, {"Period", p.Period}, {"Timeout", p.Timeout}} {
		if d.value < 0 || d.value > maxProbe || d.value%time.Second != 0 {
			f.add("StartupProbe."+d.field, srcProbe, "%s is not whole seconds between 0 and %s (a GPU service)", d.value, maxProbe)
		}
	}
	if p.Timeout > max(p.Period, 0) && p.Period != 0 {
		f.add("StartupProbe.Timeout", srcProbe, "%s is longer than Period %s", p.Timeout, p.Period)
	}
	if p.FailureThreshold < 0 {
		f.add("StartupProbe.FailureThreshold", srcProbe, "%d is negative", p.FailureThreshold)
	} else if total := p.Period * time.Duration(p.FailureThreshold); total > maxProbe {
		f.add("StartupProbe.FailureThreshold", srcProbe, "%d times Period %s is %s, at most %s", p.FailureThreshold, p.Period, total, maxProbe)
	}
	if p.HTTPPath != "" && !strings.HasPrefix(p.HTTPPath, "/") {
		f.add("StartupProbe.HTTPPath", srcProbe, "%q does not begin with /", p.HTTPPath)
	}
	if p.Port < 0 || p.Port > 65535 {
		f.add("StartupProbe.Port", srcProbe, "%d is not between 1 and 65535", p.Port)
	}
}

// memoryBytes reads a Kubernetes quantity of memory.
func memoryBytes(s string) (int64, bool) {
	m := memoryRE.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 32)
	if err != nil || n == 0 {
		return 0, false
	}
	return n * map[string]int64{"Gi": 1 << 30, "Mi": 1 << 20, "G": 1e9, "M": 1e6}[m[2]], true
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
