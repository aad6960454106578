// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package lower

import (
	"strconv"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire"
)

// turns makes turns of the contents. Model contents in a row become one turn:
// the Gen AI SDK's chats keep each chunk of a stream as a content of its own.
func (p *Plan) turns() error {
	for i, c := range p.req.Contents {
		if c == nil {
			continue
		}
		model := false
		switch c.Role {
		case "", genai.RoleUser, "function", "tool":
		case genai.RoleModel:
			model = true
		case "system":
			return fault.Bad("contents["+strconv.Itoa(i)+"].role", "system is no role of a turn: use config.systemInstruction")
		default:
			return fault.Bad("contents["+strconv.Itoa(i)+"].role", "is neither user nor model")
		}
		pieces, err := p.pieces(c)
		if err != nil {
			return err
		}
		last := len(p.Turns) - 1
		switch {
		case last >= 0 && model && p.Turns[last].Model:
			p.Turns[last].Pieces = append(p.Turns[last].Pieces, pieces...)
		case last >= 0 && !model && !p.Turns[last].Model && p.alternates():
			p.Turns[last].Pieces = append(append(p.Turns[last].Pieces, Piece{Kind: Text, Text: "\n\n"}), pieces...)
		case len(pieces) > 0:
			p.Turns = append(p.Turns, Turn{Model: model, Pieces: pieces})
		}
	}
	if len(p.Turns) == 0 {
		return fault.Bad("contents", "there is nothing to answer")
	}
	p.pair()
	return nil
}

// alternates: the templates that come with Gemma's weights refuse two user
// turns in a row; Ollama's render them, and a Gemini server does what it does.
func (p *Plan) alternates() bool {
	return p.col == wire.ColVLLM || p.col == wire.ColOpenAI
}

func (p *Plan) pieces(c *genai.Content) ([]Piece, error) {
	pieces := make([]Piece, 0, len(c.Parts)+1)
	for _, part := range c.Parts {
		switch {
		case part == nil:
		case part.Thought:
			if p.col == wire.ColOllama {
				pieces = append(pieces, Piece{Kind: Thought, Text: part.Text})
			} else {
				p.emulateOnce("contents.parts.thought", "left out of the history, as Gemma's own templates do")
			}
		case part.FunctionCall != nil:
			pieces = append(pieces, Piece{Kind: Call, Call: part.FunctionCall, ID: part.FunctionCall.ID})
		case part.FunctionResponse != nil:
			pieces = append(pieces, Piece{Kind: Result, Result: part.FunctionResponse, ID: part.FunctionResponse.ID})
		case part.InlineData != nil:
			piece, err := p.media(part.InlineData)
			if err != nil {
				return nil, err
			}
			pieces = append(pieces, piece)
		case part.FileData != nil:
			piece, err := p.file(part.FileData)
			if err != nil {
				return nil, err
			}
			pieces = append(pieces, piece)
		case part.Text != "":
			pieces = append(pieces, Piece{Kind: Text, Text: part.Text})
		}
	}
	return pieces, nil
}

func (p *Plan) emulateOnce(feature, how string) {
	for _, e := range p.Emulated {
		if e.Feature == feature {
			return
		}
	}
	p.emulate(feature, how)
}

const inlineData = "contents.parts.inlineData"

func (p *Plan) media(b *genai.Blob) (Piece, error) {
	mime, _, _ := strings.Cut(strings.ToLower(b.MIMEType), ";")
	mime = strings.TrimSpace(mime)
	if len(b.Data) == 0 {
		return Piece{}, fault.Bad(inlineData+".data", "is empty")
	}
	switch mime {
	case "image/jpeg", "image/jpg", "image/png", "image/webp", "image/gif":
		if mime == "image/jpg" {
			mime = "image/jpeg"
		}
		if err := p.sees(inlineData); err != nil {
			return Piece{}, err
		}
		data := b.Data
		if mime == "image/gif" && (p.col == wire.ColOllama || p.col == wire.ColOllamaOpenAI) {
			var err error
			if data, err = still(data); err != nil {
				return Piece{}, err
			}
			mime = "image/png"
			p.emulateOnce(inlineData, "the first picture of a gif is sent as png")
		}
		return Piece{Kind: Image, MIME: mime, Data: data}, nil
	case "audio/wav", "audio/x-wav", "audio/wave", "audio/mp3", "audio/mpeg":
		if p.col != wire.ColVLLM {
			return Piece{}, fault.Refuse(inlineData+".mimeType", "this server takes no audio")
		}
		if p.req.Info.ID != "" && !p.req.Info.Audio {
			return Piece{}, fault.Refuse(inlineData+".mimeType", "this model does not hear")
		}
		if strings.HasSuffix(mime, "mp3") || strings.HasSuffix(mime, "mpeg") {
			mime = "audio/mpeg"
		} else {
			mime = "audio/wav"
		}
		return Piece{Kind: Audio, MIME: mime, Data: b.Data}, nil
	case "":
		return Piece{}, fault.Bad(inlineData+".mimeType", "is needed")
	}
	return Piece{}, fault.Refuse(inlineData+".mimeType", fault.Clip(mime)+" is not among the types that the server takes: jpeg, png, webp, gif")
}

func (p *Plan) file(f *genai.FileData) (Piece, error) {
	const field = "contents.parts.fileData.fileUri"
	low := strings.ToLower(f.FileURI)
	if !strings.HasPrefix(low, "https://") && !strings.HasPrefix(low, "http://") {
		return Piece{}, fault.Refuse(field, "vLLM fetches http and https only: send the bytes as inlineData")
	}
	if f.MIMEType != "" && !strings.HasPrefix(strings.ToLower(f.MIMEType), "image/") {
		return Piece{}, fault.Refuse("contents.parts.fileData.mimeType", "only images are fetched by the server")
	}
	if err := p.sees(field); err != nil {
		return Piece{}, err
	}
	return Piece{Kind: ImageURL, Text: f.FileURI}, nil
}

// sees refuses images for a model that is known to take none. A custom model is
// believed to, until the server says no.
func (p *Plan) sees(field string) error {
	sees := p.req.Info.ID == "" || p.req.Info.Vision
	if p.req.Server.Known {
		sees = p.req.Server.Vision
	}
	if sees {
		return nil
	}
	f := fault.Refuse(field, "this model takes no images")
	f.Hint = "use a model that sees: gemma-3-4b-it or larger, or Gemma 4"
	return f
}

// pair gives every call and result an id: its own, else one by its place.
// Results without an id belong to the first call of that name still open.
func (p *Plan) pair() {
	n := 0
	var open []*Piece
	for i := range p.Turns {
		for j := range p.Turns[i].Pieces {
			piece := &p.Turns[i].Pieces[j]
			switch piece.Kind {
			case Call:
				if piece.ID == "" {
					piece.ID = "call_" + strconv.Itoa(n)
				}
				n++
				open = append(open, piece)
			case Result:
				for k, c := range open {
					if piece.ID == c.ID || piece.ID == "" && piece.Result.Name == c.Call.Name {
						piece.ID = c.ID
						open = append(open[:k], open[k+1:]...)
						break
					}
				}
				if piece.ID == "" {
					piece.ID = "call_" + strconv.Itoa(n)
					n++
				}
			}
		}
	}
}
