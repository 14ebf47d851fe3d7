package schema

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"
)

// Version tells of one version of a tenant's schema.
type Version struct {
	Version   uint64
	Previous  uint64 // the version that it was made from, 0 for the first
	CreatedAt time.Time
	Who, What string
}

// History lists the versions of a tenant's schema, the current one first, back to
// where the tenant was added.
func (s *Store) History(ctx context.Context, tenant string) ([]Version, error) {
	current, err := s.Current(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var out []Version
	for number := current.Version; number != 0; {
		doc, err := s.root(ctx, tenant, number)
		if err != nil {
			return nil, err
		}
		if doc.Dropped {
			break // what comes before belonged to another tenant of the name
		}
		out = append(out, Version{Version: number, Previous: doc.Previous, CreatedAt: doc.CreatedAt, Who: doc.Who, What: doc.What})
		number = doc.Previous
	}
	out[len(out)-1].Previous = 0
	return out, nil
}

// Earlier returns a version that the current one was made from, over however many
// others. ErrNotFound if there is none of that number.
func (s *Store) Earlier(ctx context.Context, tenant string, version uint64) (*Snapshot, error) {
	history, err := s.History(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(history, func(v Version) bool { return v.Version == version }) {
		return nil, fmt.Errorf("schema version %d: %w", version, ErrNotFound)
	}
	return s.At(ctx, tenant, version)
}

// root reads one version but for its metrics' content.
func (s *Store) root(ctx context.Context, tenant string, version uint64) (*rootDocument, error) {
	item, err := s.kv.Get(ctx, rootKey(tenant, version))
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("version %d of tenant %q: %w", version, tenant, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read version %d of tenant %q: %w", version, tenant, err)
	}
	var doc rootDocument
	return &doc, decodeDocument(item, &doc)
}

// Restore declares what an earlier version of the same tenant had declared, and
// nothing else. A metric that was dropped since has its rows again: its names are
// in the generation they were in, and what was sent under them since the drop is
// no longer read. Numbers of metrics and fields are not used again. Who may read what
// stays, but that of what comes back is as it was.
func (d *Draft) Restore(old *Snapshot) error {
	next := d.next
	for _, set := range []struct{ to, from *[]string }{
		{&next.MetricKeys, &old.MetricKeys}, {&next.TimestampAliases, &old.TimestampAliases}, {&next.TimestampPatterns, &old.TimestampPatterns},
	} {
		if !slices.Equal(*set.to, *set.from) {
			*set.to = cloneList(*set.from)
			d.settings, d.changed = true, true
		}
	}
	if err := errors.Join(d.SetRejectUndeclared(old.RejectUndeclared), d.SetRules(old.Rules)); err != nil {
		return err
	}
	there := make(map[uint32]*Metric, len(next.Metrics))
	for _, m := range next.Metrics {
		there[m.ID] = m
	}
	metrics := make([]*Metric, len(old.Metrics))
	for i, m := range old.Metrics {
		metrics[i] = d.restored(m, there[m.ID])
		if there[m.ID] == nil {
			d.restoreAccess(TableOID(m), old)
			d.lower(m.Name, old)
			for _, a := range m.Aliases {
				d.lower(a, old)
			}
		}
	}
	if !slices.Equal(metrics, next.Metrics) {
		next.Metrics, d.changed = metrics, true
	}
	views := make([]*View, len(old.Views))
	for i, v := range old.Views {
		views[i] = v
		if now, is := next.ViewByOID(ViewOID(v)); !is {
			d.restoreAccess(ViewOID(v), old)
		} else if then := *v; now != v {
			then.Version = now.Version
			if reflect.DeepEqual(&then, now) {
				views[i] = now
			}
		}
	}
	if !slices.Equal(views, next.Views) {
		next.Views, d.changed = views, true
	}
	return nil
}

// restored is a metric as it was: the one that is there, if it is the same.
func (d *Draft) restored(old, now *Metric) *Metric {
	m := old.clone()
	if now != nil {
		m.NextField, m.Version = max(old.NextField, now.NextField), now.Version
		if reflect.DeepEqual(m, now) {
			return now
		}
		delete(d.owned, now)
	}
	d.owned[m] = struct{}{}
	return m
}

// lower puts a sent name back into the generation that it had in an earlier
// version.
func (d *Draft) lower(sent string, old *Snapshot) {
	now, then := d.next.generation(sent), old.generation(sent)
	if now == then {
		return
	}
	d.next.topGenerations = maps.Clone(d.next.topGenerations)
	if d.next.topGenerations == nil {
		d.next.topGenerations = map[string]uint32{}
	}
	d.next.topGenerations[sent] = max(now, d.next.topGenerations[sent])
	d.next.Generations[sent] = then
}
