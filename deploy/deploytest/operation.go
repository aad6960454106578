// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploytest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// service is one stored service: what its owner wrote, and what the server adds.
type service struct {
	name, id, region string
	server           *Server
	created          time.Time
	body, policy     obj
	generation       int
	observed         int // the generation that is done with
	revision         int // created last
	ready            int // ready last
	version          int // makes the etag
	pending          *operation
	failure          *Outcome // why the last generation failed
	deleting         bool
}

// operation is a long-running operation. It ends by time, looked at when a
// request comes in: there is no goroutine.
type operation struct {
	name    string
	server  *Server
	service *service // nil for Service Usage
	begun   time.Time
	doneAt  time.Time
	outcome *Outcome
	remove  bool
	result  obj // the service as it was when the operation ended
	done    bool
}

// begin starts the operation of a write that was accepted.
func (s *Server) begin(svc *service, o *Outcome, newRevision bool) any {
	svc.generation++
	svc.version = s.next()
	if newRevision {
		svc.revision++
	}
	return s.start(svc, &operation{outcome: o}, newRevision || o != nil)
}

func (s *Server) beginDelete(svc *service) any { return s.start(svc, &operation{remove: true}, true) }

func (s *Server) start(svc *service, op *operation, slow bool) any {
	op.name = fmt.Sprintf("%s/operations/%08x", svc.name[:strings.Index(svc.name, "/services/")], s.next())
	op.server, op.service = s, svc
	op.begun = time.Now()
	op.doneAt = op.begun
	if slow {
		op.doneAt = op.begun.Add(s.cfg.Startup)
	}
	svc.pending = op
	s.ops[op.name] = op
	return op.render() // never done yet, as the real one
}

// settle ends what is due.
func (s *Server) settle() {
	now := time.Now()
	for _, op := range s.ops {
		if op.done || op.service == nil || now.Before(op.doneAt) {
			continue
		}
		op.finish()
	}
}

func (op *operation) finish() {
	svc := op.service
	op.done = true
	if svc.pending != op { // a later write took over
		op.result = svc.render()
		return
	}
	svc.pending = nil
	if op.remove {
		op.result = svc.render()
		delete(op.server.services, svc.name)
		return
	}
	svc.observed = svc.generation
	svc.failure = op.outcome
	if op.outcome == nil {
		svc.ready = svc.revision
	}
	op.result = svc.render()
}

func (s *Server) operationAPI(name string) any {
	if e := s.denied("run.operations.get", name); e != nil {
		return e
	}
	if o := s.take(OnOperation); o != nil {
		return o.apiError()
	}
	op := s.ops[name]
	if op == nil {
		return notFound("Operation '%s' does not exist.", name)
	}
	return op.render()
}

func (op *operation) render() obj {
	m := obj{"name": op.name}
	if op.service == nil {
		m["done"] = true
		m["response"] = obj{"@type": "type.googleapis.com/google.api.serviceusage.v1.EnableServiceResponse"}
		return m
	}
	state := op.result
	if !op.done {
		state = op.service.render()
	}
	state = clone(state)
	state["@type"] = "type.googleapis.com/google.cloud.run.v2.Service"
	m["metadata"] = state
	if !op.done {
		return m
	}
	m["done"] = true
	if o := op.outcome; o != nil {
		m["error"] = obj{"code": o.Code, "message": o.Message}
	} else {
		m["response"] = state
	}
	return m
}

func (svc *service) etag() string { return fmt.Sprintf(`"CK%04d"`, svc.version) }

func (svc *service) revisionName(n int) string {
	return fmt.Sprintf("%s/revisions/%s-%05d-abc", svc.name, svc.id, n)
}

// defaults fills in what Cloud Run fills in, as a later GET shows it.
func (svc *service) defaults() {
	setDefault(svc.body, "ingress", "INGRESS_TRAFFIC_ALL")
	setDefault(svc.body, "launchStage", "GA")
	setDefault(svc.body, "traffic", []any{obj{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}})
	t := svc.body["template"].(obj)
	setDefault(t, "serviceAccount", svc.server.cfg.Number+"-compute@developer.gserviceaccount.com")
	setDefault(t, "timeout", "300s")
	setDefault(t, "maxInstanceRequestConcurrency", 80)
	// The container with a port is the one that serves; the others are sidecars.
	containers := t["containers"].([]any)
	c := containers[max(0, slices.IndexFunc(containers, func(c any) bool { return c.(obj)["ports"] != nil }))].(obj)
	setDefault(c, "ports", []any{obj{"name": "http1", "containerPort": 8080}})
	setDefault(c, "startupProbe", obj{"timeoutSeconds": 240, "periodSeconds": 240, "failureThreshold": 1, "tcpSocket": obj{"port": 8080}})
}

func setDefault(m obj, key string, v any) {
	if _, ok := m[key]; !ok {
		m[key] = v
	}
}

// render is the service as a GET shows it.
func (svc *service) render() obj {
	m := clone(svc.body)
	cfg := svc.server.cfg
	m["name"] = svc.name
	m["uid"] = "11111111-2222-3333-4444-555555555555"
	m["generation"] = strconv.Itoa(svc.generation)
	m["observedGeneration"] = strconv.Itoa(svc.observed)
	m["etag"] = svc.etag()
	m["createTime"] = svc.created.UTC().Format(time.RFC3339Nano)
	m["creator"] = "dev@example.com"
	hashed := fmt.Sprintf("https://%s-a1b2c3d4e5-%s.a.run.app", svc.id, regionCode(svc.region))
	m["uri"] = cmp.Or(cfg.URL, hashed)
	m["urls"] = []any{fmt.Sprintf("https://%s-%s.%s.run.app", svc.id, cfg.Number, svc.region), hashed}
	if svc.revision > 0 {
		m["latestCreatedRevision"] = svc.revisionName(svc.revision)
	}
	if svc.ready > 0 {
		m["latestReadyRevision"] = svc.revisionName(svc.ready)
	}
	ready := obj{"type": "Ready", "state": "CONDITION_SUCCEEDED"}
	config := obj{"type": "ConfigurationsReady", "state": "CONDITION_SUCCEEDED"}
	switch {
	case svc.pending != nil:
		m["reconciling"] = true
		ready["state"] = "CONDITION_RECONCILING"
		config["state"] = "CONDITION_RECONCILING"
		ready["message"] = svc.pending.stage()
		config["message"] = svc.pending.stage()
	case svc.failure != nil:
		for _, c := range []obj{ready, config} {
			c["state"], c["message"] = "CONDITION_FAILED", svc.failure.Message
			if svc.failure.ConditionReason != "" {
				c["reason"] = svc.failure.ConditionReason
			} else if svc.failure.RevisionReason != "" {
				c["revisionReason"] = svc.failure.RevisionReason
			}
		}
	}
	m["terminalCondition"] = ready
	m["conditions"] = []any{obj{"type": "RoutesReady", "state": ready["state"]}, config}
	return m
}

// stage is what the service says it waits for, by how far the operation is.
func (op *operation) stage() string {
	total := op.doneAt.Sub(op.begun)
	switch past := time.Since(op.begun); {
	case op.remove:
		return "Deleting the service."
	case past*4 < total:
		return "Provisioning imported containers."
	case past*4 < total*3:
		return "Waiting for the container to listen on its port."
	}
	return "Routing traffic."
}

// regionCode shortens a region as the hashed URL does.
func regionCode(region string) string {
	switch region {
	case "us-central1":
		return "uc"
	case "us-east4":
		return "uk"
	case "europe-west1":
		return "ew"
	case "europe-west4":
		return "ez"
	}
	return "xx"
}
