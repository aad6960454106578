// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import "strings"

// Deployed is a service that can say how to call it, as deploy.Status can.
type Deployed interface {
	// GemmaEndpoint returns the service's URL, the audience of its identity
	// tokens, the model it serves, and its slots: concurrency × maximum
	// instances, 0 where that is not known.
	GemmaEndpoint() (url, audience, model string, slots int)
}

// ConfigFrom returns the Config for a deployed service, to be changed at will
// and given to [NewClient].
func ConfigFrom(d Deployed) Config {
	url, audience, model, slots := d.GemmaEndpoint()
	if audience == strings.TrimRight(url, "/") {
		audience = "" // the default; left out so that Auth can be set beside it
	}
	return Config{Endpoint: url, Audience: audience, Model: model, Concurrency: slots}
}
