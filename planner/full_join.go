package planner

import (
	"slices"

	"github.com/jackc/pgerrcode"
)

// PostgreSQL joins all rows of both sides by a hash or a merge alone, and refuses a
// FULL JOIN whose condition has nothing to hash or to merge by, unless the WHERE around
// it leaves out the rows that make it a full one (reduce_outer_joins of prepjointree.c,
// and joinpath.c).

// checkFullJoins refuses the FULL JOINs of a query that PostgreSQL cannot plan.
func checkFullJoins(q *Query) (err error) {
	visitQueries(q, func(q *Query) {
		for _, item := range q.From {
			if err == nil {
				err = checkJoins(item, notNullRelations(q.Where, true))
			}
		}
	})
	return err
}

// checkJoins looks at a join of which only rows are wanted that have a row of the
// present relations.
func checkJoins(item FromItem, present []Relation) error {
	j, ok := item.(*Join)
	if !ok {
		return nil
	}
	wantsLeft, wantsRight := meet(present, Relations(j.Left)), meet(present, Relations(j.Right))
	keepsLeft := (j.Kind == LeftJoin || j.Kind == FullJoin) && !wantsRight
	keepsRight := (j.Kind == RightJoin || j.Kind == FullJoin) && !wantsLeft
	if keepsLeft && keepsRight && !canJoinFull(j) {
		return errorf(pgerrcode.FeatureNotSupported, "FULL JOIN is only supported with merge-joinable or hash-joinable join conditions")
	}
	joined := notNullRelations(j.On, true)
	within := func(keeps, otherKept bool) []Relation {
		switch {
		case keeps && otherKept:
			return nil
		case keeps:
			return present
		case otherKept:
			return joined
		}
		return slices.Concat(present, joined)
	}
	if err := checkJoins(j.Left, within(keepsLeft, keepsRight)); err != nil {
		return err
	}
	return checkJoins(j.Right, within(keepsRight, keepsLeft))
}

func meet(a, b []Relation) bool {
	return slices.ContainsFunc(a, func(r Relation) bool { return slices.Contains(b, r) })
}

// canJoinFull says that a condition has an equality to hash by, or is made of nothing
// but constants and equalities to merge by.
func canJoinFull(j *Join) bool {
	left, right := Relations(j.Left), Relations(j.Right)
	mergeable := true
	for _, e := range equalities(j.On) {
		op, ok := e.(*Op)
		if ok = ok && op.Left != nil && !contains(op, isVolatileCall); ok {
			l, r := relationsIn(op.Left), relationsIn(op.Right)
			ok = readsOnly(l, left, right) && readsOnly(r, right, left) || readsOnly(l, right, left) && readsOnly(r, left, right)
		}
		if ok && op.Operator.Hashes {
			return true
		}
		_, constant := e.(*Const)
		mergeable = mergeable && (constant || ok && op.Operator.Merges)
	}
	return mergeable
}

// equalities are the conditions that all hold where a condition does, those of rows
// column by column.
func equalities(e Expr) []Expr {
	var out []Expr
	for _, e := range Conjuncts(e) {
		if row, ok := e.(*RowCompare); ok && row.Name == "=" {
			for i, o := range row.Operators {
				out = append(out, &Op{T: boolType(), Operator: o, Left: row.Left[i], Right: row.Right[i]})
			}
			continue
		}
		out = append(out, e)
	}
	return out
}

// readsOnly says that an operand reads one side of a join.
func readsOnly(read, side, other []Relation) bool { return meet(read, side) && !meet(read, other) }

// relationsIn are those of which an expression, or a query in it, uses columns.
func relationsIn(e Expr) []Relation {
	var out []Relation
	walk(e, func(e Expr) bool {
		switch e := e.(type) {
		case *Column:
			out = append(out, e.Relation)
		case *Subquery:
			out = append(out, e.Outside()...)
			return false
		}
		return true
	})
	return out
}

// notNullRelations are those of which there is a row, and not the NULLs of an outer join,
// wherever an expression is true, or, if it is not a condition, wherever it is not NULL
// (find_nonnullable_rels of PostgreSQL's clauses.c).
func notNullRelations(e Expr, condition bool) []Relation {
	anyOf := func(args ...Expr) (out []Relation) {
		for _, arg := range args {
			out = append(out, notNullRelations(arg, false)...)
		}
		return out
	}
	switch e := e.(type) {
	case *Column:
		return []Relation{e.Relation}
	case *Cast:
		return anyOf(e.Arg)
	case *Func, *Op:
		if isStrict(e) {
			return anyOf(children(e)...)
		}
	case *In:
		return anyOf(e.Left)
	case *Quantified:
		if condition && !e.All {
			return anyOf(e.Left)
		}
	case *IsNull:
		if condition && e.Not {
			return anyOf(e.Arg)
		}
	case *IsBool:
		if condition && (e.Test == IsUnknown) == e.Not {
			return anyOf(e.Arg)
		}
	case *Logic:
		return notNullOfLogic(e, condition)
	}
	return nil
}

func notNullOfLogic(e *Logic, condition bool) []Relation {
	if e.Kind == Not {
		return notNullRelations(e.Args[0], false)
	}
	out := notNullRelations(e.Args[0], condition)
	for _, arg := range e.Args[1:] {
		more := notNullRelations(arg, condition)
		if e.Kind == And && condition {
			out = append(out, more...)
			continue
		}
		out = slices.DeleteFunc(out, func(r Relation) bool { return !slices.Contains(more, r) })
	}
	return out
}
