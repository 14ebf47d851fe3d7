package profile_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
	"github.com/fieldgate/fieldgate/sources/bolt"
)

func newKV(t testing.TB) schema.KV {
	t.Helper()
	db, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "kv.bolt")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// reading is the i-th event of a metric.
func reading(metric string, i int) *schema.Event {
	e := &schema.Event{
		Dataset: schema.Dataset{Tenant: "acme", Metric: metric}, Time: start.UnixMicro() + int64(i), ReceivedAt: start.UnixMicro() + int64(i),
		Values: []schema.Value{
			{Name: "n", Kind: schema.KindInt, Int: int64(i % 500)},
			{Name: "t", Kind: schema.KindText, Text: fmt.Appendf(nil, "dev-%d", i%7)},
			{Name: "x", Kind: schema.KindNumber, Num: float64(i%500) / 2},
		},
	}
	sum := sha256.Sum256(fmt.Append(nil, i))
	copy(e.Hash[:], sum[:])
	return e
}

func describe(t *testing.T, p *profile.Profiles, metric string) string {
	t.Helper()
	s, err := p.Summary(t.Context(), schema.Dataset{Tenant: "acme", Metric: metric})
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprint(s.Events)
	for i := range s.Fields {
		f := &s.Fields[i]
		for _, k := range f.Kinds {
			out += fmt.Sprintf("; %s %c %d %d %s..%s %s", f.Sent, k.Kind, k.Events, k.Distinct, k.Min, k.Max, k.LastSeen.Sub(start))
		}
		if f.Numbers.Count > 0 {
			out += fmt.Sprintf(" mean %.6g", f.Numbers.Mean)
		}
	}
	return out
}

// TestShardCountsOnce ends a process that has written its profiles in the middle:
// what the next one reads again counts once.
func TestShardCountsOnce(t *testing.T) {
	t.Parallel()
	kv := newKV(t)
	note := func(s *profile.Shard, metric string, from, to int) {
		for i := from; i < to; i++ {
			if err := s.Note(t.Context(), reading(metric, i), profile.Position{0, 0, uint64(i + 1)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	first := profile.New(kv, profile.Config{})
	s := first.Shard(3)
	note(s, "m", 0, 80)
	if err := s.Flush(t.Context(), profile.Position{0, 0, 80}); err != nil {
		t.Fatal(err)
	}
	note(s, "m", 80, 150) // and is killed
	second := profile.New(kv, profile.Config{})
	s = second.Shard(3)
	note(s, "m", 0, 100)
	if err := s.Flush(t.Context(), profile.Position{0, 0, 100}); err != nil {
		t.Fatal(err)
	}
	note(s, "m", 100, 180)
	note(s, "other", 180, 190)
	const live = "180; n i 180 180 0..179 179µs mean 89.5; t s 180 7 dev-0..dev-6 179µs; x n 180 180 0..89.5 179µs mean 44.75"
	if got := describe(t, second, "m"); got != live {
		t.Errorf("in memory:\n got %s\nwant %s", got, live)
	}
	if err := s.Flush(t.Context(), profile.Position{0, 0, 190}); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*profile.Profiles{"the writer": second, "another process": profile.New(kv, profile.Config{})} {
		if got := describe(t, p, "m"); got != live {
			t.Errorf("%s:\n got %s\nwant %s", name, got, live)
		}
	}
}

// TestShardsMerge has two shards of one dataset, and one that is read alone.
func TestShardsMerge(t *testing.T) {
	t.Parallel()
	kv := newKV(t)
	p := profile.New(kv, profile.Config{ShardBytes: 1})
	whole := profile.New(newKV(t), profile.Config{})
	one := whole.Shard(0)
	shards := []*profile.Shard{p.Shard(0), p.Shard(1)}
	for i := range 1000 {
		at := profile.Position{0, 0, uint64(i + 1)}
		for _, s := range []*profile.Shard{one, shards[i%2]} {
			if err := s.Note(t.Context(), reading("m", i), at); err != nil {
				t.Fatal(err)
			}
			if i%100 == 99 { // with so little memory, everything is dropped and read again
				if err := s.Flush(t.Context(), at); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if got, want := describe(t, p, "m"), describe(t, whole, "m"); got != want {
		t.Errorf("two shards:\n%s\none:\n%s", got, want)
	}
}

// TestShardOfAnother has a process lose its shard: what the other counted stands.
func TestShardOfAnother(t *testing.T) {
	t.Parallel()
	kv := newKV(t)
	stale, s := profile.New(kv, profile.Config{}).Shard(0), profile.New(kv, profile.Config{}).Shard(0)
	for _, shard := range []*profile.Shard{stale, s} {
		if err := shard.Note(t.Context(), reading("m", 0), profile.Position{0, 0, 1}); err != nil {
			t.Fatal(err)
		}
	}
	for _, shard := range []*profile.Shard{s, stale} {
		if err := shard.Flush(t.Context(), profile.Position{0, 0, 1}); err != nil {
			t.Fatal(err)
		}
	}
	if got := describe(t, profile.New(kv, profile.Config{}), "m"); got[:2] != "1;" {
		t.Errorf("got %s", got)
	}
}

// hookedKV does something before a value is put.
type hookedKV struct {
	schema.KV
	before func(key string)
}

func (kv *hookedKV) Put(ctx context.Context, key string, value []byte, version uint64) (uint64, error) {
	kv.before(key)
	return kv.KV.Put(ctx, key, value, version)
}

// TestShardTakenAmidWrite has another process take a shard while the one that had it is
// about to put any part of its profile, and that go on while the other is about to put any
// of its own: the profile stays whole.
func TestShardTakenAmidWrite(t *testing.T) {
	t.Parallel()
	const puts = 3 // of a flush, at most
	for before := range 3 {
		for stopped := range puts {
			for taken := range puts {
				kv := newKV(t)
				stands, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
				armed, had := false, 0
				s := profile.New(&hookedKV{kv, func(string) {
					if armed && had == stopped {
						close(stands)
						<-goOn
					}
					had++
				}}, profile.Config{}).Shard(0)
				for n := range before {
					note(t, s, n, n+1)
					flush(t, s, n+1)
				}
				note(t, s, before, before+1)
				armed, had = true, 0
				go func() { ended <- s.Flush(t.Context(), profile.Position{0, 0, uint64(before + 1)}) }()
				select {
				case <-stands:
				case err := <-ended:
					if err != nil || stopped < 2 {
						t.Fatalf("a flush of %d puts: %v", had, err)
					}
					continue
				}
				put := 0
				resume := sync.OnceFunc(func() {
					close(goOn)
					if err := <-ended; err != nil {
						t.Error(err)
					}
				})
				other := profile.New(&hookedKV{kv, func(string) {
					if put == taken {
						resume()
					}
					put++
				}}, profile.Config{}).Shard(0)
				note(t, other, 10, 11)
				flush(t, other, 11)
				resume()
				third := profile.New(kv, profile.Config{}).Shard(0)
				note(t, third, 20, 21)
				flush(t, third, 21)
				if got := describe(t, profile.New(kv, profile.Config{}), "m"); got[0] < '2' {
					t.Errorf("stopped before put %d after %d flushes, gone on before put %d: got %s", stopped, before, taken, got)
				}
			}
		}
	}
}

// TestTornProfile: one that was left torn is begun anew.
func TestTornProfile(t *testing.T) {
	t.Parallel()
	kv := newKV(t)
	s := profile.New(kv, profile.Config{}).Shard(0)
	chunk := func() (found schema.Item) {
		items, err := kv.List(t.Context(), "profiles/", "", 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			if strings.Contains(item.Key, "/0/") {
				found = item
			}
		}
		return found
	}
	var first schema.Item
	for n := range 3 { // into half 0, 1 and 0
		note(t, s, n, n+1)
		flush(t, s, n+1)
		if n == 0 {
			first = chunk()
		}
	}
	last := chunk()
	if first.Key == "" || first.Key != last.Key || first.Version == last.Version {
		t.Fatalf("chunks %s of %d and %s of %d", first.Key, first.Version, last.Key, last.Version)
	}
	if _, err := kv.Put(t.Context(), last.Key, first.Value, last.Version); err != nil {
		t.Fatal(err)
	}
	if _, err := profile.New(kv, profile.Config{}).Summary(t.Context(), schema.Dataset{Tenant: "acme", Metric: "m"}); err == nil {
		t.Error("a torn profile is read")
	}
	next := profile.New(kv, profile.Config{}).Shard(0)
	note(t, next, 3, 4)
	note(t, next, 4, 5)
	flush(t, next, 5)
	if got := describe(t, profile.New(kv, profile.Config{}), "m"); got[:2] != "2;" {
		t.Errorf("got %s", got)
	}
}

// note has a shard count the i-th event, of a record at a position.
func note(t *testing.T, s *profile.Shard, i, at int) {
	t.Helper()
	if err := s.Note(t.Context(), reading("m", i), profile.Position{0, 0, uint64(at)}); err != nil {
		t.Fatal(err)
	}
}

func flush(t *testing.T, s *profile.Shard, through int) {
	t.Helper()
	if err := s.Flush(t.Context(), profile.Position{0, 0, uint64(through)}); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkNote profiles events of fifteen fields: all of which change from event
// to event, or four.
func BenchmarkNote(b *testing.B) {
	for _, changing := range []int{15, 4} {
		b.Run(fmt.Sprint("changing=", changing), func(b *testing.B) {
			s := profile.New(newKV(b), profile.Config{}).Shard(0)
			e := reading("m", 0)
			for i := range 6 {
				e.Values = append(e.Values,
					schema.Value{Name: fmt.Sprint("y", i), Kind: schema.KindText, Text: []byte("operating normally, no finding: 00")},
					schema.Value{Name: fmt.Sprint("z", i), Kind: schema.KindNumber, Num: 1450.5})
			}
			at := profile.Position{0, 0, 1}
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				for i := range changing {
					switch v := &e.Values[i]; v.Kind {
					case schema.KindInt:
						v.Int = int64(n)
					case schema.KindNumber:
						v.Num = float64(n*(i+1)%100003) / 7
					default:
						v.Text[len(v.Text)-1], v.Text[len(v.Text)-2] = byte('0'+n%10), byte('0'+n/10%10)
					}
				}
				if err := s.Note(b.Context(), e, at); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
