package compact_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// log is what a Compactor sees of a log: shards, how far each reaches, and when
// it took its records.
type log struct {
	shards []stream.Shard

	mu    sync.Mutex
	puts  map[stream.ShardID][]put
	asked map[stream.ShardID]bool // whose ends were asked for; nil: nobody counts
}

// put is a run of records that a log took at one time.
type put struct {
	through uint64
	at      time.Time
}

// put notes that the log took the records up to a sequence at some time.
func (l *log) put(shard stream.ShardID, through uint64, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if through > l.tail(shard) {
		l.puts[shard] = append(l.puts[shard], put{through, now})
	}
}

func (l *log) tail(shard stream.ShardID) uint64 {
	if n := len(l.puts[shard]); n > 0 {
		return l.puts[shard][n-1].through
	}
	return 0
}

// arrival is when the log took a record.
func (l *log) arrival(shard stream.ShardID, seq uint64) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.puts[shard] {
		if seq <= p.through {
			return p.at
		}
	}
	return time.Time{}
}

func (l *log) Shards(context.Context) ([]stream.Shard, error) { return l.shards, nil }

func (l *log) Tail(_ context.Context, shard stream.ShardID, _ stream.Sequence) (stream.Sequence, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked != nil {
		l.asked[shard] = true
	}
	return stream.SequenceOf(l.tail(shard)), nil
}

func (l *log) Iterate(_ context.Context, shard stream.ShardID, start stream.Start) (stream.Iterator, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for seq := uint64(0); seq <= l.tail(shard); seq++ {
		if start == stream.After(stream.SequenceOf(seq)) {
			return &iterator{log: l, shard: shard, next: seq + 1}, nil
		}
	}
	return nil, stream.ErrTrimmed
}

// iterator gives records without data, one at a time.
type iterator struct {
	log   *log
	shard stream.ShardID
	next  uint64
}

func (i *iterator) Next(ctx context.Context, _, _ int) ([]stream.Record, error) {
	tail, err := i.log.Tail(ctx, i.shard, stream.Sequence{})
	if err != nil {
		return nil, err
	}
	if stream.SequenceOf(i.next).Compare(tail) > 0 {
		return nil, errors.New("the iterator waits")
	}
	r := stream.Record{Shard: i.shard, Seq: stream.SequenceOf(i.next), ArrivedAt: i.log.arrival(i.shard, i.next).UnixMicro()}
	i.next++
	return []stream.Record{r}, nil
}

func (i *iterator) Close() error { return nil }
