package planner

// A GROUPING in a subquery can be over the groups of a query around it. Engines do not
// know such, so that query is split: one below it groups and computes what is asked
// for, and the query itself reads the results.

// levelOf is the innermost query whose columns stand in the arguments of a GROUPING;
// without any it is this one.
func levelOf(sc *scope, args []Expr) *scope {
	for s := sc; s != nil; s = s.outer {
		for _, arg := range args {
			if readsLevel(arg, s) {
				return s
			}
		}
	}
	return sc
}

// readsLevel says that an expression, or a query in it, reads columns of a level.
func readsLevel(e Expr, sc *scope) bool {
	found := false
	look := func(e Expr) bool {
		c, ok := e.(*Column)
		found = found || ok && sc.relations[c.Relation]
		return !found
	}
	walk(e, func(e Expr) bool {
		if s, ok := e.(*Subquery); ok {
			walkQuery(s.Query, look)
		}
		return look(e)
	})
	return found
}

// groupingOutside is the result of a GROUPING that the query below a level computes.
func (b *binder) groupingOutside(level *scope, g *Grouping) Expr {
	if level.grouped == nil {
		level.grouped = &SubqueryScan{RelationLabel: b.label("groups"), Query: &Query{}}
	}
	scan := level.grouped
	scan.Query.Targets = append(scan.Query.Targets, Target{Expr: g, Name: "grouping"})
	scan.Cols = append(scan.Cols, RelationColumn{Name: "grouping", T: g.Type()})
	return &Column{T: g.Type(), Relation: scan, Index: len(scan.Cols) - 1, at: nowhere}
}

// groupBelow splits a query whose groups are asked about from inside.
func (b *binder) groupBelow(sc *scope, q *Query) error {
	if sc.grouped == nil {
		return nil
	}
	mixed := q.Having != nil || q.Distinct || len(q.DistinctOn) > 0 || len(q.OrderBy) > 0
	for _, t := range q.Targets {
		mixed = mixed || readsLevel(t.Expr, sc) || contains(t.Expr, func(e Expr) bool {
			switch e.(type) {
			case *Aggregate, *Grouping, *WindowCall:
				return true
			}
			return false
		})
	}
	if mixed {
		return unsupported(nowhere, "GROUPING of an outer query's expressions beside other columns of it")
	}
	below := *q
	below.Targets, below.Limit, below.Offset = sc.grouped.Query.Targets, nil, nil
	if err := b.checkGrouping(sc, &below); err != nil {
		return err
	}
	*sc.grouped.Query = below
	*q = Query{Targets: q.Targets, From: []FromItem{sc.grouped}, Limit: q.Limit, Offset: q.Offset, Ties: q.Ties}
	return nil
}
