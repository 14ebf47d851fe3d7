package stream_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/sources/vfs/vfstest"
)

// Sizes of docs/format/log.md.
const (
	segmentHeader = 44
	frameHeader   = 36
	recordHeader  = 4
)

// frameOf is the bytes of a frame that holds one record of the text.
func frameOf(text string) int { return frameHeader + recordHeader + len(text) }

// damage changes the bytes of a segment of shard 0.
func damage(t *testing.T, fsys *vfstest.Faults, name string, change func(data []byte) []byte) {
	t.Helper()
	path := filepath.Join(fsys.Root(), "log", "shard-0", name)
	data, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, change(data), 0o600))
}

const firstSegment = "00000000000000000001.seg"

func flip(at int) func(data []byte) []byte {
	return func(data []byte) []byte {
		data[at] ^= 0x40
		return data
	}
}

// TestDiskTornTailOrDamage damages a log of three records, each acknowledged by itself, in all that a crash can do to the
// end of a file and in what no crash does.
func TestDiskTornTailOrDamage(t *testing.T) {
	t.Parallel()
	second := segmentHeader + frameOf("one")
	third := second + frameOf("two")
	for name, tt := range map[string]struct {
		change  func(data []byte) []byte
		want    []string
		offset  int64 // of the CorruptError, if there is to be one
		corrupt bool
	}{
		"nothing":                 {change: flip(0), corrupt: true},
		"header's marker":         {change: flip(12), corrupt: true},
		"last record's text":      {change: flip(third + frameHeader + recordHeader), want: []string{"one", "two"}},
		"last frame's length":     {change: flip(third + 10), want: []string{"one", "two"}},
		"last frame cut":          {change: func(d []byte) []byte { return d[:third+20] }, want: []string{"one", "two"}},
		"last frame's header cut": {change: func(d []byte) []byte { return d[:third+3] }, want: []string{"one", "two"}},
		"zeros behind": {
			change: func(d []byte) []byte { return append(d, make([]byte, 5000)...) },
			want:   []string{"one", "two", "three"},
		},
		"a copy of the last frame behind": {
			change: func(d []byte) []byte { return append(d, d[third:]...) },
			offset: int64(third + frameOf("three")), corrupt: true,
		},
		"second record's text":   {change: flip(second + frameHeader + recordHeader), offset: int64(second), corrupt: true},
		"second frame's length":  {change: flip(second + 8), offset: int64(second), corrupt: true},
		"second frame's marker":  {change: flip(second), offset: int64(second), corrupt: true},
		"first frame's sequence": {change: flip(segmentHeader + 20), offset: segmentHeader, corrupt: true},
		"second frame missing": {
			change: func(d []byte) []byte { return append(d[:second:second], d[third:]...) },
			offset: int64(second), corrupt: true,
		},
		"segment's header alone": {change: func(d []byte) []byte { return d[:20] }, corrupt: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := vfstest.New(t, 1)
			d := open(t, fsys, nil)
			put(t, d, "one")
			put(t, d, "two")
			put(t, d, "three")
			must(t, d.Close())
			damage(t, fsys, firstSegment, tt.change)
			path := filepath.Join(fsys.Root(), "log")
			d, err := stream.OpenDisk(stream.DiskConfig{Dir: path, FS: fsys})
			if tt.corrupt {
				var corrupt *stream.CorruptError
				if !errors.As(err, &corrupt) || corrupt.Offset != tt.offset || filepath.Base(corrupt.Path) != firstSegment {
					t.Fatalf("open: %v, want damage at %d", err, tt.offset)
				}
				if !strings.Contains(err.Error(), firstSegment) {
					t.Fatalf("the error does not name the file: %v", err)
				}
				return
			}
			must(t, err)
			expectTexts(t, texts(t, d, stream.FromOldest()), tt.want...)
			if seq := put(t, d, "more"); seq != stream.SequenceOf(uint64(len(tt.want)+1)) {
				t.Fatalf("sequence %s after %d records", seq, len(tt.want))
			}
			must(t, d.Close())
			d = open(t, fsys, nil)
			expectTexts(t, texts(t, d, stream.FromOldest()), append(tt.want, "more")...)
			must(t, d.Close())
		})
	}
}

// TestDiskDamageInASealedSegment: a log opens, since sealed segments are not read then; who reads gets the records before
// the damage and an error that names the place, never a record from behind it.
func TestDiskDamageInASealedSegment(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(data []byte) []byte{
		"flipped": flip(segmentHeader + frameOf("record 0") + frameHeader + recordHeader),
		"cut":     func(data []byte) []byte { return data[:segmentHeader+frameOf("record 0")] },
		"torn":    func(data []byte) []byte { return data[:segmentHeader+frameOf("record 0")+10] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := vfstest.New(t, 1)
			d := open(t, fsys, smallSegments)
			for i := range 60 {
				put(t, d, numbers(i, i+1)...)
			}
			must(t, d.Close())
			damage(t, fsys, firstSegment, change)
			d = open(t, fsys, smallSegments)
			it, err := d.Iterate(t.Context(), 0, stream.FromOldest())
			must(t, err)
			records, err := it.Next(t.Context(), 100, math.MaxInt)
			must(t, err)
			if len(records) != 1 || string(records[0].Data) != "record 0" {
				t.Fatalf("%d records before the damage, first %q", len(records), records[0].Data)
			}
			for range 2 {
				_, err = it.Next(t.Context(), 100, math.MaxInt)
				var corrupt *stream.CorruptError
				if !errors.As(err, &corrupt) || corrupt.Offset != int64(segmentHeader+frameOf("record 0")) {
					t.Fatalf("at the damage: %v", err)
				}
			}
			must(t, it.Close())
			expectTexts(t, texts(t, d, stream.After(stream.SequenceOf(50))), numbers(50, 60)...)
			must(t, d.Close())
		})
	}
}

func TestDiskMissingSegment(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 1)
	d := open(t, fsys, smallSegments)
	for i := range 60 {
		put(t, d, numbers(i, i+1)...)
	}
	must(t, d.Close())
	dir := filepath.Join(fsys.Root(), "log", "shard-0")
	entries, err := os.ReadDir(dir)
	must(t, err)
	must(t, os.Remove(filepath.Join(dir, entries[1].Name())))
	d = open(t, fsys, smallSegments)
	it, err := d.Iterate(t.Context(), 0, stream.FromOldest())
	must(t, err)
	var corrupt *stream.CorruptError
	for err == nil {
		_, err = it.Next(t.Context(), 100, math.MaxInt)
	}
	if !errors.As(err, &corrupt) || !strings.HasSuffix(corrupt.Path, firstSegment) {
		t.Fatalf("at the gap: %v", err)
	}
	must(t, it.Close())
	must(t, d.Close())
	must(t, os.WriteFile(filepath.Join(dir, "7.seg"), nil, 0o600))
	if _, err := stream.OpenDisk(stream.DiskConfig{Dir: filepath.Dir(dir), FS: fsys}); err == nil || !strings.Contains(err.Error(), "7.seg") {
		t.Fatalf("open with a foreign file: %v", err)
	}
}
