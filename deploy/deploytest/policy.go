// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploytest

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
)

// getPolicy answers as the real one does: a policy never set has an etag and no
// bindings, and conditions need version 3 to be asked for.
func (s *Server) getPolicy(r *Request, svc *service) any {
	if e := s.denied("run.services.getIamPolicy", svc.name); e != nil {
		return e
	}
	if o := s.take(OnGetPolicy); o != nil {
		return o.apiError()
	}
	if r.Query.Get("options.requestedPolicyVersion") != "3" && hasCondition(svc.policy) {
		return invalid("deploytest is strict: a policy with conditions needs options.requestedPolicyVersion=3")
	}
	return svc.policy
}

func (s *Server) setPolicy(r *Request, svc *service) any {
	if e := s.denied("run.services.setIamPolicy", svc.name); e != nil {
		return e
	}
	if o := s.take(OnSetPolicy); o != nil {
		return o.apiError()
	}
	p, ok := r.Body["policy"].(obj)
	if !ok {
		return invalid("policy is missing")
	}
	for k := range p {
		if !slices.Contains([]string{"bindings", "auditConfigs", "etag", "version"}, k) {
			return invalid("Invalid JSON payload received. Unknown name %q at 'policy': Cannot find field.", k)
		}
	}
	switch p["etag"] {
	case nil, "":
		return invalid("deploytest is strict: a policy without the etag of what was read overwrites other people's changes")
	case svc.policy["etag"]:
	default:
		return conflictOf(PolicyConflict())
	}
	if hasCondition(p) && fmt.Sprint(p["version"]) != "3" {
		return invalid("Specified policy version is not valid: conditions need version 3")
	}
	svc.policy = maps.Clone(p)
	svc.policy["etag"] = s.policyEtag()
	return svc.policy
}

func (s *Server) policyEtag() string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "\x07\x05%06d", s.next()))
}

func hasCondition(p obj) bool {
	bindings, _ := p["bindings"].([]any)
	return slices.ContainsFunc(bindings, func(b any) bool { return b.(obj)["condition"] != nil })
}

func conflictOf(o Outcome) *apiError { return o.apiError() }

// Bind adds members to a role of a service's policy, as another admin would.
func (s *Server) Bind(name, role string, members ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	svc := s.services[name]
	if svc == nil {
		panic("deploytest: Bind: no service " + name)
	}
	bindings, _ := svc.policy["bindings"].([]any)
	list := make([]any, len(members))
	for i, m := range members {
		list[i] = m
	}
	svc.policy["bindings"] = append(slices.Clone(bindings), obj{"role": role, "members": list})
	svc.policy["etag"] = s.policyEtag()
}

// Members returns the members of a role of a service's policy, in its order.
func (s *Server) Members(name, role string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	if svc := s.services[name]; svc != nil {
		bindings, _ := svc.policy["bindings"].([]any)
		for _, b := range bindings {
			if b.(obj)["role"] == role {
				for _, m := range b.(obj)["members"].([]any) {
					out = append(out, m.(string))
				}
			}
		}
	}
	return out
}
