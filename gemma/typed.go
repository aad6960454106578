// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/schema"
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
			if _, ok := errors.AsType[*Error](err); err != nil && !ok {
				if errors.Is(err, stream.ErrUsed) {
					err = newError(ctx, errTwice)
				} else {
					err = misfit(err)
				}
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
	of, err := jsonschema.For[T](nil)
	if err != nil {
		return nil, nil, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("the type %v has no JSON schema", reflect.TypeFor[T]()), Err: err,
			Hint: "give config.responseJsonSchema, or another type"}
	}
	// Its errors name places in the answer, and none of its values.
	validator, err := schema.Compile(of)
	if err != nil {
		return nil, nil, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("the JSON schema of the type %v can't be checked", reflect.TypeFor[T]()), Err: err,
			Hint: "give config.responseJsonSchema, or another type"}
	}
	c.ResponseMIMEType, c.ResponseJsonSchema = "application/json", of
	return &c, validator.Validate, nil
}

// misfit is the failure of an answer that is no T. The texts of encoding/json
// quote the answer, so what is told of them is the place and what it is for;
// the cause itself stays in the chain.
func misfit(err error) *Error {
	e := &Error{Kind: KindServer, Message: "the answer does not fit the type", Err: err,
		Hint: "raise config.maxOutputTokens if it was cut off, or simplify the type"}
	j, ok := errors.AsType[*stream.JSONError](err)
	if !ok {
		return e
	}
	text := ""
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		text = fmt.Sprintf("%s can't be held by %v", cmp.Or(t.Field, strings.TrimPrefix(j.Path, "."), fmt.Sprintf("the value before offset %d", j.Offset)), t.Type)
	} else if _, ours := errors.AsType[*schema.Error](j.Err); !ours && j.Err != nil && j.Err != io.ErrUnexpectedEOF {
		text = fmt.Sprintf("JSON at offset %d: %s", j.Offset, j.Message)
		if strings.HasPrefix(j.Err.Error(), "json: unknown field ") {
			text += ": it has a name that the type does not know"
		}
	}
	if text != "" {
		e.Err = &unquoted{text, err}
	}
	return e
}

// unquoted is a cause whose own text may hold a piece of the answer.
type unquoted struct {
	text  string
	cause error
}

func (e *unquoted) Error() string { return e.text }
func (e *unquoted) Unwrap() error { return e.cause }
