package pgcatalog

import (
	"cmp"
	"context"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// observedMetrics are the metrics that the tenant's devices sent, first seen
// first.
func (c *Catalog) observedMetrics(ctx context.Context, view *sources.CatalogView) ([]schema.ObservedMetric, error) {
	if c.cfg.Observed == nil {
		return nil, nil
	}
	list, err := c.cfg.Observed.Metrics(ctx, view.Snapshot.Tenant)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b schema.ObservedMetric) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.Sent, b.Sent))
	})
	return list, nil
}

func (c *Catalog) observedMetricRows(ctx context.Context, view *sources.CatalogView, b *builder) error {
	metrics, err := c.observedMetrics(ctx, view)
	if err != nil {
		return err
	}
	for i := range metrics {
		o := &metrics[i]
		var metric any
		m, declared := view.Snapshot.MetricOfSent(o.Sent)
		if declared {
			metric = m.Name
		}
		b.add("sent_name", o.Sent, "declared", declared, "metric", metric, "events", o.Events,
			"first_seen", o.FirstSeen.UnixMicro(), "last_seen", o.LastSeen.UnixMicro())
	}
	return nil
}
