module github.com/gemma-go/sdk/examples/cloudfunction

go 1.26.0

require (
	github.com/GoogleCloudPlatform/functions-framework-go v1.9.2
	github.com/gemma-go/sdk v0.1.0
	google.golang.org/genai v1.77.0
)

replace github.com/gemma-go/sdk => ../..
