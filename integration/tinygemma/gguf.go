// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package tinygemma

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// GGUF is a model file: metadata and tensors in the order in which they are
// written. It holds what this package needs of version 3 of the format, as
// described in the ggml project's docs/gguf.md: little endian, strings and
// arrays with a 64-bit length, tensor data aligned to 32 bytes.
type GGUF struct {
	Meta    []KV
	Tensors []Tensor
}

// KV is one metadata entry. Value is a uint32, int32, float32, bool, string,
// []string, []float32 or []int32.
type KV struct {
	Key   string
	Value any
}

// Tensor is one named array. Dims are in ggml's order, the contiguous
// dimension first, so a matrix of n rows of m columns is [m, n].
type Tensor struct {
	Name string
	Dims []int
	Half bool // stored as 16-bit floats; else as 32-bit floats
	Data []float32
}

// alignment is where tensor data starts and each tensor in it: the format's
// default, which needs no general.alignment key.
const alignment = 32

// The format's numbers for types of metadata and of tensors.
const (
	metaUint32 = 4
	metaInt32  = 5
	metaFloat  = 6
	metaBool   = 7
	metaString = 8
	metaArray  = 9

	tensorF32 = 0
	tensorF16 = 1
)

// WriteTo writes the file to w. It fails on a metadata value of another type
// than [KV] names and on a tensor whose data does not fill its dimensions.
func (g *GGUF) WriteTo(w io.Writer) (int64, error) {
	e := &encoder{w: bufio.NewWriterSize(w, 1<<16)}
	e.bytes([]byte("GGUF"))
	e.u32(3)
	e.u64(uint64(len(g.Tensors)))
	e.u64(uint64(len(g.Meta)))
	for _, kv := range g.Meta {
		e.str(kv.Key)
		e.value(kv)
	}
	offset := 0
	for _, t := range g.Tensors {
		if err := t.check(); err != nil {
			return e.n, err
		}
		e.str(t.Name)
		e.u32(uint32(len(t.Dims)))
		for _, d := range t.Dims {
			e.u64(uint64(d))
		}
		e.u32(t.kind())
		e.u64(uint64(offset))
		offset = aligned(offset + t.size())
	}
	for _, t := range g.Tensors {
		e.pad()
		e.tensor(t)
	}
	e.pad()
	if e.err == nil {
		e.err = e.w.Flush()
	}
	return e.n, e.err
}

func (t Tensor) check() error {
	n := 1
	for _, d := range t.Dims {
		n *= d
	}
	if n != len(t.Data) {
		return fmt.Errorf("tinygemma: tensor %s has %d values for dimensions %v", t.Name, len(t.Data), t.Dims)
	}
	return nil
}

func (t Tensor) kind() uint32 {
	if t.Half {
		return tensorF16
	}
	return tensorF32
}

func (t Tensor) size() int {
	if t.Half {
		return 2 * len(t.Data)
	}
	return 4 * len(t.Data)
}

func aligned(n int) int { return (n + alignment - 1) / alignment * alignment }

// encoder writes little-endian values and keeps the first error and the count.
type encoder struct {
	w   *bufio.Writer
	n   int64
	err error
	buf [8]byte
}

func (e *encoder) bytes(p []byte) {
	if e.err != nil {
		return
	}
	n, err := e.w.Write(p)
	e.n, e.err = e.n+int64(n), err
}

func (e *encoder) u16(v uint16) { e.bytes(binary.LittleEndian.AppendUint16(e.buf[:0], v)) }
func (e *encoder) u32(v uint32) { e.bytes(binary.LittleEndian.AppendUint32(e.buf[:0], v)) }
func (e *encoder) u64(v uint64) { e.bytes(binary.LittleEndian.AppendUint64(e.buf[:0], v)) }

func (e *encoder) f32(v float32) { e.u32(math.Float32bits(v)) }

func (e *encoder) str(s string) {
	e.u64(uint64(len(s)))
	e.bytes([]byte(s))
}

func (e *encoder) pad() {
	var zeros [alignment]byte
	e.bytes(zeros[:aligned(int(e.n))-int(e.n)])
}

func (e *encoder) value(kv KV) {
	switch v := kv.Value.(type) {
	case uint32:
		e.u32(metaUint32)
		e.u32(v)
	case int32:
		e.u32(metaInt32)
		e.u32(uint32(v))
	case float32:
		e.u32(metaFloat)
		e.f32(v)
	case bool:
		e.u32(metaBool)
		b := []byte{0}
		if v {
			b[0] = 1
		}
		e.bytes(b)
	case string:
		e.u32(metaString)
		e.str(v)
	case []string:
		array(e, metaString, v, e.str)
	case []float32:
		array(e, metaFloat, v, e.f32)
	case []int32:
		array(e, metaInt32, v, func(x int32) { e.u32(uint32(x)) })
	default:
		if e.err == nil {
			e.err = fmt.Errorf("tinygemma: metadata %s has a value of type %T", kv.Key, v)
		}
	}
}

func array[T any](e *encoder, kind uint32, v []T, write func(T)) {
	e.u32(metaArray)
	e.u32(kind)
	e.u64(uint64(len(v)))
	for _, x := range v {
		write(x)
	}
}

func (e *encoder) tensor(t Tensor) {
	for _, x := range t.Data {
		if t.Half {
			e.u16(half(x))
		} else {
			e.f32(x)
		}
	}
}

// half rounds to the nearest 16-bit float, ties to even. Values too large
// become infinite, values too small become zero; a weight is neither.
func half(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	exp := int(b>>23&0xff) - 127 + 15
	mant := b & 0x7fffff
	switch {
	case exp >= 31:
		if exp == 255-127+15 && mant != 0 {
			return sign | 0x7e00 // not a number
		}
		return sign | 0x7c00
	case exp <= 0:
		if exp < -10 {
			return sign
		}
		return sign | uint16(round(mant|0x800000, uint(14-exp)))
	}
	// A carry out of the mantissa rightly raises the exponent.
	return sign | uint16(uint32(exp)<<10+round(mant, 13))
}

// round drops the low bits of m, rounding to nearest, ties to even.
func round(m uint32, bits uint) uint32 {
	kept, lost, tie := m>>bits, m&(1<<bits-1), uint32(1)<<(bits-1)
	if lost > tie || lost == tie && kept&1 == 1 {
		kept++
	}
	return kept
}
