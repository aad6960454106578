// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	run "google.golang.org/api/run/v2"
)

// obj and list are JSON-like trees, the form in which the v1 manifest is built
// and a live service is read.
type (
	obj  = map[string]any
	list = []any
)

// YAML returns the service in the form that `gcloud run services replace` takes:
// a Knative serving.knative.dev/v1 Service. It is pure. The Admin API v2 body of
// the same service is Manifest.
func (s Service) YAML() ([]byte, error) {
	k, err := s.knative()
	if err != nil {
		return nil, err
	}
	return appendYAML(nil, k, 0), nil
}

// JSON returns Manifest as indented JSON.
func (s Service) JSON() ([]byte, error) {
	m, err := s.Manifest()
	if err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("deploy: manifest: %w", err)
	}
	return append(b, '\n'), nil
}

// knative maps the v2 manifest to v1, field by field as gcloud writes it.
func (s Service) knative() (obj, error) {
	m, err := s.Manifest()
	if err != nil {
		return nil, err
	}
	r, t := s.settle(), m.Template
	c := t.Containers[0]
	ann := obj{}
	setIf(ann, "run.googleapis.com/description", m.Description)
	setIf(ann, "run.googleapis.com/ingress", map[Ingress]string{
		IngressAll: "all", IngressInternal: "internal", IngressInternLB: "internal-and-cloud-load-balancing"}[r.Ingress])
	if m.InvokerIamDisabled {
		ann["run.googleapis.com/invoker-iam-disabled"] = "True"
	}
	if len(m.CustomAudiences) > 0 {
		ann["run.googleapis.com/custom-audiences"] = compactJSON(m.CustomAudiences)
	}

	tann := obj{
		"autoscaling.knative.dev/maxScale":                 strconv.Itoa(r.max),
		"run.googleapis.com/cpu-throttling":                "False",
		"run.googleapis.com/startup-cpu-boost":             "True",
		"run.googleapis.com/gpu-zonal-redundancy-disabled": map[bool]string{true: "False", false: "True"}[r.ZonalRedundancy],
	}
	if r.MinInstances > 0 {
		tann["autoscaling.knative.dev/minScale"] = strconv.Itoa(r.MinInstances)
	}
	if n := r.Network; n != nil {
		nic := obj{}
		setIf(nic, "network", n.Network)
		setIf(nic, "subnetwork", n.Subnet)
		if len(n.Tags) > 0 {
			nic["tags"] = n.Tags
		}
		tann["run.googleapis.com/network-interfaces"] = compactJSON(list{nic})
		tann["run.googleapis.com/vpc-access-egress"] = n.egress("private-ranges-only", "all-traffic")
	}
	env, aliases := knativeEnv(c.Env)
	setIf(tann, "run.googleapis.com/secrets", aliases)

	container := obj{
		"image":     c.Image,
		"resources": obj{"limits": obj{"cpu": c.Resources.Limits["cpu"], "memory": c.Resources.Limits["memory"], gpuLimit: c.Resources.Limits[gpuLimit]}},
	}
	setList(container, "command", c.Command)
	setList(container, "args", c.Args)
	if len(env) > 0 {
		container["env"] = env
	}
	if r.Port != 0 {
		container["ports"] = list{obj{"containerPort": r.Port}}
	}
	if p := c.StartupProbe; p != nil {
		container["startupProbe"] = knativeProbe(p)
	}
	spec := obj{
		"containerConcurrency": r.Concurrency,
		"timeoutSeconds":       int(r.Timeout.Seconds()),
		"nodeSelector":         obj{"run.googleapis.com/accelerator": r.GPU},
		"containers":           list{container},
	}
	setIf(spec, "serviceAccountName", r.ServiceAccount)
	if v := r.ModelVolume; v != nil {
		attrs := obj{"bucketName": v.Bucket}
		setIf(attrs, "mountOptions", strings.Join(v.MountOptions, ","))
		spec["volumes"] = list{obj{"name": modelVolumeName, "csi": obj{"driver": "gcsfuse.run.googleapis.com", "readOnly": true, "volumeAttributes": attrs}}}
		container["volumeMounts"] = list{obj{"name": modelVolumeName, "mountPath": v.MountPath}}
	}
	meta := obj{"name": s.Name, "namespace": s.Project}
	tmeta := obj{"annotations": tann}
	if len(ann) > 0 {
		meta["annotations"] = ann
	}
	if len(r.Labels) > 0 {
		meta["labels"], tmeta["labels"] = labels(r.Labels), labels(r.Labels)
	}
	return obj{
		"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": meta,
		"spec": obj{"template": obj{"metadata": tmeta, "spec": spec}},
	}, nil
}

// knativeEnv maps variables. v1 names a secret of another project by an alias
// that an annotation explains.
func knativeEnv(vars []*run.GoogleCloudRunV2EnvVar) (env list, aliases string) {
	for _, v := range vars {
		if v.ValueSource == nil {
			env = append(env, obj{"name": v.Name, "value": v.Value})
			continue
		}
		ref := v.ValueSource.SecretKeyRef
		name := ref.Secret
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			name = name[i+1:]
			if aliases != "" {
				aliases += ","
			}
			aliases += name + ":" + ref.Secret
		}
		env = append(env, obj{"name": v.Name, "valueFrom": obj{"secretKeyRef": obj{"name": name, "key": ref.Version}}})
	}
	return env, aliases
}

func knativeProbe(p *run.GoogleCloudRunV2Probe) obj {
	out := obj{}
	for k, n := range map[string]int64{
		"initialDelaySeconds": p.InitialDelaySeconds, "periodSeconds": p.PeriodSeconds,
		"timeoutSeconds": p.TimeoutSeconds, "failureThreshold": p.FailureThreshold,
	} {
		if n != 0 {
			out[k] = int(n)
		}
	}
	if h := p.HttpGet; h != nil {
		out["httpGet"] = obj{"path": h.Path, "port": int(h.Port)}
	} else {
		out["tcpSocket"] = obj{"port": int(p.TcpSocket.Port)}
	}
	return out
}

func setIf(o obj, key, value string) {
	if value != "" {
		o[key] = value
	}
}

func setList(o obj, key string, values []string) {
	if len(values) == 0 {
		return
	}
	l := make(list, len(values))
	for i, v := range values {
		l[i] = v
	}
	o[key] = l
}

func labels(m map[string]string) obj {
	o := obj{}
	for k, v := range m {
		o[k] = v
	}
	return o
}

// compactJSON never fails: its callers give strings, lists and maps of them.
func compactJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
