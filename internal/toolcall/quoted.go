// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"regexp"
	"strings"
)

// A call that stands by itself is still not meant as one where the line before
// says that it shows how a call looks. Models introduce real calls too ("Let
// me check the weather:"), so it is what the introduction says that counts.
// Only English is understood; in another language an introduced call is a call.
var (
	// A line that says any of this introduces an example …
	showing = regexp.MustCompile(`\b(?:for example|e\.g|for instance|such as|` +
		`(?:an?|another|some|the|this|following|simple|quick|sample|usage) (?:\w+ )?(?:example|sample)s?|` +
		`examples? (?:of|call|usage|response|output|json|request|would|is)|` +
		`(?:would|should|could|might|may) (?:then )?(?:look|return|produce|yield)|looks? (?:like|as follows)|` +
		`hypothetical\w*|imagine|suppose|syntax|template|signature|documentation)\b` +
		`|^\W*(?:\w+ )?(?:examples?|usage|sample)\W*$`)
	// … or of this, unless it also says that a call is made.
	perhaps = regexp.MustCompile(`\b(?:format (?:is|of|for)|in your (?:own )?(?:app|application|code|program|project|script|prompt)|would be|schema|` +
		`(?:you|one|we|users?|they|developers?|someone) (?:could|can|would|might|may|should|must|need to|have to) (?:then |also |just |simply )?(?:call|use|write|run|invoke|send|say|ask|try|do|get|type|paste)|` +
		`(?:i|we) (?:would|could|might) (?:have )?(?:then )?(?:call|use|write|run|invoke|send)\w*|` +
		`if (?:you|i|we|one) (?:want|need|were|had|call|wish|could)|how (?:to|you|one|i) |` +
		`instead of|rather than|(?:called|call it|used|use it|written|write it) (?:like|as)|` +
		`(?:do not|don't|never|must not|won't|will not|can't|cannot|did not|didn't|not going to|shouldn't|should not) (?:actually |be able to |ever )?(?:call|use|run|execute|write|send|invoke)|not (?:calling|executing|running)|` +
		`previously|earlier|(?:i|you|we|they|user) (?:just |had |have |already )*(?:called|wrote|quoted|pasted|posted)|(?:was|were) called|quot(?:e|ed|ing))\b`)
	acting = regexp.MustCompile(`\b(?:(?:i'll|i will|i'm going to|i am going to|let me|let's|i need to|i should|i must|i have to) (?:now |first |then |just |also |instead |quickly )*` +
		`(?:answer|ask|call|check|do|execute|fetch|find|get|invoke|look|make|query|request|respond|retrieve|run|search|see|send|try|use)|` +
		`(?:i'm|i am|now|so) (?:now )?(?:calling|checking|looking|using|searching)|` +
		`here(?:'s| is| are) (?:the|my|a) (?:correct |corrected |fixed |updated |right |new |valid |proper |appropriate |required )?(?:json |function |tool |python )*(?:calls?|request|code))\b`)
)

// shows reports whether a line introduces an example rather than a call.
func shows(line string) bool {
	line = folded(line)
	return showing.MatchString(line) || perhaps.MatchString(line) && !acting.MatchString(line)
}

// acts reports whether a line announces a call.
func acts(line string) bool { return acting.MatchString(folded(line)) }

func folded(line string) string {
	return strings.ReplaceAll(strings.ToLower(line), "’", "'")
}
