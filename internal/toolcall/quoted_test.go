// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import "testing"

func TestShows(t *testing.T) {
	for _, line := range []string{
		"For example:",
		"Here's an example:",
		"Here is a simple example of how to call it:",
		"### Example",
		"**Example usage:**",
		"Usage:",
		"A call looks like this:",
		"The call would look like this:",
		"It should look as follows:",
		"You can call the function like this:",
		"You could also write:",
		"To get the weather you would use",
		"If you want the weather, call:",
		"I would have called",
		"Here's how to use get_weather:",
		"Here is how you would call the tool:",
		"The format is:",
		"The syntax is",
		"use the tool by name, e.g.",
		"Don’t run this:",
		"I will not call the following:",
		"I can't execute",
		"Earlier I called:",
		"You wrote:",
		"Suppose the model answers:",
		"The API's documentation says:",
		"some tools, such as",
	} {
		if !shows(line) {
			t.Errorf("%q introduces an example", line)
		}
	}
	for _, line := range []string{
		"",
		"Okay, I can help with that.",
		"To find the weather in Paris, I'll use the `get_weather` function.",
		"I need to know the current weather in Paris to answer your question. I will use the get_weather function to retrieve this information.",
		"Okay, here's the JSON response to call the function:",
		"Here's the function call:",
		"I'll call `get_weather` with the city you asked about:",
		"I don't have access to real-time data, so let me call a function:",
		"I can't send that by myself, so I'll use the tool:",
		"My previous call was invalid. Here is the corrected call:",
		"I called the function with wrong arguments. Here's the corrected call:",
		"If you want the forecast, I'll check it:",
		"As you said earlier, you live in Paris. Let me check the weather there:",
		"Let's check the weather in the city that you need.",
		"Calling get_weather now:",
		"First the weather:",
		"and then the time:",
		"Ich rufe das Wetter ab:",
		"Voici l'appel :",
		"I'll respond in the format of a function call:",
		"One moment please.",
		"Sure!",
	} {
		if shows(line) {
			t.Errorf("%q introduces a call", line)
		}
	}
}
