package planner

import (
	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// trace is what the nodes of a parsed query were bound to, for who prints the query as
// PostgreSQL would: the bound tree has no more of how it was written than plans need.
type trace struct {
	root    *pgquery.SelectStmt // of a view, its query
	types   map[*pgquery.Node]Type
	calls   map[*pgquery.FuncCall]*callSite
	queries map[*pgquery.SelectStmt]*Query
	items   map[*pgquery.Node]*item
	tables  map[*pgquery.RangeVar]*table
	// columns and stars are by where the name stands in the text.
	columns map[int32]tracedColumn
	stars   map[int32][]tracedColumn
}

// tracedColumn is what a name means: a column of an item, by its place or, if nobody
// declared it, by its name.
type tracedColumn struct {
	it    *item
	index int
	name  string
}

func newTrace() *trace {
	return &trace{
		types: map[*pgquery.Node]Type{}, calls: map[*pgquery.FuncCall]*callSite{}, queries: map[*pgquery.SelectStmt]*Query{},
		items: map[*pgquery.Node]*item{}, tables: map[*pgquery.RangeVar]*table{},
		columns: map[int32]tracedColumn{}, stars: map[int32][]tracedColumn{},
	}
}

func (t *trace) column(at int32, it *item, index int) {
	if t != nil {
		t.columns[at] = tracedColumn{it: it, index: index}
	}
}

func (t *trace) beyond(at int32, c candidate) {
	if t != nil {
		t.columns[at] = tracedColumn{it: c.it, name: c.column.name}
	}
}

func (t *trace) star(at int32, it *item, index int) {
	if t != nil {
		t.stars[at] = append(t.stars[at], tracedColumn{it: it, index: index})
	}
}
