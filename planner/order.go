package planner

import (
	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// orderBy binds ORDER BY: output names, ordinals, expressions.
func (b *binder) orderBy(sc *scope, q *Query, nodes []*pgquery.Node) error {
	defer sc.in(inOrderBy)()
	for _, node := range nodes {
		n := node.GetSortBy()
		e, err := b.outputOrExpr(sc, q, n.Node, inOrderBy)
		if err != nil {
			return err
		}
		key, err := b.sortKey(e, n)
		if err != nil {
			return err
		}
		q.OrderBy = append(q.OrderBy, key)
	}
	return nil
}

// outputOrExpr binds what a key of ORDER BY or DISTINCT ON means by the rules of
// SQL-92 and then SQL-99: an output's name or number, else an expression, which
// is an output too if it is the same as one.
func (b *binder) outputOrExpr(sc *scope, q *Query, n *pgquery.Node, in clause) (Expr, error) {
	if name, ok := bareName(n); ok {
		i, err := findOutput(q, name, in, locate(n))
		if err != nil {
			return nil, err
		}
		if i >= 0 {
			return b.output(q, i)
		}
	}
	if c := n.GetAConst(); c != nil {
		i, err := ordinal(c, len(q.Targets), in)
		if err != nil {
			return nil, err
		}
		return b.output(q, i)
	}
	e, err := b.expr(sc, n)
	if err != nil {
		return nil, err
	}
	if e, err = b.resolve(e); err != nil {
		return nil, err
	}
	for i := range q.Targets {
		if SameExpr(q.Targets[i].Expr, e) {
			return b.output(q, i)
		}
	}
	return e, nil
}

// output refers to an output, whose type is thereby decided.
func (b *binder) output(q *Query, i int) (Expr, error) {
	e, err := b.resolve(q.Targets[i].Expr)
	if err != nil {
		return nil, err
	}
	q.Targets[i].Expr = e
	return &Output{T: e.Type(), Index: i}, nil
}

// bareName says that an expression is a name in one part.
func bareName(n *pgquery.Node) (string, bool) {
	ref := n.GetColumnRef()
	if ref == nil || len(ref.Fields) != 1 {
		return "", false
	}
	s := ref.Fields[0].GetString_()
	return s.GetSval(), s != nil
}

// findOutput finds the output of that name; -1: there is none.
func findOutput(q *Query, name string, in clause, at int32) (int, error) {
	found := -1
	for i := range q.Targets {
		if q.Targets[i].Name != name {
			continue
		}
		if found >= 0 && !SameExpr(q.Targets[found].Expr, q.Targets[i].Expr) {
			return 0, errorAt(at, pgerrcode.AmbiguousColumn, "%s %q is ambiguous", in, name)
		}
		if found < 0 {
			found = i
		}
	}
	return found, nil
}

// ordinal reads an output's number.
func ordinal(c *pgquery.A_Const, outputs int, in clause) (int, error) {
	v, ok := c.Val.(*pgquery.A_Const_Ival)
	if !ok {
		return 0, errorAt(c.Location, pgerrcode.SyntaxError, "non-integer constant in %s", in)
	}
	if n := int(v.Ival.Ival); n >= 1 && n <= outputs {
		return n - 1, nil
	}
	return 0, errorAt(c.Location, pgerrcode.InvalidColumnReference, "%s position %d is not in select list", in, v.Ival.Ival)
}
