// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gemma-go/sdk/internal/models"
)

// Warnings says what may be wrong with the Service but is for Google, or for
// you, to know: a region or a GPU that is not in the documentation this package
// was written by, a model it does not know, settings that are allowed and
// surprising. An empty result means that nothing is.
func (s Service) Warnings() []string {
	var out []string
	warn := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	r := s.settle()
	lim, known := gpuTypes[r.GPU]
	switch {
	case !known:
		warn("GPU %q is not one this package knows; its minimum CPU and memory are not checked and it has no price", r.GPU)
	case r.Region != "" && !slices.Contains(lim.regions, r.Region):
		warn("region %q is not documented to have %s (documented: %s)", r.Region, r.GPU, strings.Join(lim.regions, ", "))
	}
	if r.model.Family == models.Unknown {
		warn("model %q is not in the model table; it is taken as a model of your own", r.Model)
	}
	// bfloat16 takes two bytes a parameter, FP8 one, and the 4-bit weights of the
	// Ollama images about 0.6; a quarter of the GPU is for the KV cache.
	if known && r.model.Params > 0 && r.Server != ServerOther {
		per := 0.6
		if r.Server == ServerVLLM {
			per = 2
			if slices.Contains(r.Args, "--quantization=fp8") {
				per = 1
			}
		}
		if need := per * r.model.Params; need > 0.75*float64(lim.vram) {
			warn("%s needs about %.0f GB for its weights, %s has %d GB", r.model.ID, need, r.GPU, lim.vram)
		}
	}
	if r.DangerouslyDisableInvokerCheck {
		if r.Ingress == IngressInternal || r.Ingress == IngressInternLB {
			warn("the invoker check is off: everyone inside the network may use the endpoint")
		} else {
			warn("the invoker check is off: EVERYONE ON THE INTERNET may use the endpoint")
		}
	}
	if r.ForceConcurrency && (r.Concurrency > 2*r.Parallel || r.Concurrency < r.Parallel) {
		warn("Concurrency %d and Parallel %d are outside the rule (equal, up to twice)", r.Concurrency, r.Parallel)
	}
	if r.MinInstances > 0 {
		warn("%d warm %s billed around the clock", r.MinInstances, map[bool]string{true: "instance is", false: "instances are"}[r.MinInstances == 1])
	}
	for _, k := range sortedKeys(r.Env) {
		if secretName(k) {
			warn("Env[%q] looks like a secret and is readable by everyone who may view the service; use Secrets", k)
		}
	}
	if r.ServiceAccount == "" {
		warn("no ServiceAccount: a new service runs as the project's Compute Engine default account, which may hold more rights than a model needs")
	}
	return out
}
