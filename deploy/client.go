// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	crm "google.golang.org/api/cloudresourcemanager/v3"
	"google.golang.org/api/iam/v1"
	"google.golang.org/api/option"
	run "google.golang.org/api/run/v2"
	"google.golang.org/api/serviceusage/v1"
	usagebeta "google.golang.org/api/serviceusage/v1beta1"
	htransport "google.golang.org/api/transport/http"
)

const scope = "https://www.googleapis.com/auth/cloud-platform"

// Options say how to reach Google's APIs. A nil *Options is the zero value:
// Google's application default credentials.
type Options struct {
	HTTPClient    *http.Client          // nil = one with credentials; one given here must attach its own
	ClientOptions []option.ClientOption // for the credentials: a key file, impersonation, a quota project; unused with HTTPClient
	Endpoint      string                // replaces the host of every API, for a fake on a listener; "" = Google's
	PollInterval  time.Duration         // longest pause between two looks at an operation; 0 = 5 s
}

// Client talks to the Cloud Run Admin API. It is safe for concurrent use and
// needs no Close.
type Client struct {
	http  *http.Client
	run   *run.Service
	usage *serviceusage.Service
	quota *usagebeta.APIService
	crm   *crm.Service
	iam   *iam.Service
	cloud string // Cloud Quotas' base URL, which has no client in this module
	poll  time.Duration
}

// NewClient finds the credentials; it sends nothing. Without credentials the
// error is an [*Error] of [KindCredentials].
func NewClient(ctx context.Context, opts *Options) (*Client, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	hc := o.HTTPClient
	if hc == nil {
		var err error
		hc, _, err = htransport.NewClient(ctx, append([]option.ClientOption{option.WithScopes(scope)}, slices.Clone(o.ClientOptions)...)...)
		if err != nil {
			return nil, &Error{Kind: KindCredentials, Op: "new client", Err: err,
				Advice: "run `gcloud auth application-default login`, or run as a service account"}
		}
	}
	c := &Client{http: hc, poll: cmp.Or(o.PollInterval, 5*time.Second), cloud: "https://cloudquotas.googleapis.com/"}
	with := []option.ClientOption{option.WithHTTPClient(hc)}
	if o.Endpoint != "" {
		c.cloud = strings.TrimSuffix(o.Endpoint, "/") + "/"
		with = append(with, option.WithEndpoint(c.cloud))
	}
	var err [5]error
	c.run, err[0] = run.NewService(ctx, with...)
	c.usage, err[1] = serviceusage.NewService(ctx, with...)
	c.quota, err[2] = usagebeta.NewService(ctx, with...)
	c.crm, err[3] = crm.NewService(ctx, with...)
	c.iam, err[4] = iam.NewService(ctx, with...)
	for _, e := range err {
		if e != nil {
			return nil, fmt.Errorf("deploy: new client: %w", e)
		}
	}
	return c, nil
}

// Event is one step of a long call.
type Event struct {
	Phase     Phase
	Message   string        // what is being done, or what the service says it waits for
	Elapsed   time.Duration // since the call began
	Operation string        // the operation under way, where there is one
}

// Phase is the part of a call that an Event belongs to.
type Phase string

const (
	PhaseEnable  Phase = "enable"  // enabling the API
	PhaseCreate  Phase = "create"  // writing a new service
	PhaseUpdate  Phase = "update"  // writing an existing one
	PhaseWait    Phase = "wait"    // for the service to become ready, or to go
	PhasePrivate Phase = "private" // taking public access away
	PhaseRetry   Phase = "retry"   // after a conflict, or while GPUs are in use
	PhaseDelete  Phase = "delete"
	PhaseRemains Phase = "remains" // after a delete: something that it does not remove and that is billed
	PhaseDone    Phase = "done"
)

// Option changes one call of Apply, Wait or Delete.
type Option func(*callConfig)

type callConfig struct {
	progress func(Event)
	enable   bool
	noZonal  bool
	gpuWait  time.Duration
	timeout  time.Duration
	begun    time.Time
}

// defaultLimit covers half an hour of startup probe and the pull before it.
const defaultLimit = 45 * time.Minute

// Progress calls fn for every step, in the calling goroutine: fn must not block
// for long.
func Progress(fn func(Event)) Option { return func(c *callConfig) { c.progress = fn } }

// EnableAPI lets Apply enable run.googleapis.com in the project.
func EnableAPI() Option { return func(c *callConfig) { c.enable = true } }

// FallbackWithoutZonalRedundancy lets Apply go on without zonal redundancy when
// there is no quota for it, as gcloud does.
func FallbackWithoutZonalRedundancy() Option { return func(c *callConfig) { c.noZonal = true } }

// WaitForGPU lets Apply try an update again for up to d while all GPUs of the
// quota are in use, which with a quota of one is the rule: the new revision
// needs a GPU while the old one still holds its own.
func WaitForGPU(d time.Duration) Option { return func(c *callConfig) { c.gpuWait = d } }

// Timeout bounds the call besides its context; the default is 45 minutes, and
// negative is no bound. When it ends, the work on Google's side goes on, and the
// same call picks it up.
func Timeout(d time.Duration) Option { return func(c *callConfig) { c.timeout = d } }

// begin applies the options and the time limit.
func begin(ctx context.Context, opts []Option) (context.Context, context.CancelFunc, *callConfig) {
	c := &callConfig{begun: time.Now(), timeout: defaultLimit}
	for _, o := range opts {
		if o != nil {
			o(c)
		}
	}
	if c.timeout < 0 {
		return ctx, func() {}, c
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("not done within %s", c.timeout))
	return ctx, cancel, c
}

func (c *callConfig) event(p Phase, op, format string, args ...any) {
	if c.progress != nil {
		c.progress(Event{Phase: p, Message: fmt.Sprintf(format, args...), Elapsed: time.Since(c.begun), Operation: op})
	}
}
