package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// batcher brings a log's records to a stage as an event source would that is often
// wrong: it repeats and skips, and what it calls ends early.
type batcher struct {
	log    stream.Log
	name   string
	handle func(context.Context, pipeline.Batch) (stream.Sequence, error)
	random *rand.Rand
	// handled is up to where the stage said last that a shard is.
	handled map[stream.ShardID]stream.Sequence
}

// records are all that a shard has.
func (b *batcher) records(t *testing.T, shard stream.ShardID) []stream.Record {
	t.Helper()
	tail, err := b.log.Tail(t.Context(), shard, stream.Sequence{})
	if err != nil {
		t.Fatal(err)
	}
	it, err := b.log.Iterate(t.Context(), shard, stream.FromOldest())
	if err != nil {
		t.Fatal(err)
	}
	var all []stream.Record
	for len(all) == 0 && !tail.IsZero() || len(all) > 0 && all[len(all)-1].Seq.Compare(tail) < 0 {
		got, err := it.Next(t.Context(), 100, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got {
			r.Data = slices.Clone(r.Data)
			all = append(all, r)
		}
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// bring brings part of what the shards have; all: up to their ends.
func (b *batcher) bring(t *testing.T, all bool, interrupt *func()) {
	t.Helper()
	for shard := range stream.ShardID(shards) {
		records := b.records(t, shard)
		if len(records) == 0 {
			continue
		}
		from := b.random.IntN(len(records))
		to := from + 1 + b.random.IntN(len(records)-from)
		if all {
			to = len(records)
		}
		ctx, cancel := context.WithCancel(t.Context())
		*interrupt = func() {
			if !all && b.random.IntN(3) == 0 {
				cancel()
			}
		}
		through, err := b.handle(ctx, pipeline.Batch{Log: b.name, Shard: shard, Records: records[from:to]})
		interrupted := ctx.Err() != nil
		cancel()
		switch {
		case err == nil && through.Compare(records[to-1].Seq) < 0:
			t.Errorf("batch of %s through %s: handled through %s", b.name, records[to-1].Seq, through)
		case err != nil && !interrupted:
			t.Errorf("batch of %s: %v", b.name, err)
		case through.Compare(b.handled[shard]) < 0:
			t.Errorf("shard %d of %s was handled through %s, and now %s", shard, b.name, b.handled[shard], through)
		}
		b.handled[shard] = through
	}
}

// TestBatches has the stages handle batches that overlap, leave out and are
// interrupted. Every event is a row and in the archive, which is an unbroken chain.
func TestBatches(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	h.stagingConfig.From = pipeline.ConsumerStaging // of a tail that outlives each batch
	var interrupt func()
	h.rawConfig.BatchBytes, h.stagingConfig.BatchBytes, h.deliveryConfig.FlushBytes = 300, 300, 300
	h.rawConfig.Events.Staged = func(pipeline.StagedInfo) { interrupt() }
	h.stagingConfig.Events.Stored = func(pipeline.StoredInfo) { interrupt() }
	h.deliveryConfig.Events.Delivered = func(pipeline.DeliveredInfo) { interrupt() }
	raw, err := pipeline.NewRaw(h.rawConfig)
	if err != nil {
		t.Fatal(err)
	}
	staging, err := pipeline.NewStaging(h.stagingConfig)
	if err != nil {
		t.Fatal(err)
	}
	delivery, err := pipeline.NewDelivery(h.deliveryConfig)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(7, 7))
	var batchers []*batcher
	for _, b := range []batcher{
		{log: h.raw, name: pipeline.LogRaw, handle: raw.Batch},
		{log: h.staged, name: pipeline.LogStaged, handle: staging.Batch},
		{log: h.errors, name: pipeline.LogErrors, handle: staging.Batch},
		{log: h.raw, name: pipeline.LogRaw, handle: delivery.Batch},
		{log: h.staged, name: pipeline.LogStaged, handle: delivery.Batch},
		{log: h.errors, name: pipeline.LogErrors, handle: delivery.Batch},
	} {
		b.random, b.handled = random, map[stream.ShardID]stream.Sequence{}
		batchers = append(batchers, &b)
	}
	var want, wrong []string
	for round := range 60 {
		for i := range 3 {
			n := 3*round + i
			event := fmt.Sprintf(`{"n":%d}`, n)
			h.post(t, fmt.Sprintf("r%d", n), event, `{"n":`+fmt.Sprint(n)+`,"n":0}`)
			want, wrong = append(want, event), append(wrong, fmt.Sprint(n))
		}
		for _, b := range batchers {
			b.bring(t, false, &interrupt)
		}
	}
	for _, b := range batchers {
		b.bring(t, true, &interrupt)
	}
	slices.Sort(want)
	equal(t, "rows", h.rows(t, metric("m")), want...)
	if rows := h.rows(t, schema.ErrorDataset(tenant)); len(rows) != len(wrong) {
		t.Errorf("%d error rows, want %d: %s", len(rows), len(wrong), strings.Join(rows, "\n"))
	}
	equal(t, "archive", h.archivedRows(t, pipeline.LogStaged, h.staged), want...)
	h.archivedRows(t, pipeline.LogErrors, h.errors)
}

// TestBatchOfAnotherLog is refused, as is one of a shard that is not.
func TestBatchOfAnotherLog(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	raw, err := pipeline.NewRaw(h.rawConfig)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Batch(t.Context(), pipeline.Batch{Log: pipeline.LogRaw, Shard: 99}); !errors.Is(err, stream.ErrNoShard) {
		t.Errorf("a shard that is not: %v", err)
	}
	staging, err := pipeline.NewStaging(h.stagingConfig)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := staging.Batch(t.Context(), pipeline.Batch{Log: pipeline.LogRaw}); err == nil {
		t.Error("staging takes the raw log")
	}
}

// family is a log of a shard that was split.
type family struct {
	stream.Log
	records map[stream.ShardID][]stream.Record
}

func (f *family) Shards(context.Context) ([]stream.Shard, error) {
	return []stream.Shard{{ID: 0}, {ID: 1, Parents: []stream.ShardID{0}, HashTo: 9, Open: true}}, nil
}

func (f *family) Iterate(_ context.Context, shard stream.ShardID, start stream.Start) (stream.Iterator, error) {
	at, _ := start.Sequence()
	records := f.records[shard]
	for len(records) > 0 && records[0].Seq.Compare(at) <= 0 {
		records = records[1:]
	}
	return &given{records}, nil
}

type given struct{ records []stream.Record }

func (g *given) Next(ctx context.Context, _, _ int) ([]stream.Record, error) {
	if len(g.records) == 0 {
		return nil, io.EOF
	}
	out := g.records
	g.records = nil
	return out, ctx.Err()
}

func (g *given) Close() error { return nil }

// TestBatchWaitsForParents: a shard is begun when its parent's end is noted, which
// the batch does itself where the parent is read.
func TestBatchWaitsForParents(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	h.post(t, "r1", `{"n":1}`)
	h.post(t, "r22", `{"n":2}`)
	var data [][]byte
	for shard := range stream.ShardID(shards) {
		for _, r := range (&batcher{log: h.raw}).records(t, shard) {
			data = append(data, r.Data)
		}
	}
	parent := stream.Record{Shard: 0, Seq: stream.Sequence{0, 0, 5}, Data: data[0]}
	child := stream.Record{Shard: 1, Seq: stream.Sequence{0, 0, 9}, Data: data[1]}
	h.rawConfig.Raw = &family{Log: h.raw, records: map[stream.ShardID][]stream.Record{0: {parent}, 1: {child}}}
	raw, err := pipeline.NewRaw(h.rawConfig)
	if err != nil {
		t.Fatal(err)
	}
	of := func(r stream.Record) error {
		_, err := raw.Batch(t.Context(), pipeline.Batch{Log: pipeline.LogRaw, Shard: r.Shard, Records: []stream.Record{r}})
		return err
	}
	if err := of(child); err == nil || !strings.Contains(err.Error(), "waits for its parent 0") {
		t.Errorf("before the parent: %v", err)
	}
	for _, r := range []stream.Record{parent, child} {
		if err := of(r); err != nil {
			t.Errorf("shard %d: %v", r.Shard, err)
		}
	}
	if at, _, err := h.checkpoints(pipeline.LogRaw).Load(t.Context(), pipeline.ConsumerRaw, 0); at != stream.EndOfShard || err != nil {
		t.Errorf("the parent is read up to %s, %v", at, err)
	}
}

// TestEnds notes the ends of closed shards for a consumer that is called for
// records alone, once it has had them all.
func TestEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, t.TempDir())
		log := &family{Log: h.raw, records: map[stream.ShardID][]stream.Record{0: {{Shard: 0, Seq: stream.Sequence{0, 0, 5}}}}}
		checkpoints := func(name string) *pipeline.Checkpoints { return pipeline.NewCheckpoints(h.kv, name) }
		look := func() (at stream.Sequence) {
			t.Helper()
			// One look at all, however long it takes, before the pause that the next waits for.
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := pipeline.NewEnds(log, h.staged, h.errors, checkpoints, slog.New(slog.DiscardHandler)).Run(ctx); err != nil {
				t.Fatal(err)
			}
			at, _, err := checkpoints(pipeline.LogRaw).Load(t.Context(), pipeline.ConsumerRaw, 0)
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		if at := look(); !at.IsZero() {
			t.Errorf("nothing was read, and the checkpoint is %s", at)
		}
		if err := checkpoints(pipeline.LogRaw).Save(t.Context(), pipeline.ConsumerRaw, 0, stream.Sequence{0, 0, 5}); err != nil {
			t.Fatal(err)
		}
		if at := look(); at != stream.EndOfShard {
			t.Errorf("all was read, and the checkpoint is %s", at)
		}
		h.close(t)
	})
}
