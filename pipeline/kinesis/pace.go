package kinesis

import (
	"context"
	"sync"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// pacer spaces reads of shards.
type pacer struct {
	every time.Duration // between two reads of a shard
	burst time.Duration // as many reads as take so long may come at once

	mu sync.Mutex
	// slots are when the next read is due if reads keep their distance.
	slots map[stream.ShardID]time.Time
}

// newPacer has a shard be read so often a second.
func newPacer(reads float64, burst time.Duration) *pacer {
	return &pacer{every: time.Duration(float64(time.Second) / reads), burst: burst, slots: map[stream.ShardID]time.Time{}}
}

// wait waits until a shard may be read again.
func (p *pacer) wait(ctx context.Context, id stream.ShardID) error {
	now := time.Now()
	p.mu.Lock()
	due := p.slots[id]
	if earliest := now.Add(-p.burst); due.Before(earliest) {
		due = earliest
	}
	due = due.Add(p.every)
	p.slots[id] = due
	p.mu.Unlock()
	if !due.After(now) {
		return ctx.Err()
	}
	return sleep(ctx, due.Sub(now))
}

// slowBurst is how many reads of a slow iterator may come at once: where a caller
// wants what there is, it is mostly read by one, or by the next.
const slowBurst = 3

// Slow is a stream as a consumer reads it whom nobody waits for.
type Slow struct {
	*Stream
	pace *pacer
}

var _ stream.Log = (*Slow)(nil)

// Slow gives the stream for a consumer that may take its time: its iterators read a
// shard so often a second, whatever is put meanwhile. Kinesis allows all consumers of
// a shard few reads together, so what one does not take others may. These reads are
// not of Config.Reads.
func (s *Stream) Slow(reads float64) *Slow {
	p := newPacer(reads, 0)
	p.burst = slowBurst * p.every
	return &Slow{Stream: s, pace: p}
}

// Iterate implements stream.Log. A Next that waits reads at once when its context
// has ended and the next one comes.
func (s *Slow) Iterate(ctx context.Context, id stream.ShardID, start stream.Start) (stream.Iterator, error) {
	return s.iterate(ctx, id, &iterator{start: start, pace: s.pace, poll: s.pace.every, slow: true})
}
