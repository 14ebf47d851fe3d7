package pipeline_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/pipeline/stream/streamtest"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// failingBucket fails writes while it is told to, and takes its time for reads.
type failingBucket struct {
	objstore.Bucket
	fails error
	takes time.Duration
}

func (b *failingBucket) Get(ctx context.Context, key string) (io.ReadCloser, objstore.Info, error) {
	select {
	case <-time.After(b.takes):
		return b.Bucket.Get(ctx, key)
	case <-ctx.Done():
		return nil, objstore.Info{}, ctx.Err()
	}
}

func (b *failingBucket) PutIf(ctx context.Context, key string, data []byte, match objstore.ETag) (objstore.ETag, error) {
	if b.fails != nil {
		return "", b.fails
	}
	return b.Bucket.PutIf(ctx, key, data, match)
}

func newSpill(t *testing.T, limit int, now func() time.Time) (*pipeline.Spill, *failingBucket) {
	t.Helper()
	dir := t.TempDir()
	d, err := stream.OpenDisk(stream.DiskConfig{Dir: filepath.Join(dir, "log"), Shards: 2, SegmentBytes: 300, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	objects, err := objstore.OpenDir(objstore.DirConfig{Root: filepath.Join(dir, "objects")})
	if err != nil {
		t.Fatal(err)
	}
	b := &failingBucket{Bucket: objects}
	s, err := pipeline.NewSpill(pipeline.SpillConfig{
		Log: d, Name: pipeline.LogStaged, Bucket: b, Max: limit, Now: now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, b
}

// TestSpillConformance: a log whose records lie in objects, all or those of more
// than a few bytes, is a log.
func TestSpillConformance(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]int{"all": 1, "some": 8} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			streamtest.Run(t, func(t *testing.T) stream.Log {
				s, _ := newSpill(t, limit, nil)
				return s
			})
		})
	}
}

func spillKeys(t *testing.T, b objstore.Bucket) []string {
	t.Helper()
	infos, err := b.List(t.Context(), record.SpillPrefix(pipeline.LogStaged), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	keys := make([]string, len(infos))
	for i := range infos {
		keys[i] = infos[i].Key
	}
	return keys
}

// TestSpillComesBeforeItsPointer: nothing is in the log if the object could not be
// put; a record whose object cannot be read is not passed over.
func TestSpillComesBeforeItsPointer(t *testing.T) {
	t.Parallel()
	s, b := newSpill(t, 100, nil)
	shards, err := s.Shards(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hash, shard := shards[0].HashFrom, shards[0].ID
	large := strings.Repeat("large ", 100)
	entries := []stream.Entry{{Hash: hash, Data: []byte("small")}, {Hash: hash, Data: []byte(large)}, {Hash: hash, Data: []byte("last")}}
	b.fails = errors.New("no room for objects")
	if _, err := s.Put(t.Context(), entries); !errors.Is(err, b.fails) {
		t.Errorf("put without room: %v", err)
	}
	if tail, err := s.Tail(t.Context(), shard, stream.Sequence{}); err != nil || !tail.IsZero() {
		t.Errorf("the log has records up to %s, %v", tail, err)
	}
	b.fails = nil
	for range 2 { // the second as after a crash
		if _, err := s.Put(t.Context(), entries); err != nil {
			t.Fatal(err)
		}
	}
	keys := spillKeys(t, b)
	if len(keys) != 1 {
		t.Fatalf("objects %q, want one for the same bytes twice", keys)
	}
	body, _, err := objstore.Read(t.Context(), b, keys[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), keys[0]); err != nil {
		t.Fatal(err)
	}
	it, err := s.Iterate(t.Context(), shard, stream.FromOldest())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = it.Close() }() // a second Close does nothing
	for range 2 {
		if _, err := it.Next(t.Context(), 10, 1<<20); !errors.Is(err, objstore.ErrNotFound) {
			t.Errorf("reading without the object: %v", err)
		}
	}
	if _, err := b.Put(t.Context(), keys[0], []byte("something else")); err != nil {
		t.Fatal(err)
	}
	if _, err := it.Next(t.Context(), 10, 1<<20); !errors.Is(err, record.ErrCorrupt) {
		t.Errorf("reading another object: %v", err)
	}
	if _, err := b.Put(t.Context(), keys[0], body); err != nil {
		t.Fatal(err)
	}
	var got []string
	for len(got) < 6 {
		records, err := it.Next(t.Context(), 10, 300)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			got = append(got, string(r.Data))
		}
	}
	if want := "small " + large + " last small " + large + " last"; strings.Join(got, " ") != want {
		t.Errorf("records %q", got)
	}
}

// TestSpillShortWaits: a record is given to who comes again and again for less time than
// its object takes to be read.
func TestSpillShortWaits(t *testing.T) {
	t.Parallel()
	s, b := newSpill(t, 1, nil)
	const data = "a record"
	placed, err := s.Put(t.Context(), []stream.Entry{{Data: []byte(data)}})
	if err != nil {
		t.Fatal(err)
	}
	it, err := s.Iterate(t.Context(), placed[0].Shard, stream.FromOldest())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := it.Close(); err != nil {
			t.Error(err)
		}
	}()
	b.takes = 200 * time.Millisecond
	for deadline := time.Now().Add(time.Minute); ; {
		ctx, cancel := context.WithTimeout(t.Context(), b.takes/10)
		records, err := it.Next(ctx, 10, 1<<20)
		cancel()
		if err == nil {
			if len(records) != 1 || string(records[0].Data) != data {
				t.Errorf("records %v, want one", records)
			}
			return
		}
		if !errors.Is(err, context.DeadlineExceeded) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// TestSpillSweep: objects go once every record that may point to them has left the
// log, and those that none ever pointed to with them.
func TestSpillSweep(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 10, 30, 0, 0, time.UTC)
	s, b := newSpill(t, 100, func() time.Time { return at })
	shards, err := s.Shards(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	put := func(text string) {
		t.Helper()
		if _, err := s.Put(t.Context(), []stream.Entry{{Hash: shards[0].HashFrom, Data: []byte(strings.Repeat(text, 200))}}); err != nil {
			t.Fatal(err)
		}
	}
	sweep := func(deleted, left int) {
		t.Helper()
		n, err := s.Sweep(t.Context())
		if got := len(spillKeys(t, b)); err != nil || n != deleted || got != left {
			t.Errorf("at %s: %d deleted, %d left, %v; want %d and %d", at.Format(time.TimeOnly), n, got, err, deleted, left)
		}
	}
	put("a")
	orphan := record.PointTo(pipeline.LogStaged, at, []byte("of a put that died"))
	if _, err := b.Put(t.Context(), orphan.Key, []byte("of a put that died")); err != nil {
		t.Fatal(err)
	}
	at = at.Add(5 * time.Hour)
	put("b")
	put("c")
	sweep(0, 4) // the first record is still there
	tail, err := s.Tail(t.Context(), shards[0].ID, stream.Sequence{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Trim(t.Context(), shards[0].ID, tail, stream.NoAgeLimit); err != nil {
		t.Fatal(err)
	}
	sweep(2, 2)
	at = at.Add(2 * time.Hour)
	sweep(0, 2)
	at = at.Add(2 * time.Hour)
	put("d")
	if tail, err = s.Tail(t.Context(), shards[0].ID, stream.Sequence{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Trim(t.Context(), shards[0].ID, tail, stream.NoAgeLimit); err != nil {
		t.Fatal(err)
	}
	sweep(2, 1)
}
