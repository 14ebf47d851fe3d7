package nearline_test

import (
	"context"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/nearline"
)

// TestHeld asks for ranges of rows that lie in batches, sealed and open, of two
// shards, that were sent twice, and of which some were let go.
func TestHeld(t *testing.T) {
	t.Parallel()
	ds := dataset("thermo")
	tail := newTail(t, nearline.Config{BatchRows: 1024, MemoryBytes: 1 << 30, HighWaterBytes: 1})
	wants := func(what string, shard stream.ShardID, after, through, first, n uint64) []sources.BatchSplit {
		t.Helper()
		want := first
		held := tail.Held(ds, shard, stream.SequenceOf(after), stream.SequenceOf(through))
		for _, split := range held {
			for _, r := range split.Select {
				if at := split.Batch.Positions[r]; at.Shard != shard || at.Seq != stream.SequenceOf(want) {
					t.Errorf("%s: row at %s, want %d", what, at, want)
				}
				want++
			}
		}
		if want != first+n {
			t.Errorf("%s: %d rows, want %d", what, want-first, n)
		}
		return held
	}
	wants("nothing was written", 0, 0, 10, 1, 0)
	write(t, tail, run(ds, 0, 1, 600, "a"))
	write(t, tail, run(ds, 1, 1, 300, "a"))
	write(t, tail, run(ds, 0, 601, 600, "b"))
	write(t, tail, run(ds, 0, 1, 50, "a")) // copies
	wants("all of a shard", 0, 0, 1200, 1, 1200)
	wants("a range that batches cut", 0, 10, 1100, 11, 1090)
	wants("another shard", 2, 0, 1200, 1, 0)
	held := wants("the other shard", 1, 100, 1200, 101, 200)
	trim(t, tail, ds, through(0, 1100))
	wants("past what was let go", 0, 1100, 1200, 1101, 100)
	write(t, tail, run(ds, 0, 1201, 1024, "a"))
	if id := held[0].Batch.Positions[held[0].Select[0]]; id.Shard != 1 {
		t.Error("a batch changed after it was given")
	}
}

// TestHeldWhileWritten reads what is held of an open batch while it grows.
func TestHeldWhileWritten(t *testing.T) {
	t.Parallel()
	ds := dataset("thermo")
	tail := newTail(t, nearline.Config{})
	const n = 5000
	written := make(chan uint64, n)
	failed := make(chan error, 1)
	go func() {
		defer close(written)
		for seq := uint64(1); seq <= n; seq++ {
			if _, err := tail.Write(context.WithoutCancel(t.Context()), run(ds, 0, seq, 1, "a", "b")); err != nil {
				failed <- err
				return
			}
			written <- seq
		}
	}()
	for seq := range written {
		if seq%97 != 0 {
			continue
		}
		held := tail.Held(ds, 0, stream.SequenceOf(seq-97), stream.SequenceOf(seq))
		rows := 0
		for _, split := range held {
			for _, r := range split.Select {
				if e := split.Batch.Event(int(r), ds); e.Values[1].Int != e.Time {
					t.Fatalf("row %d has the values of another", e.Time)
				}
				rows++
			}
		}
		if rows != 97 {
			t.Fatalf("%d rows up to %d, want 97", rows, seq)
		}
	}
	select {
	case err := <-failed:
		t.Fatal(err)
	default:
	}
}
