// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"regexp"
	"strings"
)

// A call that stands by itself is still not meant as one where the line before
// says that it shows how a call looks. Models introduce real calls too ("Let
// me check the weather:"), so what counts is what the introduction says. Only
// English is understood; in other languages an introduced call is a call.
var (
	showing = regexp.MustCompile(`\b(for example|e\.g\.|for instance|an? (\w+ )?(example|sample)|examples?:|example (of|call|usage|response|output|json|request)|` +
		`(would|should|will|could|might|may) (then )?(look|be|return|produce|yield)\b|looks? like|looks? as follows|` +
		`syntax|format (is|of|for)|template|schema|signature|documentation|` +
		`(you|one|we|users?|they|developers?|someone) (could|can|would|might|may|should|must|need to|have to)|` +
		`(i|we) (would|could|might) (have )?(call|use|write|run|need)|would (have )?(call|use|write|run)(ed)?|` +
		`if (you|i|we|one) (want|need|were|had|call|wish)|how (to|you|one) |to (use|call|invoke) (it|this|the (tool|function))[^.]* (you|write|use|by)|` +
		`instead of|rather than|such as|called like|call it like|used like|written as|hypothetical\w*|imagine|suppose|` +
		`(do not|don't|never|must not|won't|will not|can't|cannot|did not|didn't|not going to|shouldn't|should not) (actually |be able to )?(call|use|run|execute|write|send|invoke)|not (calling|executing|running)|` +
		`previously|earlier|(i|you|we|it|they|user) (just )?(called|wrote|sent|said|asked|used|quoted|pasted|posted|ran)|was called|were called|quot(e|ed|ing)|usage|invalid|wrong|incorrect|mistake)`)
	acting = regexp.MustCompile(`\b(i'll|i will|i am (now )?(calling|going)|i'm (now )?(calling|going)|let me|let's|calling|here('s| is) (the|my) (function |tool )?call|i need to|i should)\b`)
)

// shows reports whether a line introduces an example rather than a call.
func shows(line string) bool {
	return showing.MatchString(strings.ReplaceAll(strings.ToLower(line), "’", "'"))
}

// acts reports whether a line announces a call.
func acts(line string) bool {
	return acting.MatchString(strings.ReplaceAll(strings.ToLower(line), "’", "'"))
}
