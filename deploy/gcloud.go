// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Gcloud returns the arguments of the gcloud command that deploys the same
// service, "gcloud" first, for whoever wants to see or to run that instead.
// [ShellJoin] quotes them for a shell. It is pure.
func (s Service) Gcloud() ([]string, error) {
	m, err := s.Manifest()
	if err != nil {
		return nil, err
	}
	r := s.settle()
	args := []string{"gcloud", "run", "deploy", s.Name}
	if v := r.ModelVolume; v != nil && len(v.MountOptions) > 0 {
		// The released track of gcloud 528 refuses mount options.
		args = []string{"gcloud", "beta", "run", "deploy", s.Name}
	}
	flag := func(name, value string) { args = append(args, "--"+name+"="+value) }
	on := func(name string) { args = append(args, "--"+name) }
	num := func(name string, n int) { flag(name, strconv.Itoa(n)) }
	flag("project", s.Project)
	flag("region", s.Region)
	flag("image", r.Image)
	num("concurrency", r.Concurrency)
	num("cpu", r.CPU)
	flag("memory", r.Memory)
	num("gpu", 1)
	flag("gpu-type", r.GPU)
	on(map[bool]string{true: "gpu-zonal-redundancy", false: "no-gpu-zonal-redundancy"}[r.ZonalRedundancy])
	num("max-instances", r.max)
	if r.MinInstances > 0 {
		num("min-instances", r.MinInstances)
	}
	on("no-allow-unauthenticated")
	if r.DangerouslyDisableInvokerCheck {
		on("no-invoker-iam-check")
	}
	on("no-cpu-throttling")
	num("timeout", int(r.Timeout/time.Second))

	var env, secrets []string
	for _, v := range m.Template.Containers[0].Env {
		if v.ValueSource != nil {
			ref := v.ValueSource.SecretKeyRef
			secrets = append(secrets, v.Name+"="+ref.Secret+":"+ref.Version)
		} else {
			env = append(env, v.Name+"="+v.Value)
		}
	}
	for _, l := range []struct {
		name  string
		items []string
	}{
		{"set-env-vars", env}, {"set-secrets", secrets}, {"command", r.Command}, {"args", r.Args},
		{"labels", labelPairs(r.Labels)}, {"set-custom-audiences", r.CustomAudiences},
	} {
		if len(l.items) > 0 {
			flag(l.name, gcloudList(l.items))
		}
	}
	if r.Port != 0 {
		num("port", r.Port)
	}
	for _, o := range []struct{ name, value string }{
		{"service-account", r.ServiceAccount}, {"description", r.Description},
		{"ingress", map[Ingress]string{IngressAll: "all", IngressInternal: "internal", IngressInternLB: "internal-and-cloud-load-balancing"}[r.Ingress]},
	} {
		if o.value != "" {
			flag(o.name, o.value)
		}
	}
	if v := r.ModelVolume; v != nil {
		items := []string{"name=" + modelVolumeName, "type=cloud-storage", "bucket=" + v.Bucket, "readonly=true"}
		if len(v.MountOptions) > 0 {
			items = append(items, "mount-options="+strings.Join(v.MountOptions, ";"))
		}
		flag("add-volume", strings.Join(items, ","))
		flag("add-volume-mount", "volume="+modelVolumeName+",mount-path="+v.MountPath)
	}
	if p := m.Template.Containers[0].StartupProbe; p != nil {
		var items []string
		if p.HttpGet != nil {
			items = append(items, "httpGet.path="+p.HttpGet.Path, fmt.Sprintf("httpGet.port=%d", p.HttpGet.Port))
		} else {
			items = append(items, fmt.Sprintf("tcpSocket.port=%d", p.TcpSocket.Port))
		}
		for _, n := range []struct {
			name  string
			value int64
		}{{"initialDelaySeconds", p.InitialDelaySeconds}, {"periodSeconds", p.PeriodSeconds}, {"timeoutSeconds", p.TimeoutSeconds}, {"failureThreshold", p.FailureThreshold}} {
			if n.value != 0 {
				items = append(items, fmt.Sprintf("%s=%d", n.name, n.value))
			}
		}
		flag("startup-probe", strings.Join(items, ","))
	}
	if n := r.Network; n != nil {
		for _, o := range []struct{ name, value string }{
			{"network", n.Network}, {"subnet", n.Subnet}, {"network-tags", strings.Join(n.Tags, ",")},
			{"vpc-egress", n.egress("private-ranges-only", "all-traffic")},
		} {
			if o.value != "" {
				flag(o.name, o.value)
			}
		}
	}
	return args, nil
}

func labelPairs(m map[string]string) []string {
	var out []string
	for _, k := range sortedKeys(m) {
		out = append(out, k+"="+m[k])
	}
	return out
}

// gcloudList joins a list flag's items. gcloud takes another delimiter than the
// comma when the value begins with it between carets.
func gcloudList(items []string) string {
	all := strings.Join(items, "")
	for _, d := range []string{",", ";", "|", "@", "::", "%%%"} {
		if !strings.Contains(all, d) {
			joined := strings.Join(items, d)
			if d == "," && !strings.HasPrefix(joined, "^") {
				return joined
			}
			return "^" + d + "^" + joined
		}
	}
	return "^%%%%^" + strings.Join(items, "%%%%")
}

// ShellJoin quotes arguments for a POSIX shell; of a --flag=value only the value.
func ShellJoin(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		name, value, ok := strings.Cut(a, "=")
		if ok && strings.HasPrefix(name, "--") {
			quoted[i] = name + "=" + shellQuote(value)
		} else {
			quoted[i] = shellQuote(a)
		}
	}
	return strings.Join(quoted, " ")
}

func shellQuote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
