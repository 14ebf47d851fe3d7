//go:build cgo

package zstd

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/DataDog/zstd"
	"github.com/cespare/xxhash/v2"
)

// A frame's header: its descriptor follows the magic number, and a bit of that says that a checksum follows the blocks
// (RFC 8878, 3.1.1.1.1).
const (
	descriptorAt = 4
	checksumFlag = 1 << 2
	// checksumBytes are the low ones of the XXH64 of the content.
	checksumBytes = 4
)

// Encoder makes frames. It is for one goroutine.
type Encoder struct{ ctx zstd.Ctx }

// NewEncoder makes an Encoder at level 1. Its memory, about 1 MB, is outside of Go's heap and goes with it.
func NewEncoder() (*Encoder, error) { return &Encoder{ctx: zstd.NewCtx()}, nil }

// Append appends a frame of src to dst, with a checksum.
func (e *Encoder) Append(dst, src []byte) []byte {
	begin := len(dst)
	dst = slices.Grow(dst, zstd.CompressBound(len(src))+checksumBytes)
	frame, err := e.ctx.CompressLevel(dst[begin:begin], src, zstd.BestSpeed)
	if err != nil {
		panic(fmt.Sprintf("zstd: compress into enough room: %v", err)) // no input is refused: memory has run out
	}
	// The binding cannot ask the library for a checksum.
	frame[descriptorAt] |= checksumFlag
	return binary.LittleEndian.AppendUint32(dst[:begin+len(frame)], uint32(xxhash.Sum64(src)))
}
