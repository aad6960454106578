// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"errors"
	"testing"

	"github.com/gemma-go/sdk/internal/fault"
)

// TestFailures: an error is found as often as it is asked for; one of too many
// at once is still told as a break, and a foreign token as none of ours.
func TestFailures(t *testing.T) {
	var f failures
	first := errors.New("first")
	token := f.keep(first)
	for range 4 {
		if err := f.take(token); err != first {
			t.Errorf("%v", err)
		}
	}
	for range len(f.ring) {
		f.keep(errors.New("another"))
	}
	if e := fault.Of(f.take(token)); e == nil || e.Kind != fault.Interrupted {
		t.Errorf("%v", e)
	}
	if err := f.take("foreign"); err != nil {
		t.Errorf("%v", err)
	}
}
