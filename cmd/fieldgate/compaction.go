package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/compact"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/webhook"
	"github.com/fieldgate/fieldgate/sources"
)

// wireCompaction wires what follows the archive, what frees behind it, and what is
// to be done now and then, of which nothing waits: the stages may be functions that
// only live while records come.
func (s *server) wireCompaction() error {
	w, st := &s.writing, s.stores
	conflicts := pipeline.NewErrorRows(st.Errors, s.schemas, s.c.Now)
	var pressure *fan
	if w.tail != nil {
		pressure = fanOut(w.tail.Pressure(), 2)
		w.stages = append(w.stages, pressure)
	}
	for i, stage := range []struct {
		archive, log string
		from         stream.Log
	}{{record.StageStaged, pipeline.LogStaged, st.Staged}, {record.StageErrors, pipeline.LogErrors, st.Errors}} {
		cfg := compact.Config{
			Stage: stage.archive, Log: stage.from, Bucket: st.Objects, Lake: st.Lake,
			Checkpoints: st.Checkpoints(stage.log), Declared: s.declared,
			Conflict: func(ctx context.Context, e *schema.Event, _ stream.Position) error {
				return conflicts.PutConflict(ctx, e)
			},
			Logger: s.log, Events: s.compactEvents(),
			Leases: s.leases(), Now: s.c.Now,
		}
		if s.sharing == nil {
			// Not Drain: while the tail is full, staging waits for this very compaction.
			cfg.Deliver = func(ctx context.Context) error { return w.drain.Delivery.FlushLogs(ctx, stage.log) }
		}
		if w.tail != nil {
			cfg.Tail, cfg.Pressure = w.tail, pressure.outputs[i]
			cfg.Held = func(ds schema.Dataset, shard stream.ShardID, after, through stream.Sequence) ([]sources.BatchSplit, bool) {
				if !w.drain.Staging.Covers(stage.log, shard, after, through) {
					return nil, false
				}
				return w.tail.Held(ds, shard, after, through), true
			}
			cfg.Reached = func(shard stream.ShardID) stream.Sequence {
				return w.drain.Staging.Reached(stage.log, shard)
			}
		}
		c, err := compact.New(cfg)
		if err != nil {
			return err
		}
		w.compactors = append(w.compactors, c)
		w.stages = append(w.stages, c)
	}
	sweeper, err := compact.NewSweeper(compact.SweeperConfig{Lake: st.Lake, Leases: s.leases(), Logger: s.log})
	if err != nil {
		return err
	}
	w.stages = append(w.stages, s.once("sweep", sweeper))
	for _, l := range []*stores.Log{st.Raw, st.Staged, st.Errors} {
		for n, r := range l.Runners {
			w.stages = append(w.stages, s.once(fmt.Sprintf("log/%s/%d", l.Name, n), r))
		}
	}
	if st.Tables != nil {
		w.stages = append(w.stages, s.once("nearline", st.Tables), s.once("capacity", st.TablesScaler))
	}
	if s.sharing != nil {
		w.stages = append(w.stages, s.sharing.compaction(w.compactors)...)
		ends := pipeline.NewEnds(st.Raw, st.Staged, st.Errors, st.Checkpoints, s.log)
		w.stages = append(w.stages, s.once("ends", ends))
	}
	notices, err := webhook.NewSender(webhook.Config{Hooks: s.learned.hooks, Advisor: s.learned.advisor, Schemas: s.schemas, Logger: s.log})
	if err != nil {
		return err
	}
	w.stages = append(w.stages, s.once("suggestions", s.learned.advisor), s.once("notifications", notices))
	if s.c.Stream.Kind == config.Kinesis {
		return nil // which frees by age alone
	}
	return s.wireRetention()
}

// wireRetention frees the logs behind their slowest consumers.
func (s *server) wireRetention() error {
	for _, l := range []struct {
		name      string
		log       stream.Log
		consumers []string
	}{
		{pipeline.LogRaw, s.stores.Raw, []string{pipeline.ConsumerRaw, pipeline.ConsumerDelivery}},
		{pipeline.LogStaged, s.stores.Staged, []string{pipeline.ConsumerDelivery, pipeline.ConsumerStaging, pipeline.ConsumerProfile, compact.Consumer}},
		{pipeline.LogErrors, s.stores.Errors, []string{pipeline.ConsumerDelivery, pipeline.ConsumerStaging, compact.Consumer}},
	} {
		r, err := stream.NewRetention(stream.RetentionConfig{
			Log: l.log, Checkpoints: s.stores.Checkpoints(l.name), Consumers: l.consumers, Logger: s.log,
		})
		if err != nil {
			return err
		}
		s.writing.stages = append(s.writing.stages, r)
	}
	return nil
}

func (s *server) compactEvents() compact.Events {
	return compact.Events{
		Compacted: func(ds schema.Dataset, rows, duplicates, files int) {
			s.log.Info("compacted", "tenant", ds.Tenant, "metric", ds.Metric, "rows", rows, "duplicates", duplicates, "files", files)
		},
		Merged: func(ds schema.Dataset, from, to int) {
			s.log.Info("merged files", "tenant", ds.Tenant, "metric", ds.Metric, "from", from, "to", to)
		},
	}
}

// declared are the sent names that the declared fields of a dataset's metric
// read. A dataset of no declared metric, or of a dropped tenant, has none.
func (s *server) declared(ctx context.Context, ds schema.Dataset) (map[string]bool, error) {
	snapshot, err := s.schemas.Current(ctx, ds.Tenant)
	if errors.Is(err, schema.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, ok := snapshot.MetricOfSent(ds.Metric)
	if !ok || ds.Namespace != "" {
		return nil, nil
	}
	names := map[string]bool{}
	for _, f := range m.Fields {
		for _, source := range f.Sources {
			names[source.Name] = true
		}
	}
	return names, nil
}

// Compact implements planner.Admin. One archive holds all tenants' events, so
// all of them are compacted.
func (s *server) Compact(ctx context.Context, _ string) error {
	if s.sharing != nil {
		return s.sharing.compact(ctx)
	}
	if err := s.writing.drain.Archived(ctx); err != nil {
		return err
	}
	for _, c := range s.writing.compactors {
		if err := c.Compact(ctx); err != nil {
			return err
		}
	}
	return nil
}

// fan passes a signal on to several receivers.
type fan struct {
	input   <-chan struct{}
	outputs []chan struct{}
}

func fanOut(input <-chan struct{}, n int) *fan {
	f := &fan{input: input}
	for range n {
		f.outputs = append(f.outputs, make(chan struct{}, 1))
	}
	return f
}

// Run passes signals on until ctx ends. A receiver that has one waiting needs no
// second.
func (f *fan) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.input:
		}
		for _, out := range f.outputs {
			select {
			case out <- struct{}{}:
			default:
			}
		}
	}
}
