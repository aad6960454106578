// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	run "google.golang.org/api/run/v2"
)

const gpuLimit = "nvidia.com/gpu"

// Manifest returns the service as the Cloud Run Admin API v2 takes it on create:
// with an empty Name, which that call demands. It is pure. For the guide's shape
// it equals what gcloud sends (gcloud 528, mapped from its v1 request), the
// startup CPU boost included, which gcloud adds by itself.
//
// An invalid Service is an [*Error] of [KindInvalid] that names every bad field.
func (s Service) Manifest() (*run.GoogleCloudRunV2Service, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	r := s.settle()
	c := &run.GoogleCloudRunV2Container{
		Image:   r.Image,
		Command: slices.Clone(r.Command),
		Args:    slices.Clone(r.Args),
		Env:     r.env(),
		Resources: &run.GoogleCloudRunV2ResourceRequirements{
			// CpuIdle stays false, the zero value: CPU is always allocated, as a
			// GPU needs.
			Limits:          map[string]string{"cpu": strconv.Itoa(r.CPU), "memory": r.Memory, gpuLimit: "1"},
			StartupCpuBoost: true,
		},
		StartupProbe: r.probe(),
	}
	if r.Port != 0 {
		c.Ports = []*run.GoogleCloudRunV2ContainerPort{{ContainerPort: int64(r.Port)}}
	}
	t := &run.GoogleCloudRunV2RevisionTemplate{
		Scaling: &run.GoogleCloudRunV2RevisionScaling{
			MinInstanceCount: int64(r.MinInstances),
			MaxInstanceCount: int64(r.max),
		},
		Timeout:                       seconds(r.Timeout),
		MaxInstanceRequestConcurrency: int64(r.Concurrency),
		NodeSelector:                  &run.GoogleCloudRunV2NodeSelector{Accelerator: r.GPU},
		GpuZonalRedundancyDisabled:    !r.ZonalRedundancy,
		ServiceAccount:                r.ServiceAccount,
		Labels:                        maps.Clone(r.Labels), // gcloud labels both, the service and its revisions
		Containers:                    []*run.GoogleCloudRunV2Container{c},
	}
	if r.ZonalRedundancy {
		// Its absence means "server's choice", not false.
		t.ForceSendFields = []string{"GpuZonalRedundancyDisabled"}
	}
	if v := r.ModelVolume; v != nil {
		t.Volumes = []*run.GoogleCloudRunV2Volume{{
			Name: modelVolumeName,
			Gcs:  &run.GoogleCloudRunV2GCSVolumeSource{Bucket: v.Bucket, ReadOnly: true, MountOptions: slices.Clone(v.MountOptions)},
		}}
		c.VolumeMounts = []*run.GoogleCloudRunV2VolumeMount{{Name: modelVolumeName, MountPath: v.MountPath}}
	}
	if n := r.Network; n != nil {
		t.VpcAccess = &run.GoogleCloudRunV2VpcAccess{
			NetworkInterfaces: []*run.GoogleCloudRunV2NetworkInterface{{
				Network: n.Network, Subnetwork: n.Subnet, Tags: slices.Clone(n.Tags),
			}},
			Egress: n.egress("PRIVATE_RANGES_ONLY", "ALL_TRAFFIC"),
		}
	}
	return &run.GoogleCloudRunV2Service{
		Template:           t,
		Description:        r.Description,
		Labels:             maps.Clone(r.Labels),
		Ingress:            string(r.Ingress),
		CustomAudiences:    slices.Clone(r.CustomAudiences),
		InvokerIamDisabled: r.DangerouslyDisableInvokerCheck,
	}, nil
}

func (n *Network) egress(ranges, all string) string {
	if n.AllTraffic {
		return all
	}
	return ranges
}

// env is sorted by name, so that equal Services have equal manifests.
func (r settled) env() []*run.GoogleCloudRunV2EnvVar {
	var out []*run.GoogleCloudRunV2EnvVar
	if r.Server == ServerOllama {
		out = append(out, &run.GoogleCloudRunV2EnvVar{Name: parallelEnv, Value: strconv.Itoa(r.Parallel)})
	}
	for k, v := range r.Env {
		e := &run.GoogleCloudRunV2EnvVar{Name: k, Value: v}
		if v == "" {
			e.ForceSendFields = []string{"Value"}
		}
		out = append(out, e)
	}
	for k, v := range r.Secrets {
		name, version := secretRef(v)
		out = append(out, &run.GoogleCloudRunV2EnvVar{Name: k, ValueSource: &run.GoogleCloudRunV2EnvVarSource{
			SecretKeyRef: &run.GoogleCloudRunV2SecretKeySelector{Secret: name, Version: version},
		}})
	}
	slices.SortFunc(out, func(a, b *run.GoogleCloudRunV2EnvVar) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// secretRef splits gcloud's notation, secret[:version].
func secretRef(s string) (name, version string) {
	name, version, _ = strings.Cut(s, ":")
	return name, cmp.Or(version, "latest")
}

func (r settled) probe() *run.GoogleCloudRunV2Probe {
	p := r.StartupProbe
	if p == nil {
		return nil
	}
	port := int64(cmp.Or(p.Port, r.Port, defaultPort))
	out := &run.GoogleCloudRunV2Probe{
		InitialDelaySeconds: int64(p.InitialDelay / time.Second),
		PeriodSeconds:       int64(p.Period / time.Second),
		TimeoutSeconds:      int64(p.Timeout / time.Second),
		FailureThreshold:    int64(p.FailureThreshold),
	}
	if p.HTTPPath != "" {
		out.HttpGet = &run.GoogleCloudRunV2HTTPGetAction{Path: p.HTTPPath, Port: port}
	} else {
		out.TcpSocket = &run.GoogleCloudRunV2TCPSocketAction{Port: port}
	}
	return out
}

func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int64(d/time.Second)) }
