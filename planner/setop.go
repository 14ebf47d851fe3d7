package planner

import (
	"errors"
	"strings"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

var setOpKinds = map[pgquery.SetOperation]SetOpKind{
	pgquery.SetOperation_SETOP_UNION:     Union,
	pgquery.SetOperation_SETOP_INTERSECT: Intersect,
	pgquery.SetOperation_SETOP_EXCEPT:    Except,
}

func (k SetOpKind) String() string {
	switch k {
	case Union:
		return "UNION"
	case Intersect:
		return "INTERSECT"
	}
	return "EXCEPT"
}

// setOperation binds UNION, INTERSECT or EXCEPT and the ORDER BY and LIMIT on it.
func (b *binder) setOperation(sc *scope, q *Query, n *pgquery.SelectStmt) error {
	left, err := b.setOperand(sc, n.Larg)
	if err != nil {
		return err
	}
	right, err := b.setOperand(sc, n.Rarg)
	if err != nil {
		return err
	}
	return b.combine(sc, q, n, left, right)
}

// combine makes the set operation of two bound sides.
func (b *binder) combine(sc *scope, q *Query, n *pgquery.SelectStmt, left, right *Query) error {
	kind := setOpKinds[n.Op]
	types, err := unifyOutputs(kind, n, left, right)
	if err != nil {
		return err
	}
	if !n.All || kind != Union {
		for i, t := range types {
			if err := postgres.CheckEquality(t.OID); err != nil {
				return faultAt(outputAt(n.Larg, i), err)
			}
		}
	}
	q.SetOp = &SetOp{Kind: kind, All: n.All}
	if q.SetOp.Left, err = b.convertOperand(left, types, n.Larg); err != nil {
		return err
	}
	if q.SetOp.Right, err = b.convertOperand(right, types, n.Rarg); err != nil {
		return err
	}
	for i, c := range outputs(left) {
		q.Targets = append(q.Targets, Target{Expr: &Output{T: types[i], Index: i}, Name: c.Name})
	}
	if err := b.orderOutputs(q, n.SortClause); err != nil {
		return err
	}
	return b.limits(sc, q, n)
}

// setOperand binds one side; its untyped literals wait for the other side's types.
func (b *binder) setOperand(sc *scope, n *pgquery.SelectStmt) (*Query, error) {
	return b.selectStmt(sc, n, keepUnknowns)
}

// unifyOutputs picks the types of the outputs.
func unifyOutputs(kind SetOpKind, n *pgquery.SelectStmt, left, right *Query) ([]Type, error) {
	l, r := outputs(left), outputs(right)
	if len(l) != len(r) {
		return nil, errorAt(outputAt(n.Rarg, 0), pgerrcode.SyntaxError, "each %s query must have the same number of columns", kind)
	}
	types := make([]Type, len(l))
	for i := range l {
		common, err := postgres.SelectCommonType([]postgres.OID{l[i].T.OID, r[i].T.OID}, kind.String())
		if err != nil {
			side := n.Rarg
			if faultyArg(err) == 0 {
				side = n.Larg
			}
			return nil, faultAt(outputAt(side, i), err)
		}
		types[i] = plainType(common)
		if l[i].T == r[i].T && l[i].T.OID == common {
			types[i] = l[i].T
		}
	}
	return types, nil
}

// outputAt is where the i-th output of a side is written.
func outputAt(n *pgquery.SelectStmt, i int) int32 {
	for n.Larg != nil {
		n = n.Larg
	}
	if len(n.ValuesLists) > 0 {
		if items := n.ValuesLists[0].GetList().GetItems(); i < len(items) {
			return locate(items[i])
		}
		return nowhere
	}
	return targetAt(n.TargetList, i)
}

// convertOperand gives a side's outputs the common types. Literals are read in
// place; casts go around a side whose own clauses would notice them.
func (b *binder) convertOperand(q *Query, types []Type, n *pgquery.SelectStmt) (*Query, error) {
	plain := q.SetOp == nil && q.Values == nil && !q.Distinct && q.DistinctOn == nil && q.OrderBy == nil
	for i := range q.Targets {
		t := &q.Targets[i]
		if t.Expr.Type().OID != postgres.UnknownOID && !plain {
			continue
		}
		var err error
		if q.Values != nil {
			if err = b.convertValues(q, i, types[i], n); err != nil {
				return nil, err
			}
			continue
		}
		if t.Expr, err = b.coerce(t.Expr, types[i], postgres.Implicit, outputAt(n, i)); err != nil {
			return nil, err
		}
	}
	return b.convertOutputs(q, types, outputAt(n, 0))
}

// convertValues gives a column of literals without a type one.
func (b *binder) convertValues(q *Query, column int, t Type, n *pgquery.SelectStmt) error {
	for _, row := range q.Values {
		var err error
		if row[column], err = b.coerce(row[column], t, postgres.Implicit, outputAt(n, column)); err != nil {
			return err
		}
	}
	q.Targets[column].Expr = &Output{T: t, Index: column}
	return nil
}

// orderOutputs binds the ORDER BY of a set operation or VALUES, which knows the
// outputs only.
func (b *binder) orderOutputs(q *Query, nodes []*pgquery.Node) error {
	for _, node := range nodes {
		n := node.GetSortBy()
		i := -1
		var err error
		if name, ok := bareName(n.Node); ok {
			i, err = findOutput(q, name, inOrderBy, locate(n.Node))
			if err == nil && i < 0 {
				err = errorAt(locate(n.Node), pgerrcode.UndefinedColumn, "column %q does not exist", name)
			}
		} else if c := n.Node.GetAConst(); c != nil {
			i, err = ordinal(c, len(q.Targets), inOrderBy)
		}
		if err != nil {
			return err
		}
		if i < 0 {
			return errorAt(locate(n.Node), pgerrcode.FeatureNotSupported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause").
				withDetail("Only result column names can be used, not expressions or functions.").
				withHint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.")
		}
		key, err := b.sortKey(&Output{T: q.Targets[i].Expr.Type(), Index: i}, n)
		if err != nil {
			return err
		}
		q.OrderBy = append(q.OrderBy, key)
	}
	return nil
}

// values binds VALUES: each column comes to one type.
func (b *binder) values(sc *scope, q *Query, n *pgquery.SelectStmt, u unknowns) error {
	defer sc.in(inValues)()
	width := len(n.ValuesLists[0].GetList().GetItems())
	for _, list := range n.ValuesLists {
		items := list.GetList().GetItems()
		if len(items) != width {
			return errorAt(locate(list), pgerrcode.SyntaxError, "VALUES lists must all be the same length")
		}
		row, err := b.exprs(sc, items)
		if err != nil {
			return err
		}
		q.Values = append(q.Values, row)
	}
	for i := range width {
		column, places := make([]Expr, len(q.Values)), make([]int32, len(q.Values))
		for r, row := range q.Values {
			column[r], places[r] = row[i], locate(n.ValuesLists[r].GetList().Items[i])
		}
		t := plainType(postgres.UnknownOID)
		if len(column) > 1 || u == resolveUnknowns || column[0].Type().OID != postgres.UnknownOID {
			var err error
			if column, t, err = b.coerceAll(column, places, "VALUES"); err != nil {
				return err
			}
		}
		for r := range column {
			q.Values[r][i] = column[r]
		}
		q.Targets = append(q.Targets, Target{Expr: &Output{T: t, Index: i}, Name: valuesName(i)})
	}
	if err := b.orderValues(q, n); err != nil {
		return err
	}
	return b.limits(sc, q, n)
}

// orderValues binds the ORDER BY of VALUES, where an expression is not supported.
func (b *binder) orderValues(q *Query, n *pgquery.SelectStmt) error {
	err := b.orderOutputs(q, n.SortClause)
	var known *Error
	if errors.As(err, &known) && strings.HasPrefix(known.Message, "invalid UNION") {
		return unsupported(locate(n.SortClause[0].GetSortBy().GetNode()), "an expression in the ORDER BY of VALUES")
	}
	return err
}
