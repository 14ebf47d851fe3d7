package compact_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// TestPressedPassesTakeWhatIsInMemory: a pass under pressure takes of an object what
// memory has come to, and reads none. A shard waits for the rest of its parent's.
func TestPressedPassesTakeWhatIsInMemory(t *testing.T) {
	t.Parallel()
	const parent, child = 7, 1
	b := setup(t)
	bucket := &readingBucket{Bucket: b.bucket}
	b.cfg.Bucket = bucket
	b.log.shards = []stream.Shard{{ID: child, Parents: []stream.ShardID{parent}, Open: true}, {ID: parent}}
	m := newMemory(t, map[stream.ShardID]stream.Sequence{parent: {}, child: {}})
	pressure, compacted := make(chan struct{}), make(chan int, 10)
	b.cfg.Tail, b.cfg.Held, b.cfg.Pressure, b.cfg.Interval = m, m.held, pressure, time.Hour
	reached := make(chan map[stream.ShardID]uint64, 1)
	b.cfg.Reached = func(shard stream.ShardID) stream.Sequence {
		now := <-reached
		defer func() { reached <- now }()
		return stream.SequenceOf(now[shard])
	}
	b.cfg.Events.Compacted = func(_ schema.Dataset, rows, _, _ int) { compacted <- rows }
	big := strings.Repeat("x", 128<<10) // a reader asks for less at once
	events := []schema.Event{event(hot, 1, "a"), event(hot, 2, "b"+big), event(hot, 3, "c"), event(hot, 4, "d")}
	later := []schema.Event{event(hot, 5, "e"+big)}
	b.deliver(t, parent, 0, events...)
	b.deliver(t, child, 0, later...)
	conflict := func(text string) { t.Errorf("%s is a conflict", text) }
	m.write(t, child, later, conflict)

	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	c := b.compactor(t)
	go func() { done <- c.Run(ctx) }()
	for _, step := range []struct {
		of, rows int // of the parent's events memory has so many
		want     string
	}{{2, 2, "a b"}, {3, 1, "a b c"}, {4, 2, "a b c d e"}} {
		m.write(t, parent, events[:step.of], conflict)
		reached <- map[stream.ShardID]uint64{parent: uint64(step.of), child: 1}
		pressure <- struct{}{}
		if rows := <-compacted; rows != step.rows {
			t.Errorf("%d rows were compacted when memory had %d of the parent's, want %d", rows, step.of, step.rows)
		}
		<-reached // a pass asks before it compacts
		got := strings.ReplaceAll(strings.Join(b.texts(t, hot), " "), big, "")
		if got != step.want {
			t.Errorf("the lake has %s, want %s", got, step.want)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if bucket.read > 0 {
		t.Errorf("%d archive objects were read", bucket.read)
	}
	if got := fmt.Sprint(b.checkpoints.seqs[parent] == stream.EndOfShard, b.checkpoints.seqs[child]); got != "true 1" {
		t.Errorf("the parent is done with, and the checkpoint of the child: %s", got)
	}
}
