package zstd_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	unzstd "github.com/klauspost/compress/zstd"

	"github.com/fieldgate/fieldgate/sources/zstd"
)

// contents are what is compressed: nothing, little, what repeats, what does not,
// and more than one block of each.
func contents() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 300<<10)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	return map[string][]byte{
		"empty": nil, "one byte": {7}, "line": []byte(`{"temp":20.5}`), "lines": bytes.Repeat([]byte(`{"temp":20.5}`+"\n"), 50_000),
		"zeros": make([]byte, 1<<20), "random": random,
	}
}

// newEncoder makes an encoder, and a decoder of the library that reads frames.
func newEncoder(t *testing.T) (*zstd.Encoder, *unzstd.Decoder) {
	t.Helper()
	e, err := zstd.NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	d, err := unzstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return e, d
}

func TestFrames(t *testing.T) {
	t.Parallel()
	e, d := newEncoder(t)
	var all, frames []byte
	for name, content := range contents() {
		frame := e.Append([]byte("before"), content)
		if !bytes.HasPrefix(frame, []byte("before")) {
			t.Fatalf("%s: what stood before the frame is gone", name)
		}
		frame = frame[len("before"):]
		got, err := d.DecodeAll(frame, nil)
		if err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%s: %d bytes come back as %d: %v", name, len(content), len(got), err)
		}
		var h unzstd.Header
		if err := h.Decode(frame); err != nil || !h.HasCheckSum && len(content) > 0 {
			t.Fatalf("%s: header %+v: %v", name, h, err)
		}
		if again := e.Append(nil, content); !bytes.Equal(again, frame) {
			t.Fatalf("%s: the same content makes another frame", name)
		}
		all, frames = append(all, content...), e.Append(frames, content)
	}
	if got, err := d.DecodeAll(frames, nil); err != nil || !bytes.Equal(got, all) {
		t.Fatalf("frames one after the other: %v", err)
	}
}

// A changed byte of a content that is stored as it is can be told by the checksum
// alone.
func TestFrameChecksum(t *testing.T) {
	t.Parallel()
	e, d := newEncoder(t)
	frame := e.Append(nil, contents()["random"])
	frame[len(frame)/2] ^= 1
	if _, err := d.DecodeAll(frame, nil); !errors.Is(err, unzstd.ErrCRCMismatch) {
		t.Fatalf("a frame with a changed byte: %v", err)
	}
}
