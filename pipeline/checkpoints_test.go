package pipeline_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/sources/bolt"
)

func openKV(t *testing.T) *bolt.DB {
	t.Helper()
	kv, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "kv")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kv.Close(); err != nil {
			t.Error(err)
		}
	})
	return kv
}

func TestCheckpoints(t *testing.T) {
	t.Parallel()
	kv := openKV(t)
	c := pipeline.NewCheckpoints(kv, "staged")
	load := func(c *pipeline.Checkpoints, consumer string, shard stream.ShardID) (string, bool) {
		t.Helper()
		seq, found, err := c.Load(t.Context(), consumer, shard)
		if err != nil {
			t.Fatal(err)
		}
		return seq.String(), found
	}
	save := func(seq stream.Sequence) {
		t.Helper()
		if err := c.Save(t.Context(), "raw", 7, seq); err != nil {
			t.Fatal(err)
		}
	}
	if seq, found := load(c, "raw", 7); found {
		t.Errorf("a checkpoint before the first save: %s", seq)
	}
	save(stream.Sequence{})
	if seq, found := load(c, "raw", 7); !found || seq != "0" {
		t.Errorf("checkpoint %s, %t, want 0", seq, found)
	}
	high := stream.Sequence{1, 2, 3}
	for _, seq := range []stream.Sequence{stream.SequenceOf(5), high, stream.SequenceOf(9)} {
		save(seq)
	}
	if seq, _ := load(pipeline.NewCheckpoints(kv, "staged"), "raw", 7); seq != high.String() {
		t.Errorf("checkpoint %s, want %s: it does not go back", seq, high)
	}
	for _, other := range []struct {
		log, consumer string
		shard         stream.ShardID
	}{{"raw", "raw", 7}, {"staged", "delivery", 7}, {"staged", "raw", 70}} {
		if _, found := load(pipeline.NewCheckpoints(kv, other.log), other.consumer, other.shard); found {
			t.Errorf("log %s, consumer %s, shard %d has the checkpoint of another", other.log, other.consumer, other.shard)
		}
	}
	item, err := kv.Get(t.Context(), "checkpoints/staged/raw/00000000000000000007")
	if err != nil || string(item.Value) != `{"format":1,"sequence":"`+high.String()+`"}` {
		t.Errorf("stored as %s, %v", item.Value, err)
	}
}

// TestCheckpointsOfFormat1 reads golden values: a key and a value a line.
func TestCheckpointsOfFormat1(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile(filepath.Join("testdata", "format1.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	kv := openKV(t)
	for line := range strings.Lines(string(golden)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if _, err := kv.Put(t.Context(), key, []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	c := pipeline.NewCheckpoints(kv, "staged")
	for _, want := range []struct {
		consumer string
		shard    stream.ShardID
		seq      stream.Sequence
	}{
		{"delivery", 7, stream.Sequence{1<<64 - 1, 1<<64 - 1, 1<<64 - 1}},
		{"compact", 0, stream.Sequence{}},
	} {
		if seq, found, err := c.Load(t.Context(), want.consumer, want.shard); err != nil || !found || seq != want.seq {
			t.Errorf("checkpoint of %s: %s, %t, %v, want %s", want.consumer, seq, found, err, want.seq)
		}
	}
}

func TestCheckpointsOfAnotherFormat(t *testing.T) {
	t.Parallel()
	kv := openKV(t)
	c := pipeline.NewCheckpoints(kv, "raw")
	for shard, value := range []string{`{"format":3,"sequence":"1"}`, `{"format":1,"sequence":"x"}`, `1`} {
		key := "checkpoints/raw/raw/0000000000000000000" + string(rune('0'+shard))
		if _, err := kv.Put(t.Context(), key, []byte(value), 0); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Load(t.Context(), "raw", stream.ShardID(shard)); err == nil {
			t.Errorf("%s was read", value)
		}
		if err := c.Save(t.Context(), "raw", stream.ShardID(shard), stream.SequenceOf(5)); err == nil {
			t.Errorf("%s was overwritten", value)
		}
	}
}

func TestCheckpointsOfManySavers(t *testing.T) {
	t.Parallel()
	c := pipeline.NewCheckpoints(openKV(t), "raw")
	var wg sync.WaitGroup
	for n := range uint64(8) {
		wg.Go(func() {
			for i := range uint64(10) {
				if err := c.Save(t.Context(), "raw", 0, stream.SequenceOf(10*i+n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if seq, _, err := c.Load(t.Context(), "raw", 0); err != nil || seq != stream.SequenceOf(97) {
		t.Errorf("checkpoint %s, %v, want the greatest, 97", seq, err)
	}
}

// TestAllCheckpoints holds that a listing has every shard of one consumer of one log,
// however many there are, and no others.
func TestAllCheckpoints(t *testing.T) {
	t.Parallel()
	kv := openKV(t)
	c := pipeline.NewCheckpoints(kv, "staged")
	save := func(c *pipeline.Checkpoints, consumer string, shard stream.ShardID, seq stream.Sequence) {
		t.Helper()
		if err := c.Save(t.Context(), consumer, shard, seq); err != nil {
			t.Fatal(err)
		}
	}
	const shards = 1_050 // more than a page of the listing
	for shard := range stream.ShardID(shards) {
		save(c, "delivery", shard, stream.SequenceOf(uint64(shard)))
	}
	save(c, "delivery", 7, stream.EndOfShard)
	save(c, "staging", 3, stream.SequenceOf(1_000_000))
	save(pipeline.NewCheckpoints(kv, "raw"), "delivery", shards, stream.SequenceOf(1))
	all, err := c.All(t.Context(), "delivery")
	if err != nil || len(all) != shards {
		t.Fatalf("%d checkpoints, %v, want %d", len(all), err, shards)
	}
	for shard, seq := range all {
		want := stream.SequenceOf(uint64(shard))
		if shard == 7 {
			want = stream.EndOfShard
		}
		if seq != want {
			t.Errorf("shard %d is at %s, want %s", shard, seq, want)
		}
	}
}
