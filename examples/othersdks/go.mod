module github.com/gemma-go/sdk/examples/othersdks

go 1.26.0

require (
	github.com/gemma-go/sdk v0.1.0
	github.com/ollama/ollama v0.17.4
	github.com/openai/openai-go/v3 v3.96.0
)

replace github.com/gemma-go/sdk => ../..
