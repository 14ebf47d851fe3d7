package planner

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Functions of schema fieldgate that look at events stand in FROM: conflicts and
// preview_alias. Each is a query over a table that has, beside the metric's columns,
// single sources as columns of their own.

// inspected is the name under which that table stands in the query.
const inspected = "fieldgate inspected"

// inspection is the table and the query over it.
type inspection struct {
	table *metricTable
	sql   string
}

// source adds a column for one source, and gives its name in SQL.
func (i *inspection) source(t Type, s schema.Source) string {
	name := fmt.Sprintf("fieldgate source %d", len(i.table.columns))
	i.table.columns = append(i.table.columns, metricColumn{name: name, t: t, hidden: true, sources: []schema.Source{s}})
	return "t." + postgres.QuoteIdentifier(name)
}

// raw adds a column that has a value where the name was sent.
func (i *inspection) raw(sent string) string {
	return i.source(plainType(postgres.TextOID), schema.Source{Name: sent})
}

// quoteText writes a text as a literal.
func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// unplaced drops a place in SQL that the client did not write.
func unplaced(err error) error {
	var e *Error
	if errors.As(err, &e) && !e.inner {
		e.offset, e.Position = 0, 0
	}
	return err
}

// comparable is a value as one that has an inequality.
func comparable(column string, t Type) string {
	if t.OID == postgres.JSONOID {
		return column + "::text"
	}
	return column
}

// inspect binds fieldgate.conflicts and fieldgate.preview_alias in FROM.
func (b *binder) inspect(sc *scope, n *pgquery.RangeFunction, call *pgquery.FuncCall) (FromItem, []*item, error) {
	if n.Ordinality {
		return nil, nil, unsupported(call.Location, "WITH ORDINALITY here")
	}
	site, err := b.adminSite(call)
	if err != nil {
		return nil, nil, err
	}
	args, err := site.values("")
	if err != nil {
		return nil, nil, err
	}
	found, err := b.inspection(adminKey(site.proc), args)
	if err != nil {
		return nil, nil, err
	}
	query, err := parseView(found.sql)
	if err != nil {
		return nil, nil, err
	}
	b.names.inspected = found.table
	q, err := b.query(query)
	b.names.inspected = nil
	if err != nil {
		return nil, nil, detached(unplaced(err))
	}
	alias := site.proc.Name
	if n.Alias != nil {
		alias = n.Alias.Aliasname
	}
	scan := b.newSubqueryScan(q, alias, false)
	items, err := sc.add(&item{name: alias, relation: scan, columns: relationColumns(scan)}, n.Alias)
	return scan, items, err
}

func (b *binder) inspection(key string, args *adminArgs) (*inspection, error) {
	m, ok := b.names.snapshot.Metric(args.str(0))
	if !ok {
		return nil, errorf(pgerrcode.UndefinedTable, "relation %q does not exist", args.str(0))
	}
	if key == "preview_alias/2" {
		return b.previewMetric(m, args.str(1))
	}
	f, ok := m.Field(args.str(1))
	if !ok {
		return nil, columnMissing(m.Name, args.str(1))
	}
	i := &inspection{table: b.names.declared(m)}
	if r := b.readable(i.table.oid, "table", m.Name); r != nil && !r.Observe {
		b.deny(r)
	}
	if key == "conflicts/2" {
		i.conflicts(f)
	} else {
		i.preview(f, schema.Source{Name: args.str(2), Convert: args.str(3)})
	}
	return i, nil
}

// conflicts lists the events in which sources of a field give different values.
func (i *inspection) conflicts(f *schema.Field) {
	t := fieldType(f.Type)
	field := comparable(postgres.QuoteIdentifier(f.Name), t)
	var names, values, differ []string
	for _, s := range f.Sources {
		column := i.source(t, s)
		names = append(names, fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN %s END", column, quoteText(s.Name)))
		values = append(values, column+"::text")
		differ = append(differ, fmt.Sprintf("%s <> %s", comparable(column, t), field))
	}
	i.sql = fmt.Sprintf(`SELECT timestamp, _id AS id, _metric AS sent_metric, array_remove(ARRAY[%s], NULL) AS sources, array_remove(ARRAY[%s], NULL) AS "values"
		FROM %s t WHERE %s`, strings.Join(names, ", "), strings.Join(values, ", "), postgres.QuoteIdentifier(inspected), strings.Join(differ, " OR "))
}

// preview counts what a further source of a field would do.
func (i *inspection) preview(f *schema.Field, s schema.Source) {
	t := fieldType(f.Type)
	raw, added, field := i.raw(s.Name), i.source(t, s), postgres.QuoteIdentifier(f.Name)
	i.sql = fmt.Sprintf(`SELECT count(*) AS rows, count(*) FILTER (WHERE %[2]s IS NULL) AS cast_failures,
			count(*) FILTER (WHERE %[2]s IS NOT NULL AND %[3]s IS NULL) AS filled, count(*) FILTER (WHERE %[4]s <> %[5]s) AS conflicts
		FROM %[6]s t WHERE %[1]s IS NOT NULL`,
		raw, added, field, comparable(added, t), comparable(field, t), postgres.QuoteIdentifier(inspected))
}

// previewMetric counts the events that a further alias of a metric would bring, and
// the values in them that no cast would read.
func (b *binder) previewMetric(m *schema.Metric, alias string) (*inspection, error) {
	if owner, taken := b.names.snapshot.MetricOfSent(alias); taken {
		return nil, errorf(pgerrcode.DuplicateTable, "the name %q belongs to table %q", alias, owner.Name)
	}
	i := &inspection{table: b.names.declared(m)}
	i.table.datasets = []schema.Dataset{b.names.snapshot.Dataset(alias)}
	failures := "0"
	for n := range m.Fields {
		f := &m.Fields[n]
		for _, s := range f.Sources {
			raw, value := i.raw(s.Name), i.source(fieldType(f.Type), s)
			failures += fmt.Sprintf(" + count(*) FILTER (WHERE %s IS NOT NULL AND %s IS NULL)", raw, value)
		}
	}
	i.sql = fmt.Sprintf(`SELECT count(*) AS rows, (%s)::bigint AS cast_failures, count(*) AS filled, 0::bigint AS conflicts FROM %s t`,
		failures, postgres.QuoteIdentifier(inspected))
	return i, nil
}
