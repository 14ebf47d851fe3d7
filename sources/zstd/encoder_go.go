//go:build !cgo

package zstd

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// window is how far back in a frame repetitions are found, in bytes.
const window = 512 << 10

// Encoder makes frames. It is for one goroutine.
type Encoder struct{ zstd *zstd.Encoder }

// NewEncoder makes an Encoder at the fastest level.
func NewEncoder() (*Encoder, error) {
	// One at a time, so that the encoder starts no goroutines.
	e, err := zstd.NewWriter(nil,
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(window), zstd.WithZeroFrames(true),
	)
	if err != nil {
		return nil, fmt.Errorf("make zstd encoder: %w", err)
	}
	return &Encoder{zstd: e}, nil
}

// Append appends a frame of src to dst, with a checksum.
func (e *Encoder) Append(dst, src []byte) []byte { return e.zstd.EncodeAll(src, dst) }
