package planner

import (
	"slices"

	"github.com/jackc/pgerrcode"
)

// Set-returning functions of a select list run over what a query has grouped and
// computed over windows. Engines run them before, so the query is split: one below
// groups, and the query itself expands what that gives.

// expandsAfter says that the functions run over the groups or windows of q.
func expandsAfter(sc *scope, q *Query) bool {
	return q.Aggregated && !slices.ContainsFunc(sc.sets, func(s *FunctionScan) bool { return groupedBy(q, s) }) || !q.Aggregated && sc.windowed
}

// setsAfter splits a query so that its set-returning functions run over the groups and
// windows that a query below it has computed.
func (b *binder) setsAfter(sc *scope, q *Query) error {
	grouped := append(slices.Clone(q.GroupBy), q.Having)
	if slices.ContainsFunc(grouped, sc.showsSets) {
		return unsupported(nowhere, "a query that groups by some of the results of its set-returning functions")
	}
	below := *q
	below.Targets, below.OrderBy, below.Distinct, below.DistinctOn, below.Limit, below.Offset, below.Ties = nil, nil, false, nil, nil, nil, false
	scan := &SubqueryScan{RelationLabel: b.label("groups"), Query: &below}
	var err error
	move := func(e Expr) (Expr, bool) {
		switch {
		case sc.showsSets(e):
			if s, ok := e.(*Subquery); ok && sc.queryShowsSets(s) {
				err = unsupported(nowhere, "a subquery of a set-returning function's results beside groups or windows")
				return e, true
			}
			return nil, false
		case !hasColumns(e) && !isVolatile(e) && !isGrouping(e):
			return e, true
		}
		return scan.give(e), true
	}
	for i := range q.Targets {
		q.Targets[i].Expr = rebuild(q.Targets[i].Expr, move)
	}
	for i := range q.OrderBy {
		if _, shown := q.OrderBy[i].Expr.(*Output); !shown {
			q.OrderBy[i].Expr = rebuild(q.OrderBy[i].Expr, move)
		}
	}
	for i := range q.DistinctOn {
		q.DistinctOn[i] = rebuild(q.DistinctOn[i], move)
	}
	for _, set := range sc.sets {
		for _, call := range set.Calls() {
			for i, arg := range call.Args {
				call.Args[i] = rebuild(arg, move)
			}
		}
		set.Lateral = true
	}
	if err != nil {
		return err
	}
	if err := b.checkGrouping(sc, &below); err != nil {
		return err
	}
	*q = Query{
		Targets: q.Targets, From: []FromItem{scan}, OrderBy: q.OrderBy, Distinct: q.Distinct, DistinctOn: q.DistinctOn,
		Limit: q.Limit, Offset: q.Offset, Ties: q.Ties,
	}
	return nil
}

// give is the scan's column of an expression that its query computes.
func (s *SubqueryScan) give(e Expr) Expr {
	i := slices.IndexFunc(s.Query.Targets, func(t Target) bool { return !isVolatile(e) && SameExpr(t.Expr, e) })
	if i < 0 {
		i = len(s.Cols)
		s.Query.Targets = append(s.Query.Targets, Target{Expr: e, Name: valuesName(i)})
		s.Cols = append(s.Cols, RelationColumn{Name: valuesName(i), T: e.Type()})
	}
	return &Column{T: e.Type(), Relation: s, Index: i, at: nowhere}
}

// showsSets says that e shows results of the level's set-returning functions.
func (sc *scope) showsSets(e Expr) bool {
	return contains(e, func(e Expr) bool {
		switch e := e.(type) {
		case *Column:
			return sc.isSet(e.Relation)
		case *Subquery:
			return sc.queryShowsSets(e)
		}
		return false
	})
}

func (sc *scope) queryShowsSets(s *Subquery) bool {
	return slices.ContainsFunc(OuterRelations(s.Query), sc.isSet)
}

func (sc *scope) isSet(r Relation) bool {
	scan, ok := r.(*FunctionScan)
	return ok && slices.Contains(sc.sets, scan)
}

func isGrouping(e Expr) bool {
	return contains(e, func(e Expr) bool { _, ok := e.(*Grouping); return ok })
}

// refuseSets refuses set-returning functions among the parts of a call that is computed
// over many rows.
func (sc *scope) refuseSets(what string, parts []Expr) error {
	for _, e := range parts {
		var found *Column
		walk(e, func(e Expr) bool {
			if c, ok := e.(*Column); ok && found == nil && sc.isSet(c.Relation) {
				found = c
			}
			return found == nil
		})
		if found != nil {
			return errorAt(found.at, pgerrcode.FeatureNotSupported, "%s calls cannot contain set-returning function calls", what).
				withHint("You might be able to move the set-returning function into a LATERAL FROM item.")
		}
	}
	return nil
}
