// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploytest

import "fmt"

// On is the kind of call that an Outcome is about.
type On string

const (
	OnWrite     On = "write" // creating or updating a service
	OnDelete    On = "delete"
	OnGet       On = "get"
	OnOperation On = "operation" // asking for an operation
	OnGetPolicy On = "getIamPolicy"
	OnSetPolicy On = "setIamPolicy"
	OnEnable    On = "enable" // enabling the API
)

// Outcome is one scripted failure: data, so that a table of tests can hold it.
// With Status it refuses the call; without, the call is accepted and its
// operation fails with Code.
type Outcome struct {
	Name    string // of the scenario, for test names; it has no effect
	On      On
	Status  int    // HTTP status; 0 = the operation fails instead
	Reason  string // the status' name, such as INVALID_ARGUMENT
	Code    int    // gRPC code of the failed operation
	Message string
	Field   string // the field violation's path; "" = none

	ConditionReason string // the service's condition says so too: a CommonReason
	RevisionReason  string // or a RevisionReason
}

func (o *Outcome) apiError() *apiError {
	e := &apiError{code: o.Status, status: o.Reason, message: o.Message}
	if o.Field != "" {
		e.details = []any{map[string]any{
			"@type":           "type.googleapis.com/google.rpc.BadRequest",
			"fieldViolations": []any{map[string]any{"field": o.Field, "description": o.Message}},
		}}
	}
	return e
}

func refuse(name string, status int, reason, message string) Outcome {
	return Outcome{Name: name, On: OnWrite, Status: status, Reason: reason, Message: message}
}

const (
	failedPrecondition = 9
	internalCode       = 13
	maxScaleField      = "service.template.scaling.maxInstanceCount"
	logsURL            = "https://console.cloud.google.com/logs/viewer?project=demo-proj&resource=cloud_run_revision/service_name/my-gemma/revision_name/my-gemma-00001-abc"
)

// NoGPUQuota refuses a write for want of any GPU quota.
func NoGPUQuota(zonal bool) Outcome {
	with := "without"
	if zonal {
		with = "with"
	}
	o := refuse("no GPU quota "+with+" zonal redundancy", 400, "INVALID_ARGUMENT",
		"You do not have quota for using GPUs "+with+" zonal redundancy. Learn more about GPU zonal redundancy: g.co/cloudrun/gpu-redundancy-help")
	if zonal {
		o.Message += " You could deploy using GPUs without zonal redundancy instead."
	}
	o.Message += " To request quota: g.co/cloudrun/gpu-quota"
	o.Field = maxScaleField
	return o
}

// QuotaExceeded refuses a write whose max instances are above the quota.
func QuotaExceeded(id string, requested, allowed int64) Outcome {
	o := refuse("max instances above quota", 400, "INVALID_ARGUMENT", fmt.Sprintf(
		"Max instances must be set to %d or fewer in order to set GPU requirements. Quota violated: %s requested: %d allowed: %d", allowed, id, requested, allowed))
	o.Field = maxScaleField
	return o
}

// MemoryQuota refuses a write that wants more memory than the region allows.
func MemoryQuota(requested, allowed int64) Outcome {
	return refuse("memory quota", 400, "INVALID_ARGUMENT", fmt.Sprintf("Quota violated: MemAllocPerProjectRegion requested: %d allowed: %d", requested, allowed))
}

// BadImage refuses a write with something that is not an image path.
func BadImage() Outcome {
	return refuse("bad image string", 400, "INVALID_ARGUMENT",
		"Violation in CreateServiceRequest.service.template.containers[0].image: must be a container image path in the form [hostname/]repo-path[:tag and/or @digest]")
}

// ActAsDenied refuses a write for want of iam.serviceAccounts.actAs.
func ActAsDenied(account string) Outcome {
	return refuse("actAs", 403, "PERMISSION_DENIED", "Permission 'iam.serviceaccounts.actAs' denied on service account "+account+" (or it may not exist).")
}

// Conflict refuses a write because somebody else was faster.
func Conflict() Outcome {
	return refuse("conflict", 409, "ABORTED", "Conflict for resource 'my-gemma': version '1' was specified but current version is '2'.")
}

// Unavailable answers 503 to a call.
func Unavailable(on On) Outcome {
	return Outcome{Name: "unavailable", On: on, Status: 503, Reason: "UNAVAILABLE", Message: "The service is currently unavailable."}
}

// PolicyConflict refuses a policy because somebody else was faster.
func PolicyConflict() Outcome {
	return Outcome{Name: "policy conflict", On: OnSetPolicy, Status: 409, Reason: "ABORTED", Message: "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff."}
}

// OrgPolicy refuses a policy whose members the organization does not permit.
func OrgPolicy() Outcome {
	return Outcome{Name: "organization policy", On: OnSetPolicy, Status: 400, Reason: "FAILED_PRECONDITION",
		Message: "One or more users named in the policy do not belong to a permitted customer, perhaps due to an organization policy."}
}

func fails(name string, code int, revision, message string) Outcome {
	return Outcome{Name: name, On: OnWrite, Code: code, Message: message, RevisionReason: revision}
}

// GPUBusy lets the operation fail because the quota's GPUs are all in use.
func GPUBusy() Outcome {
	return fails("GPU held by the old revision", failedPrecondition, "",
		"Revision 'my-gemma-00002-abc' is not ready and cannot serve traffic. Quota exceeded for total allowable count of GPUs per project per region.")
}

// ImageNotFound lets the operation fail for an image that is not there. Its code
// is 13 INTERNAL, as seen in public logs: no sign that a retry would help.
func ImageNotFound(image string) Outcome {
	o := fails("image not found", internalCode, "", "Revision 'my-gemma-00001-abc' is not ready and cannot serve traffic. Image '"+image+"' not found.")
	o.ConditionReason = "CONTAINER_MISSING"
	return o
}

// NotListening lets the operation fail because the container opened no port.
func NotListening() Outcome {
	return fails("did not listen", failedPrecondition, "HEALTH_CHECK_CONTAINER_ERROR",
		"Revision 'my-gemma-00001-abc' is not ready and cannot serve traffic. The user-provided container failed to start and listen on the port defined provided by the PORT=8080 environment variable within the allocated timeout. This can happen when the container port is misconfigured or if the timeout is too short. The health check timeout can be extended. Logs for this revision might contain more information. Logs URL: "+logsURL)
}

// ProbeFailed lets the operation fail at the startup probe.
func ProbeFailed() Outcome {
	return fails("startup probe", failedPrecondition, "HEALTH_CHECK_CONTAINER_ERROR",
		"Revision 'my-gemma-00001-abc' is not ready and cannot serve traffic. The user-provided container failed the configured startup probe checks. Logs URL: "+logsURL)
}

// OutOfMemory lets the operation fail because the container took too much.
func OutOfMemory() Outcome {
	return fails("out of memory", failedPrecondition, "HEALTH_CHECK_CONTAINER_ERROR",
		"Revision 'my-gemma-00001-abc' is not ready and cannot serve traffic. The container instance ran out of memory. Logs URL: "+logsURL)
}

// SecretDenied lets the operation fail at a secret that the runtime account may
// not read.
func SecretDenied() Outcome {
	o := fails("secret", failedPrecondition, "", "Revision 'my-gemma-00001-abc' is not ready and cannot serve traffic. Permission denied on secret: projects/123456789012/secrets/gemma-key/versions/latest for Revision service account 123456789012-compute@developer.gserviceaccount.com. The service account used must be granted the 'Secret Manager Secret Accessor' role.")
	o.ConditionReason = "SECRETS_ACCESS_CHECK_FAILED"
	return o
}
