package pipeline_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// TestStagesPauseForRequests has requests under way, for ever: stages go on, but
// not in one go, and at once when there are none.
func TestStagesPauseForRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, t.TempDir())
		var requests, asked atomic.Int64
		yield := pipeline.NewYield(func() bool {
			asked.Add(1)
			return requests.Load() > 0
		})
		h.rawConfig.Yield, h.stagingConfig.Yield, h.deliveryConfig.Yield = yield, yield, yield
		stop := h.run(t)
		passes := func(receipt string) time.Duration {
			t.Helper()
			begin := time.Now()
			h.post(t, receipt, `{"n":1}`, `{"n":2}`)
			h.archived(t)
			return time.Since(begin)
		}
		idle := passes("r1")
		if asked.Load() < 3 {
			t.Errorf("%d times was it asked for requests; each stage should", asked.Load())
		}
		requests.Store(1)
		if busy := passes("r2"); busy <= idle || busy > idle+time.Second {
			t.Errorf("events passed in %v while requests were under way, in %v before", busy, idle)
		}
		requests.Store(0)
		if again := passes("r3"); again != idle {
			t.Errorf("events passed in %v when requests were done, in %v before", again, idle)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		h.close(t)
	})
}

func TestStagingCovers(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	stop := h.run(t)
	h.post(t, "r1", `{"n":1}`)
	h.visible(t)
	covered := false
	for shard := range stream.ShardID(shards) {
		tail, err := h.staged.Tail(t.Context(), shard, stream.Sequence{})
		if err != nil {
			t.Fatal(err)
		}
		// A shard without records may not have been begun yet.
		if !tail.IsZero() && !h.drain.Staging.Covers(pipeline.LogStaged, shard, stream.Sequence{}, tail) {
			t.Errorf("shard %d is not covered up to %s", shard, tail)
		}
		beyond := stream.SequenceOf(tail[2] + 1)
		if h.drain.Staging.Covers(pipeline.LogStaged, shard, stream.Sequence{}, beyond) {
			t.Errorf("shard %d is covered up to %s, which is not there", shard, beyond)
		}
		covered = covered || !tail.IsZero()
		if err := h.checkpoints(pipeline.LogStaged).Save(t.Context(), compaction, shard, tail); err != nil {
			t.Fatal(err)
		}
	}
	if !covered {
		t.Error("nothing was staged")
	}
	h = h.restart(t, stop)
	stop = h.run(t)
	h.post(t, "r2", `{"n":2}`)
	h.visible(t)
	for shard := range stream.ShardID(shards) {
		tail, err := h.staged.Tail(t.Context(), shard, stream.Sequence{})
		if err != nil {
			t.Fatal(err)
		}
		if !tail.IsZero() && h.drain.Staging.Covers(pipeline.LogStaged, shard, stream.Sequence{}, tail) && tail != stream.SequenceOf(1) {
			t.Errorf("shard %d is covered from the start on by a run that began after a checkpoint", shard)
		}
	}
	if h.drain.Staging.Covers(pipeline.LogErrors, 0, stream.Sequence{}, stream.SequenceOf(1)) {
		t.Error("an error log without records is covered")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	h.close(t)
}
