// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploytest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var serviceID = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,47}[a-z0-9])?$`)

// runAPI is the Admin API v2, below /v2/.
func (s *Server) runAPI(r *Request, rest string) any {
	rest, verb, _ := strings.Cut(rest, ":")
	part := strings.Split(rest, "/") // projects P locations R services|operations [NAME]
	if len(part) < 5 || part[0] != "projects" || part[2] != "locations" {
		return notFound("deploytest serves no %s", r.Path)
	}
	if e := s.wrongProject(part[1]); e != nil {
		return e
	}
	if s.cfg.APIDisabled {
		return &apiError{403, "PERMISSION_DENIED", "Cloud Run Admin API has not been used in project " + s.cfg.Project + " before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/run.googleapis.com/overview?project=" + s.cfg.Project + " then retry.",
			[]any{obj{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED", "domain": "googleapis.com"}}}
	}
	if part[4] == "operations" && len(part) == 6 {
		return s.operationAPI(rest)
	}
	if part[4] != "services" {
		return notFound("deploytest serves no %s", r.Path)
	}
	if len(part) == 5 {
		if r.Method == "POST" {
			return s.create(r, rest, part[3])
		}
		return notFound("deploytest serves no %s %s", r.Method, r.Path)
	}
	svc := s.services[rest]
	if r.Method == "PATCH" {
		return s.update(r, rest, svc)
	}
	if svc == nil {
		return notFound("Resource '%s' of kind 'SERVICE' in region '%s' in project '%s' does not exist.", part[5], part[3], s.cfg.Project)
	}
	switch r.Method + verb {
	case "GET":
		if e := s.denied("run.services.get", rest); e != nil {
			return e
		}
		if o := s.take(OnGet); o != nil {
			return o.apiError()
		}
		return svc.render()
	case "DELETE":
		return s.delete(r, svc)
	case "GETgetIamPolicy":
		return s.getPolicy(r, svc)
	case "POSTsetIamPolicy":
		return s.setPolicy(r, svc)
	}
	return notFound("deploytest serves no %s %s", r.Method, r.Path)
}

// onlyParams refuses a query parameter that the method does not define.
func onlyParams(r *Request, known ...string) *apiError {
	for k := range r.Query {
		if k != "alt" && k != "prettyPrint" && !slices.Contains(known, k) {
			return invalid("Invalid JSON payload received. Unknown name %q: Cannot bind query parameter.", k)
		}
	}
	return nil
}

func (s *Server) create(r *Request, path, region string) any {
	parent := strings.TrimSuffix(path, "/services")
	if e := s.denied("run.services.create", parent); e != nil {
		return e
	}
	if e := onlyParams(r, "serviceId", "validateOnly"); e != nil {
		return e
	}
	id := r.Query.Get("serviceId")
	if !serviceID.MatchString(id) {
		return invalid("Violation in CreateServiceRequest.service_id: must be at most 49 lower-case characters, begin with a letter and not end with a hyphen.")
	}
	if name, _ := r.Body["name"].(string); name != "" {
		return invalid("Violation in CreateServiceRequest.service.name: service.name must be empty on CreateServiceRequest.")
	}
	name := path + "/" + id
	if s.services[name] != nil {
		return &apiError{409, "ALREADY_EXISTS", "Resource '" + id + "' already exists.", nil}
	}
	if e := s.check(r.Body, nil, true); e != nil {
		return e
	}
	o := s.take(OnWrite)
	if o != nil && o.Status != 0 {
		return o.apiError()
	}
	svc := &service{name: name, id: id, region: region, server: s, created: time.Now(), body: mutable(r.Body), policy: obj{"etag": "ACAB"}}
	if r.Query.Get("validateOnly") == "true" {
		return obj{"name": "", "done": true, "response": svc.render()}
	}
	svc.defaults()
	s.services[name] = svc
	return s.begin(svc, o, true)
}

func (s *Server) update(r *Request, name string, svc *service) any {
	if e := s.denied("run.services.update", name); e != nil {
		return e
	}
	if e := onlyParams(r, "updateMask", "allowMissing", "validateOnly", "forceNewRevision"); e != nil {
		return e
	}
	if svc == nil {
		return notFound("Resource '%s' of kind 'SERVICE' does not exist.", name[strings.LastIndexByte(name, '/')+1:])
	}
	if n, _ := r.Body["name"].(string); n != name {
		return invalid("Violation in UpdateServiceRequest.service.name: %q is not the name in the URL.", n)
	}
	if svc.deleting {
		return &apiError{409, "ABORTED", "Conflict for resource '" + svc.id + "': it is being deleted.", nil}
	}
	switch etag, _ := r.Body["etag"].(string); etag {
	case "":
		return invalid("deploytest is strict: an update without the etag of what was read overwrites other people's changes")
	case svc.etag():
	default:
		return &apiError{409, "ABORTED", fmt.Sprintf("Conflict for resource '%s': version '%s' was specified but current version is '%s'.", svc.id, etag, svc.etag()), nil}
	}
	if e := s.check(r.Body, svc.render(), false); e != nil {
		return e
	}
	next := mutable(r.Body)
	if mask := r.Query.Get("updateMask"); mask != "" {
		next = clone(svc.body)
		for path := range strings.SplitSeq(mask, ",") {
			if !knownMask(path) {
				return invalid("Invalid value at 'update_mask': no field %q in Service.", path)
			}
			copyPath(next, r.Body, strings.Split(path, "."))
		}
	}
	o := s.take(OnWrite)
	if o != nil && o.Status != 0 {
		return o.apiError()
	}
	was := clone(svc.body)
	svc.body = next
	svc.defaults()
	newRevision := !sameJSON(was["template"], svc.body["template"]) || r.Query.Get("forceNewRevision") == "true"
	return s.begin(svc, o, newRevision)
}

// check is what create and update have in common.
func (s *Server) check(body, stored obj, create bool) *apiError {
	if p := unknownField("service", body, serviceType, any(stored)); p != "" {
		i := strings.LastIndexByte(p, '.')
		return invalid("Invalid JSON payload received. Unknown name %q at '%s': Cannot find field.", p[i+1:], p[:i])
	}
	template, _ := body["template"].(obj)
	for _, l := range []any{body["labels"], body["annotations"], template["labels"], template["annotations"]} {
		if k := reservedLabel(l); k != "" {
			return invalid("Violation: label or annotation %q is in a reserved namespace.", k)
		}
	}
	containers, _ := template["containers"].([]any)
	if len(containers) == 0 {
		return invalid("Violation in service.template.containers: at least one container is required.")
	}
	account, _ := template["serviceAccount"].(string)
	if account == "" {
		account = s.cfg.Number + "-compute@developer.gserviceaccount.com"
	}
	if slices.Contains(s.cfg.Deny, "iam.serviceAccounts.actAs") {
		return conflictOf(ActAsDenied(account))
	}
	return s.checkQuota(template)
}

func (s *Server) checkQuota(template obj) *apiError {
	selector, _ := template["nodeSelector"].(obj)
	zonal := template["gpuZonalRedundancyDisabled"] != true
	id := map[string]string{"nvidia-l4": "NvidiaL4GpuAlloc", "nvidia-rtx-pro-6000": "NvidiaRtxPro6000GpuAlloc"}[fmt.Sprint(selector["accelerator"])]
	if !zonal {
		id += "NoZonalRedundancy"
	}
	id += "PerProjectRegion"
	allowed, known := s.cfg.Quota[id]
	if !known {
		return nil
	}
	scaling, _ := template["scaling"].(obj)
	wanted, _ := strconv.ParseInt(fmt.Sprint(scaling["maxInstanceCount"]), 10, 64)
	if wanted == 0 {
		wanted = 100 // the API's default
	}
	switch {
	case wanted <= allowed:
		return nil
	case allowed == 0:
		return conflictOf(NoGPUQuota(zonal))
	}
	return conflictOf(QuotaExceeded(id, wanted, allowed))
}

func (s *Server) delete(r *Request, svc *service) any {
	if e := s.denied("run.services.delete", svc.name); e != nil {
		return e
	}
	if e := onlyParams(r, "etag", "validateOnly"); e != nil {
		return e
	}
	if etag := r.Query.Get("etag"); etag != "" && etag != svc.etag() {
		return &apiError{409, "ABORTED", fmt.Sprintf("Conflict for resource '%s': version '%s' was specified but current version is '%s'.", svc.id, etag, svc.etag()), nil}
	}
	if o := s.take(OnDelete); o != nil {
		return o.apiError()
	}
	svc.deleting = true
	svc.version++
	return s.beginDelete(svc)
}

// mutable strips what only the server says.
func mutable(body obj) obj {
	m := clone(body)
	for _, k := range []string{"name", "uid", "generation", "etag", "createTime", "updateTime", "creator", "lastModifier", "uri", "urls",
		"latestCreatedRevision", "latestReadyRevision", "observedGeneration", "reconciling", "terminalCondition", "conditions", "trafficStatuses"} {
		delete(m, k)
	}
	return m
}

// sameJSON compares as the wire would show it: 80 equals 80 of any Go type.
func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// clone is deep.
func clone(m obj) obj { v, _ := cloneAny(m).(obj); return v }

func cloneAny(v any) any {
	switch v := v.(type) {
	case obj:
		out := make(obj, len(v))
		for k, e := range v {
			out[k] = cloneAny(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = cloneAny(e)
		}
		return out
	}
	return v
}

// copyPath carries one masked field over; a field that the body lacks is cleared.
func copyPath(to, from obj, path []string) {
	if len(path) == 1 {
		if v, ok := from[path[0]]; ok {
			to[path[0]] = cloneAny(v)
		} else {
			delete(to, path[0])
		}
		return
	}
	next, ok := to[path[0]].(obj)
	if !ok {
		next = obj{}
		to[path[0]] = next
	}
	src, _ := from[path[0]].(obj)
	copyPath(next, src, path[1:])
}

// Put stores a service as somebody else made it, ready, from the JSON of the
// Admin API v2; fields that this package's types do not know are kept. The name
// is projects/P/locations/R/services/S.
func (s *Server) Put(name string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	part := strings.Split(name, "/")
	var m obj
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.UseNumber()
	if err := dec.Decode(&m); err != nil || len(part) != 6 {
		panic(fmt.Sprintf("deploytest: Put %s: %v", name, err))
	}
	svc := &service{name: name, id: part[5], region: part[3], server: s, created: time.Now(), body: mutable(m), policy: obj{"etag": "ACAB"}}
	svc.defaults()
	svc.generation, svc.observed, svc.revision, svc.ready, svc.version = 1, 1, 1, 1, s.next()
	s.services[name] = svc
}

// Service returns a stored service as a GET would, or nil.
func (s *Server) Service(name string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	if svc := s.services[name]; svc != nil {
		return svc.render()
	}
	return nil
}

// Names returns the names of all services, sorted.
func (s *Server) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	return slices.Sorted(maps.Keys(s.services))
}
