// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/deploy/deploytest"
)

// TestKilledApplyConverges kills the program at each of Apply's requests, before
// and after the server carried it out, and runs it again.
func TestKilledApplyConverges(t *testing.T) {
	for _, tc := range []struct {
		name  string
		setup func(*deploytest.Server)
		check func(*testing.T, *deploytest.Server)
	}{
		{"create", func(*deploytest.Server) {}, func(t *testing.T, fake *deploytest.Server) {
			if names := fake.Names(); !slices.Equal(names, []string{guide().fullName()}) {
				t.Errorf("services %q", names)
			}
			if got := fake.Service(guide().fullName()); got["latestCreatedRevision"] != guide().fullName()+"/revisions/my-gemma-00001-abc" {
				t.Errorf("doubled: %v", got["latestCreatedRevision"])
			}
		}},
		{"update", putForeign, func(t *testing.T, fake *deploytest.Server) {
			checkForeign(t, fake)
			if got := fake.Service(guide().fullName()); got["latestReadyRevision"] != guide().fullName()+"/revisions/my-gemma-00002-abc" {
				t.Errorf("doubled: %v", got["latestReadyRevision"])
			}
		}},
	} {
		for _, late := range []bool{false, true} {
			kills := 0
			for n := 1; ; n++ {
				killed := false
				synctest.Test(t, func(t *testing.T) {
					c, fake := world(t, deploytest.Config{APIDisabled: tc.name == "create", Startup: 30 * time.Second})
					tc.setup(fake)
					fake.KillAt(n, late)
					_, err := c.Apply(t.Context(), guide(), EnableAPI())
					if killed = fake.Revive(); killed != (err != nil) {
						t.Errorf("%s %d: killed %t, error %v", tc.name, n, killed, err)
					}
					st := mustApply(t, c, guide(), EnableAPI())
					if !st.Ready || !st.Private() {
						t.Errorf("%s %d %t: %+v", tc.name, n, late, st)
					}
					tc.check(t, fake)
					fake.Forget()
					if st := mustApply(t, c, guide()); st.Action != ActionNone || writes(fake) != nil {
						t.Errorf("%s %d %t: not settled: %+v", tc.name, n, late, st)
					}
				})
				if !killed {
					break
				}
				kills++
			}
			if kills < 8 {
				t.Errorf("%s: only %d kills", tc.name, kills)
			}
			t.Logf("%s, answer lost %t: killed at each of %d requests", tc.name, late, kills)
		}
	}
}

// TestKilledDeleteConverges does the same for Delete.
func TestKilledDeleteConverges(t *testing.T) {
	for _, late := range []bool{false, true} {
		kills := 0
		for n := 1; ; n++ {
			killed := false
			synctest.Test(t, func(t *testing.T) {
				c, fake := world(t, deploytest.Config{Startup: 30 * time.Second})
				putForeign(fake)
				fake.KillAt(n, late)
				err := c.Delete(t.Context(), guide())
				if killed = fake.Revive(); killed != (err != nil) {
					t.Errorf("%d: killed %t, error %v", n, killed, err)
				}
				if err := c.Delete(t.Context(), guide()); err != nil {
					t.Errorf("%d %t: %v", n, late, err)
				}
				if names := fake.Names(); len(names) != 0 {
					t.Errorf("%d %t: left %q", n, late, names)
				}
			})
			if !killed {
				break
			}
			kills++
		}
		if kills < 4 {
			t.Errorf("only %d kills", kills)
		}
		t.Logf("answer lost %t: killed at each of %d requests", late, kills)
	}
}
