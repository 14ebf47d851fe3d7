package main

import (
	"context"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awskinesis "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
	"github.com/fieldgate/fieldgate/pipeline"
)

// inStorm has a server reach its stores through proxies at which many requests
// meet a fault.
func inStorm(t *testing.T, seed uint64, adjust func(*config.Config)) func(*config.Config) {
	t.Helper()
	var once sync.Once
	proxies := map[string]string{}
	return func(c *config.Config) {
		adjust(c)
		endpoints := []*string{&c.Stream.Endpoint, &c.Nearline.Endpoint, &c.KeyValue.Endpoint, &c.Objects.Endpoint}
		once.Do(func() {
			for i, e := range endpoints {
				if *e != "" && proxies[*e] == "" {
					proxies[*e] = faultproxy.Start(t, *e, faultproxy.Random(seed+uint64(i), faultproxy.Storm())).URL
				}
			}
		})
		for _, e := range endpoints {
			if *e != "" {
				*e = proxies[*e]
			}
		}
	}
}

// resharder splits and merges shards of a server's logs.
type resharder struct {
	client *awskinesis.Client
	prefix string
	random *rand.Rand
	// pause is that between two changes.
	pause time.Duration
	// changes counts what was done.
	changes int
}

func newResharder(t *testing.T, seed uint64, adjust func(*config.Config)) *resharder {
	t.Helper()
	c := config.Default()
	adjust(&c)
	access, err := stores.AWSConfig(t.Context(), c.Stream.Region, c.Stream.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return &resharder{client: awskinesis.NewFromConfig(access), prefix: c.Stream.Prefix, random: rand.New(rand.NewPCG(seed, 1)), pause: 200 * time.Millisecond}
}

// run changes a log after every pause, until ctx ends.
func (r *resharder) run(ctx context.Context) {
	tick := time.NewTicker(r.pause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		logs := []string{pipeline.LogRaw, pipeline.LogStaged, pipeline.LogErrors}
		// One that is being changed refuses.
		if r.change(ctx, r.prefix+"-"+logs[r.random.IntN(len(logs))]) == nil {
			r.changes++
		}
	}
}

// change splits an open shard of a stream in two, or merges two; there are one to
// four.
func (r *resharder) change(ctx context.Context, stream string) error {
	out, err := r.client.ListShards(ctx, &awskinesis.ListShardsInput{StreamName: &stream})
	if err != nil {
		return err
	}
	open := slices.DeleteFunc(out.Shards, func(s types.Shard) bool { return s.SequenceNumberRange.EndingSequenceNumber != nil })
	bound := func(text *string) *big.Int {
		n, _ := new(big.Int).SetString(aws.ToString(text), 10)
		return n
	}
	slices.SortFunc(open, func(a, b types.Shard) int {
		return bound(a.HashKeyRange.StartingHashKey).Cmp(bound(b.HashKeyRange.StartingHashKey))
	})
	if n := len(open); n > 1 && (n == 4 || r.random.IntN(2) == 0) {
		i := r.random.IntN(n - 1)
		_, err = r.client.MergeShards(ctx, &awskinesis.MergeShardsInput{
			StreamName: &stream, ShardToMerge: open[i].ShardId, AdjacentShardToMerge: open[i+1].ShardId,
		})
		return err
	}
	s := open[r.random.IntN(len(open))]
	middle := new(big.Int).Add(bound(s.HashKeyRange.StartingHashKey), bound(s.HashKeyRange.EndingHashKey))
	_, err = r.client.SplitShard(ctx, &awskinesis.SplitShardInput{
		StreamName: &stream, ShardToSplit: s.ShardId, NewStartingHashKey: aws.String(middle.Rsh(middle, 1).String()),
	})
	return err
}

// kinesisServer is one of the two local servers of Kinesis, as the seed says: each
// lacks something that the other has.
func kinesisServer(t *testing.T, seed uint64) string {
	t.Helper()
	if seed%2 == 0 {
		return testdeps.KinesisLocal(t)
	}
	return testdeps.Kinesalite(t)
}

// tortureFactor makes the tortures so many times as long (make torture).
func tortureFactor(t *testing.T) int {
	t.Helper()
	text := os.Getenv("FIELDGATE_TORTURE_FACTOR")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestKillOnAWS is TestKill with all stores on AWS, a storm of faults before each,
// and shards that are split and merged meanwhile.
func TestKillOnAWS(t *testing.T) {
	t.Parallel()
	seed, n := tortureSeed(t), tortureFactor(t)
	adjust := onAWSWith(t, kinesisServer(t, seed))
	r := newResharder(t, seed, adjust)
	k := torture{acked: 4_000 * n, batch: 50, rounds: 4 * n, adjust: inStorm(t, seed, adjust), meanwhile: r.run}
	k.run(t)
	t.Logf("%d splits and merges", r.changes)
}
