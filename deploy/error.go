// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"strings"
	"time"
)

// Kind says what a failure means for whoever deploys.
type Kind string

const (
	KindInvalid       Kind = "invalid"          // the Service, a member or an argument is wrong; see Faults
	KindQuota         Kind = "quota"            // the project has less quota than asked for; see Quota
	KindGPUBusy       Kind = "gpu busy"         // the GPUs of the quota are all in use, often by the revision being replaced
	KindZonal         Kind = "zonal redundancy" // no quota for GPUs with zonal redundancy; without it may work
	KindImageNotFound Kind = "image not found"
	KindImageInvalid  Kind = "image invalid" // not the path of a container image
	KindImageDenied   Kind = "image denied"  // Cloud Run may not pull the image
	KindNotListening  Kind = "not listening" // the container did not open its port in time; see LogsURL
	KindProbe         Kind = "startup probe" // the startup probe failed; see LogsURL
	KindOutOfMemory   Kind = "out of memory"
	KindActAs         Kind = "actAs"      // the deployer may not use the runtime service account
	KindPermission    Kind = "permission" // the caller lacks another permission
	KindOrgPolicy     Kind = "organization policy"
	KindSecret        Kind = "secret"  // the runtime service account cannot read a secret
	KindNetwork       Kind = "network" // the VPC network or subnet is not there
	KindAPIDisabled   Kind = "API disabled"
	KindConflict      Kind = "conflict"    // somebody else changed it at the same time
	KindNotFound      Kind = "not found"   // no such service
	KindNotReady      Kind = "not ready"   // Cloud Run gave up for a reason this package does not know
	KindInterrupted   Kind = "interrupted" // the wait ended (context or time limit), the work goes on; see Operation
	KindUnavailable   Kind = "unavailable" // the API itself failed or sheds calls
	KindCredentials   Kind = "credentials" // no Google credentials, or they were refused
	KindUnknown       Kind = "unknown"
)

// Error is one failure of a deployment. Its text holds no secret: messages are
// Cloud Run's own, which name resources but not the values of variables.
type Error struct {
	Kind      Kind
	Op        string        // what was tried: "create service", "set IAM policy"
	Service   string        // projects/P/locations/R/services/S; "" if it is not about one
	Status    int           // HTTP status; 0 for a failure that a finished operation reports
	Message   string        // Cloud Run's own words, or ours
	Advice    string        // the step that mends it
	Retry     bool          // the same call may succeed later with nothing changed
	After     time.Duration // how long to wait before that; 0 = at once
	Quota     *Quota        // KindQuota, where the message says which
	LogsURL   string        // the failing revision's logs, where the message links them
	Link      string        // where the advice is carried out
	Operation string        // the operation that goes on, to look up elsewhere; Apply again resumes without it
	Faults    []Fault       // KindInvalid: every bad field
	Err       error         // the cause; may be nil
}

// Quota is the limit that a request ran into.
type Quota struct {
	ID        string `json:"id"`        // such as NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion
	Requested int64  `json:"requested"` // 0 if the message did not say
	Allowed   int64  `json:"allowed"`
}

// Fault is one bad field of a Service.
type Fault struct {
	Field   string // as in Go: "MaxInstances", `Env["PORT"]`
	Problem string // what is wrong, with the value and the limit
	Source  string // where the limit comes from
}

// String is the field, the problem and the source, in one line.
func (f Fault) String() string {
	if f.Source == "" {
		return f.Field + ": " + f.Problem
	}
	return f.Field + ": " + f.Problem + " (" + f.Source + ")"
}

// Error says what was tried, the kind, Cloud Run's words, the advice and whether
// a retry can help. Faults are listed one to a line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("deploy: ")
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	b.WriteString(string(e.Kind))
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	switch {
	case e.Message != "":
		b.WriteString(": " + e.Message)
	case e.Err != nil:
		b.WriteString(": " + e.Err.Error())
	}
	for _, f := range e.Faults {
		b.WriteString("\n\t" + f.String())
	}
	if e.Advice != "" {
		b.WriteString("; " + e.Advice)
	}
	if e.Retry {
		b.WriteString("; a retry can help")
		if e.After > 0 {
			fmt.Fprintf(&b, " after %s", e.After)
		}
	}
	return b.String()
}

// Unwrap returns the cause, nil if there is none.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same call may succeed later with nothing
// changed.
func (e *Error) Retryable() bool { return e.Retry }
