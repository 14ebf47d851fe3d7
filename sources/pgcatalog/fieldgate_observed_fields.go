package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/schema"
)

// observedFieldRows has a row for each sent name and kind of each metric, in the
// order in which they were first seen. What is not counted is NULL.
func (c *Catalog) observedFieldRows(ctx context.Context, p *pin, b *builder) error {
	metrics, err := c.observedMetrics(ctx, p.state.snapshot.Tenant)
	if err != nil {
		return err
	}
	for i := range metrics {
		sent := metrics[i].Sent
		fields, err := c.cfg.Observed.Fields(ctx, p.state.snapshot.Dataset(sent))
		if err != nil {
			return err
		}
		if !p.mayObserve(sent) {
			continue
		}
		m, declared := p.state.snapshot.MetricOfSent(sent)
		name := sent
		if declared {
			name = m.Name
		}
		for j := range fields {
			f := &fields[j]
			field := any(nil)
			if declared {
				field = fieldOf(m, f.Sent)
			}
			for _, kind := range f.Kinds {
				b.add("metric", name, "sent_name", f.Sent, "kind", kindName(kind), "declared", field != nil, "field", field,
					"first_seen", f.FirstSeen.UnixMicro())
			}
		}
	}
	return nil
}

// mayObserve says whether the user may know what devices sent under a metric's name.
func (p *pin) mayObserve(sent string) bool {
	o := object{schema: schemaPublic, oid: schema.UndeclaredTableOID(sent)}
	if m, declared := p.state.snapshot.MetricOfSent(sent); declared {
		o.oid = schema.TableOID(m)
	}
	return p.state.read(&o).Observe
}

// fieldOf is the name of the first field that reads a sent name, or nil.
func fieldOf(m *schema.Metric, sent string) any {
	for i := range m.Fields {
		for _, s := range m.Fields[i].Sources {
			if s.Name == sent {
				return m.Fields[i].Name
			}
		}
	}
	return nil
}

func kindName(k schema.Kind) string {
	switch k {
	case schema.KindInt:
		return "integer"
	case schema.KindNumber:
		return "number"
	case schema.KindBool:
		return "boolean"
	case schema.KindJSON:
		return "json"
	}
	return "text"
}
