// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"slices"
	"strings"
)

// Change is one field of the service that Apply would write, or wrote.
type Change struct {
	Path string `json:"path"`          // such as template.containers[0].resources.limits.cpu
	Old  any    `json:"old,omitempty"` // nil = it was not there
	New  any    `json:"new,omitempty"` // nil = it goes
}

// String is "path: old → new".
func (c Change) String() string {
	return c.Path + ": " + show(c.Old) + " → " + show(c.New)
}

func show(v any) string {
	if v == nil {
		return "(none)"
	}
	return compactJSON(v)
}

// merger brings a live service to a wanted one and notes what differs. Only the
// fields that this package manages are looked at; the rest stays as it came.
type merger struct {
	changes []Change
}

// merge returns what to write, and what of it is new. live is not changed.
func merge(liveRaw obj, s Service) (obj, []Change, error) {
	m, err := s.Manifest()
	if err != nil {
		return nil, nil, err
	}
	want, err := toObj(m)
	if err != nil {
		return nil, nil, err
	}
	g := &merger{}
	next := cloneTree(liveRaw).(obj)
	exact := func(part string) bool { return slices.Contains(s.Exact, part) }

	g.given(next, "", "ingress", want["ingress"], false)
	g.given(next, "", "description", want["description"], exact("description"))
	g.put(next, "", "invokerIamDisabled", want["invokerIamDisabled"])
	g.labels(next, "", want["labels"], exact("labels"))
	g.audiences(next, want["customAudiences"], exact("customAudiences"))

	t := child(next, "template")
	w := want["template"].(obj)
	before := len(g.changes)
	const p = "template."
	for _, k := range []string{"timeout", "maxInstanceRequestConcurrency", "gpuZonalRedundancyDisabled"} {
		g.put(t, p, k, w[k])
	}
	scaling := child(t, "scaling")
	for _, k := range []string{"minInstanceCount", "maxInstanceCount"} {
		g.put(scaling, p+"scaling.", k, w["scaling"].(obj)[k])
	}
	g.put(child(t, "nodeSelector"), p+"nodeSelector.", "accelerator", w["nodeSelector"].(obj)["accelerator"])
	g.given(t, p, "serviceAccount", w["serviceAccount"], false)
	g.given(t, p, "vpcAccess", w["vpcAccess"], exact("vpcAccess"))
	g.labels(t, p, w["labels"], exact("labels"))
	g.named(t, p, "volumes", w["volumes"], exact("volumes"), nil)
	g.container(t, w["containers"].(list)[0].(obj), exact)
	for _, o := range []obj{next, t} {
		dropReserved(o)
	}
	if len(g.changes) > before {
		// A fixed revision name serves one revision only.
		delete(t, "revision")
	}
	return next, g.changes, nil
}

// dropReserved leaves away what v1 stored its own settings in: v2 has fields for
// them, and rejects a write that repeats them.
func dropReserved(o obj) {
	for _, part := range []string{"labels", "annotations"} {
		m, _ := o[part].(obj)
		for k := range m {
			ns, _, _ := strings.Cut(k, "/")
			switch ns {
			case "run.googleapis.com", "cloud.googleapis.com", "serving.knative.dev", "autoscaling.knative.dev":
				delete(m, k)
			}
		}
	}
}

// container merges into the container that serves: the one with a port, or the
// first. Sidecars stay as they are.
func (g *merger) container(t obj, w obj, exact func(string) bool) {
	all, _ := t["containers"].(list)
	if len(all) == 0 {
		all = list{obj{}}
		t["containers"] = all
	}
	i := max(0, slices.IndexFunc(all, func(c any) bool { o, _ := c.(obj); return o["ports"] != nil }))
	c, ok := all[i].(obj)
	if !ok {
		c = obj{}
		all[i] = c
	}
	p := fmt.Sprintf("template.containers[%d].", i)
	for _, k := range []string{"image", "command", "args"} {
		g.put(c, p, k, w[k])
	}
	if ports, ok := w["ports"].(list); ok {
		live, _ := c["ports"].(list)
		if len(live) == 0 || !same(live[0].(obj)["containerPort"], ports[0].(obj)["containerPort"]) {
			g.put(c, p, "ports", ports)
		}
	}
	res, wres := child(c, "resources"), w["resources"].(obj)
	limits, rp := child(res, "limits"), p+"resources."
	for _, k := range []string{"cpu", "memory", gpuLimit} {
		if v := wres["limits"].(obj)[k]; !sameQuantity(limits[k], v) {
			g.put(limits, rp+"limits.", k, v)
		}
	}
	g.put(res, rp, "cpuIdle", wres["cpuIdle"])
	g.put(res, rp, "startupCpuBoost", wres["startupCpuBoost"])
	g.given(c, p, "startupProbe", w["startupProbe"], false)
	g.named(c, p, "env", w["env"], exact("env"), hideSecrets)
	g.named(c, p, "volumeMounts", w["volumeMounts"], exact("volumes"), nil)
}

// put sets a managed field; zero and absent are the same.
func (g *merger) put(o obj, path, key string, want any) {
	old := o[key]
	if same(old, want) {
		return
	}
	if isZero(want) {
		delete(o, key)
		want = nil
	} else {
		o[key] = cloneTree(want)
	}
	g.changes = append(g.changes, Change{path + key, cloneTree(old), want})
}

// given sets a field that is left alone unless it is given; what the server
// added to it beside is no difference. With exact a field that is not given goes.
func (g *merger) given(o obj, path, key string, want any, exact bool) {
	switch {
	case want == nil && !exact, want != nil && covers(o[key], want):
	default:
		g.put(o, path, key, want)
	}
}

func (g *merger) labels(o obj, path string, want any, exact bool) {
	w, _ := want.(obj)
	if len(w) == 0 && !exact {
		return
	}
	have, _ := o["labels"].(obj)
	next := obj{}
	for _, k := range sortedKeys(have) {
		if _, ok := w[k]; ok || !exact {
			next[k] = have[k]
		} else {
			g.changes = append(g.changes, Change{path + "labels." + k, have[k], nil})
		}
	}
	for _, k := range sortedKeys(w) {
		if have[k] != w[k] {
			g.changes = append(g.changes, Change{path + "labels." + k, have[k], w[k]})
			next[k] = w[k]
		}
	}
	o["labels"] = next
}

// audiences is a set: others are kept, unless exact.
func (g *merger) audiences(o obj, want any, exact bool) {
	w, _ := want.(list)
	have, _ := o["customAudiences"].(list)
	next := list{}
	for _, a := range have {
		if slices.Contains(w, a) || !exact {
			next = append(next, a)
		}
	}
	for _, a := range w {
		if !slices.Contains(next, a) {
			next = append(next, a)
		}
	}
	g.put(o, "", "customAudiences", next)
}

// named merges a list whose entries have names, in the live order.
func (g *merger) named(o obj, path, key string, want any, exact bool, hide func(obj) any) {
	w, _ := want.(list)
	have, _ := o[key].(list)
	if len(w) == 0 && !exact {
		return
	}
	if hide == nil {
		hide = func(e obj) any { return e }
	}
	shown := func(e obj) any { // an entry, less the name that the path says
		if e == nil {
			return nil
		}
		return hide(e)
	}
	next := list{}
	seen := map[any]bool{}
	find := func(name any) obj {
		for _, e := range w {
			if e.(obj)["name"] == name {
				return e.(obj)
			}
		}
		return nil
	}
	for _, e := range have {
		e, ok := e.(obj)
		if !ok {
			continue
		}
		at := fmt.Sprintf("%s%s[%v]", path, key, e["name"])
		wanted := find(e["name"])
		switch {
		case wanted == nil && exact:
			g.changes = append(g.changes, Change{at, shown(e), nil})
		case wanted == nil, covers(e, wanted) && !changesKind(e, wanted):
			next = append(next, e)
		default:
			g.changes = append(g.changes, Change{at, shown(e), shown(wanted)})
			next = append(next, cloneTree(wanted))
		}
		seen[e["name"]] = true
	}
	for _, e := range w {
		e := e.(obj)
		if !seen[e["name"]] {
			g.changes = append(g.changes, Change{fmt.Sprintf("%s%s[%v]", path, key, e["name"]), nil, shown(e)})
			next = append(next, cloneTree(e))
		}
	}
	if len(next) == 0 {
		delete(o, key)
		return
	}
	o[key] = next
}

// changesKind tells a variable whose plain value is the empty string from one
// that takes its value from a secret.
func changesKind(e, wanted obj) bool {
	return (e["valueSource"] == nil) != (wanted["valueSource"] == nil)
}

// hideSecrets shows a variable's value, unless its name says that it is a secret.
func hideSecrets(e obj) any {
	if src := e["valueSource"]; src != nil {
		return src
	}
	if name, _ := e["name"].(string); secretName(name) {
		return hidden
	}
	v, _ := e["value"].(string)
	return v
}

// hidden stands for a value that is not shown.
const hidden = "(hidden)"

func secretName(name string) bool {
	return containsAny(strings.ToUpper(name), []string{"KEY", "TOKEN", "SECRET", "PASSW", "CREDENTIAL"})
}

// masks are the top-level fields that the changes are in.
func masks(changes []Change) []string {
	var out []string
	for _, c := range changes {
		top := c.Path
		if i := strings.IndexAny(top, ".["); i >= 0 {
			top = top[:i]
		}
		if !slices.Contains(out, top) {
			out = append(out, top)
		}
	}
	return out
}

func child(o obj, key string) obj {
	c, ok := o[key].(obj)
	if !ok {
		c = obj{}
		o[key] = c
	}
	return c
}
