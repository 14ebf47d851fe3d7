package lake_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// golden is a bucket with 20 events, in two commits of 16 and 4.
type golden struct {
	path  string
	event func(n int) schema.Event
}

// goldens are as the first version wrote it, with full columns listed and rows put
// by shape, with full columns required, and with a text that has U+0000.
var goldens = []golden{{"testdata/v1", odd}, {"testdata/v1-shapes", odd}, {"testdata/v1-required", oddButFew}, {"testdata/v1-zeros", oddWithZero}}

// oddWithZero is an event of oddButFew with a text of its own.
func oddWithZero(n int) schema.Event {
	e := oddButFew(n)
	e.Values = append(e.Values, schema.Value{Name: "zero", Kind: schema.KindText, Text: []byte{'a', byte(n % 2)}})
	slices.SortFunc(e.Values, func(a, b schema.Value) int { return strings.Compare(a.Name, b.Name) })
	return e
}

// oddButFew is an event of odd without the names that few of them have.
func oddButFew(n int) schema.Event {
	e := odd(n)
	e.Values = slices.DeleteFunc(e.Values, func(v schema.Value) bool { return strings.HasPrefix(v.Name, "Rare") })
	return e
}

// write makes the bucket.
func (g *golden) write(t *testing.T) {
	t.Helper()
	bucket, err := objstore.OpenDir(objstore.DirConfig{Root: g.path})
	if err != nil {
		t.Fatal(err)
	}
	s, err := lake.New(lake.Config{
		Bucket: bucket, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Unix(1_800_000_000, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Version(t.Context(), thermo)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range [][2]int{{0, 16}, {16, 20}} {
		var b sources.Builder
		for n := r[0]; n < r[1]; n++ {
			e := g.event(n)
			b.Add(&e, at(n))
		}
		batches := []*sources.Batch{b.Batch()}
		files, err := s.Write(t.Context(), thermo, batches, lake.Order(batches, nil), map[string]bool{"Rare 15.$\"i": true})
		if err != nil {
			t.Fatal(err)
		}
		to := sources.Watermarks{0: stream.SequenceOf(uint64(r[1])), 1 << 63: {1, 2, 3}}
		if v, err = s.Commit(t.Context(), v, lake.Commit{ID: fmt.Sprint("commit", r[1]), Add: files, From: v.Watermarks(), To: to}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(filepath.Join(g.path, ".tmp")); err != nil {
		t.Fatal(err)
	}
}

// TestGolden opens what earlier versions wrote. If the format changes, keep the
// golden bucket and add one.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, g := range goldens {
		t.Run(filepath.Base(g.path), func(t *testing.T) {
			t.Parallel()
			g.test(t)
		})
	}
}

func (g *golden) test(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(g.path); errors.Is(err, fs.ErrNotExist) {
		g.write(t)
		t.Errorf("%s was not there and has been written", g.path)
	}
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(g.path)); err != nil {
		t.Fatal(err)
	}
	bucket, err := objstore.OpenDir(objstore.DirConfig{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	s, err := lake.New(lake.Config{Bucket: bucket, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	datasets, err := s.Datasets(t.Context(), "")
	if err != nil || !slices.Equal(datasets, []schema.Dataset{thermo}) {
		t.Fatalf("datasets %v, %v", datasets, err)
	}
	v, err := s.Version(t.Context(), thermo)
	if err != nil {
		t.Fatal(err)
	}
	if v.Version() != 2 || v.Watermark(0) != stream.SequenceOf(20) || v.Watermark(1<<63) != (stream.Sequence{1, 2, 3}) {
		t.Errorf("version %d with watermarks %v", v.Version(), v.Watermarks())
	}
	files, err := v.List(t.Context(), sources.Unbounded())
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	slices.Reverse(files)
	d := openDuckDB(t)
	n := 0
	for _, f := range files {
		var events []schema.Event
		for range f.Rows {
			events = append(events, g.event(n))
			n++
		}
		path, err := bucket.Path(f.Key)
		if err != nil {
			t.Fatal(err)
		}
		d.compare(t, path, f, events)
		batches, err := s.Read(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for r, row := range lake.Order(batches, nil) {
			e := batches[row.Batch].Event(int(row.Row), thermo)
			if fmt.Sprint(fields(&e)) != fmt.Sprint(fields(&events[r])) || e.ID != events[r].ID {
				t.Errorf("row %d is %+v, want %+v", r, e, events[r])
			}
			known := lake.Identities{Times: []int64{e.Time}, IDs: []schema.ID{e.ID}}
			found := false
			err := v.Known(t.Context(), known, func(_ int, hash schema.ID) { found = hash == e.Hash })
			if err != nil || !found {
				t.Errorf("row %d is known: %v, %v", r, found, err)
			}
		}
	}
	if n != 20 {
		t.Errorf("%d rows, want 20", n)
	}
}
