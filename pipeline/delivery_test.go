package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// objects lists the keys of an archive.
func (h *house) objects(t *testing.T, archive string) []record.Object {
	t.Helper()
	infos, err := h.bucket.List(t.Context(), record.ArchivePrefix(archive), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	var out []record.Object
	for _, info := range infos {
		o, err := record.ParseObjectKey(info.Key)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, o)
	}
	return out
}

func TestObjectsEndByAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, t.TempDir())
		stop := h.run(t)
		begin := time.Now()
		h.post(t, "r1", `{"n":1}`)
		<-time.After(20 * time.Second)
		h.post(t, "r2", `{"n":2}`)
		<-time.After(9 * time.Second)
		synctest.Wait()
		if got := h.objects(t, pipeline.LogRaw); len(got) != 0 {
			t.Errorf("after 29 s there are objects: %v", got)
		}
		<-time.After(2 * time.Second)
		synctest.Wait()
		// The two requests may lie in two shards, and then in two objects.
		records := func() (n uint64) {
			for _, o := range h.objects(t, pipeline.LogRaw) {
				n += o.Through[2] - o.After[2]
				if want := begin.UTC().Truncate(time.Hour); o.Hour != want {
					t.Errorf("object of hour %s, want %s", o.Hour, want)
				}
			}
			return n
		}
		if n := records(); n == 0 {
			t.Error("after 31 s nothing is archived")
		}
		<-time.After(30 * time.Second)
		synctest.Wait()
		if n := records(); n != 2 {
			t.Errorf("after a minute %d records are archived, want 2", n)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		h.close(t)
	})
}

func TestObjectsEndBySize(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	h.deliveryConfig.FlushBytes = 2000
	h.run(t)
	var want []string
	for n := range 40 {
		e := fmt.Sprintf(`{"n":%d,"text":"%0300d"}`, 100+n, n)
		h.post(t, fmt.Sprint("r", n), e)
		h.visible(t)
		want = append(want, e)
	}
	if got := h.objects(t, pipeline.LogStaged); len(got) < 4 {
		t.Errorf("13 kB in pieces of 2 kB lie in %d objects", len(got))
	}
	h.archived(t)
	equal(t, "archive", h.archivedRows(t, pipeline.LogStaged, h.staged), want...)
}

func TestFlushWithNothingToDo(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	h.run(t)
	for range 2 {
		if err := h.drain.Delivery.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.objects(t, pipeline.LogStaged); len(got) != 0 {
		t.Errorf("an empty log has objects: %v", got)
	}
	h.post(t, "r", `{"n":1}`)
	h.archived(t)
	h.archived(t)
	if got := h.objects(t, pipeline.LogStaged); len(got) != 1 {
		t.Errorf("one record lies in %d objects: %v", len(got), got)
	}
}

func TestRawArchiveHasTheBytes(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	h.run(t)
	h.post(t, "r", `{ "n" : 1.0 }`, `{"_x" :2}`)
	if err := h.drain.Delivery.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	infos, err := h.bucket.List(t.Context(), record.ArchivePrefix(pipeline.LogRaw), "", 10)
	if err != nil || len(infos) != 1 {
		t.Fatalf("objects: %v, %v, want one", infos, err)
	}
	body, _, err := h.bucket.Get(t.Context(), infos[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	r, err := record.NewRawReader(io.Reader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, _, raw, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "events", []string{string(raw.Events[0]), string(raw.Events[1]), raw.Receipt, raw.Tenant}, `{ "n" : 1.0 }`, `{"_x" :2}`, "r", tenant)
}

// fullBucket has no room for a while.
type fullBucket struct {
	objstore.Bucket
	left atomic.Int32
}

func (b *fullBucket) PutIf(ctx context.Context, key string, data []byte, match objstore.ETag) (objstore.ETag, error) {
	if b.left.Add(-1) >= 0 {
		return "", fmt.Errorf("write object: %w", syscall.ENOSPC)
	}
	return b.Bucket.PutIf(ctx, key, data, match)
}

func TestFullDiskIsWaitedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, t.TempDir())
		full := &fullBucket{Bucket: h.bucket}
		full.left.Store(1000)
		h.deliveryConfig.Bucket = full
		var longest atomic.Int64
		h.deliveryConfig.Events.Standing = func(i pipeline.StandingInfo) {
			longest.Store(max(longest.Load(), int64(i.Pause)))
		}
		stop := h.run(t)
		begin := time.Now()
		h.post(t, "r", `{"n":1}`)
		h.archived(t)
		equal(t, "archive", h.archivedRows(t, pipeline.LogStaged, h.staged), `{"n":1}`)
		if took := time.Since(begin); took < 30*time.Minute {
			t.Errorf("1,000 attempts took %s; they should be seconds apart", took)
		}
		if p := time.Duration(longest.Load()); p > 5*time.Second {
			t.Errorf("a pause of %s, want at most 5 s", p)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		h.close(t)
	})
}

// stallingBucket holds up its first staged object until it is let go.
type stallingBucket struct {
	objstore.Bucket
	stalled, free chan struct{}
	once          sync.Once
}

func (b *stallingBucket) PutIf(ctx context.Context, key string, data []byte, match objstore.ETag) (objstore.ETag, error) {
	if contains(key, record.ArchivePrefix(pipeline.LogStaged)) {
		b.once.Do(func() {
			close(b.stalled)
			<-b.free
		})
	}
	return b.Bucket.PutIf(ctx, key, data, match)
}

// runDelivery runs a second Delivery over the house's stores.
func (h *house) runDelivery(t *testing.T, cfg pipeline.DeliveryConfig) (d *pipeline.Delivery, stop func()) {
	t.Helper()
	d, err := pipeline.NewDelivery(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	return d, sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run delivery: %v", err)
		}
	})
}

// TestStalledWorkerDoesNoHarm has one of two workers stall with an object in its
// hands while the other goes on, and the log is trimmed behind that.
func TestStalledWorkerDoesNoHarm(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	stalling := &stallingBucket{Bucket: h.bucket, stalled: make(chan struct{}), free: make(chan struct{})}
	cfg := h.deliveryConfig
	cfg.Bucket, cfg.FlushAge = stalling, time.Millisecond
	slow, stopSlow := h.runDelivery(t, cfg)
	defer stopSlow()
	raw, err := pipeline.NewRaw(h.rawConfig)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- raw.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run raw stage: %v", err)
		}
	}()

	var want []string
	post := func(n int) {
		e := fmt.Sprintf(`{"n":%d}`, n)
		h.post(t, fmt.Sprint("r", n), e)
		want = append(want, e)
		if err := raw.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	post(10)
	<-stalling.stalled
	quick, stopQuick := h.runDelivery(t, h.deliveryConfig)
	defer stopQuick()
	for n := 11; n < 30; n++ {
		post(n)
		if err := quick.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	checkpoints := h.checkpoints(pipeline.LogStaged)
	ahead := map[stream.ShardID]stream.Sequence{}
	for shard := range stream.ShardID(shards) {
		at, _, err := checkpoints.Load(t.Context(), pipeline.ConsumerDelivery, shard)
		if err != nil {
			t.Fatal(err)
		}
		ahead[shard] = at
		if err := h.staged.Trim(t.Context(), shard, at, stream.NoAgeLimit); err != nil {
			t.Fatal(err)
		}
	}
	close(stalling.free)
	for n := 30; n < 40; n++ {
		post(n)
		if err := slow.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for shard, before := range ahead {
		at, _, err := checkpoints.Load(t.Context(), pipeline.ConsumerDelivery, shard)
		if err != nil || at.Compare(before) < 0 {
			t.Errorf("checkpoint of shard %d went from %s to %s, %v", shard, before, at, err)
		}
	}
	equal(t, "archive", h.archivedRows(t, pipeline.LogStaged, h.staged), want...)
}

// trimmedLog says of every start that it is trimmed, until it is let go.
type trimmedLog struct {
	stream.Log
	gone atomic.Bool
}

func (l *trimmedLog) Iterate(ctx context.Context, shard stream.ShardID, start stream.Start) (stream.Iterator, error) {
	if l.gone.Load() {
		return nil, fmt.Errorf("iterate: %w", stream.ErrTrimmed)
	}
	return l.Log.Iterate(ctx, shard, start)
}

func TestGapStopsTheShard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, t.TempDir())
		log := &trimmedLog{Log: h.staged}
		log.gone.Store(true)
		h.deliveryConfig.Staged = log
		var stands atomic.Int32
		h.deliveryConfig.Events.Standing = func(i pipeline.StandingInfo) {
			if i.Log == pipeline.LogStaged && i.Stage == pipeline.StageDelivery {
				stands.Add(1)
			}
		}
		stop := h.run(t)
		h.post(t, "r", `{"n":1}`)
		h.visible(t)
		<-time.After(10 * time.Minute)
		if got := h.objects(t, pipeline.LogStaged); len(got) != 0 || stands.Load() < 100 {
			t.Errorf("a shard with a gap made %d objects and told of it %d times in 10 minutes", len(got), stands.Load())
		}
		log.gone.Store(false)
		h.archived(t)
		equal(t, "archive", h.archivedRows(t, pipeline.LogStaged, h.staged), `{"n":1}`)
		if err := stop(); err != nil {
			t.Error(err)
		}
		h.close(t)
	})
}

// TestUnreadableRecordIsNotPassedOver puts a record into the staged log that is
// none, as a program of a later version may.
func TestUnreadableRecordIsNotPassedOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, t.TempDir())
		var mu sync.Mutex
		stands := map[string]int{}
		standing := func(i pipeline.StandingInfo) {
			mu.Lock()
			defer mu.Unlock()
			if !errors.Is(i.Err, record.ErrVersion) {
				t.Errorf("%s stands for %v, want %v", i.Stage, i.Err, record.ErrVersion)
			}
			stands[i.Stage]++
		}
		h.stagingConfig.Events.Standing, h.deliveryConfig.Events.Standing = standing, standing
		for _, hash := range []uint64{0, 1 << 63} {
			if _, err := h.staged.Put(t.Context(), []stream.Entry{{Hash: hash, Data: []byte{99, 0, 0, 0, 0}}}); err != nil {
				t.Fatal(err)
			}
		}
		stop := h.run(t)
		h.post(t, "r", `{"n":1}`)
		<-time.After(10 * time.Minute)
		equal(t, "rows", h.rows(t, metric("m")))
		if got := h.objects(t, pipeline.LogStaged); len(got) != 0 {
			t.Errorf("objects past a record that could not be read: %v", got)
		}
		mu.Lock()
		if stands[pipeline.StageStaging] < 100 || stands[pipeline.StageDelivery] < 100 {
			t.Errorf("in 10 minutes the stages told %v times that they stand", stands)
		}
		mu.Unlock()
		if err := stop(); err != nil {
			t.Error(err)
		}
		h.close(t)
	})
}
