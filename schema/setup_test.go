package schema_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources/bolt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is time as data.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// kv is a bolt file with a hook: called before each Put, it can refuse the write
// (before), or let it happen and lose the answer (after).
type kv struct {
	schema.KV
	mu     sync.Mutex
	before func(key string) error
	after  func(key string) error
	puts   int
}

func newKV(t *testing.T) *kv {
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
	return &kv{KV: db}
}

func (k *kv) hooks(before, after func(key string) error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.before, k.after = before, after
}

func (k *kv) Put(ctx context.Context, key string, value []byte, expect uint64) (uint64, error) {
	k.mu.Lock()
	before, after := k.before, k.after
	k.puts++
	k.mu.Unlock()
	if before != nil {
		if err := before(key); err != nil {
			return 0, err
		}
	}
	version, err := k.KV.Put(ctx, key, value, expect)
	if err == nil && after != nil {
		err = after(key)
	}
	return version, err
}

func (k *kv) putsDone() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.puts
}

// dump lists everything stored, one key and value a line.
func (k *kv) dump(t *testing.T) string {
	t.Helper()
	items, err := k.List(t.Context(), "", "", 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, item := range items {
		fmt.Fprintf(&b, "%s\t%s\n", item.Key, item.Value)
	}
	return b.String()
}

var errDown = errors.New("the store is down")

// setup gives a store with the tenants acme and globex.
func setup(t *testing.T) (*kv, *schema.Store, *clock) {
	t.Helper()
	k, c := newKV(t), newClock()
	s := newStore(t, k, c)
	for _, tenant := range []string{"acme", "globex"} {
		if err := s.AddTenant(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
	}
	return k, s, c
}

func newStore(t *testing.T, k schema.KV, c *clock) *schema.Store {
	t.Helper()
	s, err := schema.NewStore(k, schema.StoreConfig{Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func current(t *testing.T, s *schema.Store, tenant string) *schema.Snapshot {
	t.Helper()
	snapshot, err := s.Current(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

func change(t *testing.T, s *schema.Store, tenant string, edit func(d *schema.Draft) error) *schema.Snapshot {
	t.Helper()
	snapshot, err := s.Change(t.Context(), tenant, "ann", "test", edit)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

// describe prints a schema.
func describe(s *schema.Snapshot) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version %d after %d by %s: %s\n", s.Version, s.Previous, s.Who, s.What)
	if s.MetricKeys != nil {
		fmt.Fprintf(&b, "metric keys %q\n", s.MetricKeys)
	}
	if s.TimestampAliases != nil {
		fmt.Fprintf(&b, "timestamp aliases %q\n", s.TimestampAliases)
	}
	if s.TimestampPatterns != nil {
		fmt.Fprintf(&b, "timestamp patterns %q\n", s.TimestampPatterns)
	}
	if s.RejectUndeclared {
		b.WriteString("rejects undeclared metrics\n")
	}
	for _, m := range s.Metrics {
		fmt.Fprintf(&b, "metric %d %q of version %d", m.ID, m.Name, m.Version)
		if m.Aliases != nil {
			fmt.Fprintf(&b, ", aliases %q", m.Aliases)
		}
		if m.TimestampAliases != nil {
			fmt.Fprintf(&b, ", timestamp aliases %q", m.TimestampAliases)
		}
		if m.TimestampPatterns != nil {
			fmt.Fprintf(&b, ", timestamp patterns %q", m.TimestampPatterns)
		}
		if m.RejectMissingTime {
			b.WriteString(", rejects a missing time")
		}
		if m.Comment != "" {
			fmt.Fprintf(&b, " -- %s", m.Comment)
		}
		b.WriteString("\n")
		for _, f := range m.Fields {
			fmt.Fprintf(&b, "  %d %q %s <-", f.Number, f.Name, f.Type)
			for _, source := range f.Sources {
				fmt.Fprintf(&b, " %q", source.Name)
				if source.Convert != "" {
					fmt.Fprintf(&b, " {%s}", source.Convert)
				}
			}
			if f.Comment != "" {
				fmt.Fprintf(&b, " -- %s", f.Comment)
			}
			b.WriteString("\n")
		}
		b.WriteString("  reads")
		for _, ds := range s.Datasets(m) {
			fmt.Fprintf(&b, " %q#%d", ds.Metric, ds.Generation)
		}
		b.WriteString("\n")
	}
	return b.String()
}
