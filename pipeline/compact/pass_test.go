package compact_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/compact"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// TestSeenEventsMoveTheWatermark has an object whose only events of a dataset
// were in the one before it.
func TestSeenEventsMoveTheWatermark(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deliver(t, 0, 0, event(hot, 1, "a"), event(hot, 2, "b"))
	if err := b.compactor(t).Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.deliver(t, 0, 1, event(hot, 2, "b"), event(cold, 1, "x"))
	if err := b.compactor(t).Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.want(t, hot, "a", "b")
	b.want(t, cold, "x")
	b.checkpoint(t, 0, 3)
}

// TestRedeliveredIsNoConflict sends what the lake holds again, beside an event
// that conflicts with it.
func TestRedeliveredIsNoConflict(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.compactor(t)
	b.deliver(t, 0, 0, event(hot, 1, "stands"))
	if err := c.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.deliver(t, 0, 1, event(hot, 1, "other"), event(hot, 1, "stands"), event(hot, 1, "other"))
	if err := c.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.want(t, hot, "stands")
	if want := []string{"other at 0/2/0", "other at 0/4/0"}; !slices.Equal(b.conflicts, want) {
		t.Errorf("conflicts %v, want %v", b.conflicts, want)
	}
}

// TestSparseNamesStayInMemory compacts a dataset of thousands of names, of which
// each event has one: by column, all rows of all names would be 192 MB.
func TestSparseNamesStayInMemory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const events, names = 6_000, 4_000
	var sent []schema.Event
	for n := range events {
		e := event(hot, n, "")
		e.ID[14] = byte(n >> 8)
		e.Values = []schema.Value{{Name: fmt.Sprint("name ", n%names), Kind: schema.KindInt, Int: int64(n)}}
		sent = append(sent, e)
	}
	b.cfg.PassBytes = 16 << 20
	most := 0
	b.cfg.Events.Compacted = func(_ schema.Dataset, rows, _, _ int) { most = max(most, rows) }
	b.deliver(t, 0, 0, sent...)
	if err := b.compactor(t).Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if most > 2_100 { // two batches of 1,024 rows and as many names, at 8 bytes each
		t.Errorf("a commit of %d rows", most)
	}
	seen := map[int64]bool{}
	b.eachEvent(t, hot, func(e *schema.Event) {
		v := e.Values[0]
		seen[v.Int] = true
		if len(e.Values) != 1 || v.Name != fmt.Sprint("name ", v.Int%names) || e.Time != v.Int*1e6 {
			t.Errorf("event %+v", e)
		}
	})
	if len(seen) != events {
		t.Errorf("%d events, want %d", len(seen), events)
	}
}

// TestTroubleStaysWithItsDataset damages one tenant's manifest.
func TestTroubleStaysWithItsDataset(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deliver(t, 0, 0, event(hot, 1, "a"), event(cold, 1, "x"))
	if err := b.compactor(t).Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	const root = "lake/other/-/cold/0/root.json"
	good, _, err := objstore.Read(t.Context(), b.bucket, root)
	if err != nil {
		t.Fatal(err)
	}
	put := func(data []byte) {
		t.Helper()
		if _, err := b.bucket.Put(t.Context(), root, data); err != nil {
			t.Fatal(err)
		}
	}
	put([]byte("damaged"))
	b.deliver(t, 0, 2, event(hot, 2, "b"), event(cold, 2, "y"))
	if err := b.compactor(t).Compact(t.Context()); err == nil || !strings.Contains(fmt.Sprint(err), "cold") {
		t.Errorf("compact over a damaged manifest: %v", err)
	}
	b.want(t, hot, "a", "b")
	b.checkpoint(t, 0, 2)
	put(good)
	if err := b.compactor(t).Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.want(t, cold, "x", "y")
	b.checkpoint(t, 0, 4)
}

// TestLongArchivesDoNotWait has a quiet dataset hold up a shard.
func TestLongArchivesDoNotWait(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.cfg.MaxObjects, b.cfg.MinBytes, b.cfg.Interval = 3, 100, time.Millisecond
	b.deliver(t, 0, 0, event(cold, 1, "x"))
	for n := range 4 {
		b.deliver(t, 0, n+1, event(hot, n, fmt.Sprint(n)+strings.Repeat("-", 200)))
	}
	done := make(chan schema.Dataset, 10)
	b.cfg.Events.Compacted = func(ds schema.Dataset, _, _, _ int) { done <- ds }
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- b.compactor(t).Run(ctx) }()
	for <-done != cold {
	}
	stop()
	if err := <-ran; err != nil {
		t.Fatal(err)
	}
	b.want(t, cold, "x")
}

// tail counts what it is told of each dataset.
type tail struct {
	past map[schema.Dataset]sources.Watermarks
	fail error
}

func (l *tail) Trim(_ context.Context, ds schema.Dataset, past sources.Watermarks) error {
	l.past[ds] = past
	err := l.fail
	l.fail = nil
	return err
}

// TestTailIsTold has a process die after a commit and before the tail was
// trimmed, and the tail fail to.
func TestTailIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deliver(t, 0, 0, event(hot, 1, "a"), event(cold, 1, "x"))
	b.checkpoints.fail = errors.New("died")
	if err := b.compactor(t).Compact(t.Context()); err == nil {
		t.Fatal("nothing failed")
	}
	l := &tail{past: map[schema.Dataset]sources.Watermarks{}, fail: errors.New("a table is held")}
	b.cfg.Tail = l
	if err := b.compactor(t).Compact(t.Context()); err == nil {
		t.Error("the tail's error is lost")
	}
	b.checkpoint(t, 0, 2) // it does not hold up the rest
	for _, ds := range []schema.Dataset{hot, cold} {
		if got := l.past[ds][0].String(); got != "2" {
			t.Errorf("the tail was told that the lake holds %s up to %s, want 2", ds.Metric, got)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.cfg.MergeBytes = 1 << 40
	if _, err := compact.New(b.cfg); err == nil {
		t.Error("a merge of a terabyte was accepted")
	}
}
