package pgcatalog

import (
	"cmp"
	"context"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
)

// observedMetrics are the metrics that the tenant's devices sent, first seen
// first.
func (c *Catalog) observedMetrics(ctx context.Context, tenant string) ([]schema.ObservedMetric, error) {
	if c.cfg.Observed == nil {
		return nil, nil
	}
	list, err := c.cfg.Observed.Metrics(ctx, tenant)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(o schema.ObservedMetric) bool { return !schema.CanBeNamed(o.Sent) }) // of earlier versions
	slices.SortFunc(list, func(a, b schema.ObservedMetric) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.Sent, b.Sent))
	})
	return list, nil
}

func (c *Catalog) observedMetricRows(ctx context.Context, p *pin, b *builder) error {
	metrics, err := c.observedMetrics(ctx, p.state.snapshot.Tenant)
	if err != nil {
		return err
	}
	for i := range metrics {
		o := &metrics[i]
		if !p.mayObserve(o.Sent) {
			continue
		}
		var metric any
		m, declared := p.state.snapshot.MetricOfSent(o.Sent)
		if declared {
			metric = m.Name
		}
		b.add("sent_name", o.Sent, "declared", declared, "metric", metric, "events", o.Events,
			"first_seen", o.FirstSeen.UnixMicro(), "last_seen", o.LastSeen.UnixMicro())
	}
	return nil
}
