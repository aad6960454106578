// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
)

// TestFromGenai has a case for each field of genai.Schema; TestFromGenaiKnowsAll
// holds it to that.
var fromGenai = []struct {
	field string
	in    *genai.Schema
	want  string
}{
	{"", nil, `{}`},
	{"", &genai.Schema{}, `{}`},
	{"Type", &genai.Schema{Type: genai.TypeString}, `{"type":"string"}`},
	{"Type", &genai.Schema{Type: genai.TypeNULL}, `{"type":"null"}`},
	{"Type", &genai.Schema{Type: "integer"}, `{"type":"integer"}`},
	{"Type", &genai.Schema{Type: genai.TypeUnspecified}, `{}`},
	{"Title", &genai.Schema{Title: "t"}, `{"title":"t"}`},
	{"Description", &genai.Schema{Description: "d"}, `{"description":"d"}`},
	{"Format", &genai.Schema{Type: genai.TypeString, Format: "date-time"}, `{"type":"string","format":"date-time"}`},
	{"Format", &genai.Schema{Type: genai.TypeString, Format: "enum", Enum: []string{"a"}}, `{"type":"string","enum":["a"]}`},
	{"Enum", &genai.Schema{Enum: []string{"a", "b"}}, `{"enum":["a","b"]}`},
	{"Enum", &genai.Schema{Type: genai.TypeInteger, Enum: []string{"101", "-2"}}, `{"type":"integer","enum":[101,-2]}`},
	{"Enum", &genai.Schema{Type: genai.TypeNumber, Enum: []string{"0.5"}}, `{"type":"number","enum":[0.5]}`},
	{"Enum", &genai.Schema{Type: genai.TypeBoolean, Enum: []string{"true"}}, `{"type":"boolean","enum":[true]}`},
	{"Nullable", &genai.Schema{Type: genai.TypeString, Nullable: new(true)}, `{"type":["string","null"]}`},
	{"Nullable", &genai.Schema{Type: genai.TypeString, Nullable: new(false)}, `{"type":"string"}`},
	{"Nullable", &genai.Schema{Type: genai.TypeString, Enum: []string{"a"}, Nullable: new(true)}, `{"type":["string","null"],"enum":["a",null]}`},
	{"AnyOf", &genai.Schema{AnyOf: []*genai.Schema{{Type: genai.TypeString}, {Type: genai.TypeInteger}}}, `{"anyOf":[{"type":"string"},{"type":"integer"}]}`},
	{"AnyOf", &genai.Schema{AnyOf: []*genai.Schema{{Type: genai.TypeString}}, Nullable: new(true)}, `{"anyOf":[{"type":"string"},{"type":"null"}]}`},
	{"Items", &genai.Schema{Type: genai.TypeArray, Items: &genai.Schema{Type: genai.TypeString}}, `{"type":"array","items":{"type":"string"}}`},
	{"MinItems", &genai.Schema{MinItems: new(int64(0))}, `{"minItems":0}`},
	{"MaxItems", &genai.Schema{MaxItems: new(int64(3))}, `{"maxItems":3}`},
	{"MinLength", &genai.Schema{MinLength: new(int64(1))}, `{"minLength":1}`},
	{"MaxLength", &genai.Schema{MaxLength: new(int64(9))}, `{"maxLength":9}`},
	{"MinProperties", &genai.Schema{MinProperties: new(int64(1))}, `{"minProperties":1}`},
	{"MaxProperties", &genai.Schema{MaxProperties: new(int64(2))}, `{"maxProperties":2}`},
	{"Minimum", &genai.Schema{Minimum: new(0.0)}, `{"minimum":0}`},
	{"Maximum", &genai.Schema{Maximum: new(1.5)}, `{"maximum":1.5}`},
	{"Pattern", &genai.Schema{Pattern: "^a+$"}, `{"pattern":"^a+$"}`},
	{"Default", &genai.Schema{Default: map[string]any{"a": 1}}, `{"default":{"a":1}}`},
	{"Default", &genai.Schema{Default: false}, `{"default":false}`},
	{"Example", &genai.Schema{Example: "x"}, `{"examples":["x"]}`},
	{"Properties", &genai.Schema{Type: genai.TypeObject, Properties: map[string]*genai.Schema{"b": {Type: genai.TypeString}, "a": {Type: genai.TypeInteger}}},
		`{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}}}`},
	{"PropertyOrdering", &genai.Schema{Properties: map[string]*genai.Schema{"a": {Type: genai.TypeString}, "b": {Type: genai.TypeString}, "c": {Type: genai.TypeString}}, PropertyOrdering: []string{"c", "x", "b", "c"}},
		`{"properties":{"c":{"type":"string"},"b":{"type":"string"},"a":{"type":"string"}}}`},
	{"Required", &genai.Schema{Required: []string{"a"}}, `{"required":["a"]}`},
}

func TestFromGenai(t *testing.T) {
	for _, tt := range fromGenai {
		got, err := FromGenai(tt.in)
		if err != nil {
			t.Errorf("%+v: %v", tt.in, err)
			continue
		}
		if canonical(got) != canonical([]byte(tt.want)) {
			t.Errorf("%+v:\n got %s\nwant %s", tt.in, got, tt.want)
		}
		if i := strings.Index(tt.want, `"properties":`); i >= 0 && !strings.Contains(string(got), strings.TrimSuffix(tt.want[i:], "}")) {
			t.Errorf("%+v: the order is lost in %s", tt.in, got)
		}
		if _, err := Compile(tt.in); tt.in != nil && err != nil {
			t.Errorf("Compile(%s): %v", got, err)
		}
	}
}

func canonical(text []byte) string {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err.Error()
	}
	out, _ := json.Marshal(v)
	return string(out)
}

func TestFromGenaiKnowsAll(t *testing.T) {
	tested := map[string]bool{}
	for _, tt := range fromGenai {
		tested[tt.field] = true
	}
	for f := range reflect.TypeFor[genai.Schema]().Fields() {
		if !tested[f.Name] {
			t.Errorf("genai.Schema.%s has no test: FromGenai may lose it", f.Name)
		}
	}
}

func TestFromGenaiRefuses(t *testing.T) {
	loop := &genai.Schema{Type: genai.TypeArray}
	loop.Items = loop
	for field, s := range map[string]*genai.Schema{
		"type":                                 {Type: "TEXT"},
		"properties.a.items.type":              {Properties: map[string]*genai.Schema{"a": {Items: &genai.Schema{Type: "x"}}}},
		"anyOf[1].minItems":                    {AnyOf: []*genai.Schema{{}, {MinItems: new(int64(-1))}}},
		"maxLength":                            {MaxLength: new(int64(1 << 40))},
		"enum[1]":                              {Type: genai.TypeInteger, Enum: []string{"1", "1.5"}},
		"enum[0]":                              {Type: genai.TypeArray, Enum: []string{"[]"}},
		"default":                              {Default: func() {}},
		"example":                              {Example: make(chan int)},
		strings.Repeat("items.", 64) + "items": loop,
	} {
		_, err := FromGenai(s)
		if f := fault.Of(err); f == nil || f.Kind != fault.Invalid || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
		if f := fault.Of(At("config.responseSchema", err)); f == nil || f.Field != "config.responseSchema."+field {
			t.Errorf("At: %v", f)
		}
	}
}

func TestCompileForms(t *testing.T) {
	want := `{"type":"integer"}`
	for _, form := range []any{
		want, []byte(want), json.RawMessage(want), map[string]any{"type": "integer"},
		&jsonschema.Schema{Type: "integer"}, &genai.Schema{Type: genai.TypeInteger},
	} {
		v, err := Compile(form)
		if err != nil {
			t.Errorf("%T: %v", form, err)
			continue
		}
		if string(v.JSON()) != want || v.Validate([]byte("1")) != nil || v.Validate([]byte(`"1"`)) == nil {
			t.Errorf("%T compiles to %s", form, v.JSON())
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, tt := range []struct {
		schema string
		kind   fault.Kind
		field  string
	}{
		{`{`, fault.Invalid, ""},
		{`[]`, fault.Invalid, ""},
		{`"x"`, fault.Invalid, ""},
		{`{"type":"STRING"}`, fault.Invalid, "type"},
		{`{"type":["string",1]}`, fault.Invalid, "type"},
		{`{"properties":{"a":{"items":{"type":"text"}}}}`, fault.Invalid, "properties.a.items.type"},
		{`{"$schema":"http://json-schema.org/draft-04/schema#"}`, fault.Unsupported, "$schema"},
		{`{"properties":{"a":{"$ref":"other.json"}}}`, fault.Unsupported, "properties.a.$ref"},
		{`{"$dynamicRef":"#a"}`, fault.Unsupported, "$dynamicRef"},
		{`{"items":{"$id":"x"}}`, fault.Unsupported, "items.$id"},
		{`{"$ref":"#/$defs/none"}`, fault.Invalid, "$ref"},
		{`{"$ref":"#"}`, fault.Invalid, "$ref"},
		{`{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"type":"string"},{"$ref":"#/$defs/a"}]}}}`, fault.Invalid, ""},
		{`{"type":"string","pattern":"(?=a)"}`, fault.Unsupported, ""},
		{strings.Repeat(`{"items":`, 70) + `{}` + strings.Repeat(`}`, 70), fault.Invalid, strings.TrimSuffix(strings.Repeat("items.", 65), ".")},
	} {
		_, err := Compile(tt.schema)
		f := fault.Of(err)
		if f == nil || f.Kind != tt.kind || tt.field != "" && f.Field != tt.field {
			t.Errorf("%s: %v", tt.schema, err)
		}
	}
	// What applies itself to a part of the value ends.
	v, err := Compile(`{"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":false}`)
	if err != nil || v.Validate([]byte(`{"next":{"next":{}}}`)) != nil || v.Validate([]byte(`{"next":{"nxt":{}}}`)) == nil {
		t.Errorf("a list: %v", err)
	}
}

// TestValidate holds errors to say where and what, and never the value.
func TestValidate(t *testing.T) {
	const doc = `{
		"type": "object",
		"properties": {
			"n": {"type": "integer", "minimum": 1, "maximum": 9},
			"s": {"type": "string", "minLength": 2, "maxLength": 12, "pattern": "^[A-Z]+$"},
			"e": {"enum": ["red", "green"]},
			"c": {"const": "yes"},
			"l": {"type": "array", "items": {"$ref": "#/$defs/p"}, "maxItems": 2, "uniqueItems": true},
			"m": {"type": "object", "additionalProperties": {"type": "integer"}},
			"t": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
			"o": {"anyOf": [{"type": "string"}, {"type": "null"}]},
			"a/b~c": {"type": "boolean"},
			"u": {"type": ["integer", "null"]}
		},
		"required": ["n"],
		"additionalProperties": false,
		"$defs": {"p": {"type": "object", "properties": {"price": {"type": "number", "multipleOf": 0.5}}, "required": ["price"]}}
	}`
	v, err := Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Validate([]byte(`{"n":1,"s":"AB","e":"red","c":"yes","l":[{"price":1.5}],"m":{"x":1},"t":["a",1],"o":null,"a/b~c":true,"u":null}`)); err != nil {
		t.Errorf("a good value: %v", err)
	}
	for _, tt := range []struct{ value, path, keyword, detail string }{
		{`{}`, "", "required", `"n"`},
		{`"SECRET"`, "", "type", "object"},
		{`{"n":"SECRET"}`, "n", "type", "integer"},
		{`{"n":4711}`, "n", "maximum", "9"},
		{`{"n":-4711}`, "n", "minimum", "1"},
		{`{"n":1,"s":"S"}`, "s", "minLength", "2"},
		{`{"n":1,"s":"SECRETSECRETSECRET"}`, "s", "maxLength", "12"},
		{`{"n":1,"s":"secret: 4711"}`, "s", "pattern", "A-Z"},
		{`{"n":1,"e":"SECRET: validating /x: type: "}`, "e", "enum", `"red", "green"`},
		{`{"n":1,"c":"SECRET"}`, "c", "const", `"yes"`},
		{`{"n":1,"l":[{"price":1},{"price":"SECRET"}]}`, "l[].price", "type", "number"},
		{`{"n":1,"l":[{"SECRET":1}]}`, "l[]", "required", `"price"`},
		{`{"n":1,"l":[{"price":1},{"price":2},{"price":3}]}`, "l", "maxItems", "2"},
		{`{"n":1,"l":[{"price":1},{"price":1}]}`, "l", "uniqueItems", ""},
		{`{"n":1,"l":[{"price":0.4711}]}`, "l[].price", "multipleOf", "0.5"},
		{`{"n":1,"m":{"SECRET":"SECRET"}}`, "m.*", "type", "integer"},
		{`{"n":1,"t":["a","SECRET"]}`, "t[1]", "type", "integer"},
		{`{"n":1,"o":4711}`, "o", "anyOf", ""},
		{`{"n":1,"a/b~c":4711}`, "a/b~c", "type", "boolean"},
		{`{"n":1,"u":"SECRET"}`, "u", "type", "integer or null"},
		{`{"n":1,"SECRET":4711}`, "", "additionalProperties", ""},
		{`{"n":SECRET}`, "", "json", "byte 6"},
		{`{"n":1} SECRET`, "", "json", "more follows"},
		{`{"n":`, "", "json", "ends"},
		{``, "", "json", "empty"},
	} {
		err := v.Validate([]byte(tt.value))
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Errorf("%s: %v", tt.value, err)
			continue
		}
		if e.Path != tt.path || e.Keyword != tt.keyword || !strings.Contains(e.Detail, tt.detail) {
			t.Errorf("%s: %+v, want %+v", tt.value, e, tt)
		}
		if text := strings.ToLower(err.Error()); strings.Contains(text, "secret") || strings.Contains(text, "4711") {
			t.Errorf("%s: a value got into %q", tt.value, text)
		}
	}
}

func TestRelax(t *testing.T) {
	const anything = `{"type":["string","number","boolean","object","array","null"]}`
	for _, tt := range []struct{ in, want string }{
		{`{}`, anything},
		{`{"description":"d"}`, anything},
		{`{"type":"string","pattern":"^a$","description":"d","default":"x","title":"t"}`, `{"type":"string"}`},
		{`{"type":"string","format":"email"}`, `{"type":"string"}`},
		{`{"type":"string","format":"date-time","maxLength":3}`, `{"type":"string","format":"date-time"}`},
		{`{"type":"string","minLength":3000}`, `{"type":"string"}`},
		{`{"type":"string","minLength":2,"maxLength":9}`, `{"type":"string","minLength":2,"maxLength":9}`},
		{`{"type":"integer","exclusiveMinimum":0,"maximum":10}`, `{"type":"integer","minimum":1,"maximum":10}`},
		{`{"type":"integer","minimum":1e12}`, `{"type":"integer"}`},
		{`{"type":"number","minimum":1}`, `{"type":"number"}`},
		{`{"type":"array"}`, `{"type":"array"}`},
		{`{"type":"array","items":{"type":"string","pattern":"x"},"minItems":1,"maxItems":9000}`, `{"type":"array","items":{"type":"string"},"minItems":1}`},
		{`{"prefixItems":[{"type":"string"}]}`, `{"type":"array"}`},
		{`{"type":"object"}`, `{"type":"object"}`},
		{`{"type":"object","properties":{}}`, `{"type":"object","properties":{}}`},
		{`{"type":"object","properties":{"z":{"type":"string"},"a":{}},"required":["z","q"]}`, `{"type":"object","properties":{"z":{"type":"string"},"a":` + anything + `},"required":["z"]}`},
		{`{"properties":{"a":{"type":"null"}}}`, `{"type":"object","properties":{"a":{"type":"null"}}}`},
		{`{"type":"object","additionalProperties":{"type":"integer","minimum":0.5}}`, `{"type":"object","additionalProperties":{"type":"integer"}}`},
		{`{"type":["object","null"],"properties":{"a":{"type":"string"}}}`, `{"anyOf":[{"type":"object","properties":{"a":{"type":"string"}}},{"type":"null"}]}`},
		{`{"type":["string","null"],"enum":["a",null]}`, `{"enum":["a",null]}`},
		{`{"const":{"a":[1]}}`, `{"const":{"a":[1]}}`},
		{`{"oneOf":[{"type":"string"},{"type":"integer"}]}`, `{"anyOf":[{"type":"string"},{"type":"integer"}]}`},
		{`{"type":"object","properties":{"a":{"type":"string"}},"anyOf":[{"required":["a"]}]}`, `{"type":"object","properties":{"a":{"type":"string"}}}`},
		{`{"allOf":[{"type":"string"}]}`, `{"type":"string"}`},
		{`{"properties":{"c":{"type":"null"}},"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"$ref":"#/$defs/b"}],"$defs":{"b":{"properties":{"b":{"type":"integer"}}}}}`,
			`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"},"c":{"type":"null"}},"required":["a"]}`},
		{`{"type":"object","properties":{"x":{"$ref":"#/$defs/n"},"y":{"$ref":"#/$defs/n"}},"$defs":{"n":{"type":"object","properties":{"k":{"$ref":"#/$defs/n"},"v":{"type":"string","pattern":"x"}}},"unused":{"type":"string"}}}`,
			`{"type":"object","properties":{"x":{"$ref":"#/$defs/def0"},"y":{"$ref":"#/$defs/def0"}},"$defs":{"def0":{"type":"object","properties":{"k":{"$ref":"#/$defs/def0"},"v":{"type":"string"}}}}}`},
		{`{"type":"object","properties":{"a":{"$ref":"#"}}}`, `{"type":"object","properties":{"a":{"$ref":"#/$defs/def0"}},"$defs":{"def0":{"type":"object","properties":{"a":{"$ref":"#/$defs/def0"}}}}}`},
		{`{"type":"object","properties":{"a":{"$ref":"#p"}},"$defs":{"q":{"$anchor":"p","type":"string"}}}`, `{"type":"object","properties":{"a":{"$ref":"#/$defs/def0"}},"$defs":{"def0":{"type":"string"}}}`},
	} {
		if _, err := Compile(tt.in); err != nil {
			t.Errorf("%s: %v", tt.in, err)
		}
		got, err := Relax(json.RawMessage(tt.in))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", tt.in, got, err, tt.want)
		}
	}
}

func ExampleCompile() {
	v, err := Compile(&genai.Schema{
		Type:       genai.TypeObject,
		Properties: map[string]*genai.Schema{"city": {Type: genai.TypeString}, "days": {Type: genai.TypeInteger}},
		Required:   []string{"city"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(v.Validate([]byte(`{"city": "Paris"}`)))
	fmt.Println(v.Validate([]byte(`{"city": "Paris", "days": "three"}`)))
	fmt.Println(v.Validate([]byte(`{}`)))
	// Output:
	// <nil>
	// days: must be of type integer
	// the value: lacks the required "city"
}
