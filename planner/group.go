package planner

import (
	"slices"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

const (
	// maxGroupingSets is PostgreSQL's bound on expanded grouping sets.
	maxGroupingSets = 4096
	// maxCube is PostgreSQL's bound on the elements of CUBE.
	maxCube = 12
)

// groupBy binds GROUP BY. Grouping sets are expanded to the product of what each
// item lists.
func (b *binder) groupBy(sc *scope, q *Query, n *pgquery.SelectStmt) error {
	defer sc.in(inGroupBy)()
	plain := true
	sets := [][]Expr{nil}
	var items [][][]Expr
	for _, node := range n.GroupClause {
		item, isSet, err := b.groupItem(sc, q, node)
		if err != nil {
			return err
		}
		plain = plain && !isSet
		items = append(items, item)
		if len(sets)*len(item) > maxGroupingSets {
			return errorAt(locate(node), pgerrcode.StatementTooComplex, "too many grouping sets present (maximum %d)", maxGroupingSets)
		}
		product := make([][]Expr, 0, len(sets)*len(item))
		for _, before := range sets {
			for _, set := range item {
				product = append(product, mergeGroups(before, set))
			}
		}
		sets = product
	}
	for _, set := range sets {
		q.GroupBy = mergeGroups(q.GroupBy, set)
	}
	if plain {
		return nil
	}
	if n.GroupDistinct {
		sets = distinctSets(sets)
	}
	q.GroupingSets = sets
	return checkTwice(q, items)
}

// distinctSets leaves out the sets that are there already.
func distinctSets(sets [][]Expr) [][]Expr {
	var out [][]Expr
	for _, set := range sets {
		if !slices.ContainsFunc(out, func(o []Expr) bool { return len(o) == len(set) && len(mergeGroups(o, set)) == len(o) }) {
			out = append(out, set)
		}
	}
	return out
}

// checkTwice refuses grouping sets over one expression that stands in two items
// and two outputs: PostgreSQL tells those apart.
func checkTwice(q *Query, items [][][]Expr) error {
	for _, e := range q.GroupBy {
		same := func(o Expr) bool { return SameExpr(o, e) }
		outputs, named := 0, 0
		for _, t := range q.Targets {
			if same(t.Expr) {
				outputs++
			}
		}
		for _, item := range items {
			if slices.ContainsFunc(item, func(set []Expr) bool { return slices.ContainsFunc(set, same) }) {
				named++
			}
		}
		if outputs > 1 && named > 1 {
			return unsupported(nowhere, "one expression under several names in grouping sets")
		}
	}
	return nil
}

// mergeGroups adds to a list of expressions those that it has not.
func mergeGroups(list, more []Expr) []Expr {
	out := slices.Clone(list)
	for _, e := range more {
		if !slices.ContainsFunc(out, func(o Expr) bool { return SameExpr(o, e) }) {
			out = append(out, e)
		}
	}
	return out
}

// groupItem binds one item of GROUP BY as the grouping sets it lists.
func (b *binder) groupItem(sc *scope, q *Query, n *pgquery.Node) (sets [][]Expr, isSet bool, err error) {
	if row := n.GetRowExpr(); row != nil && row.RowFormat == pgquery.CoercionForm_COERCE_IMPLICIT_CAST {
		list, err := b.groupExprs(sc, q, row.Args)
		return [][]Expr{list}, false, err
	}
	g := n.GetGroupingSet()
	if g == nil {
		e, err := b.groupExpr(sc, q, n)
		return [][]Expr{{e}}, false, err
	}
	switch g.Kind {
	case pgquery.GroupingSetKind_GROUPING_SET_EMPTY:
		return [][]Expr{nil}, true, nil
	case pgquery.GroupingSetKind_GROUPING_SET_SETS:
		for _, node := range g.Content {
			more, _, err := b.groupItem(sc, q, node)
			if err != nil {
				return nil, true, err
			}
			sets = append(sets, more...)
		}
		return sets, true, nil
	case pgquery.GroupingSetKind_GROUPING_SET_ROLLUP, pgquery.GroupingSetKind_GROUPING_SET_CUBE:
		sets, err = b.rollupOrCube(sc, q, g)
		return sets, true, err
	}
	return nil, true, unsupported(g.Location, "this grouping set")
}

func (b *binder) rollupOrCube(sc *scope, q *Query, g *pgquery.GroupingSet) ([][]Expr, error) {
	parts := make([][]Expr, 0, len(g.Content))
	for _, node := range g.Content {
		part, _, err := b.groupItem(sc, q, node)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part[0])
	}
	var sets [][]Expr
	if g.Kind == pgquery.GroupingSetKind_GROUPING_SET_ROLLUP {
		for n := len(parts); n >= 0; n-- {
			sets = append(sets, slices.Concat(parts[:n]...))
		}
		return sets, nil
	}
	if len(parts) > maxCube {
		return nil, errorAt(g.Location, pgerrcode.TooManyColumns, "CUBE is limited to %d elements", maxCube)
	}
	for mask := 1<<len(parts) - 1; mask >= 0; mask-- {
		var set []Expr
		for i, part := range parts {
			if mask&(1<<(len(parts)-1-i)) != 0 {
				set = append(set, part...)
			}
		}
		sets = append(sets, set)
	}
	return sets, nil
}

func (b *binder) groupExprs(sc *scope, q *Query, nodes []*pgquery.Node) ([]Expr, error) {
	out := make([]Expr, 0, len(nodes))
	for _, n := range nodes {
		e, err := b.groupExpr(sc, q, n)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// groupExpr binds one expression of GROUP BY: a column before an output's name,
// an output's number, or an expression.
func (b *binder) groupExpr(sc *scope, q *Query, n *pgquery.Node) (Expr, error) {
	e, err := b.groupOutput(sc, q, n)
	if e == nil && err == nil {
		if e, err = b.expr(sc, n); err == nil {
			e, err = b.resolve(e)
		}
	}
	if err != nil {
		return nil, err
	}
	for _, what := range []struct {
		found bool
		name  string
		code  string
	}{
		{hasAggregate(e) || sc.expandsAggregates(e) || sc.readsGrouped(e) != nil, "aggregate functions", pgerrcode.GroupingError},
		{findWindowCall(e) != nil, "window functions", pgerrcode.WindowingError},
	} {
		if what.found {
			return nil, errorAt(locate(n), what.code, "%s are not allowed in GROUP BY", what.name)
		}
	}
	if err := postgres.CheckEquality(e.Type().OID); err != nil {
		return nil, faultAt(locate(n), err)
	}
	return e, nil
}

// groupOutput finds the output that an item of GROUP BY means; nil: none.
func (b *binder) groupOutput(sc *scope, q *Query, n *pgquery.Node) (Expr, error) {
	i := -1
	if c := n.GetAConst(); c != nil {
		var err error
		if i, err = ordinal(c, len(q.Targets), inGroupBy); err != nil {
			return nil, err
		}
	}
	if name, ok := bareName(n); ok {
		// Only this level's own columns come before the output's name.
		own := &scope{items: sc.items}
		column, err := b.declaredColumn(own, name, locate(n))
		if column != nil || err != nil {
			return column, err
		}
		if i, err = findOutput(q, name, inGroupBy, locate(n)); err != nil {
			return nil, err
		}
	}
	if i < 0 {
		return nil, nil
	}
	if _, err := b.output(q, i); err != nil {
		return nil, err
	}
	return q.Targets[i].Expr, nil
}

// grouping binds GROUPING(...).
func (b *binder) grouping(sc *scope, n *pgquery.GroupingFunc) (Expr, error) {
	args, err := b.exprs(sc, n.Args)
	if err != nil {
		return nil, err
	}
	level := levelOf(sc, args)
	if err := checkAllowed(level, clauses[level.clause].aggregates, "grouping operations", pgerrcode.GroupingError, n.Location); err != nil {
		return nil, err
	}
	if len(args) > 31 {
		return nil, errorAt(n.Location, pgerrcode.TooManyArguments, "GROUPING must have fewer than 32 arguments")
	}
	level.aggregates = true
	g := &Grouping{Args: args, places: locateAll(n.Args)}
	if level != sc {
		return b.computedOutside(level, g, "grouping", n.Location), nil
	}
	return g, nil
}

// checkGrouping refuses columns that are neither grouped nor aggregated.
func (b *binder) checkGrouping(sc *scope, q *Query) error {
	if !q.Aggregated {
		return nil
	}
	check := &groupCheck{sc: sc, groups: q.GroupBy, sets: q.GroupingSets != nil}
	exprs := []Expr{q.Having}
	for _, t := range q.Targets {
		exprs = append(exprs, t.Expr)
	}
	for _, k := range q.OrderBy {
		exprs = append(exprs, k.Expr)
	}
	exprs = append(exprs, q.DistinctOn...)
	for _, e := range exprs {
		check.groupings(e)
	}
	for _, e := range exprs[1:] {
		check.expr(e)
	}
	check.expr(q.Having)
	return check.err
}

// groupCheck looks for ungrouped columns; err is about the first.
type groupCheck struct {
	sc     *scope
	groups []Expr
	sets   bool // the query has grouping sets
	err    error
}

func (g *groupCheck) expr(e Expr) {
	walk(e, func(e Expr) bool {
		if g.err != nil || g.grouped(e) {
			return false
		}
		switch e := e.(type) {
		case *Aggregate:
			// What stands before WITHIN GROUP is computed once a group.
			if e.WithinGroup {
				for _, arg := range e.Args {
					g.expr(arg)
					if g.sets && hasColumns(arg) && g.err == nil {
						g.err = unsupported(e.at, "%s by a grouped column in a query with grouping sets", e.Proc.Name)
					}
				}
			}
			return false
		case *Grouping:
			return false
		case *Column:
			g.column(e, "column %q must appear in the GROUP BY clause or be used in an aggregate function")
		case *Subquery:
			// Within a subquery PostgreSQL knows grouped columns, but no grouped expressions.
			walkQuery(e.Query, func(inner Expr) bool {
				if c, ok := inner.(*Column); ok && g.err == nil && !g.grouped(c) {
					g.column(c, "subquery uses ungrouped column %q from outer query")
				}
				return g.err == nil
			})
		}
		return true
	})
}

func (g *groupCheck) grouped(e Expr) bool {
	return slices.ContainsFunc(g.groups, func(group Expr) bool { return SameExpr(group, e) })
}

func (g *groupCheck) column(c *Column, message string) {
	if !g.sc.relations[c.Relation] {
		return
	}
	name := c.Relation.Columns()[c.Index].Name
	for _, it := range g.sc.all {
		if it.relation != c.Relation {
			continue
		}
		if it.metric == nil {
			name = it.columns[c.Index].name
		}
		name = it.name + "." + name
	}
	g.err = errorAt(c.at, pgerrcode.GroupingError, message, name)
}

// groupings checks the arguments of GROUPING.
func (g *groupCheck) groupings(e Expr) {
	walk(e, func(e Expr) bool {
		if e, ok := e.(*Grouping); ok && g.err == nil {
			g.groupingArgs(e)
		}
		return g.err == nil
	})
}

func (g *groupCheck) groupingArgs(e *Grouping) {
	for i, arg := range e.Args {
		if !g.grouped(arg) {
			g.err = errorAt(e.places[i], pgerrcode.GroupingError, "arguments to GROUPING must be grouping expressions of the associated query level")
			return
		}
	}
}
