// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"
	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/stream"
)

// GenerateAs asks the model for a value of type T: the answer is held to the
// JSON Schema of T while it is generated where the server can do that, decoded
// strictly and validated against the schema. The schema follows the JSON tags of T;
// a jsonschema tag describes a field to the model. A schema in config wins
// over T's.
//
// The error is an *[Error]: besides those of [Client.Generate], KindInvalid for
// a T that has no schema, and KindServer, with the answer in Partial, for an
// answer that does not fit T, cut off by its token limit for example.
func GenerateAs[T any](ctx context.Context, c *Client, contents []*genai.Content, config *genai.GenerateContentConfig) (T, error) {
	var zero T
	config, check, err := typedConfig[T](config)
	if err != nil {
		return zero, newError(ctx, err)
	}
	whole, err := c.Generate(ctx, contents, config)
	if err != nil {
		return zero, err
	}
	value, err := stream.Decode[T](whole.Text(), typedOptions(check))
	if err != nil {
		e := misfit(err)
		e.Partial = whole
		return zero, e
	}
	return value, nil
}

// StreamAs is GenerateAs while the answer arrives: ever more complete values of
// T, as stream.JSON yields them; the last one is the whole, validated value. An
// error is yielded once, last.
func StreamAs[T any](ctx context.Context, c *Client, contents []*genai.Content, config *genai.GenerateContentConfig) iter.Seq2[T, error] {
	config, check, err := typedConfig[T](config)
	if err != nil {
		return func(yield func(T, error) bool) {
			var zero T
			yield(zero, newError(ctx, err))
		}
	}
	values := stream.JSONWith[T](c.Stream(ctx, contents, config), typedOptions(check))
	return func(yield func(T, error) bool) {
		for v, err := range values {
			if _, ok := errors.AsType[*stream.JSONError](err); ok {
				err = misfit(err)
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

// typedOptions makes decoding strict: no name that T does not have, and T's schema.
func typedOptions(check func([]byte) error) stream.JSONOptions {
	return stream.JSONOptions{Validate: check, KnownFields: true}
}

// typedConfig returns a copy of config that asks for T's schema, and the check
// of the finished answer.
func typedConfig[T any](config *genai.GenerateContentConfig) (*genai.GenerateContentConfig, func([]byte) error, error) {
	var c genai.GenerateContentConfig
	if config != nil {
		c = *config
	}
	if c.ResponseSchema != nil || c.ResponseJsonSchema != nil {
		c.ResponseMIMEType = "application/json"
		return &c, nil, nil // the codec enforces the caller's own schema
	}
	if m := c.ResponseMIMEType; m != "" && m != "application/json" {
		return nil, nil, fault.Bad("config.responseMimeType", "is %q, but a typed answer is application/json", m)
	}
	schema, err := jsonschema.For[T](nil)
	if err != nil {
		return nil, nil, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("the type %v has no JSON schema", reflect.TypeFor[T]()), Err: err,
			Hint: "give config.responseJsonSchema, or another type"}
	}
	resolved, err := schema.Resolve(nil)
	if err != nil {
		return nil, nil, &fault.Error{Kind: fault.Invalid, Message: "the type's JSON schema is not valid", Err: err}
	}
	c.ResponseMIMEType, c.ResponseJsonSchema = "application/json", schema
	return &c, func(answer []byte) error {
		var v any
		if err := json.Unmarshal(answer, &v); err != nil {
			return err
		}
		return resolved.Validate(v)
	}, nil
}

// misfit is the failure of an answer that is no T. The cause of a decoding
// error names fields and types of T, not the answer's text.
func misfit(err error) *Error {
	return &Error{Kind: KindServer, Message: "the answer does not fit the type", Err: err,
		Hint: "raise config.maxOutputTokens if it was cut off, or simplify the type"}
}
