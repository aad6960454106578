// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// entry is one row of the message catalogue. Cloud Run reports most failures in
// words only: "there is no quota-exceeded reason" among its condition reasons,
// and one status code covers many causes. So rows match on substrings, all in
// lower case, seen in public reports and in gcloud's source; the texts are not a
// stable API, and what no row knows stays KindNotReady with the words kept.
type entry struct {
	kind   Kind
	has    []string // any of these
	and    string   // and this; "" = nothing more
	retry  bool
	after  time.Duration
	advice string
	link   string
}

const (
	quotaLink = "https://g.co/cloudrun/gpu-quota"
	redunLink = "https://g.co/cloudrun/gpu-redundancy-help"
)

// catalogue is ordered: the first match wins, so the special stands before the
// general. It is never written to.
var catalogue = [...]entry{
	{kind: KindZonal, has: []string{"you could deploy using gpus without zonal redundancy instead", "quota for using gpus with zonal redundancy"},
		advice: "leave ZonalRedundancy false, allow FallbackWithoutZonalRedundancy, or request the quota", link: redunLink},
	{kind: KindGPUBusy, has: []string{"total allowable count of gpus", "exceeded its quota limit"}, retry: true, after: 45 * time.Second,
		advice: "every GPU of the quota is in use, while an update needs one more until the old revision lets go: wait until the old revision is idle (up to 10 minutes), or request more quota", link: quotaLink},
	{kind: KindQuota, has: []string{"quota violated", "you do not have quota for using gpus", "in order to set gpu requirements"},
		advice: "request the quota for this region, lower MaxInstances to what is allowed, or deploy to another region", link: quotaLink},
	{kind: KindImageInvalid, has: []string{"must be a container image path"},
		advice: "Image must read like REGION-docker.pkg.dev/PROJECT/REPOSITORY/NAME:TAG"},
	{kind: KindImageNotFound, has: []string{"image '", "image not found"}, and: "not found",
		advice: "check Image for a typing error and push it; an image in another project also needs roles/artifactregistry.reader for Cloud Run's service agent"},
	{kind: KindImageDenied, has: []string{"must have permission to read the image", "denied: permission", "artifactregistry.repositories.downloadartifacts"},
		advice: "grant roles/artifactregistry.reader on the image's repository to the Cloud Run service agent (service-PROJECT_NUMBER@serverless-robot-prod.iam.gserviceaccount.com)"},
	{kind: KindOutOfMemory, has: []string{"out of memory", "memory limit of"},
		advice: "raise Memory (weights are read through it on their way to the GPU), or take a smaller model"},
	{kind: KindProbe, has: []string{"failed the configured startup probe", "startup probe checks"},
		advice: "read the logs; then give StartupProbe more InitialDelay or FailureThreshold (a GPU service may take 1800 s), or mend its path and port"},
	{kind: KindNotListening, has: []string{"failed to start and listen on the port"},
		advice: "read the logs; the server must listen on 0.0.0.0:$PORT, and a large model may need a longer StartupProbe (a GPU service may take 1800 s)"},
	{kind: KindActAs, has: []string{"iam.serviceaccounts.actas"},
		advice: "grant the deployer roles/iam.serviceAccountUser on that service account; a grant made just now takes a minute or two to arrive",
		link:   "https://cloud.google.com/iam/docs/service-accounts-actas"},
	{kind: KindOrgPolicy, has: []string{"permitted customer", "organization policy", "constraints/"},
		advice: "grant to principals of your own organization, or have its administrator allow it (constraints/iam.allowedPolicyMemberDomains)",
		link:   "https://cloud.google.com/resource-manager/docs/organization-policy/restricting-domains"},
	{kind: KindSecret, has: []string{"permission denied on secret", "secretmanager.versions.access", "secret manager"},
		advice: "grant the runtime service account roles/secretmanager.secretAccessor on the secret"},
	{kind: KindNetwork, has: []string{"vpc network", "subnetwork", "vpc access"},
		advice: "check Network and Subnet, and that the Cloud Run service agent may use them (roles/compute.networkUser)"},
	{kind: KindAPIDisabled, has: []string{"has not been used in project", "api is disabled", "service_disabled", "it is disabled"},
		advice: "enable run.googleapis.com, or allow Apply to with EnableAPI; it takes a minute or two to arrive"},
	{kind: KindConflict, has: []string{"conflict for resource", "concurrent policy changes", "was specified but current version is"}, retry: true,
		advice: "somebody else changed it at the same time; run it again"},
}

var (
	quotaRE  = regexp.MustCompile(`(?i)quota violated:\s*(\w+)\s+requested:\s*(\d+)\s+allowed:\s*(\d+)`)
	fewerRE  = regexp.MustCompile(`(?i)must be set to (\d+) or fewer`)
	logsRE   = regexp.MustCompile(`(?i)logs url:\s*(https?://\S+)`)
	manageRE = regexp.MustCompile(`https://console\.[a-z.]+/\S+`)
)

// Explain reads a message of Cloud Run, from its API, a condition or a log line,
// and returns what it means. An unknown message is KindUnknown with its words
// kept. It is what turns the errors of this package into kinds; use it for
// messages that arrive by other ways, such as the request log's "exceeded its
// quota limit" behind a 503.
func Explain(message string) *Error {
	e := &Error{Kind: KindUnknown, Message: clip(message)}
	low := strings.ToLower(message)
	for _, row := range catalogue {
		if !containsAny(low, row.has) || !strings.Contains(low, row.and) {
			continue
		}
		e.Kind, e.Retry, e.After, e.Advice, e.Link = row.kind, row.retry, row.after, row.advice, row.link
		break
	}
	if m := quotaRE.FindStringSubmatch(message); m != nil {
		e.Quota = &Quota{ID: m[1], Requested: atoi(m[2]), Allowed: atoi(m[3])}
	} else if m := fewerRE.FindStringSubmatch(message); m != nil && e.Kind == KindQuota {
		e.Quota = &Quota{Allowed: atoi(m[1])}
	}
	if q := e.Quota; q != nil && strings.HasPrefix(q.ID, "Mem") {
		e.Advice = "the project's memory for Cloud Run in this region is not enough: lower Memory or MaxInstances, or request more"
		e.Link = "https://console.cloud.google.com/iam-admin/quotas"
	}
	if m := logsRE.FindStringSubmatch(message); m != nil {
		e.LogsURL = m[1]
		e.Link = cmp.Or(e.Link, e.LogsURL)
	} else if m := manageRE.FindString(message); m != "" && e.Kind == KindAPIDisabled {
		e.Link = strings.TrimRight(m, ".,")
	}
	return e
}

func containsAny(s string, subs []string) bool {
	for _, sub := range subs {
		if strings.Contains(s, sub) {
			return true
		}
	}
	return false
}

func atoi(s string) int64 { n, _ := strconv.ParseInt(s, 10, 64); return n }

// clip bounds a peer's text: one line, 1 KiB (the longest catalogue message with
// its logs URL is under 700 bytes).
func clip(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	if len(s) <= 1024 {
		return s
	}
	return strings.ToValidUTF8(s[:1024], "") + "…"
}
