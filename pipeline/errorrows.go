package pipeline

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// ErrorRows puts conflicts into the error log. It may be used by many goroutines.
type ErrorRows struct {
	log stream.Log
	now func() time.Time

	mu      sync.Mutex
	encoder record.StagedEncoder
}

// NewErrorRows puts into the log. now gives the time of handling.
func NewErrorRows(log stream.Log, now func() time.Time) *ErrorRows {
	return &ErrorRows{log: log, now: now}
}

// PutConflict makes an error row of a staged event whose identity another event
// has, and returns when it is durable. Staging and compaction may both find the
// same conflict, and again after a crash: it is the same row.
func (r *ErrorRows) PutConflict(ctx context.Context, e *schema.Event) error {
	row := record.NewError(&record.Failure{
		Tenant: e.Dataset.Tenant, Stage: StageStaging, Kind: record.KindConflict,
		Reason: "another event has the same metric, time and _id", Event: record.AppendEvent(nil, e.Values),
		Metric: e.Dataset.Metric, ReceivedAt: e.ReceivedAt, HandledAt: r.now().UnixMicro(),
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.encoder.Reset()
	r.encoder.Add(&row)
	entry := stream.Entry{Hash: record.PartitionHash(row.Time, row.ID), Data: r.encoder.Bytes()}
	if _, err := r.log.Put(ctx, []stream.Entry{entry}); err != nil {
		return fmt.Errorf("put conflict: %w", err)
	}
	return nil
}

// fail gathers the error row of a raw event.
func (s *stager) fail(i int, kind, reason string) error {
	row := record.NewError(&record.Failure{
		Tenant: s.raw.Tenant, Stage: StageRaw, Kind: kind, Reason: reason, Event: s.raw.Events[i],
		Receipt: s.raw.Receipt, Index: s.raw.Indexes[i], Metric: s.raw.Metric,
		ReceivedAt: s.raw.ArrivedAt, HandledAt: s.cfg.Now().UnixMicro(),
	})
	return s.errors.add(&row)
}
