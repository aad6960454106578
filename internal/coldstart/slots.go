// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import "time"

const (
	firstLimit = 4 // admitted at once to an endpoint of unknown size

	// The limit is doubled by time alone up to here, and then only grows with
	// answers. Where the front end is known to refuse at once, silence proves
	// that there was a slot; where it is known to hold, it proves nothing.
	rampUnknown = 16
	rampQuick   = 256
	rampHeld    = 8

	rampEvery   = 200 * time.Millisecond // a refusal for want of a slot comes sooner than this
	growAfter   = 2 * time.Second        // first wait before one slot more than the measured size is tried
	growAtMost  = time.Minute
	strikesFree = 3
)

// slots decides how many requests are at the endpoint at once. A size that is
// not configured is measured: the number admitted doubles until a request is
// refused, which tells the size exactly, since those that were not refused
// have a slot. After that it grows by one a round, ever more rarely as that is
// refused, and shrinks by a quarter when refusals show that others use the
// endpoint too. The gate's lock guards it.
type slots struct {
	max       int // configured; 0 = learned
	limit     int // admitted at present
	rampTo    int
	inUse     int
	asleep    int  // of those in use, the ones that pause before they are sent again
	size      int  // the endpoint's size when it was last measured
	known     bool // a refusal has shown the size
	confirmed int  // in use at once without a refusal
	strikes   float64
	credit    int           // answers since the limit last changed
	changed   time.Time     // when the limit last changed
	refusedAt time.Time     // when one too many was last refused
	freedAt   time.Time     // when a slot was last given back
	growWait  time.Duration // how long after that one more is tried
}

func newSlots(max int) slots {
	if max > 0 {
		return slots{max: max, limit: max, size: max, known: true, confirmed: max}
	}
	return slots{limit: firstLimit, rampTo: rampUnknown}
}

func (s *slots) free() bool { return s.inUse < s.limit }

// ramping reports whether the limit may double by time alone.
func (s *slots) ramping() bool { return !s.known && s.limit < s.rampTo }

func (s *slots) ramp(now time.Time) {
	s.limit = min(2*s.limit, s.rampTo)
	s.changed = now
}

// top is the size that the endpoint is known to have had.
func (s *slots) top() int { return max(s.max, s.size) }

// answered counts a good answer whose slot is about to be given back; wanted
// says that others wait for a slot.
func (s *slots) answered(now time.Time, wanted bool) {
	s.strikes, s.freedAt = max(0, s.strikes-0.5), now
	if now.Sub(s.changed) > rampEvery {
		if n := s.inUse - s.asleep; n > s.confirmed {
			if s.confirmed = n; n >= s.top() {
				s.growWait = 0 // back where it was: what was in the way is gone
			}
		}
	}
	if !wanted || s.max > 0 && s.limit >= s.max {
		return
	}
	s.credit++
	quiet := now.Sub(s.refusedAt) >= max(s.growWait, growAfter)
	switch {
	case !s.known, quiet && s.limit < s.top(): // quickly, up to what there was
	case quiet && s.credit >= s.limit: // and then carefully
	default:
		return
	}
	s.limit, s.credit, s.changed = s.limit+1, 0, now
}

// atEndpoint is how many requests are at the endpoint besides one that has
// just come back from it.
func (s *slots) atEndpoint() int { return s.inUse - 1 - s.asleep }

// refused takes note of one request that found no slot and is still counted in
// inUse. It reports whether the request should keep its place and try again
// after a moment (true), or give the slot up and wait for another to become
// free (false).
func (s *slots) refused(now time.Time) (keep bool) {
	others := s.atEndpoint()
	switch {
	case others+1 > s.confirmed: // one too many: the others are what fits
		s.shrink(now, others)
		s.size = s.limit
		return others == 0
	case others == 0 || now.Sub(s.freedAt) > rampEvery: // somebody else is there
		s.shrink(now, others)
		s.confirmed = s.limit
		return others == 0
	}
	// As many have been admitted before, and the slot that has just been given
	// back may not be free at the server yet. If that is said too often it is
	// not the reason.
	s.strikes++
	if s.strikes > strikesFree+float64(s.limit)/8 {
		s.shrink(now, min(others, s.limit*3/4))
		s.confirmed, s.strikes = s.limit, 0
		return false
	}
	return true
}

func (s *slots) shrink(now time.Time, to int) {
	s.limit = max(1, to)
	s.known = true
	if now.Sub(s.refusedAt) > rampEvery { // once for all that are refused together
		s.growWait = min(max(2*s.growWait, growAfter), growAtMost)
	}
	s.credit, s.changed, s.refusedAt = 0, now, now
}

// restart prepares for an endpoint that has just become ready.
func (s *slots) restart(now time.Time) {
	if s.known {
		s.limit = max(s.top(), 1)
		s.confirmed = s.limit
	}
	s.strikes, s.credit, s.changed, s.growWait = 0, 0, now, 0
}
