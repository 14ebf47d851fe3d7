package planner

import (
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// metricTable is a metric as a table: its columns and what else it has names for.
type metricTable struct {
	schema   string
	name     string
	oid      uint32
	metric   *schema.Metric // nil: undeclared
	datasets []schema.Dataset
	// columns are those of *, in order.
	columns []metricColumn
	// observe gives what devices were seen to send, first seen first; names that
	// nobody declared mean nothing if unseen.
	observe func() ([]observedField, error)
	unseen  bool
}

// metricColumn is a column of a metric that can be named.
type metricColumn struct {
	name   string
	t      Type
	hidden bool
	// observed: nobody declared it.
	observed  bool
	attribute int16
	// builtin is the physical column behind it, or "".
	builtin string
	// sources are those of a declared field; an undeclared one has its sent name.
	sources []schema.Source
	// formerly are the names that a declared field had.
	formerly []string
}

// observedField is a sent name over all datasets of a metric.
type observedField struct {
	sent string
	t    Type
	// attribute is its number in the table of an undeclared metric.
	attribute int16
}

// timestampAttribute is the attribute number of the timestamp column.
const timestampAttribute = 1

func timestampColumn() metricColumn {
	return metricColumn{
		name:      schema.TimestampField,
		t:         plainType(postgres.TimestampTZOID),
		attribute: timestampAttribute,
		builtin:   sources.ColumnTS,
	}
}

// hiddenColumns are the columns of every metric that only their names find. The
// device's own _id is stored like a field.
func hiddenColumns() []metricColumn {
	return []metricColumn{
		{name: schema.IDField, t: plainType(postgres.TextOID), hidden: true, builtin: sources.ColumnID, sources: []schema.Source{{Name: schema.IDField}}},
		{name: sources.ColumnReceivedAt, t: plainType(postgres.TimestampTZOID), hidden: true, builtin: sources.ColumnReceivedAt},
		{name: BuiltinMetric, t: plainType(postgres.TextOID), hidden: true, builtin: BuiltinMetric},
	}
}

// declared is the table of a declared metric.
func (l *lookup) declared(m *schema.Metric) *metricTable {
	t := &metricTable{
		schema:   schemaPublic,
		name:     m.Name,
		oid:      schema.TableOID(m),
		metric:   m,
		datasets: l.snapshot.Datasets(m),
		columns:  append(make([]metricColumn, 0, 1+len(m.Fields)), timestampColumn()),
	}
	t.addFields(m)
	t.observe = func() ([]observedField, error) { return l.observedFields(t.datasets) }
	return t
}

func (t *metricTable) addFields(m *schema.Metric) {
	for i := range m.Fields {
		f := &m.Fields[i]
		t.columns = append(t.columns, metricColumn{
			name:      f.Name,
			t:         fieldType(f.Type),
			attribute: int16(f.Number),
			sources:   f.Sources,
			formerly:  f.Former,
		})
	}
}

// undeclared is the table of a metric that nobody declared: all observed fields
// are its columns.
func (l *lookup) undeclared(sent string) *metricTable {
	t := &metricTable{
		schema:   schemaPublic,
		name:     sent,
		oid:      schema.UndeclaredTableOID(sent),
		datasets: []schema.Dataset{l.snapshot.Dataset(sent)},
		columns:  []metricColumn{timestampColumn()},
	}
	t.observe = func() ([]observedField, error) { return l.observedFields(t.datasets) }
	return t
}

// errorTable is errors.stream.
func (l *lookup) errorTable() *metricTable {
	m := schema.ErrorTable()
	t := &metricTable{
		schema:   schemaErrors,
		name:     m.Name,
		oid:      schema.TableOID(m),
		metric:   m,
		datasets: []schema.Dataset{l.snapshot.ErrorDataset()},
	}
	t.addFields(m)
	t.observe = func() ([]observedField, error) { return nil, nil }
	return t
}

// observedFields merges what the datasets were sent, first seen first. Under a
// name that has several types the first counts, widened among numbers.
func (l *lookup) observedFields(datasets []schema.Dataset) ([]observedField, error) {
	var merged []schema.ObservedField
	for _, ds := range datasets {
		fields, err := l.fields(ds)
		if err != nil {
			return nil, err
		}
		merged = append(merged, fields...)
	}
	if len(datasets) > 1 {
		slices.SortStableFunc(merged, func(a, b schema.ObservedField) int { return a.FirstSeen.Compare(b.FirstSeen) })
	}
	out := make([]observedField, 0, len(merged))
	at := make(map[string]int, len(merged))
	for i := range merged {
		if !schema.CanBeNamed(merged[i].Sent) {
			continue
		}
		f := observedField{sent: merged[i].Sent, t: fieldType(merged[i].Type), attribute: int16(schema.UndeclaredAttribute(&merged[i]))}
		n, seen := at[f.sent]
		switch {
		case !seen:
			at[f.sent] = len(out)
			out = append(out, f)
		case out[n].t.OID == postgres.Int8OID && f.t.OID == postgres.Float8OID:
			out[n].t = f.t
		}
	}
	return out, nil
}

func fieldType(t schema.Type) Type { return Type{OID: t.OID(), Typmod: t.Typmod()} }

// sentFields are the names that a statement may use though nobody declared them.
func (t *metricTable) sentFields() ([]observedField, error) {
	if t.unseen {
		return nil, nil
	}
	return t.observe()
}

// items are the columns of * for an item over the table.
func (t *metricTable) items() []itemColumn {
	out := make([]itemColumn, len(t.columns))
	for i, c := range t.columns {
		out[i] = itemColumn{name: c.name, t: c.t, observed: c.observed}
	}
	return out
}

// expand makes the observed fields of an undeclared metric columns.
func (t *metricTable) expand() error {
	if t.metric != nil {
		return nil
	}
	fields, err := t.sentFields()
	if err != nil {
		return err
	}
	for _, f := range fields {
		if f.sent != schema.TimestampField && f.sent != schema.IDField {
			c := sentColumn(f)
			c.attribute = f.attribute
			t.columns = append(t.columns, c)
		}
	}
	return nil
}

// sentColumn is an undeclared sent name as a column.
func sentColumn(f observedField) metricColumn {
	return metricColumn{name: f.sent, t: f.t, observed: true, sources: []schema.Source{{Name: f.sent}}}
}

// beyond finds what a name that no declared column has means for this metric: a
// hidden column, a field's former name, or a sent name.
func (t *metricTable) beyond(name string) ([]metricColumn, error) {
	for _, c := range hiddenColumns() {
		if c.name == name {
			return []metricColumn{c}, nil
		}
	}
	if c, ok := t.former(name); ok {
		return []metricColumn{c}, nil
	}
	fields, err := t.sentFields()
	if err != nil {
		return nil, err
	}
	var found []metricColumn
	for _, f := range fields {
		if sentNameIs(f.sent, name) {
			found = append(found, sentColumn(f))
		}
	}
	return found, nil
}

// former finds the field that was called name, or that has name among its sources
// as it was sent. A source with a conversion is not meant: its name still means what
// was sent.
func (t *metricTable) former(name string) (metricColumn, bool) {
	for _, c := range t.columns {
		if slices.Contains(c.formerly, name) || !t.unseen && slices.ContainsFunc(c.sources, func(s schema.Source) bool { return s.Name == name && s.Convert == "" }) {
			return c, true
		}
	}
	return metricColumn{}, false
}

// longer are the sources of a column, with what its own name may stand for: the
// parser cuts names, so one that was cut means the one longer sent name that begins
// with it, as it does where nobody declared it.
func (t *metricTable) longer(c metricColumn) ([]schema.Source, error) {
	i := slices.IndexFunc(c.sources, func(s schema.Source) bool { return s.Name == c.name })
	if i < 0 || c.observed || len(c.name) < maxIdentifier-3 {
		return c.sources, nil
	}
	fields, err := t.observe()
	if err != nil {
		return nil, err
	}
	var found []schema.Source
	for _, f := range fields {
		if f.sent == c.name || cutName(f.sent) != c.name {
			continue
		}
		if _, taken := t.former(f.sent); !taken {
			found = append(found, schema.Source{Name: f.sent, Convert: c.sources[i].Convert})
		}
	}
	if len(found) != 1 {
		return c.sources, nil
	}
	return slices.Insert(slices.Clone(c.sources), i+1, found[0]), nil
}

// folded are the columns, declared or sent, whose names equal name ignoring case.
func (t *metricTable) folded(name string) ([]metricColumn, error) {
	var found []metricColumn
	for _, c := range t.columns {
		if strings.EqualFold(cutName(c.name), name) {
			found = append(found, c)
		}
	}
	fields, err := t.sentFields()
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		declared := slices.ContainsFunc(t.columns, func(c metricColumn) bool { return c.name == f.sent })
		if declared || !strings.EqualFold(cutName(f.sent), name) {
			continue
		}
		c, ok := t.former(f.sent)
		if !ok {
			c = sentColumn(f)
		}
		if !slices.ContainsFunc(found, func(o metricColumn) bool { return o.name == c.name }) {
			found = append(found, c)
		}
	}
	return found, nil
}
