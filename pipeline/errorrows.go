package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// CurrentSchemas is what ErrorRows wants of the schema's store.
type CurrentSchemas interface {
	// Current gives a tenant's schema. ErrNotFound if there is no such tenant.
	Current(ctx context.Context, tenant string) (*schema.Snapshot, error)
}

// ErrorRows puts conflicts into the error log. It may be used by many goroutines.
type ErrorRows struct {
	log     stream.Log
	schemas CurrentSchemas
	now     func() time.Time

	mu      sync.Mutex
	encoder record.StagedEncoder
}

// NewErrorRows puts into the log. now gives the time of handling; nil is
// time.Now.
func NewErrorRows(log stream.Log, schemas CurrentSchemas, now func() time.Time) *ErrorRows {
	if now == nil {
		now = time.Now
	}
	return &ErrorRows{log: log, schemas: schemas, now: now}
}

// PutConflict makes an error row of a staged event whose identity another event
// has, and returns when it is durable. Staging and compaction may both find the
// same conflict, and again after a crash: it is the same row.
func (r *ErrorRows) PutConflict(ctx context.Context, e *schema.Event) error {
	dataset, err := r.dataset(ctx, &e.Dataset)
	if err != nil {
		return fmt.Errorf("put conflict: %w", err)
	}
	row := record.NewError(&record.Failure{
		Dataset: dataset, Stage: StageStaging, Kind: record.KindConflict,
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

// dataset is that of the error rows of the tenant that the event came to: if the
// tenant was dropped since, and perhaps added anew, one that nobody reads, for a
// new tenant's generations are all greater.
func (r *ErrorRows) dataset(ctx context.Context, of *schema.Dataset) (schema.Dataset, error) {
	ds := schema.ErrorDataset(of.Tenant)
	snapshot, err := r.schemas.Current(ctx, of.Tenant)
	switch {
	case errors.Is(err, schema.ErrNotFound):
		ds.Generation = of.Generation
	case err != nil:
		return ds, err
	default:
		ds.Generation = min(snapshot.ErrorDataset().Generation, of.Generation)
	}
	return ds, nil
}

// fail gathers the error row of a raw event. binder is nil if the record's schema
// version is not known; values are what is known of the event.
func (s *stager) fail(i int, binder *record.Binder, values []schema.Value, kind, reason string) error {
	dataset, metric := schema.ErrorDataset(s.raw.Tenant), s.raw.Metric
	if binder != nil {
		dataset, metric = binder.Snapshot().ErrorDataset(), binder.Metric(values, metric)
	}
	row := record.NewError(&record.Failure{
		Dataset: dataset, Stage: StageRaw, Kind: kind, Reason: reason, Event: s.raw.Events[i],
		Receipt: s.raw.Receipt, Index: s.raw.Indexes[i], Metric: metric,
		ReceivedAt: s.raw.ArrivedAt, HandledAt: s.cfg.Now().UnixMicro(),
	})
	return s.errors.add(&row)
}
