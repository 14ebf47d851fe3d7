package planner

// An aggregate or a GROUPING in a subquery can be over the rows or groups of a query
// around it. Engines do not know such, so that query is split: one below it groups and
// computes what its groups are asked for, and the query itself reads the results.

// levelOf is the innermost query whose columns, or groups, stand in expressions; without
// any it is this one.
func levelOf(sc *scope, exprs []Expr) *scope {
	for s := sc; s != nil; s = s.outer {
		for _, e := range exprs {
			if readsLevel(e, s) {
				return s
			}
		}
	}
	return sc
}

// readsLevel says that an expression, or a query in it, reads columns or groups of a
// level.
func readsLevel(e Expr, sc *scope) bool {
	return columnOf(e, func(r Relation) bool { return sc.relations[r] || sc.isGrouped(r) }) != nil
}

// readsGrouped is where an expression, or a query in it, reads what is computed over
// groups of the level; nil: it does not.
func (sc *scope) readsGrouped(e Expr) *Column {
	if sc.grouped == nil {
		return nil
	}
	return columnOf(e, sc.isGrouped)
}

func (sc *scope) isGrouped(r Relation) bool {
	scan, ok := r.(*SubqueryScan)
	return ok && scan == sc.grouped
}

// columnOf is the first column, in an expression or a query in it, of a relation that
// satisfies the test; nil: there is none.
func columnOf(e Expr, test func(Relation) bool) *Column {
	var found *Column
	look := func(e Expr) bool {
		if c, ok := e.(*Column); ok && found == nil && test(c.Relation) {
			found = c
		}
		return found == nil
	}
	walk(e, func(e Expr) bool {
		if s, ok := e.(*Subquery); ok {
			walkQuery(s.Query, look)
		}
		return look(e)
	})
	return found
}

// computedOutside is the result of an aggregate or a GROUPING that the query below a
// level computes.
func (b *binder) computedOutside(level *scope, e Expr, name string, at int32) Expr {
	if level.grouped == nil {
		level.grouped = &SubqueryScan{RelationLabel: b.label("groups"), Query: &Query{}}
	}
	scan := level.grouped
	scan.Query.Targets = append(scan.Query.Targets, Target{Expr: e, Name: name})
	scan.Cols = append(scan.Cols, RelationColumn{Name: name, T: e.Type()})
	return &Column{T: e.Type(), Relation: scan, Index: len(scan.Cols) - 1, at: at}
}

// groupBelow splits a query whose groups are asked about from inside. What it computes
// itself over its groups moves into the query below, too.
func (b *binder) groupBelow(sc *scope, q *Query) error {
	scan := sc.grouped
	if scan == nil {
		return nil
	}
	if len(sc.sets) > 0 {
		return unsupported(nowhere, "set-returning functions beside an aggregate over columns of an outer query")
	}
	below := *q
	below.Targets, below.OrderBy, below.Distinct, below.DistinctOn = scan.Query.Targets, nil, false, nil
	below.Having, below.Limit, below.Offset, below.Ties = nil, nil, nil, false
	*scan.Query = below
	*q = Query{
		Targets: q.Targets, Where: q.Having, OrderBy: q.OrderBy, Distinct: q.Distinct, DistinctOn: q.DistinctOn,
		Limit: q.Limit, Offset: q.Offset, Ties: q.Ties,
	}
	keys := &groupCheck{groups: below.GroupBy}
	replaceExprs(q, func(e Expr) Expr {
		return rebuild(e, func(e Expr) (Expr, bool) {
			switch e := e.(type) {
			case *Aggregate, *Grouping:
				return scan.give(e), true
			case *Subquery:
				visitQueries(e.Query, func(q *Query) {
					replaceExprs(q, func(e Expr) Expr {
						return rebuild(e, func(e Expr) (Expr, bool) {
							c, ok := e.(*Column)
							if !ok || !keys.grouped(c) {
								return nil, false
							}
							return scan.give(c), true
						})
					})
				})
			}
			if !keys.grouped(e) {
				return nil, false
			}
			return scan.give(e), true
		})
	})
	q.From = []FromItem{scan}
	return b.checkGrouping(sc, scan.Query)
}
