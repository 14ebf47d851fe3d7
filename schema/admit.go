package schema

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// admitRetry is the wait before Admit asks a KV again that did not answer.
const admitRetry = 200 * time.Millisecond

// undeclaredDocument is one of a tenant's numbered places for undeclared metrics.
// There are as many keys as places, so that processes cannot together admit more.
type undeclaredDocument struct {
	Format     int    `json:"format"`
	Metric     string `json:"metric"`
	Generation uint32 `json:"generation,omitempty"`
}

// admission is what is known of a tenant's places. It is immutable.
type admission struct {
	names map[string]struct{}
	// full: no place was free at a time, under a version of the schema.
	full     bool
	at       time.Time
	snapshot *Snapshot
}

// Admit says whether events of an undeclared metric may be taken: false if the
// tenant already has as many undeclared metrics as it may and this is a further
// one. A place is free again when its metric is declared or dropped. What was
// admitted stays so after a crash; Admit waits for a KV that does not answer. If
// ctx ends before that, the answer is true, and the caller ends as well. A name
// that is longer than an alias can be is never admitted.
func (o *Observed) Admit(ctx context.Context, tenant, metric string) bool {
	if len(metric) > maxSentName {
		return false
	}
	t := o.tenant(tenant)
	if _, ok := t.admission.Load().names[metric]; ok {
		return true
	}
	for {
		admitted, err := o.admit(ctx, t, metric)
		if err == nil {
			return admitted
		}
		if ctx.Err() != nil {
			return true
		}
		if !errors.Is(err, ErrConflict) {
			o.cfg.Logger.Warn("undeclared metric waits to be admitted", "tenant", tenant, "metric", metric, "err", err)
		}
		if pause(ctx, admitRetry) != nil {
			return true
		}
	}
}

// admit finds or takes a place for the metric. ErrConflict if another process
// took it meanwhile.
func (o *Observed) admit(ctx context.Context, t *observedTenant, metric string) (bool, error) {
	snapshot, err := o.cfg.Schemas.Current(ctx, t.name)
	if errors.Is(err, ErrNotFound) {
		snapshot = &Snapshot{Tenant: t.name}
	} else if err != nil {
		return false, err
	}
	now := o.cfg.Now()
	if known := t.admission.Load(); known.full && known.snapshot == snapshot && now.Sub(known.at) < o.cfg.TTL {
		return false, nil
	}
	if err := t.admitting.enter(ctx); err != nil {
		return false, err
	}
	defer t.admitting.leave()
	places, err := o.places(ctx, t.name, snapshot)
	if err != nil {
		return false, err
	}
	next := &admission{names: places.names, at: now, snapshot: snapshot}
	_, admitted := places.names[metric]
	if !admitted && places.free != "" {
		data, err := json.Marshal(undeclaredDocument{
			Format:     documentFormat,
			Metric:     metric,
			Generation: snapshot.generation(metric),
		})
		if err != nil {
			return false, fmt.Errorf("encode undeclared metric %q: %w", metric, err)
		}
		if _, err := o.kv.Put(ctx, places.free, data, places.freeVersion); err != nil {
			return false, fmt.Errorf("admit undeclared metric %q: %w", metric, err)
		}
		delete(next.names, places.freed)
		next.names[metric] = struct{}{}
		admitted = true
	}
	next.full = !admitted
	t.admission.Store(next)
	return admitted, nil
}

// places are a tenant's undeclared metrics and the first free place.
type places struct {
	names       map[string]struct{}
	free        string // key, or "" if none is
	freeVersion uint64
	freed       string // the metric that had the free place
}

func (o *Observed) places(ctx context.Context, tenant string, snapshot *Snapshot) (*places, error) {
	p := &places{names: map[string]struct{}{}}
	prefix := observedPrefix + tenant + undeclaredFolder
	taken := 0
	for after := ""; ; {
		items, err := o.kv.List(ctx, prefix, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("list undeclared metrics of tenant %q: %w", tenant, err)
		}
		for _, item := range items {
			after = item.Key
			var doc undeclaredDocument
			if err := decodeDocument(item, &doc); err != nil {
				return nil, err
			}
			taken++
			_, declared := snapshot.MetricOfSent(doc.Metric)
			if declared || snapshot.generation(doc.Metric) > doc.Generation {
				if p.free == "" {
					p.free, p.freeVersion, p.freed = item.Key, item.Version, doc.Metric
				}
				continue
			}
			p.names[doc.Metric] = struct{}{}
		}
		if len(items) < pageSize {
			break
		}
	}
	if p.free == "" && taken < o.cfg.MaxUndeclared {
		p.free = prefix + padded(uint64(taken))
	}
	return p, nil
}
