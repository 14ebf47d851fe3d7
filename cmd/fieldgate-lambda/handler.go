package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/kinesis"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// A handler stops this long before its deadline, or for a third of the time if
// there is less: two checkpoints may be saved then, for 5 s each, and the answer
// has to be on its way.
const (
	reserve      = 12 * time.Second
	reserveShare = 3
	// afterFor is how long that may take which is not waited for.
	afterFor = time.Second
)

// errDeadline says that the invocation was about to run out of time.
var errDeadline = errors.New("the function's time is over")

// handler handles the events of one stage.
type handler struct {
	logs  map[string]*stores.Log // those that the stage reads, by their streams' names
	stage func(ctx context.Context, b pipeline.Batch) (stream.Sequence, error)
	// after make durable what may lag behind.
	after []func(ctx context.Context) error
	log   *slog.Logger
}

// handle has the stage handle the event's records, and names the first of a shard
// that is not handled: from there on the mapping calls again. An error is about an
// event that is not for this function.
func (h *handler) handle(ctx context.Context, event events.KinesisEvent) (events.KinesisEventResponse, error) {
	response := events.KinesisEventResponse{BatchItemFailures: []events.KinesisBatchItemFailure{}}
	shards, err := h.shards(event.Records)
	if err != nil {
		return response, err
	}
	work, cancel := withReserve(ctx)
	defer cancel()
	for _, s := range shards {
		if failed := h.shard(work, s); failed != "" {
			response.BatchItemFailures = append(response.BatchItemFailures, events.KinesisBatchItemFailure{ItemIdentifier: failed})
		}
	}
	late, cancel := context.WithTimeout(ctx, afterFor)
	defer cancel()
	for _, do := range h.after {
		if err := do(late); err != nil {
			h.log.Warn("counts will be written with the next", "err", err)
		}
	}
	return response, nil
}

// withReserve ends some time before ctx's deadline.
func withReserve(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, has := ctx.Deadline()
	if !has {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, deadline.Add(-min(reserve, time.Until(deadline)/reserveShare)), errDeadline)
}

// batch are records of one shard.
type batch struct {
	from    *stores.Log
	shard   stream.ShardID
	records []types.Record
}

// shards sorts records by their shards, in the order in which these come. An event
// of a mapping has one.
func (h *handler) shards(records []events.KinesisEventRecord) ([]*batch, error) {
	var all []*batch
	for i := range records {
		r := &records[i]
		// arn:aws:kinesis:region:account:stream/name, of a subscription /consumer/… behind it.
		_, name, _ := strings.Cut(r.EventSourceArn, ":stream/")
		name, _, _ = strings.Cut(name, "/")
		from := h.logs[name]
		if from == nil {
			return nil, fmt.Errorf("a record of %q, which this stage does not read", r.EventSourceArn)
		}
		// shardId-000000000000:number
		shardName, _, _ := strings.Cut(r.EventID, ":")
		shard, err := kinesis.ParseShardID(shardName)
		if err != nil {
			return nil, fmt.Errorf("event id %q: %w", r.EventID, err)
		}
		at := slices.IndexFunc(all, func(b *batch) bool { return b.from == from && b.shard == shard })
		if at < 0 {
			at = len(all)
			all = append(all, &batch{from: from, shard: shard})
		}
		arrived := r.Kinesis.ApproximateArrivalTimestamp.Time
		all[at].records = append(all[at].records, types.Record{
			SequenceNumber: &r.Kinesis.SequenceNumber, PartitionKey: &r.Kinesis.PartitionKey, Data: r.Kinesis.Data, ApproximateArrivalTimestamp: &arrived,
		})
	}
	return all, nil
}

// shard has the stage handle the records of a shard, and gives the number of the
// first that is not handled; "": all are.
func (h *handler) shard(ctx context.Context, b *batch) (failed string) {
	entries, ends, err := b.from.Kinesis.Records(ctx, b.shard, b.records)
	handled := 0
	if len(entries) > 0 {
		through, stageErr := h.stage(ctx, pipeline.Batch{Log: b.from.Name, Shard: b.shard, Records: entries})
		err = errors.Join(stageErr, err)
		handled = slices.IndexFunc(entries, func(r stream.Record) bool { return r.Seq.Compare(through) > 0 })
		if handled < 0 {
			handled = len(entries)
		}
	}
	if err == nil && handled == len(entries) {
		return ""
	}
	first := slices.IndexFunc(ends, func(end int) bool { return end > handled })
	if first < 0 {
		// What follows these could not be read; or all is handled, and something about
		// it is not noted, for which the last comes again.
		first = min(len(ends), len(b.records)-1)
	}
	failed = *b.records[first].SequenceNumber
	level := slog.LevelError
	if errors.Is(err, errDeadline) {
		level = slog.LevelWarn // it goes on
	}
	h.log.Log(ctx, level, "a batch is not handled to its end", "log", b.from.Name, "shard", uint64(b.shard),
		"records", len(b.records), "from", failed, "err", err)
	return failed
}
