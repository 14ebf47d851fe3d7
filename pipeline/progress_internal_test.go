package pipeline

import (
	"context"
	"maps"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// closedLog is a log of one open shard and closed ones, of which nobody may look
// for the end. When the end of shard 1 was asked for, that turned out to be split.
type closedLog struct {
	stream.Log
	split bool
}

func (l *closedLog) Shards(context.Context) ([]stream.Shard, error) {
	shards := []stream.Shard{{ID: 0}, {ID: 1, Parents: []stream.ShardID{0}, Open: !l.split}}
	if l.split {
		shards = append(shards, stream.Shard{ID: 2, Parents: []stream.ShardID{1}, Open: true})
	}
	return shards, nil
}

func (l *closedLog) Tail(_ context.Context, shard stream.ShardID, known stream.Sequence) (stream.Sequence, error) {
	if shard == 0 {
		return stream.Sequence{}, stream.ErrNoShard
	}
	l.split = true
	known[2] += uint64(shard)
	return known, nil
}

// TestEndsOf: what is asked of a log to know where it ends.
func TestEndsOf(t *testing.T) {
	t.Parallel()
	seen := func(context.Context, stream.ShardID) (stream.Sequence, error) { return stream.SequenceOf(100), nil }
	got, err := endsOf(t.Context(), &closedLog{}, seen)
	want := ends{0: stream.EndOfShard, 1: stream.SequenceOf(101), 2: stream.SequenceOf(102)}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("ends %v, %v; want %v", got, err, want)
	}
}
