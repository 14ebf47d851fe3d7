package kinesis

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// shardPrefix begins the names of shards; their number follows.
const shardPrefix = "shardId-"

func shardName(id stream.ShardID) string { return fmt.Sprintf("%s%012d", shardPrefix, uint64(id)) }

// ParseShardID gives the number of a shard by its name in Kinesis.
func ParseShardID(name string) (stream.ShardID, error) {
	digits, ok := strings.CutPrefix(name, shardPrefix)
	n, err := strconv.ParseUint(digits, 10, 64)
	if !ok || err != nil {
		return 0, fmt.Errorf("shard %q has no number", name)
	}
	return stream.ShardID(n), nil
}

// shard is a stream.Shard with what Kinesis says of it.
type shard struct {
	stream.Shard
	// from and to are its range of hash keys, of 128 bits.
	from, to stream.Sequence
}

// holds says that a hash key lies in the shard's range.
func (s *shard) holds(key stream.Sequence) bool {
	return s.from.Compare(key) <= 0 && key.Compare(s.to) <= 0
}

// listing is the list of shards as it was last read.
type listing struct {
	turn chan struct{} // held while the list is read

	mu     sync.Mutex
	shards []shard // never changed in place
	read   time.Time
}

// Shards implements stream.Log. The list may be as old as the configuration
// allows; a shard that was read to its end, or took an entry in place of another,
// has it read again.
func (s *Stream) Shards(ctx context.Context) ([]stream.Shard, error) {
	all, err := s.shards(ctx, s.cfg.ShardsAge)
	if err != nil {
		return nil, err
	}
	out := make([]stream.Shard, len(all))
	for i := range all {
		out[i] = all[i].Shard
	}
	return out, nil
}

// shards are those of a list that is no older than age.
func (s *Stream) shards(ctx context.Context, age time.Duration) ([]shard, error) {
	asked := time.Now()
	if shards, ok := s.listing.since(asked.Add(-age)); ok {
		return shards, nil
	}
	select {
	case s.listing.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-s.listing.turn }()
	// Whoever had the turn before may have read the list.
	if shards, ok := s.listing.since(asked.Add(-age)); ok {
		return shards, nil
	}
	began := time.Now()
	shards, err := s.listShards(ctx)
	if err != nil {
		return nil, fmt.Errorf("list shards of %s: %w", s.cfg.Stream, err)
	}
	s.listing.mu.Lock()
	defer s.listing.mu.Unlock()
	s.listing.shards, s.listing.read = shards, began
	return shards, nil
}

func (l *listing) since(t time.Time) ([]shard, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shards, l.shards != nil && !l.read.Before(t)
}

// forget has the list read again before it is used next.
func (l *listing) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read = time.Time{}
}

func (s *Stream) listShards(ctx context.Context) ([]shard, error) {
	in := &kinesis.ListShardsInput{StreamName: &s.cfg.Stream}
	var all []shard
	for {
		out, err := s.cfg.Client.ListShards(ctx, in)
		if err != nil {
			return nil, err
		}
		for i := range out.Shards {
			one, err := shardOf(&out.Shards[i])
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
		if out.NextToken == nil {
			break
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken}
	}
	slices.SortFunc(all, func(a, b shard) int { return int(a.ID) - int(b.ID) })
	return all, nil
}

func shardOf(in *types.Shard) (shard, error) {
	var out shard
	var err error
	if out.ID, err = ParseShardID(aws.ToString(in.ShardId)); err != nil {
		return out, err
	}
	for _, parent := range []*string{in.ParentShardId, in.AdjacentParentShardId} {
		if parent == nil {
			continue
		}
		id, err := ParseShardID(*parent)
		if err != nil {
			return out, err
		}
		out.Parents = append(out.Parents, id)
	}
	if out.from, err = stream.ParseSequence(aws.ToString(in.HashKeyRange.StartingHashKey)); err != nil {
		return out, err
	}
	if out.to, err = stream.ParseSequence(aws.ToString(in.HashKeyRange.EndingHashKey)); err != nil {
		return out, err
	}
	// A hash of 64 bits stands at the first hash key of those that begin with it.
	out.HashFrom, out.HashTo = out.from[1], out.to[1]
	if out.from[2] != 0 && out.HashFrom < math.MaxUint64 {
		out.HashFrom++
	}
	out.Open = in.SequenceNumberRange == nil || in.SequenceNumberRange.EndingSequenceNumber == nil
	return out, nil
}

// find gives a shard by number. ErrNoShard if there is none even in a new list.
func (s *Stream) find(ctx context.Context, id stream.ShardID) (shard, error) {
	for _, age := range []time.Duration{s.cfg.ShardsAge, 0} {
		all, err := s.shards(ctx, age)
		if err != nil {
			return shard{}, err
		}
		for i := range all {
			if all[i].ID == id {
				return all[i], nil
			}
		}
	}
	return shard{}, fmt.Errorf("%w: stream %s has none numbered %d", stream.ErrNoShard, s.cfg.Stream, id)
}
