package compact_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/compact"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// letters are events of one dataset whose texts are consecutive letters, the
// record after 'a' standing at 2.
func letters(after, through int) []schema.Event {
	var events []schema.Event
	for n := after; n < through; n++ {
		events = append(events, event(hot, n+1, string(rune('a'+n))))
	}
	return events
}

// compacted runs a forced pass that may find the archive incomplete.
func (b *bundle) compacted(t *testing.T, c *compact.Compactor) {
	t.Helper()
	if err := c.Compact(t.Context()); err != nil && !errors.Is(err, compact.ErrIncomplete) {
		t.Fatal(err)
	}
}

// TestTwoDeliveryWorkers has two workers archive one shard, of which one stalls:
// its objects overlap the other's and come late.
func TestTwoDeliveryWorkers(t *testing.T) {
	t.Parallel()
	type delivery struct {
		after, through int
		// hours later than the one before
		later int
		// compact runs a pass before the delivery
		compact bool
	}
	tests := []struct {
		name       string
		deliveries []delivery
		through    int
	}{
		{"the stalled one is behind", []delivery{{0, 3, 0, false}, {3, 6, 0, false}, {0, 5, 0, true}}, 6},
		{"it overlaps the end", []delivery{{0, 3, 0, false}, {3, 6, 0, false}, {2, 8, 0, true}}, 8},
		{"it begins before and ends after", []delivery{{2, 4, 0, false}, {0, 2, 0, false}, {0, 9, 0, true}}, 9},
		{"it comes before any pass", []delivery{{0, 3, 0, false}, {0, 9, 0, false}, {3, 6, 0, false}, {9, 10, 0, false}}, 10},
		{"it is of an earlier hour", []delivery{{0, 2, 0, false}, {2, 4, 3, false}, {4, 6, 1, false}, {0, 9, 0, true}, {9, 11, 1, false}}, 11},
		{"it is of an earlier hour, and the last", []delivery{{0, 2, 0, false}, {2, 4, 3, false}, {4, 6, 1, false}, {0, 9, 0, true}}, 9},
		{"the same again after the checkpoint", []delivery{{0, 4, 0, false}, {0, 4, 5, true}, {4, 5, 5, true}}, 5},
	}
	for _, test := range tests {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restart %v", test.name, restart), func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				b.cfg.Deliver = func(context.Context) error { return nil }
				c := b.compactor(t)
				for _, d := range test.deliveries {
					if d.compact {
						b.compacted(t, c)
					}
					if restart {
						c = b.compactor(t)
					}
					b.now = b.now.Add(time.Duration(d.later) * time.Hour)
					b.deliver(t, 0, d.after, letters(d.after, d.through)...)
				}
				if err := c.Compact(t.Context()); err != nil {
					t.Fatal(err)
				}
				var want []string
				for _, e := range letters(0, test.through) {
					want = append(want, string(e.Values[0].Text))
				}
				b.want(t, hot, want...)
				b.checkpoint(t, 0, uint64(test.through))
				if len(b.conflicts) > 0 {
					t.Errorf("conflicts %v", b.conflicts)
				}
			})
		}
	}
}

func TestForcedRunIsHonest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deliver(t, 0, 0, event(hot, 1, "a"))
	b.cfg.Deliver = func(context.Context) error { return nil }
	b.log.put(0, 2, b.now) // a record that nobody delivers
	if err := b.compactor(t).Compact(t.Context()); !errors.Is(err, compact.ErrIncomplete) {
		t.Errorf("compact: %v, want ErrIncomplete", err)
	}
	b.want(t, hot, "a")
}

// TestListingsStayShort compacts for two days while one shard is idle, across a
// restart.
func TestListingsStayShort(t *testing.T) {
	t.Parallel()
	b := setup(t)
	faults := &faultyBucket{Bucket: b.bucket}
	b.cfg.Bucket = faults
	b.deliver(t, 1, 0, event(hot, 100, "idle"))
	c := b.compactor(t)
	want := []string{"idle"}
	for n := range 48 {
		b.now = b.now.Add(time.Hour)
		text := fmt.Sprintf("%02d", n)
		b.deliver(t, 0, n, event(hot, n, text))
		want = append(want, text)
		if n == 30 {
			c = b.compactor(t)
		}
		faults.listed = 0
		if err := c.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		if faults.listed > 10 {
			t.Errorf("in hour %d a listing gave %d keys", n, faults.listed)
		}
	}
	slices.Sort(want)
	b.want(t, hot, want...)
}

// TestRestartListsWhatIsNew starts over a year's archive, all of it compacted but
// for the last objects: a start lists these, not the year.
func TestRestartListsWhatIsNew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	faults := &faultyBucket{Bucket: b.bucket}
	b.cfg.Bucket = faults
	const days = 365
	for n := range days {
		for shard := range stream.ShardID(2) {
			b.deliver(t, shard, n, event(hot, n, "old"))
		}
		b.now = b.now.Add(24 * time.Hour)
	}
	for shard := range stream.ShardID(2) {
		b.checkpoints.seqs[shard] = stream.SequenceOf(days)
	}
	start := func(what string, want ...string) {
		t.Helper()
		faults.listed = 0
		if err := b.compactor(t).Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		if faults.listed > 5 {
			t.Errorf("%s: a start lists %d keys", what, faults.listed)
		}
		b.want(t, hot, want...)
	}
	start("nothing is new")
	b.deliver(t, 0, days, event(hot, 1, "a"), event(hot, 2, "b"))
	b.now = b.now.Add(30 * time.Hour)
	b.deliver(t, 0, days+2, event(hot, 3, "c"))
	start("one shard has news", "a", "b", "c")
	start("again", "a", "b", "c")
}

// TestParentsFirst has the copies of an event in a shard and in one it was split
// into: the one in the parent came first.
func TestParentsFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.log.shards = []stream.Shard{{ID: 1, Parents: []stream.ShardID{7}, Open: true}, {ID: 7}}
	b.log.put(7, 2, b.now)
	b.deliver(t, 1, 0, event(hot, 1, "later"))
	b.deliver(t, 7, 0, event(hot, 2, "b"))
	c := b.compactor(t)
	if err := c.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.want(t, hot, "b") // the parent lacks a record yet
	b.deliver(t, 7, 1, event(hot, 1, "first"))
	if err := c.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.want(t, hot, "b", "first")
	if want := []string{"later at 1/1/0"}; !slices.Equal(b.conflicts, want) {
		t.Errorf("conflicts %v, want %v", b.conflicts, want)
	}
	// Nobody looks at a closed shard again that is done with.
	if at := b.checkpoints.seqs[7]; at != stream.EndOfShard {
		t.Errorf("checkpoint of the parent is %s, want the end of the shard", at)
	}
	b.log.asked = map[stream.ShardID]bool{}
	if err := b.compactor(t).Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.log.asked[7] || !b.log.asked[1] {
		t.Errorf("the ends of shards %v were asked for, want 1 alone", b.log.asked)
	}
}
