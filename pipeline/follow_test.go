package pipeline_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// splitLog shows the second shard of a log of two as the child of the first,
// which ends at its tail.
type splitLog struct {
	stream.Log

	mu    sync.Mutex
	opens []stream.ShardID
	ended bool
	early bool // the child was opened before its parent ended
}

func (l *splitLog) Shards(ctx context.Context) ([]stream.Shard, error) {
	all, err := l.Log.Shards(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.Clone(all)
	all[1].Parents = []stream.ShardID{all[0].ID}
	return all, nil
}

func (l *splitLog) Iterate(ctx context.Context, shard stream.ShardID, start stream.Start) (stream.Iterator, error) {
	l.mu.Lock()
	l.opens = append(l.opens, shard)
	l.early = l.early || shard == 1 && !l.ended
	l.mu.Unlock()
	it, err := l.Log.Iterate(ctx, shard, start)
	if shard != 0 || err != nil {
		return it, err
	}
	tail, err := l.Tail(ctx, shard, stream.Sequence{})
	return &endingIterator{it, l, tail, false}, err
}

type endingIterator struct {
	stream.Iterator
	log  *splitLog
	tail stream.Sequence
	done bool
}

func (i *endingIterator) Next(ctx context.Context, maxRecords, maxBytes int) ([]stream.Record, error) {
	if i.done {
		i.log.mu.Lock()
		i.log.ended = true
		i.log.mu.Unlock()
		return nil, io.EOF
	}
	records, err := i.Iterator.Next(ctx, maxRecords, maxBytes)
	if len(records) > 0 {
		i.done = records[len(records)-1].Seq == i.tail
	}
	return records, err
}

func TestParentsAreReadFirst(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	var want []string
	for _, n := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		h.post(t, "r"+n, `{"n":`+n+`}`)
		want = append(want, `{"n":`+n+`}`)
	}
	for shard := range stream.ShardID(shards) {
		if tail, err := h.raw.Tail(t.Context(), shard, stream.Sequence{}); err != nil || tail.IsZero() {
			t.Fatalf("shard %d ends at %s, %v; the test wants records in both", shard, tail, err)
		}
	}
	log := &splitLog{Log: h.raw}
	h.rawConfig.Raw = log
	h.run(t)
	h.visible(t)
	equal(t, "rows", h.rows(t, metric("m")), want...)
	log.mu.Lock()
	defer log.mu.Unlock()
	if log.early || !slices.Equal(log.opens, []stream.ShardID{0, 1}) {
		t.Errorf("shards were opened in the order %v, the child early: %t", log.opens, log.early)
	}
}

// failedLog has failed for good.
type failedLog struct{ stream.Log }

func (failedLog) Put(context.Context, []stream.Entry) ([]stream.Placed, error) {
	return nil, stream.ErrFailed
}

func TestFailedLogEndsTheStage(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	h.rawConfig.Staged = failedLog{h.staged}
	stage, err := pipeline.NewRaw(h.rawConfig)
	if err != nil {
		t.Fatal(err)
	}
	h.post(t, "r", `{"n":1}`)
	if err := stage.Run(t.Context()); !errors.Is(err, stream.ErrFailed) {
		t.Errorf("run: %v, want %v", err, stream.ErrFailed)
	}
}

func TestConfigsAreChecked(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	r, s, d := h.rawConfig, h.stagingConfig, h.deliveryConfig
	r.Schemas, s.From, d.FlushAge = nil, "", 61e9
	if _, err := pipeline.NewRaw(r); err == nil {
		t.Error("a raw stage without schemas")
	}
	if _, err := pipeline.NewStaging(s); err == nil {
		t.Error("a staging stage that does not know where to start")
	}
	if _, err := pipeline.NewDelivery(d); err == nil {
		t.Error("a delivery of objects older than a minute")
	}
}
