module github.com/gemma-go/sdk/integration

go 1.26.0

replace github.com/gemma-go/sdk => ..
