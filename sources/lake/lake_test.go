package lake_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
	"github.com/fieldgate/fieldgate/sources/vfs"
)

var thermo = schema.Dataset{Tenant: "acme", Metric: "Thermo-1"}

// rowGroup is how many rows a row group has.
const rowGroup = 122_880

func at(n int) stream.Position { return stream.Position{Seq: stream.SequenceOf(uint64(n))} }

// setup makes a lake in a folder of its own, with a clock that a test moves.
func setup(t testing.TB) (*lake.Store, objstore.Bucket, *time.Time) {
	t.Helper()
	bucket, err := objstore.OpenDir(objstore.DirConfig{Root: t.TempDir(), FS: vfs.OS{}})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	s, err := lake.New(lake.Config{Bucket: bucket, Grace: time.Hour, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return s, bucket, &now
}

func idOf(n int) (id schema.ID) {
	binary.BigEndian.PutUint64(id[:], uint64(n)*0x9E3779B97F4A7C15)
	binary.BigEndian.PutUint64(id[8:], uint64(n)*0xC2B2AE3D27D4EB4F)
	return id
}

// batchOf makes events n to m-1, one a second.
func batchOf(n, m int, values func(n int) []schema.Value) (*sources.Batch, []lake.Row) {
	var b sources.Builder
	var order []lake.Row
	for i := n; i < m; i++ {
		e := schema.Event{
			Dataset: thermo, Time: int64(i) * 1e6, ReceivedAt: int64(i)*1e6 + 7, ID: idOf(i), Hash: idOf(-i), Values: values(i),
		}
		b.Add(&e, at(i))
		order = append(order, lake.Row{Row: uint32(i - n)})
	}
	return b.Batch(), order
}

func temperature(n int) []schema.Value {
	return []schema.Value{{Name: "temp", Kind: schema.KindNumber, Num: float64(n) / 2}}
}

func commit(t *testing.T, s *lake.Store, n, m int) *lake.Version {
	t.Helper()
	base, err := s.Version(t.Context(), thermo)
	if err != nil {
		t.Fatal(err)
	}
	batch, order := batchOf(n, m, temperature)
	files, err := s.Write(t.Context(), thermo, []*sources.Batch{batch}, order, nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Commit(t.Context(), base, lake.Commit{
		Add: files, From: sources.Watermarks{0: stream.SequenceOf(uint64(n))}, To: sources.Watermarks{0: stream.SequenceOf(uint64(m))},
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// rowText prints a row's fields, sorted, for comparison.
func rowText(b *sources.Batch, r int) string {
	var fields []string
	for i := range b.Columns {
		c := &b.Columns[i]
		if !c.IsValid(r) {
			continue
		}
		switch c.Kind {
		case schema.KindInt, schema.KindBool:
			fields = append(fields, fmt.Sprintf("%s=%d", c.Name, c.Ints[r]))
		case schema.KindNumber:
			fields = append(fields, fmt.Sprintf("%s=%v", c.Name, c.Nums[r]))
		default:
			fields = append(fields, fmt.Sprintf("%s=%q", c.Name, c.Text[c.Offsets[r]:c.Offsets[r+1]]))
		}
	}
	slices.Sort(fields)
	return fmt.Sprint(b.TS[r], b.ReceivedAt[r], b.IDs[r], b.Hashes[r], fields)
}

func TestWriteAndRead(t *testing.T) {
	t.Parallel()
	names := make([]string, 100)
	for i := range names {
		names[i] = fmt.Sprintf("Field %d.é", i)
	}
	random := rand.New(rand.NewPCG(1, 2))
	kinds := func(n int) []schema.Value {
		var out []schema.Value
		for i, name := range names {
			if random.IntN(i+1) > 2 { // the later the rarer
				continue
			}
			switch v := (schema.Value{Name: name}); (n + i) % 4 {
			case 0:
				v.Kind, v.Int = schema.KindBool, int64(n%2)
				out = append(out, v)
			case 1:
				v.Kind, v.Num = schema.KindNumber, math.Ldexp(random.Float64(), random.IntN(600)-300)
				out = append(out, v)
			case 2:
				v.Kind, v.Text = schema.KindText, fmt.Appendf(nil, "text %d \"\\\x01<é>", random.IntN(1000))
				out = append(out, v)
			default:
				v.Kind, v.Text = schema.KindJSON, []byte(`[1, {"a":  2}]`)
				out = append(out, v)
			}
		}
		return append(out, schema.Value{Name: "big", Kind: schema.KindInt, Int: math.MaxInt64 - int64(n)})
	}
	tests := []struct {
		name     string
		rows     int
		values   func(int) []schema.Value
		declared map[string]bool
		more     bool
	}{
		{name: "one column", rows: 1000, values: temperature},
		{name: "no column", rows: 3, values: func(int) []schema.Value { return nil }},
		{name: "several row groups", rows: 130_000, values: temperature},
		{name: "all kinds and more names than columns", rows: 500, values: kinds, declared: map[string]bool{names[99]: true}, more: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, _, _ := setup(t)
			batch, order := batchOf(0, test.rows, test.values)
			files, err := s.Write(t.Context(), thermo, []*sources.Batch{batch}, order, test.declared)
			if err != nil {
				t.Fatal(err)
			}
			if len(files) != 1 || files[0].Rows != int64(test.rows) || (len(files[0].More) > 0) != test.more {
				t.Fatalf("files: %+v", files)
			}
			back, err := s.Read(t.Context(), files[0])
			if err != nil {
				t.Fatal(err)
			}
			read := lake.Order(back, nil)
			for row, r := range read {
				if got, want := rowText(back[r.Batch], int(r.Row)), rowText(batch, row); got != want {
					t.Fatalf("row %d:\n got %s\nwant %s", row, got, want)
				}
			}
			if len(read) != test.rows {
				t.Errorf("%d rows, want %d", len(read), test.rows)
			}
		})
	}
}

// Bounds lie in the footer: a text of a megabyte there would be read by every
// query.
func TestFooterStaysSmall(t *testing.T) {
	t.Parallel()
	s, bucket, _ := setup(t)
	long := bytes.Repeat([]byte("x"), 1<<20)
	batch, order := batchOf(0, 2, func(int) []schema.Value {
		return []schema.Value{
			{Name: "label", Kind: schema.KindText, Text: []byte("short")},
			{Name: "list", Kind: schema.KindJSON, Text: long},
			{Name: "log", Kind: schema.KindText, Text: long},
		}
	})
	files, err := s.Write(t.Context(), thermo, []*sources.Batch{batch}, order, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := objstore.Read(t.Context(), bucket, files[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	end := len(data) - 8
	footer := int(binary.LittleEndian.Uint32(data[end:]))
	if footer > 8<<10 {
		t.Fatalf("the footer has %d bytes", footer)
	}
	if !bytes.Contains(data[end-footer:end], []byte("short")) {
		t.Error("a short text's bounds are not in the footer")
	}
	// Nor does any page begin with them.
	if len(data) > 64<<10 {
		t.Errorf("twice a megabyte of one letter take %d bytes", len(data))
	}
}

func TestIntegersJoinNumbers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		integer int64
		want    []string
	}{
		{"prints as a double does", 1e15 - 1, []string{"n_x"}},
		{"prints otherwise", 1e15, []string{"i_x", "n_x"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, _, _ := setup(t)
			batch, order := batchOf(0, 2, func(n int) []schema.Value {
				if n == 0 {
					return []schema.Value{{Name: "x", Kind: schema.KindInt, Int: test.integer}}
				}
				return []schema.Value{{Name: "x", Kind: schema.KindNumber, Num: 0.5}}
			})
			files, err := s.Write(t.Context(), thermo, []*sources.Batch{batch}, order, nil)
			if err != nil {
				t.Fatal(err)
			}
			fields := slices.DeleteFunc(slices.Clone(files[0].Columns), func(c string) bool { return c[0] == '_' })
			if !slices.Equal(fields, test.want) {
				t.Errorf("columns %v, want %v", fields, test.want)
			}
		})
	}
}

func TestManifestListsWhatOverlaps(t *testing.T) {
	t.Parallel()
	s, bucket, _ := setup(t)
	for n := 0; n < 100; n += 10 {
		commit(t, s, n, n+10)
	}
	other, err := lake.New(lake.Config{Bucket: bucket, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, reader := range []*lake.Store{s, other} {
		m, err := reader.Load(t.Context(), thermo)
		if err != nil {
			t.Fatal(err)
		}
		files, known, err := m.Files(t.Context(), sources.Bounds{Min: 25e6, Max: 40e6})
		if err != nil {
			t.Fatal(err)
		}
		if known != 10 || len(files) != 3 || !slices.IsSortedFunc(files, func(a, b *sources.FileSplit) int { return cmp.Compare(b.Times.Max, a.Times.Max) }) {
			t.Errorf("%d files of %d", len(files), known)
		}
		if got := m.Watermarks()[0]; got != stream.SequenceOf(100) {
			t.Errorf("watermark %s", got)
		}
	}
	if datasets, err := other.Datasets(t.Context(), "acme"); err != nil || len(datasets) != 1 || datasets[0] != thermo {
		t.Errorf("datasets %v, %v", datasets, err)
	}
	if datasets, err := other.Datasets(t.Context(), "acm"); err != nil || len(datasets) != 0 {
		t.Errorf("another tenant's datasets %v, %v", datasets, err)
	}
}

// TestUnstagedRowsAreTold: rows that a commit brings without moving a watermark
// did not pass through nearline; merges bring none.
func TestUnstagedRowsAreTold(t *testing.T) {
	t.Parallel()
	s, bucket, _ := setup(t)
	v := commit(t, s, 0, 100)
	staged, err := v.List(t.Context(), sources.Unbounded())
	if err != nil {
		t.Fatal(err)
	}
	batch := &lake.File{
		Key: strings.Replace(staged[0].Key, ".parquet", "0.parquet", 1), Rows: 1, Times: sources.Bounds{Min: 500e6, Max: 600e6}, CreatedAt: time.Now(),
	}
	if v, err = s.Commit(t.Context(), v, lake.Commit{Add: []*lake.File{batch}}); err != nil {
		t.Fatal(err)
	}
	merged := *staged[0]
	merged.Key = strings.Replace(merged.Key, ".parquet", "1.parquet", 1)
	if _, err = s.Commit(t.Context(), v, lake.Commit{Add: []*lake.File{&merged}, Remove: staged[:1], Merge: true}); err != nil {
		t.Fatal(err)
	}
	other, err := lake.New(lake.Config{Bucket: bucket, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	m, err := other.Load(t.Context(), thermo)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		bounds sources.Bounds
		want   bool
	}{{sources.Bounds{Min: 0, Max: 499e6}, false}, {sources.Bounds{Min: 550e6, Max: 560e6}, true}, {sources.Bounds{Min: 601e6, Max: 700e6}, false}} {
		if got := m.Unstaged(c.bounds); got != c.want {
			t.Errorf("%v: %v, want %v", c.bounds, got, c.want)
		}
	}
	held, err := other.Held(t.Context(), thermo)
	if err != nil {
		t.Fatal(err)
	}
	var set sources.TimeSet
	set.Add(held...)
	for _, at := range []int64{0, 99e6, 500e6, 600e6} {
		if !set.Overlaps(sources.Bounds{Min: at, Max: at}) {
			t.Errorf("the lake does not say that it holds rows of %d: %v", at, held)
		}
	}
}

func TestKnownIdentities(t *testing.T) {
	t.Parallel()
	s, _, _ := setup(t)
	v := commit(t, s, 0, 1000)
	times, ids := []int64{5e6, 5e6, 2000e6}, []schema.ID{idOf(5), idOf(10), idOf(2000)}
	known := map[int]schema.ID{}
	err := v.Known(t.Context(), lake.Identities{Times: times, IDs: ids}, func(i int, hash schema.ID) { known[i] = hash })
	if err != nil {
		t.Fatal(err)
	}
	if len(known) != 1 || known[0] != idOf(-5) {
		t.Errorf("known: %v", known)
	}
	suspects, err := s.Suspect(t.Context(), thermo, times, ids)
	if err != nil || !suspects[0] || suspects[2] {
		t.Errorf("suspects %v, %v", suspects, err)
	}
}

// lostAnswers fails the n-th conditional write after doing it: the answer is
// lost, the write stands.
type lostAnswers struct {
	objstore.Bucket
	lose func(key string) bool
	fail func(key string) bool
}

var errLost = errors.New("no answer")

func (b *lostAnswers) PutIf(ctx context.Context, key string, data []byte, match objstore.ETag) (objstore.ETag, error) {
	if b.fail(key) {
		return "", errLost
	}
	etag, err := b.Bucket.PutIf(ctx, key, data, match)
	if b.lose(key) {
		return "", errLost
	}
	return etag, err
}

func TestCommitWithoutAnswerStandsOnce(t *testing.T) {
	t.Parallel()
	for _, stands := range []bool{true, false} {
		t.Run(fmt.Sprintf("stands %v", stands), func(t *testing.T) {
			t.Parallel()
			_, bucket, _ := setup(t)
			armed := true
			hit := func(key string) bool {
				if armed && key[len(key)-9:] == "root.json" {
					armed = false
					return true
				}
				return false
			}
			wrapped := &lostAnswers{Bucket: bucket, lose: func(string) bool { return false }, fail: func(string) bool { return false }}
			if stands {
				wrapped.lose = hit
			} else {
				wrapped.fail = hit
			}
			s, err := lake.New(lake.Config{Bucket: wrapped, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			base, err := s.Version(t.Context(), thermo)
			if err != nil {
				t.Fatal(err)
			}
			batch, order := batchOf(0, 10, temperature)
			files, err := s.Write(t.Context(), thermo, []*sources.Batch{batch}, order, nil)
			if err != nil {
				t.Fatal(err)
			}
			c := lake.Commit{ID: "one", Add: files, From: sources.Watermarks{}, To: sources.Watermarks{0: stream.SequenceOf(10)}}
			v, err := s.Commit(t.Context(), base, c)
			if !stands {
				if !errors.Is(err, errLost) {
					t.Fatalf("commit: %v, want the lost answer", err)
				}
				v, err = s.Commit(t.Context(), base, c)
			}
			if err != nil {
				t.Fatal(err)
			}
			if n, rows, _ := v.Totals(); n != 1 || rows != 10 || v.Version() != 1 {
				t.Errorf("%d files, %d rows, version %d", n, rows, v.Version())
			}
		})
	}
}

func TestStaleCommits(t *testing.T) {
	t.Parallel()
	s, _, _ := setup(t)
	base := commit(t, s, 0, 10)
	v2 := commit(t, s, 10, 20)

	batch, order := batchOf(10, 20, temperature)
	files, err := s.Write(t.Context(), thermo, []*sources.Batch{batch}, order, nil)
	if err != nil {
		t.Fatal(err)
	}
	again := lake.Commit{Add: files, From: sources.Watermarks{0: stream.SequenceOf(10)}, To: sources.Watermarks{0: stream.SequenceOf(20)}}
	if _, err := s.Commit(t.Context(), base, again); !errors.Is(err, lake.ErrStale) {
		t.Errorf("the same range twice: %v, want ErrStale", err)
	}
	gap := lake.Commit{Add: files, From: sources.Watermarks{0: stream.SequenceOf(30)}, To: sources.Watermarks{0: stream.SequenceOf(40)}}
	if _, err := s.Commit(t.Context(), v2, gap); !errors.Is(err, lake.ErrStale) {
		t.Errorf("a gap: %v, want ErrStale", err)
	}

	// A merge does not make other work stale.
	old, err := v2.List(t.Context(), sources.Unbounded())
	if err != nil {
		t.Fatal(err)
	}
	whole, wholeOrder := batchOf(0, 20, temperature)
	merged, err := s.Write(t.Context(), thermo, []*sources.Batch{whole}, wholeOrder, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), v2, lake.Commit{Merge: true, Add: merged, Remove: old}); err != nil {
		t.Fatal(err)
	}
	next, nextOrder := batchOf(20, 30, temperature)
	more, err := s.Write(t.Context(), thermo, []*sources.Batch{next}, nextOrder, nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Commit(t.Context(), v2, lake.Commit{Add: more, From: sources.Watermarks{0: stream.SequenceOf(20)}, To: sources.Watermarks{0: stream.SequenceOf(30)}})
	if err != nil {
		t.Fatalf("commit over a merge: %v", err)
	}
	if n, rows, _ := v.Totals(); n != 2 || rows != 30 {
		t.Errorf("%d files with %d rows, want 2 with 30", n, rows)
	}
	if _, err := s.Commit(t.Context(), v2, lake.Commit{Merge: true, Add: merged, Remove: old}); !errors.Is(err, lake.ErrStale) {
		t.Errorf("a merge of merged files: %v, want ErrStale", err)
	}
}

func TestSlowCommitIsAbandoned(t *testing.T) {
	t.Parallel()
	s, _, now := setup(t)
	base, err := s.Version(t.Context(), thermo)
	if err != nil {
		t.Fatal(err)
	}
	batch, order := batchOf(0, 10, temperature)
	files, err := s.Write(t.Context(), thermo, []*sources.Batch{batch}, order, nil)
	if err != nil {
		t.Fatal(err)
	}
	*now = now.Add(31 * time.Minute)
	if _, err := s.Commit(t.Context(), base, lake.Commit{Add: files}); !errors.Is(err, lake.ErrStale) {
		t.Errorf("commit after half the grace: %v, want ErrStale", err)
	}
}

// mergeable commits two parts, old, and writes what can take their place.
func mergeable(t *testing.T, s *lake.Store) (v *lake.Version, old, merged []*lake.File) {
	t.Helper()
	commit(t, s, 0, 10)
	v = commit(t, s, 10, 20)
	old, err := v.List(t.Context(), sources.Unbounded())
	if err != nil {
		t.Fatal(err)
	}
	whole, order := batchOf(0, 20, temperature)
	merged, err = s.Write(t.Context(), thermo, []*sources.Batch{whole}, order, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v, old, merged
}

func TestSweep(t *testing.T) {
	t.Parallel()
	s, bucket, now := setup(t)
	v, old, merged := mergeable(t, s)
	*now = now.Add(20 * time.Minute)
	if _, err := s.Commit(t.Context(), v, lake.Commit{Merge: true, Add: merged, Remove: old}); err != nil {
		t.Fatal(err)
	}
	*now = now.Add(50 * time.Minute)
	// The first commit's part is gone for over the grace; the merged files are not.
	if n, err := s.Sweep(t.Context(), thermo, 0); err != nil || n != 1 {
		t.Fatalf("sweep within the grace of the merge: %d, %v, want 1 object", n, err)
	}
	for _, f := range old {
		if _, err := bucket.Head(t.Context(), f.Key); err != nil {
			t.Errorf("%s within the grace: %v", f.Key, err)
		}
	}
	*now = now.Add(20 * time.Minute)
	if n, err := s.Sweep(t.Context(), thermo, 0); err != nil || n == 0 {
		t.Fatalf("sweep after the grace: %d, %v", n, err)
	}
	for _, f := range old {
		if _, err := bucket.Head(t.Context(), f.Key); !errors.Is(err, objstore.ErrNotFound) {
			t.Errorf("%s: %v, want not found", f.Key, err)
		}
	}
	if back, err := s.Read(t.Context(), merged[0]); err != nil || back[0].Rows != 20 {
		t.Errorf("the merged file: %v", err)
	}
}

// TestSweepByAFastClock: a process whose clock is almost an hour ahead deletes
// nothing that left the manifest just now.
func TestSweepByAFastClock(t *testing.T) {
	t.Parallel()
	_, bucket, now := setup(t)
	open := func(fast time.Duration) *lake.Store {
		s, err := lake.New(lake.Config{Bucket: bucket, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now.Add(fast) }})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s, sweeper := open(0), open(55*time.Minute)
	v, old, merged := mergeable(t, s)
	if _, err := s.Commit(t.Context(), v, lake.Commit{Merge: true, Add: merged, Remove: old}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		kept  bool
	}{{59 * time.Minute, true}, {time.Hour, false}} {
		*now = now.Add(step.after)
		if _, err := sweeper.Sweep(t.Context(), thermo, 0); err != nil {
			t.Fatal(err)
		}
		for _, f := range old {
			if _, err := bucket.Head(t.Context(), f.Key); (err == nil) != step.kept {
				t.Errorf("%v later, %s: %v, kept: %v", step.after, f.Key, err, step.kept)
			}
		}
	}
}
