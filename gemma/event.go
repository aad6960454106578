// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"fmt"
	"time"
)

// EventType says what an [Event] tells.
type EventType uint8

// The types of events.
const (
	EventToken      EventType = iota + 1 // a new identity token is in use: Audience, Principal, Expiry
	EventCold                            // the endpoint is not ready; calls wait: Waited, Expected, Attempts, Status, Reason
	EventProbe                           // one request is sent to an endpoint that is not ready, for all who wait: Waited, Expected, Attempts
	EventReady                           // the endpoint became ready: Waited, Attempts
	EventOverloaded                      // the endpoint refused a request for want of a slot: Status, Waited
	EventRetry                           // a request is sent again: Attempts, Status, Reason
	EventResume                          // a broken stream goes on: Attempts, Reason
	EventEmulated                        // a feature of the request is emulated: Feature, Reason
	EventProtocol                        // the endpoint said what it speaks: Reason holds protocol and server
	EventGaveUp                          // the wait ended without success: Waited, Expected, Attempts, Reason
)

var eventNames = [...]string{
	EventToken: "token", EventCold: "cold", EventProbe: "probe", EventReady: "ready", EventOverloaded: "overloaded", EventRetry: "retry",
	EventResume: "resume", EventEmulated: "emulated", EventProtocol: "protocol", EventGaveUp: "gave up",
}

// String returns the type's name, such as "cold".
func (t EventType) String() string {
	if int(t) < len(eventNames) && eventNames[t] != "" {
		return eventNames[t]
	}
	return fmt.Sprintf("EventType(%d)", uint8(t))
}

// Event is one thing that happened while a call was served. Fields that its
// type does not name are zero. It never holds a token, a key or any of the
// prompt.
type Event struct {
	Type      EventType
	Model     string        // the model asked, as the caller spelled it
	Waited    time.Duration // time waited so far
	Expected  time.Duration // how much longer the wait will probably take; 0 when unknown
	Attempts  int           // requests sent so far
	Status    int           // HTTP status of the answer that caused the event; 0 when there was none
	Feature   string        // the emulated field of the request, such as config.systemInstruction
	Reason    string        // why, in plain words
	Next      time.Duration // until the next attempt, where one is planned
	InUse     int           // slots in use
	Slots     int           // slots the client uses at most, as configured or learned
	Waiting   int           // calls that wait for the endpoint or for a slot
	Audience  string        // whom the token is for
	Principal string        // whose token it is, where the token says so
	Expiry    time.Time     // when the token ends
}
