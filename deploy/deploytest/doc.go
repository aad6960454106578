// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package deploytest is a Cloud Run control plane in memory, for tests of
// programs that deploy: the Admin API v2 (services, operations, IAM), Service
// Usage, and the permission and quota questions that a plan asks. There is no
// network, and all waiting goes by time.Now, so testing/synctest can run a
// 20-minute deployment in no time.
//
//	fake := deploytest.NewServer(deploytest.Config{Startup: 4 * time.Minute})
//	c, err := deploy.NewClient(ctx, &deploy.Options{HTTPClient: fake.Client()})
//
// # Stricter than the real one
//
// The fake refuses what the real API would quietly drop or what loses somebody
// else's change: a field that the API does not define (unless the stored service
// has it), a create whose body has a name, an update or a policy without the etag
// of what was read, a mask with a path that does not exist, a label of a reserved
// namespace. A service as it comes back has the server's defaults filled in, as
// the real one's has.
//
// # What it does not do
//
// It runs no container: an operation takes Config.Startup and then ends well, or
// as a scripted [Outcome] says. It checks permissions only as far as Config.Deny
// goes, and quotas only as far as Config.Quota does. Its messages are those of
// public reports and of gcloud's source; Google may word them anew any day.
package deploytest
