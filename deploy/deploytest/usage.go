// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploytest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// usageAPI is the part of Service Usage v1 that a deployment needs.
func (s *Server) usageAPI(r *Request, rest string) any {
	if id, ok := strings.CutPrefix(rest, "operations/"); ok {
		if op := s.ops["operations/"+id]; op != nil {
			return op.render()
		}
		return notFound("no operation %s", id)
	}
	project := strings.Split(rest, "/")[1]
	if e := s.wrongProject(project); e != nil {
		return e
	}
	switch {
	case r.Method == "GET" && strings.HasSuffix(rest, "/services/run.googleapis.com"):
		if e := s.denied("serviceusage.services.get", "projects/"+project); e != nil {
			return e
		}
		state := "ENABLED"
		if s.cfg.APIDisabled {
			state = "DISABLED"
		}
		return obj{
			"name": "projects/" + s.cfg.Number + "/services/run.googleapis.com", "parent": "projects/" + s.cfg.Number,
			"config": obj{"name": "run.googleapis.com"}, "state": state,
		}
	case r.Method == "POST" && strings.HasSuffix(rest, "/services/run.googleapis.com:enable"):
		if e := s.denied("serviceusage.services.enable", "projects/"+project); e != nil {
			return e
		}
		if o := s.take(OnEnable); o != nil {
			return o.apiError()
		}
		s.cfg.APIDisabled = false
		op := &operation{name: fmt.Sprintf("operations/acf.p2-%s-%d", s.cfg.Number, s.next()), server: s, doneAt: time.Now()}
		s.ops[op.name] = op
		return op.render()
	}
	return notFound("deploytest serves no %s %s", r.Method, r.Path)
}

// metrics names the quotas of GPUs as Service Usage does.
var metrics = []struct{ metric, id string }{
	{"run.googleapis.com/nvidia_l4_gpu_allocation_no_zonal_redundancy", "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion"},
	{"run.googleapis.com/nvidia_l4_gpu_allocation", "NvidiaL4GpuAllocPerProjectRegion"},
	{"run.googleapis.com/nvidia_rtx_pro_6000_gpu_allocation_no_zonal_redundancy", "NvidiaRtxPro6000GpuAllocNoZonalRedundancyPerProjectRegion"},
	{"run.googleapis.com/nvidia_rtx_pro_6000_gpu_allocation", "NvidiaRtxPro6000GpuAllocPerProjectRegion"},
}

// quotaAPI is Service Usage v1beta1's list of quota metrics, and Cloud Quotas'
// quotaInfos.
func (s *Server) quotaAPI(r *Request, rest string) any {
	if s.cfg.HideQuota {
		return &apiError{403, "PERMISSION_DENIED", "Permission denied to list quota metrics.", nil}
	}
	if _, id, ok := strings.Cut(rest, "/quotaInfos/"); ok {
		allowed, ok := s.cfg.Quota[id]
		if !ok {
			return notFound("no quota %s", id)
		}
		return obj{"quotaId": id, "service": "run.googleapis.com", "dimensionsInfos": []any{
			obj{"details": obj{"value": strconv.FormatInt(allowed, 10)}},
		}}
	}
	if s.cfg.HideUsage {
		return &apiError{403, "PERMISSION_DENIED", "Permission denied to list quota metrics.", nil}
	}
	var list []any
	for _, m := range metrics {
		allowed, ok := s.cfg.Quota[m.id]
		if !ok {
			continue
		}
		list = append(list, obj{"metric": m.metric, "consumerQuotaLimits": []any{obj{
			"metric": m.metric, "unit": "1/{project}/{region}",
			"quotaBuckets": []any{obj{"effectiveLimit": strconv.FormatInt(allowed, 10), "defaultLimit": "0"}},
		}}})
	}
	return obj{"metrics": list}
}

// testPermissions answers for a project, a service account or a service.
func (s *Server) testPermissions(r *Request, rest string) any {
	asked, _ := r.Body["permissions"].([]any)
	granted := []any{}
	for _, p := range asked {
		if !slices.Contains(s.cfg.Deny, p.(string)) {
			granted = append(granted, p)
		}
	}
	if len(granted) == 0 {
		return obj{}
	}
	return obj{"permissions": granted}
}

func (s *Server) wrongProject(project string) *apiError {
	if project == s.cfg.Project || project == s.cfg.Number {
		return nil
	}
	return &apiError{403, "PERMISSION_DENIED", "Permission denied on resource project " + project + ".", nil}
}
