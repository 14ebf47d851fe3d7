package pgcatalog

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
)

// observedFieldRows has a row for each sent name and kind of each metric, in the
// order in which they were first seen. What is not counted is NULL.
func (c *Catalog) observedFieldRows(ctx context.Context, p *pin, b *builder) error {
	metrics, err := c.observedMetrics(ctx, p.state.snapshot.Tenant)
	if err != nil {
		return err
	}
	for i := range metrics {
		if !p.mayObserve(metrics[i].Sent) {
			continue
		}
		if err := c.observedFieldsOf(ctx, p.state.snapshot, metrics[i].Sent, b); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalog) observedFieldsOf(ctx context.Context, snapshot *schema.Snapshot, sent string, b *builder) error {
	fields, err := c.cfg.Observed.Fields(ctx, snapshot.Dataset(sent))
	if err != nil {
		return err
	}
	summary := &profile.Summary{}
	if c.cfg.Profiles != nil {
		if summary, err = c.cfg.Profiles.Summary(ctx, snapshot.Dataset(sent)); err != nil {
			return err
		}
	}
	m, declared := snapshot.MetricOfSent(sent)
	name := sent
	if declared {
		name = m.Name
	}
	counted := summary.ByName()
	for i := range fields {
		f := &fields[i]
		var reads *reading
		if declared {
			reads = readingOf(m, f.Sent)
		}
		row := []any{"metric", name, "sent_name", spelled(f.Sent), "declared", reads != nil, "field", nil}
		if reads != nil {
			row[len(row)-1] = reads.field.Name
		}
		for _, kind := range f.Kinds {
			k := counted[f.Sent].Kind(kind)
			if k == nil {
				b.add(append(row, "kind", kind.Name(), "first_seen", f.FirstSeen.UnixMicro())...)
				continue
			}
			castable, err := json.Marshal(k.Castable())
			if err != nil {
				return fmt.Errorf("write casts of %q: %w", f.Sent, err)
			}
			low, high := any(k.Min), any(k.Max)
			if !k.Bounded {
				low, high = nil, nil
			}
			b.add(append(row, "kind", kind.Name(), "events", k.Events, "first_seen", k.FirstSeen.UnixMicro(),
				"last_seen", k.LastSeen.UnixMicro(), "distinct_estimate", k.Distinct, "min", low, "max", high,
				"castable", string(castable), "cast_failures", reads.failures(k))...)
		}
	}
	return nil
}

// spelled is a sent name as text; U+0000, which text cannot have, is spelled out.
func spelled(sent string) string { return strings.ReplaceAll(sent, "\x00", `\u0000`) }

// reading is how a declared field reads a sent name.
type reading struct {
	field  *schema.Field
	source schema.Source
}

// readingOf finds the field that reads a sent name; nil if none does.
func readingOf(m *schema.Metric, sent string) *reading {
	for i := range m.Fields {
		for _, s := range m.Fields[i].Sources {
			if s.Name == sent {
				return &reading{&m.Fields[i], s}
			}
		}
	}
	return nil
}

// mayObserve says whether the user may know what devices sent under a metric's name.
func (p *pin) mayObserve(sent string) bool {
	o := &object{schema: schemaPublic, oid: schema.UndeclaredTableOID(sent)}
	if m, declared := p.state.snapshot.MetricOfSent(sent); declared {
		o.oid = schema.TableOID(m)
	}
	return p.state.read(o).Observe
}

// failures is how many values the field reads as NULL; nil where nobody declared
// it, where that is not known, or where only the conversion could say.
func (r *reading) failures(k *profile.Kind) any {
	if r == nil {
		return nil
	}
	reads := r.field.Type
	if r.source.Convert != "" {
		if !reads.IsNumber() {
			return nil
		}
		reads = schema.Type{Name: "double precision"}
	}
	if n, exact := k.CastFailures(reads); exact {
		return n
	}
	return nil
}
