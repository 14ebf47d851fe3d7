package stream_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/sources/vfs/vfstest"
)

// checkpoints keeps checkpoints in memory, as the key-value store will on disk.
type checkpoints struct {
	stream.Checkpoints // retention lists none

	mu  sync.Mutex
	at  map[string]stream.Sequence
	err error
}

func (c *checkpoints) Load(_ context.Context, consumer string, shard stream.ShardID) (stream.Sequence, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seq, ok := c.at[fmt.Sprint(consumer, shard)]
	return seq, ok, c.err
}

func (c *checkpoints) Save(_ context.Context, consumer string, shard stream.ShardID, seq stream.Sequence) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at == nil {
		c.at = map[string]stream.Sequence{}
	}
	c.at[fmt.Sprint(consumer, shard)] = seq
	return c.err
}

func TestRetentionFreesWhatAllConsumersPassed(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 1)
	now := time.UnixMicro(0).Add(time.Hour)
	clock := func() time.Time { return now }
	d := open(t, fsys, func(cfg *stream.DiskConfig) { cfg.SegmentBytes, cfg.Now = 100, clock })
	for i := range 20 { // each in its own segment, a minute apart
		put(t, d, fmt.Sprintf("a record of some length %d", i))
		now = now.Add(time.Minute)
	}
	c := &checkpoints{}
	r, err := stream.NewRetention(stream.RetentionConfig{
		Log: d, Checkpoints: c, Consumers: []string{"fast", "slow"}, MinAge: 10*time.Minute - time.Second, Now: clock,
	})
	must(t, err)
	step := func(name string, want uint64) {
		t.Helper()
		must(t, r.Sweep(t.Context()))
		if oldest, err := d.Oldest(t.Context(), 0); err != nil || oldest != stream.SequenceOf(want) {
			t.Fatalf("%s: oldest %s, %v, want %d", name, oldest, err, want)
		}
	}
	step("no checkpoints", 1)
	must(t, c.Save(t.Context(), "fast", 0, stream.SequenceOf(20)))
	step("one has none", 1)
	must(t, c.Save(t.Context(), "slow", 0, stream.SequenceOf(5)))
	step("the slowest is at 5", 6)
	must(t, c.Save(t.Context(), "slow", 0, stream.SequenceOf(20)))
	step("all have passed, but the youngest stay", 12)
	now = now.Add(time.Hour)
	step("an hour later, all but the segment that is written to", 20)

	c.mu.Lock()
	c.err = errors.New("store is away")
	c.mu.Unlock()
	if err := r.Sweep(t.Context()); !errors.Is(err, c.err) {
		t.Fatalf("sweep: %v, want the checkpoints' error", err)
	}
	must(t, d.Close())
}

func TestRetentionRunsEachInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, err := stream.OpenDisk(stream.DiskConfig{Dir: filepath.Join(t.TempDir(), "log"), Shards: 1, SegmentBytes: 100})
		must(t, err)
		for i := range 10 {
			put(t, d, fmt.Sprintf("a record of some length %d", i))
		}
		c := &checkpoints{}
		r, err := stream.NewRetention(stream.RetentionConfig{
			Log: d, Checkpoints: c, Consumers: []string{"only"}, Interval: time.Minute,
		})
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := r.Run(ctx); err != nil {
				t.Errorf("run: %v", err)
			}
		})
		for _, through := range []uint64{3, 7} {
			must(t, c.Save(t.Context(), "only", 0, stream.SequenceOf(through)))
			<-time.After(time.Minute)
			synctest.Wait()
			if oldest, err := d.Oldest(t.Context(), 0); err != nil || oldest != stream.SequenceOf(through+1) {
				t.Errorf("oldest %s, %v, want %d", oldest, err, through+1)
			}
		}
		cancel()
		wg.Wait()
		must(t, d.Close())
	})
}

func TestRetentionConfig(t *testing.T) {
	t.Parallel()
	good := stream.RetentionConfig{Log: &stream.Disk{}, Checkpoints: &checkpoints{}, Consumers: []string{"a"}}
	if _, err := stream.NewRetention(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(c *stream.RetentionConfig){
		"no log":            func(c *stream.RetentionConfig) { c.Log = nil },
		"no checkpoints":    func(c *stream.RetentionConfig) { c.Checkpoints = nil },
		"no consumers":      func(c *stream.RetentionConfig) { c.Consumers = nil },
		"negative age":      func(c *stream.RetentionConfig) { c.MinAge = -1 },
		"negative interval": func(c *stream.RetentionConfig) { c.Interval = -1 },
	} {
		bad := good
		change(&bad)
		if _, err := stream.NewRetention(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
