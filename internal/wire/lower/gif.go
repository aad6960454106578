// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package lower

import (
	"bytes"
	"image/gif"
	"image/png"

	"github.com/gemma-go/sdk/internal/fault"
)

// maxPixels bounds what is decoded of a picture: a small file may unpack to a
// very large one. Gemma looks at less than a megapixel.
const maxPixels = 64 << 20

// still makes a png of a gif's first picture, for Ollama, whose Gemma engine
// decodes jpeg, png and webp only (sources of v0.6.5 and v0.17.4).
func still(data []byte) ([]byte, error) {
	broken := func(err error) error {
		return &fault.Error{Kind: fault.Invalid, Field: inlineData + ".data", Message: "is no gif", Err: err}
	}
	head, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, broken(err)
	}
	if head.Width*head.Height > maxPixels {
		return nil, fault.Bad(inlineData+".data", "a gif of %d × %d pixels is too large", head.Width, head.Height)
	}
	img, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, broken(err)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, broken(err)
	}
	return out.Bytes(), nil
}
