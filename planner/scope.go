package planner

import (
	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// clause is the part of a query that an expression stands in.
type clause int

// The clauses.
const (
	noClause clause = iota
	inSelect
	inOrderBy
	inDistinctOn
	inWhere
	inJoin
	inFromQuery
	inFromFunction
	inGroupBy
	inHaving
	inFilter
	inWindow
	inLimit
	inOffset
	inValues
	inConversion
	inPolicy
)

// clauseRules are what may stand in a clause, and PostgreSQL's name for it.
type clauseRules struct {
	name                string
	aggregates, windows bool
	sets                bool // set-returning functions
}

var clauses = [...]clauseRules{
	noClause:       {name: "this context", aggregates: true, windows: true},
	inSelect:       {name: "SELECT", aggregates: true, windows: true, sets: true},
	inOrderBy:      {name: "ORDER BY", aggregates: true, windows: true},
	inDistinctOn:   {name: "DISTINCT ON", aggregates: true, windows: true},
	inWhere:        {name: "WHERE"},
	inJoin:         {name: "JOIN conditions"},
	inFromQuery:    {name: "FROM clause of their own query level"},
	inFromFunction: {name: "functions in FROM", sets: true},
	inGroupBy:      {name: "GROUP BY"},
	inHaving:       {name: "HAVING", aggregates: true},
	inFilter:       {name: "FILTER"},
	inWindow:       {name: "window definitions", aggregates: true},
	inLimit:        {name: "LIMIT"},
	inOffset:       {name: "OFFSET"},
	inValues:       {name: "VALUES"},
	inConversion:   {name: "a source's conversion"},
	inPolicy:       {name: "policy expressions"},
}

func (c clause) String() string { return clauses[c].name }

// scope is one query level while it is bound: what its names can mean.
type scope struct {
	outer *scope
	with  *with
	// items are what names can refer to at the moment, all every item of FROM.
	items, all []*item
	// lateral: the item being bound may refer to those before it.
	lateral bool
	clause  clause
	// relations are those of this level's FROM.
	relations map[Relation]bool
	windows   []*namedWindow
	// sets collects the set-returning functions of the select list.
	sets []*FunctionScan
	// value is what `value` means in a source's conversion, else nil.
	value *SentValue
	// grouped computes the aggregates and GROUPINGs over this level that queries in it ask
	// for; nil: they ask for none. See group_outer.go.
	grouped *SubqueryScan
	// aggregates and windowed say what was met at this level.
	aggregates, windowed bool
}

func newScope(outer *scope) *scope {
	sc := &scope{outer: outer, relations: map[Relation]bool{}}
	if outer != nil {
		sc.with = outer.with
	}
	return sc
}

// in binds under another clause and returns what undoes that.
func (sc *scope) in(c clause) (restore func()) {
	before := sc.clause
	sc.clause = c
	return func() { sc.clause = before }
}

// item is a thing in FROM that names can refer to.
type item struct {
	// name qualifies the item's columns; a join without alias has none.
	name string
	// schema is the relation's, for names in three parts; "" behind an alias.
	schema string
	// typed: it is a table or view, whose rows have a type of their own. rowType is
	// that of a tenant's table or view.
	typed    bool
	rowType  uint32
	relation Relation // nil: a join
	columns  []itemColumn
	// metric is set for events, which have more names than columns.
	metric *metricTable
	// readable is what the user may read of it; nil: all.
	readable *readable
	// The item can be named, and its columns can be named without it.
	nameVisible, columnsVisible bool
	// lateralOnly: an item of the FROM being bound, for LATERAL only; lateralOK
	// says whether the join allows that.
	lateralOnly, lateralOK bool
}

// itemColumn is one column of an item: of its relation, of another item under a
// join, or merged from both sides of a join.
type itemColumn struct {
	name string
	t    Type
	// observed: nobody declared the column, so it comes after all that are.
	observed bool
	// apart: * does not give it.
	apart bool
	// formerly are names that the column of a view had, by which other views call it.
	formerly []string
	from     *item
	index    int
	merged   Expr
}

// column is an expression for column i of the item.
func (b *binder) column(it *item, i int) (Expr, error) {
	c := &it.columns[i]
	switch {
	case c.merged != nil:
		return c.merged, nil
	case c.from != nil:
		return b.column(c.from, c.index)
	case it.metric != nil:
		return b.readColumn(it, it.metric.columns[i])
	}
	b.checkColumn(it.readable, int16(i+1))
	if view, ok := it.relation.(*SubqueryScan); ok {
		b.use(view.OID, int16(i+1))
	}
	return &Column{T: c.t, Relation: it.relation, Index: i}, nil
}

// reachable says whether names in the scope can refer to the item now.
func (it *item) reachable(sc *scope) bool { return !it.lateralOnly || sc.lateral }

// checkLateral refuses a reference to an item from where its join forbids it.
func (it *item) checkLateral(at int32) error {
	if it.lateralOnly && !it.lateralOK {
		return errorAt(at, pgerrcode.InvalidColumnReference, "invalid reference to FROM-clause entry for table %q", it.name).
			withDetail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.")
	}
	return nil
}

// setVisible sets how the items can be referred to.
func setLateral(items []*item, only, ok bool) {
	for _, it := range items {
		it.lateralOnly, it.lateralOK = only, ok
	}
}

// checkDuplicates refuses an alias that another item of the FROM has.
func checkDuplicates(before, added []*item) error {
	for _, x := range added {
		for _, y := range before {
			sameTable := x.schema != "" && y.schema != "" && x.schema != y.schema
			if x.nameVisible && y.nameVisible && x.name == y.name && !sameTable {
				return errorf(pgerrcode.DuplicateAlias, "table name %q specified more than once", x.name)
			}
		}
	}
	return nil
}

func plainType(oid postgres.OID) Type { return Type{OID: oid, Typmod: -1} }
