package suggest

import (
	"context"
	"maps"

	"github.com/fieldgate/fieldgate/schema"
)

// consider brings the proposals up to date with what was seen and declared.
func (a *Advisor) consider(ctx context.Context, t *advised, snapshot *schema.Snapshot) error {
	observed, err := a.cfg.Observed.Metrics(ctx, snapshot.Tenant)
	if err != nil {
		return err
	}
	now := stamp{version: snapshot.Version}
	sent := map[string][]schema.Dataset{} // by table
	events := map[string]int64{}
	for _, o := range observed {
		name := o.Sent
		if m, ok := snapshot.MetricOfSent(o.Sent); ok {
			name = m.Name
		}
		sent[name] = append(sent[name], snapshot.Dataset(o.Sent))
		events[name] += o.Events
		now.events += o.Events
	}
	missing := t.missed.take()
	if now == t.stamp && t.proposed != nil && len(missing) == 0 {
		return nil
	}
	changed := false
	for name, datasets := range sent {
		did, err := a.considerTable(ctx, t, snapshot, name, datasets, stamp{snapshot.Version, events[name]})
		if err != nil {
			return err
		}
		changed = changed || did
	}
	for name := range t.tables {
		if sent[name] == nil {
			delete(t.tables, name)
		}
	}
	t.stamp = now
	t.proposed = map[identity]*proposal{}
	var tables []*table
	for _, c := range t.tables {
		tables = append(tables, c.table)
		maps.Copy(t.proposed, c.proposals)
	}
	for _, p := range metricProposals(tables) {
		id := identity{Class: classMetric, Metric: p.Sent, Generation: snapshot.Dataset(p.Sent).Generation}
		t.proposed[id] = &p
	}
	return a.considerMissing(ctx, t, snapshot, missing)
}

// considerTable brings the proposals of one table up to date, and says whether
// anything had changed.
func (a *Advisor) considerTable(ctx context.Context, t *advised, snapshot *schema.Snapshot, name string, datasets []schema.Dataset, now stamp) (bool, error) {
	before := t.tables[name]
	if before != nil && before.stamp == now {
		return false, nil
	}
	summary, err := a.cfg.Profiles.Summary(ctx, datasets...)
	if err != nil {
		return false, err
	}
	tb := &table{name: name, summary: summary, ignored: ignoredNames(snapshot)}
	if m, ok := snapshot.Metric(name); ok {
		tb.metric = m
		for _, alias := range m.TimestampAliases {
			tb.ignored[alias] = true
		}
	}
	c := &considered{stamp: now, table: tb, proposals: map[identity]*proposal{}, casts: map[string]castCounts{}}
	generation := snapshot.Dataset(name).Generation
	proposals, err := tb.proposals(ctx)
	if err != nil {
		return false, err
	}
	for _, p := range proposals {
		c.proposals[identity{Class: className, Metric: name, Generation: generation, Sent: p.Sent}] = &p
	}
	if before == nil {
		before = &considered{}
	}
	c.considerDeclared(before, generation)
	t.tables[name] = c
	return true, nil
}

// ignoredNames are those of every event.
func ignoredNames(snapshot *schema.Snapshot) map[string]bool {
	out := map[string]bool{schema.TimestampField: true, schema.IDField: true, "metrictype": true}
	for _, name := range snapshot.MetricKeys {
		out[name] = true
	}
	for _, name := range snapshot.TimestampAliases {
		out[name] = true
	}
	return out
}
