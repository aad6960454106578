// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/gemma-go/sdk/internal/models"
)

// gpuType is what Cloud Run requires beside an accelerator, and what the guides
// use with it. Source: https://cloud.google.com/run/docs/configuring/services/gpu.
type gpuType struct {
	cpu, minCPU       int
	memory, minMemory string
	vram              int // GB
	quota, quotaZR    string
	metric, metricZR  string   // Service Usage's name of the quota
	regions           []string // as documented; the list changes, so it only warns
}

var gpuTypes = map[string]gpuType{
	L4: {
		cpu: 8, minCPU: 4, memory: "32Gi", minMemory: "16Gi", vram: 24,
		quota: "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion", quotaZR: "NvidiaL4GpuAllocPerProjectRegion",
		metric:   "run.googleapis.com/nvidia_l4_gpu_allocation_no_zonal_redundancy",
		metricZR: "run.googleapis.com/nvidia_l4_gpu_allocation",
		regions:  []string{"asia-south1", "asia-southeast1", "europe-west1", "europe-west4", "us-central1", "us-east4"},
	},
	RTXPro6000: {
		cpu: 20, minCPU: 20, memory: "80Gi", minMemory: "80Gi", vram: 96,
		quota: "NvidiaRtxPro6000GpuAllocNoZonalRedundancyPerProjectRegion", quotaZR: "NvidiaRtxPro6000GpuAllocPerProjectRegion",
		metric:   "run.googleapis.com/nvidia_rtx_pro_6000_gpu_allocation_no_zonal_redundancy",
		metricZR: "run.googleapis.com/nvidia_rtx_pro_6000_gpu_allocation",
		regions:  []string{"asia-south2", "asia-southeast1", "europe-west4", "us-central1"},
	},
}

// shape is the guides' choice for one model on one server.
type shape struct {
	gpu   string
	slots int
	fp8   bool // weights and KV cache quantised on load
	ctx   int  // --max-model-len; 0 = the model's own
}

// shapeOf picks the shape. Ollama images: the guide's, whatever the size, as
// their 4-bit weights fit an L4. vLLM loads bfloat16: the E models fit an L4
// (with a context short of the full 128K, or the KV cache does not), the others
// need the RTX PRO 6000, and 31B runs as its codelab does, in FP8 with 16 slots.
func shapeOf(srv Server, m models.Model) shape {
	if srv != ServerVLLM {
		return shape{gpu: L4, slots: 4}
	}
	switch {
	case m.Params > 30:
		return shape{gpu: RTXPro6000, slots: 16, fp8: true, ctx: 32767}
	case m.Params > 8:
		return shape{gpu: RTXPro6000, slots: 64}
	case m.Params > 0:
		return shape{gpu: L4, slots: 32, ctx: 32768}
	}
	return shape{gpu: RTXPro6000, slots: 16}
}

// vllmProbe is the codelab's for Gemma 4: not asked before four minutes, then
// every 15 seconds for ten more.
var vllmProbe = Probe{InitialDelay: 240 * time.Second, Period: 15 * time.Second, Timeout: 10 * time.Second, FailureThreshold: 40}

// vllmArgs composes the command line of Google's pages on Gemma 4. The served
// name is always given: vLLM would otherwise name the model after its path.
func (r settled) vllmArgs(sh shape) []string {
	name := cmp.Or(r.model.HF, r.Model)
	args := []string{
		"serve", cmp.Or(r.Weights, name),
		"--served-model-name=" + name,
		fmt.Sprintf("--port=%d", cmp.Or(r.Port, defaultPort)), "--host=0.0.0.0",
		fmt.Sprintf("--max-num-seqs=%d", r.Parallel),
		"--enable-chunked-prefill", "--enable-prefix-caching",
		"--generation-config=auto", "--dtype=bfloat16",
		"--gpu-memory-utilization=0.95", "--tensor-parallel-size=1",
	}
	if r.model.Tools {
		args = append(args, "--enable-auto-tool-choice", "--tool-call-parser=gemma4")
	}
	if r.model.Thinking {
		args = append(args, "--reasoning-parser=gemma4")
	}
	if sh.fp8 {
		args = append(args, "--quantization=fp8", "--kv-cache-dtype=fp8")
	}
	if sh.ctx > 0 {
		args = append(args, fmt.Sprintf("--max-model-len=%d", sh.ctx))
	}
	if strings.HasPrefix(r.Weights, "gs://") {
		args = append(args, "--load-format=runai_streamer")
	}
	return args
}
