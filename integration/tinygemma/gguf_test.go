// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package tinygemma

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"strings"
	"testing"
)

// reader reads a file back, by the description of the format alone.
type reader struct {
	t *testing.T
	*bytes.Reader
}

func read[T any](r *reader) T {
	var v T
	if err := binary.Read(r, binary.LittleEndian, &v); err != nil {
		r.t.Fatal(err)
	}
	return v
}

func (r *reader) str() string {
	b := make([]byte, read[uint64](r))
	if _, err := io.ReadFull(r, b); err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

func (r *reader) value(kind uint32) any {
	switch kind {
	case 4:
		return read[uint32](r)
	case 5:
		return read[int32](r)
	case 6:
		return read[float32](r)
	case 7:
		return read[uint8](r) == 1
	case 8:
		return r.str()
	case 9:
		elem, n := read[uint32](r), read[uint64](r)
		var all []any
		for range n {
			all = append(all, r.value(elem))
		}
		return all
	}
	r.t.Fatalf("type %d", kind)
	return nil
}

func TestGGUF(t *testing.T) {
	g := &GGUF{
		Meta: []KV{
			{"u", uint32(7)}, {"i", int32(-7)}, {"f", float32(1.5)}, {"b", true}, {"s", "ä"},
			{"ss", []string{"a", ""}}, {"ff", []float32{-1}}, {"ii", []int32{-1, 2}},
		},
		Tensors: []Tensor{
			{Name: "m", Dims: []int{3, 2}, Half: true, Data: []float32{0, 1, -2, 0.5, 65504, 0.1}},
			{Name: "v", Dims: []int{2}, Data: []float32{0.1, -3}},
		},
	}
	var out bytes.Buffer
	n, err := g.WriteTo(&out)
	if err != nil || n != int64(out.Len()) {
		t.Fatalf("wrote %d of %d bytes: %v", n, out.Len(), err)
	}
	r := &reader{t, bytes.NewReader(out.Bytes())}
	if magic := read[[4]byte](r); string(magic[:]) != "GGUF" {
		t.Errorf("magic %q", magic)
	}
	if v := read[uint32](r); v != 3 {
		t.Errorf("version %d", v)
	}
	if tensors, meta := read[uint64](r), read[uint64](r); tensors != 2 || meta != 8 {
		t.Fatalf("%d tensors, %d entries", tensors, meta)
	}
	want := []any{
		uint32(7), int32(-7), float32(1.5), true, "ä",
		[]any{"a", ""}, []any{float32(-1)}, []any{int32(-1), int32(2)},
	}
	for i, kv := range g.Meta {
		key, got := r.str(), r.value(read[uint32](r))
		if key != kv.Key || !equal(got, want[i]) {
			t.Errorf("entry %d: %s = %v, want %s = %v", i, key, got, kv.Key, want[i])
		}
	}
	var offsets []uint64
	for i, want := range g.Tensors {
		name, dims := r.str(), read[uint32](r)
		if name != want.Name || int(dims) != len(want.Dims) {
			t.Errorf("tensor %d: %s with %d dimensions", i, name, dims)
		}
		for _, d := range want.Dims {
			if got := read[uint64](r); got != uint64(d) {
				t.Errorf("%s: dimension %d, want %d", name, got, d)
			}
		}
		if kind := read[uint32](r); kind != want.kind() {
			t.Errorf("%s: type %d", name, kind)
		}
		offsets = append(offsets, read[uint64](r))
	}
	data := out.Bytes()[(out.Len()-r.Len()+31)/32*32:]
	if offsets[0] != 0 || offsets[1] != 32 || out.Len()%32 != 0 {
		t.Errorf("offsets %v in a file of %d bytes", offsets, out.Len())
	}
	for i, want := range []uint16{0, 0x3c00, 0xc000, 0x3800, 0x7bff, 0x2e66} {
		if got := binary.LittleEndian.Uint16(data[2*i:]); got != want {
			t.Errorf("half %d is %#x, want %#x", i, got, want)
		}
	}
	if got := math.Float32frombits(binary.LittleEndian.Uint32(data[36:])); got != -3 {
		t.Errorf("the last value is %v", got)
	}
}

func equal(a, b any) bool {
	x, ok := a.([]any)
	if !ok {
		return a == b
	}
	y := b.([]any)
	for i := range x {
		if len(x) != len(y) || x[i] != y[i] {
			return false
		}
	}
	return true
}

func TestGGUFRefuses(t *testing.T) {
	for name, g := range map[string]*GGUF{
		"key":    {Meta: []KV{{"key", 1}}},
		"tensor": {Tensors: []Tensor{{Name: "tensor", Dims: []int{2, 2}, Data: make([]float32, 3)}}},
	} {
		if _, err := g.WriteTo(io.Discard); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v does not name it", name, err)
		}
	}
}

// Each 16-bit float is what its own value rounds to, and the values beside a
// midpoint go to the nearer neighbour.
func TestHalf(t *testing.T) {
	value := func(h uint16) float32 {
		exp, mant := int(h>>10&31), float64(h&1023)
		if exp == 0 {
			return float32(math.Ldexp(mant, -24))
		}
		return float32(math.Ldexp(1024+mant, exp-25))
	}
	for h := range uint16(0x7c00) {
		x := value(h)
		if half(x) != h || half(-x) != h|0x8000 {
			t.Fatalf("%#x: %v became %#x and %#x", h, x, half(x), half(-x))
		}
		if h == 0x7bff {
			break
		}
		mid := float32((float64(x) + float64(value(h+1))) / 2)
		below, above := math.Nextafter32(mid, 0), math.Nextafter32(mid, 1e6)
		even := h + h&1
		if half(below) != h || half(above) != h+1 || half(mid) != even {
			t.Fatalf("%#x: around %v: %#x %#x %#x", h, mid, half(below), half(mid), half(above))
		}
	}
	if inf := float32(math.Inf(1)); half(inf) != 0x7c00 || half(1e6) != 0x7c00 || half(1e-9) != 0 {
		t.Error("out of range")
	}
	if h := half(float32(math.NaN())); h&0x7c00 != 0x7c00 || h&0x3ff == 0 {
		t.Errorf("not a number became %#x", h)
	}
}
