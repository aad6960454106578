// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Command cmd runs the function on this machine, as the platform runs it:
//
//	go run ./cmd     # then: curl -N 'http://127.0.0.1:8080/?q=Why+is+the+sky+blue%3F'
//
// Without GEMMA_ENDPOINT an emulated endpoint inside this program answers.
package main

import (
	"cmp"
	"log"
	"os"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"

	_ "github.com/gemma-go/sdk/examples/cloudfunction"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

func main() {
	if os.Getenv("GEMMA_ENDPOINT") == "" {
		srv := gemmatest.NewServer(gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Public: true}})
		defer srv.Close()
		os.Setenv("GEMMA_ENDPOINT", srv.URL)
		log.Print("GEMMA_ENDPOINT is not set: an emulated endpoint answers")
	}
	os.Setenv("FUNCTION_TARGET", cmp.Or(os.Getenv("FUNCTION_TARGET"), "Ask"))
	port := cmp.Or(os.Getenv("PORT"), "8080")
	log.Printf("listening on http://127.0.0.1:%s", port)
	if err := funcframework.StartHostPort("127.0.0.1", port); err != nil {
		log.Fatal(err)
	}
}
