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

// Service is one private Gemma endpoint. Project, Region and Name are required;
// the zero value of everything else is the shape of Google's guide for the
// model. It is taken by value; its methods without a context are pure and safe
// for concurrent use.
//
// On an existing service a field left at its zero value either has a default
// that is applied (sizes, scaling, timeout, image, privacy), or leaves alone
// what is there (everything documented as "left alone" below; see Exact).
type Service struct {
	Project string // required: the project's id
	Region  string // required: such as "europe-west1"
	Name    string // required: at most 49 characters, lower case

	// Model is any spelling of a Gemma model (gemma-3-4b-it, gemma3:4b,
	// google/gemma-4-E2B-it) or the name of a model of your own, which needs an
	// Image or, with a known base, a ModelVolume. "" is gemma-3-4b-it.
	Model string

	// Image replaces the model's prebuilt image. "" is the prebuilt Ollama image
	// of a Gemma 3 or 3n model, and Google's vLLM image for Gemma 4.
	Image string
	// Server says what runs in Image; ServerAuto tells it from the image's name.
	Server Server
	// Command and Args replace the image's own, or the arguments this package
	// composes for vLLM. They belong to the image: left empty they are removed
	// from an existing service.
	Command, Args []string
	// Weights is where vLLM loads the model from: a Hugging Face id (""), a path in
	// the container, or a gs:// URL, which is streamed. With a ModelVolume it is
	// the mount path.
	Weights string
	Port    int // the container's port; 0 = Cloud Run's default, 8080

	CPU             int    // vCPUs; 0 = 8 (L4) or 20 (RTX PRO 6000)
	Memory          string // such as "32Gi"; "" = 32Gi (L4) or 80Gi (RTX PRO 6000)
	GPU             string // "" = L4, or RTXPro6000 for the larger Gemma 4 models
	ZonalRedundancy bool   // pay for a GPU reserved in a second zone; needs a quota of its own

	// Concurrency is how many requests Cloud Run gives one instance at a time, and
	// Parallel how many of them the model server works on at once
	// (OLLAMA_NUM_PARALLEL, vLLM's --max-num-seqs). Equal is best for latency; up to
	// twice as many requests as slots keeps the GPU busy. Zero follows the other
	// one; both zero are 4 (Ollama) or 16 to 64 (vLLM, by model).
	Concurrency, Parallel int
	ForceConcurrency      bool // accept a Concurrency below Parallel or above twice Parallel

	MinInstances int           // instances kept warm, each at full price; 0 = scale to zero
	MaxInstances *int          // nil = 1; the GPU quota must cover it, and 0 is refused
	Timeout      time.Duration // for one request, whole seconds up to an hour; 0 = 600 s

	Env     map[string]string // plain variables; others of an existing service are left alone
	Secrets map[string]string // variable → secret[:version] of Secret Manager; ":latest" is implied

	ServiceAccount  string   // runtime identity; "" = the project's default on create, else left alone
	CustomAudiences []string // further token audiences; others of an existing service are left alone
	Ingress         Ingress  // "" = from everywhere (with IAM in front) on create, else left alone
	Labels          map[string]string
	Description     string

	ModelVolume  *ModelVolume // a bucket with a fine-tuned model in place of the image's
	StartupProbe *Probe       // nil = Cloud Run's default for Ollama images; for vLLM 14 minutes
	Network      *Network     // Direct VPC egress; nil = none on create, else left alone

	// DangerouslyDisableInvokerCheck opens the endpoint to everyone who can reach
	// it: Cloud Run no longer checks run.invoker. Only for a service with an
	// internal Ingress, or behind an authenticating proxy.
	DangerouslyDisableInvokerCheck bool

	// Exact names the parts of an existing service in which Apply keeps nothing
	// but what is here, so that an entry can be removed: "env", "labels",
	// "customAudiences", "volumes", "vpcAccess", "description".
	Exact []string
}

// Server is the model server in the image.
type Server string

const (
	ServerAuto   Server = ""       // told from the image's name and the model
	ServerOllama Server = "ollama" // slots are OLLAMA_NUM_PARALLEL
	ServerVLLM   Server = "vllm"   // slots are --max-num-seqs
	ServerOther  Server = "other"  // slots are the image's own affair; Parallel is only checked
)

// Ingress is who may reach the service at all, before IAM.
type Ingress string

const (
	IngressAll      Ingress = "INGRESS_TRAFFIC_ALL"
	IngressInternal Ingress = "INGRESS_TRAFFIC_INTERNAL_ONLY"
	IngressInternLB Ingress = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER" // internal, and from a load balancer
)

// Accelerators that Cloud Run documents for services.
const (
	L4         = "nvidia-l4"           // 24 GB; at least 4 CPU and 16 GiB
	RTXPro6000 = "nvidia-rtx-pro-6000" // 96 GB; at least 20 CPU and 80 GiB
)

// ModelVolume is a Cloud Storage bucket with a model, mounted read-only.
type ModelVolume struct {
	Bucket       string   // without "gs://"
	MountPath    string   // "" = /models, where the prebuilt images look
	MountOptions []string // Cloud Storage FUSE's, such as "only-dir=gemma"
}

// Probe is how Cloud Run finds out that the container is up. A GPU service may
// take 30 minutes in all.
type Probe struct {
	HTTPPath         string        // "" = a TCP connection; else the path must answer 200–399
	Port             int           // 0 = the container's port
	InitialDelay     time.Duration // 0–1800 s
	Period           time.Duration // 1–1800 s; 0 = 10 s
	Timeout          time.Duration // 1–1800 s, not above Period; 0 = 1 s
	FailureThreshold int           // 0 = 3
}

// Network is Direct VPC egress. At least one of Network and Subnet is set.
type Network struct {
	Network, Subnet string
	Tags            []string
	AllTraffic      bool // everything leaves through the VPC; else private ranges only
}

const (
	guideModel = "gemma-3-4b-it"
	// vllmImage is the one Google's page on Gemma 4 and its codelab name; there is
	// no prebuilt image per Gemma 4 model.
	vllmImage       = "us-docker.pkg.dev/vertex-ai/vertex-vision-model-garden-dockers/pytorch-vllm-serve:gemma4"
	defaultPort     = 8080
	defaultTimeout  = 600 * time.Second
	defaultMountDir = "/models"
	modelVolumeName = "model"
)

// settled is a Service with every default filled in.
type settled struct {
	Service
	model models.Model // zero for a model of the user's own
	max   int
}

// settle fills in the defaults. It does not judge: Validate does.
func (s Service) settle() settled {
	s.Model = cmp.Or(s.Model, guideModel)
	m, _ := models.Lookup(s.Model)
	r := settled{Service: s, model: m, max: 1}
	if s.MaxInstances != nil {
		r.max = *s.MaxInstances
	}
	if r.Image == "" {
		r.Image = m.Image
		if m.Family == models.Gemma4 {
			r.Image = vllmImage
		}
	}
	r.Server = cmp.Or(s.Server, serverOf(r.Image, m))
	shape := shapeOf(r.Server, m)
	r.GPU = cmp.Or(s.GPU, shape.gpu)
	if lim, ok := gpuTypes[r.GPU]; ok {
		r.CPU = cmp.Or(s.CPU, lim.cpu)
		r.Memory = cmp.Or(s.Memory, lim.memory)
	}
	r.Concurrency = cmp.Or(s.Concurrency, s.Parallel, shape.slots)
	r.Parallel = cmp.Or(s.Parallel, s.Concurrency, shape.slots)
	r.Timeout = cmp.Or(s.Timeout, defaultTimeout)
	if s.ModelVolume != nil {
		v := *s.ModelVolume
		v.MountPath = cmp.Or(v.MountPath, defaultMountDir)
		r.ModelVolume = &v
		if r.Weights == "" {
			r.Weights = v.MountPath
		}
	}
	if r.Server == ServerVLLM && len(s.Command) == 0 && len(s.Args) == 0 {
		r.Command, r.Args = []string{"vllm"}, r.vllmArgs(shape)
	}
	if r.Server == ServerVLLM && s.StartupProbe == nil {
		r.StartupProbe = &vllmProbe
	}
	return r
}

// serverOf tells the model server from the image's name.
func serverOf(image string, m models.Model) Server {
	switch {
	case strings.Contains(image, "vllm"):
		return ServerVLLM
	case strings.HasPrefix(image, "us-docker.pkg.dev/cloudrun/container/gemma/"), strings.Contains(image, "ollama"):
		return ServerOllama
	case m.Image != "": // an own build on top of a prebuilt image, most likely
		return ServerOllama
	}
	return ServerOther
}

func (s Service) parent() string   { return fmt.Sprintf("projects/%s/locations/%s", s.Project, s.Region) }
func (s Service) fullName() string { return s.parent() + "/services/" + s.Name }
