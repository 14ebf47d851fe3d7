package kinesis_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awskinesis "github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/fieldgate/fieldgate/pipeline/kinesis"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// put puts a text at a hash.
func put(t *testing.T, s *kinesis.Stream, hash uint64, text string) stream.Placed {
	t.Helper()
	placed, err := s.Put(t.Context(), []stream.Entry{{Hash: hash, Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return placed[0]
}

// readToEnd reads a closed shard.
func readToEnd(t *testing.T, s *kinesis.Stream, id stream.ShardID) []string {
	t.Helper()
	it, err := s.Iterate(t.Context(), id, stream.After(stream.Sequence{}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = it.Close() }()
	var all []string
	for {
		records, err := it.Next(t.Context(), 10, math.MaxInt)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			all = append(all, string(r.Data))
		}
	}
}

// TestReshard splits a shard and merges the halves, with a writer that does not
// know. Every entry is in a shard that its hash belongs to, once, and every shard
// is read to its end.
func TestReshard(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, url string) {
		c := newClient(t, url)
		s := newStream(t, url, 1, func(c *kinesis.Config) { c.ShardsAge = time.Hour })
		name := s.Name()
		const low, high = uint64(1), uint64(math.MaxUint64)
		// both puts two entries that are of one shard for all that the writer knows.
		both := func(text string) []stream.Placed {
			placed, err := s.Put(t.Context(), []stream.Entry{{Hash: low, Data: []byte("low " + text)}, {Hash: high, Data: []byte("high " + text)}})
			if err != nil {
				t.Fatal(err)
			}
			return placed
		}
		both("whole")
		_, err := c.SplitShard(t.Context(), &awskinesis.SplitShardInput{
			StreamName: &name, ShardToSplit: aws.String("shardId-000000000000"),
			NewStartingHashKey: aws.String("170141183460469231731687303715884105728"),
		})
		if err != nil {
			t.Fatal(err)
		}
		untilActive(t, c, name)
		placed := both("split")
		if placed[0].Shard != 1 || placed[1].Shard != 2 {
			t.Errorf("after the split the entries went to %+v", placed)
		}
		_, err = c.MergeShards(t.Context(), &awskinesis.MergeShardsInput{
			StreamName: &name, ShardToMerge: aws.String("shardId-000000000001"), AdjacentShardToMerge: aws.String("shardId-000000000002"),
		})
		if err != nil {
			t.Fatal(err)
		}
		untilActive(t, c, name)
		placed = both("merged")
		if placed[0].Shard != 3 || placed[1].Shard != 3 {
			t.Errorf("after the merge the entries went to %+v", placed)
		}
		for id, want := range [][]string{{"low whole", "high whole"}, {"low split"}, {"high split"}} {
			if got := readToEnd(t, s, stream.ShardID(id)); !slices.Equal(got, want) {
				t.Errorf("shard %d has %q, want %q", id, got, want)
			}
		}
		shards, err := s.Shards(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var seen []string
		for _, sh := range shards {
			slices.Sort(sh.Parents)
			seen = append(seen, fmt.Sprint(sh.ID, sh.Parents, sh.Open))
		}
		if want := []string{"0 [] false", "1 [0] false", "2 [0] false", "3 [1 2] true"}; !slices.Equal(seen, want) {
			t.Errorf("shards: %q, want %q", seen, want)
		}
		if it, err := s.Iterate(t.Context(), 0, stream.After(stream.EndOfShard)); err != nil {
			t.Error(err)
		} else if _, err := it.Next(t.Context(), 1, 1); !errors.Is(err, io.EOF) {
			t.Errorf("behind the end of a closed shard: %v", err)
		}
		if _, err := s.Iterate(t.Context(), 3, stream.After(stream.EndOfShard)); !errors.Is(err, stream.ErrBeyondTail) {
			t.Errorf("behind the end of an open shard: %v", err)
		}
	})
}

// TestOrderOverSplit puts more than one record of entries of several hashes into a
// shard that was split without the writer's knowledge: every hash's entries lie in
// one child, in the order in which they were put.
func TestOrderOverSplit(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, url string) {
		s := newStream(t, url, 2, func(c *kinesis.Config) { c.ShardsAge = time.Hour })
		put(t, s, 0, "the shards are known")
		c := newClient(t, url)
		_, err := c.SplitShard(t.Context(), &awskinesis.SplitShardInput{
			StreamName: aws.String(s.Name()), ShardToSplit: aws.String("shardId-000000000000"),
			NewStartingHashKey: aws.String("85070591730234615865843651857942052864"),
		})
		if err != nil {
			t.Fatal(err)
		}
		untilActive(t, c, s.Name())
		// Half of the hashes are of the shard that was split. Its records, of 64 entries,
		// begin with each of them in turn, and so go to either child.
		const hashes, each = 8, 160
		var entries []stream.Entry
		var of []uint64
		for n := range each {
			for i := range hashes {
				h := uint64(i+n/16) % hashes
				of = append(of, h)
				entries = append(entries, stream.Entry{Hash: h << 61, Data: fmt.Appendf(nil, "%d %d", h, n)})
			}
		}
		placed, err := s.Put(t.Context(), entries)
		if err != nil {
			t.Fatal(err)
		}
		var last [hashes]stream.Sequence
		for i, p := range placed {
			h := of[i]
			if want := []stream.ShardID{2, 2, 3, 3, 1, 1, 1, 1}[h]; p.Shard != want {
				t.Fatalf("entry %s went to shard %d, want %d", entries[i].Data, p.Shard, want)
			}
			if p.Seq.Compare(last[h]) <= 0 {
				t.Errorf("entry %s lies before an earlier one", entries[i].Data)
			}
			last[h] = p.Seq
		}
	})
}
