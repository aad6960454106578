// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/adk/v2/agent"
	"google.golang.org/adk/v2/agent/llmagent"
	"google.golang.org/adk/v2/model/gemini"
	"google.golang.org/adk/v2/tool"
	"google.golang.org/adk/v2/tool/functiontool"

	"github.com/gemma-go/sdk/gemma"
)

// [agent]
// newAgent is an ADK agent on a private Gemma endpoint, by ADK's own Gemini model.
func newAgent(ctx context.Context, client *gemma.Client, modelName string) (agent.Agent, error) {
	model, err := gemini.NewModel(ctx, modelName, client.ClientConfig())
	if err != nil {
		return nil, err
	}
	tools, err := shop() // ordinary ADK function tools
	if err != nil {
		return nil, err
	}
	return llmagent.New(llmagent.Config{
		Name: "clerk", Description: "A clerk in a bicycle shop.", Model: model, Tools: tools,
		Instruction: "You are the clerk of a bicycle shop. Use the tools to look up stock and prices; never guess them.",
	})
}

// [/agent]

// shop is what the clerk can look up.
func shop() ([]tool.Tool, error) {
	stock, err := functiontool.New(functiontool.Config{Name: "stock", Description: "Tells how many of an article are in stock."}, stock)
	if err != nil {
		return nil, err
	}
	price, err := functiontool.New(functiontool.Config{Name: "price", Description: "Tells the price of an article, in euros."}, price)
	return []tool.Tool{stock, price}, err
}

type article struct {
	Article string `json:"article" jsonschema:"the article's name, such as chain"`
}

type stockResult struct {
	Pieces int `json:"pieces"`
}

type priceResult struct {
	Euros float64 `json:"euros"`
}

// The shop. A real agent's tools ask a database.
var (
	pieces = map[string]int{"chain": 12, "bell": 0, "lamp": 3}
	euros  = map[string]float64{"chain": 24.5, "bell": 9, "lamp": 39}
)

func stock(_ agent.Context, a article) (stockResult, error) {
	n, ok := pieces[strings.ToLower(a.Article)]
	if !ok {
		return stockResult{}, fmt.Errorf("no article %q", a.Article)
	}
	return stockResult{n}, nil
}

func price(_ agent.Context, a article) (priceResult, error) {
	p, ok := euros[strings.ToLower(a.Article)]
	if !ok {
		return priceResult{}, fmt.Errorf("no article %q", a.Article)
	}
	return priceResult{p}, nil
}
