// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"fmt"
	"strings"
)

// String is the plan for a terminal: some 80 columns, no colour.
func (p *Plan) String() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s", p.Service)
	line("  %s", map[Action]string{
		ActionCreate: "will be created", ActionUpdate: fmt.Sprintf("will be updated: %d %s", len(p.Changes), plural(len(p.Changes), "field")),
		ActionNone: "is as wanted; nothing to do", ActionRepair: "had failed; will be deployed again", ActionResume: "is being deployed; will be waited for",
	}[p.Action])
	for _, c := range p.Changes {
		mark := "~"
		if c.Old == nil {
			mark = "+"
		} else if c.New == nil {
			mark = "-"
		}
		line("  %s %s", mark, c)
	}
	line("")
	line("  API enabled     %s", p.APIEnabled)
	line("  region has GPU  %s", p.RegionHasGPU)
	q := p.Quota
	if q.Enough == Unknown {
		line("  GPU quota       unknown, needed %d: %s", q.Needed, q.Why)
	} else {
		line("  GPU quota       %s: allowed %d, needed %d (%s)", q.Enough, q.Allowed, q.Needed, q.ID)
	}
	granted := 0
	for _, c := range p.Permissions {
		if c.Granted == Yes {
			granted++
		}
	}
	line("  permissions     %d of %d granted", granted, len(p.Permissions))
	for _, c := range p.Permissions {
		switch c.Granted {
		case No:
			line("    missing       %s on %s: grant %s", c.Permission, c.Resource, c.Role)
		case Unknown:
			line("    unknown       %s on %s: %s", c.Permission, c.Resource, c.Why)
		}
	}
	line("  cost            $%.2f an hour while warm; $%.0f a month idle, at most $%.0f", p.Cost.PerHour, p.Cost.PerMonthIdle, p.Cost.PerMonthMax)
	line("                  prices of %s, an estimate", p.Cost.PricesAsOf)
	for _, w := range p.Warnings {
		line("  note: %s", w)
	}
	for _, w := range p.Blockers() {
		line("  BLOCKS: %s", w)
	}
	return b.String()
}

// JSON is the plan for machines, indented.
func (p *Plan) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("deploy: plan: %w", err)
	}
	return append(b, '\n'), nil
}
