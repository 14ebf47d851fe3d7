package planner

import (
	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// operation binds an operator and what the grammar makes of operators.
func (b *binder) operation(sc *scope, n *pgquery.A_Expr) (Expr, error) {
	name, err := operatorName(n)
	if err != nil {
		return nil, err
	}
	switch n.Kind {
	case pgquery.A_Expr_Kind_AEXPR_OP, pgquery.A_Expr_Kind_AEXPR_LIKE, pgquery.A_Expr_Kind_AEXPR_ILIKE, pgquery.A_Expr_Kind_AEXPR_SIMILAR:
		return b.plainOperation(sc, n, name)
	case pgquery.A_Expr_Kind_AEXPR_OP_ANY:
		return b.quantified(sc, n, name, false)
	case pgquery.A_Expr_Kind_AEXPR_OP_ALL:
		return b.quantified(sc, n, name, true)
	case pgquery.A_Expr_Kind_AEXPR_DISTINCT:
		return b.distinct(sc, n, false)
	case pgquery.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		return b.distinct(sc, n, true)
	case pgquery.A_Expr_Kind_AEXPR_NULLIF:
		return b.nullIf(sc, n)
	case pgquery.A_Expr_Kind_AEXPR_IN:
		return b.in(sc, n, name == "<>")
	case pgquery.A_Expr_Kind_AEXPR_BETWEEN, pgquery.A_Expr_Kind_AEXPR_BETWEEN_SYM:
		return b.between(sc, n, false)
	case pgquery.A_Expr_Kind_AEXPR_NOT_BETWEEN, pgquery.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM:
		return b.between(sc, n, true)
	}
	return nil, unsupported(n.Location, "this operator form")
}

// operatorName is the operator's name; only pg_catalog has operators.
func operatorName(n *pgquery.A_Expr) (string, error) {
	parts, _ := nameParts(n.Name)
	if len(parts) > 1 && parts[0] != schemaCatalog {
		return "", errorAt(n.Location, pgerrcode.UndefinedFunction, "operator does not exist: %s", dotted(parts))
	}
	return parts[len(parts)-1], nil
}

func (b *binder) plainOperation(sc *scope, n *pgquery.A_Expr, name string) (Expr, error) {
	if n.Lexpr == nil {
		right, err := b.expr(sc, n.Rexpr)
		if err != nil {
			return nil, err
		}
		return b.operator(name, nil, right, n.Location, nowhere, locate(n.Rexpr))
	}
	if n.Lexpr.GetRowExpr() != nil && n.Rexpr.GetSubLink().GetSubLinkType() == pgquery.SubLinkType_EXPR_SUBLINK {
		return nil, unsupported(n.Location, "comparing a row with a subquery").withHint("Use IN, or = ANY.")
	}
	left, right, err := b.operands(sc, n)
	if err != nil {
		return nil, err
	}
	l, isRow := left.(*Row)
	r, both := right.(*Row)
	if isRow && both && n.Lexpr.GetRowExpr() != nil && n.Rexpr.GetRowExpr() != nil {
		return b.compareRows(name, l.Elems, r.Elems, n.Location)
	}
	return b.operator(name, left, right, n.Location, locate(n.Lexpr), locate(n.Rexpr))
}

// operator makes a call of the operator that the operands' types mean; left is
// nil for a prefix operator. What can be computed now becomes a constant.
func (b *binder) operator(name string, left, right Expr, at, leftAt, rightAt int32) (Expr, error) {
	op, err := b.operatorCall(name, left, right, at, leftAt, rightAt)
	if err != nil {
		return nil, err
	}
	return b.fold(op, at)
}

// operatorCall is operator for who needs the call even of constants.
func (b *binder) operatorCall(name string, left, right Expr, at, leftAt, rightAt int32) (*Op, error) {
	var leftType postgres.OID
	if left != nil {
		leftType = left.Type().OID
	}
	r, err := postgres.ResolveOperator(name, leftType, right.Type().OID)
	if err != nil {
		return nil, faultAt(at, err)
	}
	if left != nil {
		if left, err = b.coerce(left, plainType(r.LeftType), postgres.Implicit, leftAt); err != nil {
			return nil, err
		}
	}
	if right, err = b.coerce(right, plainType(r.RightType), postgres.Implicit, rightAt); err != nil {
		return nil, err
	}
	op := &Op{T: plainType(r.ResultType), Operator: r.Operator, Left: left, Right: right}
	if name == "||" {
		// A text takes anything beside it, and prints it.
		if text, ok := b.objectText(right); ok && op.Operator.Right == postgres.AnyNonArrayOID {
			op.Right = text
		}
		if text, ok := b.objectText(left); ok && op.Operator.Left == postgres.AnyNonArrayOID {
			op.Left = text
		}
	}
	return op, b.searchTexts(op, at)
}

// compareRows compares two rows column by column.
func (b *binder) compareRows(name string, left, right []Expr, at int32) (Expr, error) {
	switch {
	case len(left) != len(right):
		return nil, errorAt(at, pgerrcode.SyntaxError, "unequal number of entries in row expressions")
	case len(left) == 0:
		return nil, errorAt(at, pgerrcode.FeatureNotSupported, "cannot compare rows of zero length")
	case len(left) == 1:
		return b.operator(name, left[0], right[0], at, at, at)
	}
	switch name {
	case "=", "<>", "<", "<=", ">", ">=":
	default:
		return nil, errorAt(at, pgerrcode.FeatureNotSupported, "could not determine interpretation of row comparison operator %s", name).
			withHint("Row comparison operators must be associated with btree operator families.")
	}
	c := &RowCompare{Name: name}
	for i := range left {
		op, err := b.operatorCall(name, left[i], right[i], at, at, at)
		if err != nil {
			return nil, err
		}
		c.Operators = append(c.Operators, op.Operator)
		c.Left, c.Right = append(c.Left, op.Left), append(c.Right, op.Right)
	}
	return c, nil
}

// quantified binds left op ANY|ALL (array).
func (b *binder) quantified(sc *scope, n *pgquery.A_Expr, name string, all bool) (Expr, error) {
	left, err := b.expr(sc, n.Lexpr)
	if err != nil {
		return nil, err
	}
	array, err := b.expr(sc, n.Rexpr)
	if err != nil {
		return nil, err
	}
	r, err := postgres.ResolveArrayOperator(name, left.Type().OID, array.Type().OID)
	if err != nil {
		return nil, faultAt(n.Location, err)
	}
	if left, err = b.coerce(left, plainType(r.LeftType), postgres.Implicit, locate(n.Lexpr)); err != nil {
		return nil, err
	}
	array, err = b.coerce(array, plainType(r.RightType), postgres.Implicit, locate(n.Rexpr))
	return &Quantified{Operator: r.Operator, Left: left, Array: array, All: all}, err
}

// operands binds both sides of an operator.
func (b *binder) operands(sc *scope, n *pgquery.A_Expr) (left, right Expr, err error) {
	if left, err = b.expr(sc, n.Lexpr); err != nil {
		return nil, nil, err
	}
	right, err = b.expr(sc, n.Rexpr)
	return left, right, err
}

// distinct binds IS [NOT] DISTINCT FROM; rows differ if a column does.
func (b *binder) distinct(sc *scope, n *pgquery.A_Expr, not bool) (Expr, error) {
	left, right, err := b.operands(sc, n)
	if err != nil {
		return nil, err
	}
	l, isRow := left.(*Row)
	r, both := right.(*Row)
	if !isRow || !both {
		return b.distinctPair(left, right, not, n.Location)
	}
	if len(l.Elems) != len(r.Elems) {
		return nil, errorAt(n.Location, pgerrcode.SyntaxError, "unequal number of entries in row expressions")
	}
	if len(l.Elems) == 0 {
		return boolConst(not), nil
	}
	pairs := make([]Expr, len(l.Elems))
	for i := range l.Elems {
		if pairs[i], err = b.distinctPair(l.Elems[i], r.Elems[i], not, n.Location); err != nil {
			return nil, err
		}
	}
	switch {
	case len(pairs) == 1:
		return pairs[0], nil
	case not:
		return &Logic{Kind: And, Args: pairs}, nil
	}
	return &Logic{Kind: Or, Args: pairs}, nil
}

func (b *binder) distinctPair(left, right Expr, not bool, at int32) (Expr, error) {
	op, err := b.operatorCall("=", left, right, at, at, at)
	if err != nil {
		return nil, err
	}
	if op.T.OID != postgres.BoolOID {
		return nil, errorAt(at, pgerrcode.DatatypeMismatch, "IS DISTINCT FROM requires = operator to yield boolean")
	}
	return &IsDistinct{Operator: op.Operator, Left: op.Left, Right: op.Right, Not: not}, nil
}

func (b *binder) nullIf(sc *scope, n *pgquery.A_Expr) (Expr, error) {
	left, err := b.expr(sc, n.Lexpr)
	if err != nil {
		return nil, err
	}
	right, err := b.expr(sc, n.Rexpr)
	if err != nil {
		return nil, err
	}
	op, err := b.operatorCall("=", left, right, n.Location, locate(n.Lexpr), locate(n.Rexpr))
	if err != nil {
		return nil, err
	}
	if op.T.OID != postgres.BoolOID {
		return nil, errorAt(n.Location, pgerrcode.DatatypeMismatch, "NULLIF requires = operator to yield boolean")
	}
	return &NullIf{T: op.Left.Type(), Operator: op.Operator, Left: op.Left, Right: op.Right}, nil
}

// between binds BETWEEN as the comparisons that it stands for.
func (b *binder) between(sc *scope, n *pgquery.A_Expr, not bool) (Expr, error) {
	value, err := b.expr(sc, n.Lexpr)
	if err != nil {
		return nil, err
	}
	if err := checkCopies(value, 4, n.Location); err != nil {
		return nil, err
	}
	ends := n.Rexpr.GetList().Items
	bounds, err := b.exprs(sc, ends)
	if err != nil {
		return nil, err
	}
	within := func(low, high int) (Expr, error) {
		return b.within(value, bounds[low], bounds[high], not, n, ends[low], ends[high])
	}
	e, err := within(0, 1)
	if err != nil || n.Kind == pgquery.A_Expr_Kind_AEXPR_BETWEEN || n.Kind == pgquery.A_Expr_Kind_AEXPR_NOT_BETWEEN {
		return e, err
	}
	swapped, err := within(1, 0)
	if err != nil {
		return nil, err
	}
	if not {
		return &Logic{Kind: And, Args: []Expr{e, swapped}}, nil
	}
	return &Logic{Kind: Or, Args: []Expr{e, swapped}}, nil
}

// within is value >= low AND value <= high, or its negation.
func (b *binder) within(value, low, high Expr, not bool, n *pgquery.A_Expr, lowNode, highNode *pgquery.Node) (Expr, error) {
	lowName, highName, kind := ">=", "<=", And
	if not {
		lowName, highName, kind = "<", ">", Or
	}
	at := locate(n.Lexpr)
	l, err := b.operator(lowName, value, low, n.Location, at, locate(lowNode))
	if err != nil {
		return nil, err
	}
	h, err := b.operator(highName, value, high, n.Location, at, locate(highNode))
	return &Logic{Kind: kind, Args: []Expr{l, h}}, err
}

// in binds [NOT] IN (list). Elements that are not plain columns come to one type
// with the left side, if they can; each of the rest is compared by itself.
func (b *binder) in(sc *scope, n *pgquery.A_Expr, not bool) (Expr, error) {
	left, err := b.expr(sc, n.Lexpr)
	if err != nil {
		return nil, err
	}
	nodes := n.Rexpr.GetList().Items
	list, err := b.exprs(sc, nodes)
	if err != nil {
		return nil, err
	}
	var together []Expr
	types := []postgres.OID{left.Type().OID}
	row, isRow := left.(*Row)
	for _, e := range list {
		if _, column := e.(*Column); !column && !isRow {
			together, types = append(together, e), append(types, e.Type().OID)
		}
	}
	common, err := postgres.SelectCommonType(types, "IN")
	if err != nil || len(together) < 2 || common == postgres.RecordOID {
		together = nil
	}
	var tests []Expr
	if together != nil {
		in, err := b.inList(left, together, common, not, n.Location)
		if err != nil {
			return nil, err
		}
		tests = append(tests, in)
	}
	for i, e := range list {
		if _, column := e.(*Column); together != nil && !column {
			continue
		}
		test, err := b.inElement(left, row, e, not, n, nodes[i])
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	switch {
	case len(tests) == 1:
		return tests[0], nil
	case not:
		return &Logic{Kind: And, Args: tests}, nil
	}
	return &Logic{Kind: Or, Args: tests}, nil
}

func (b *binder) inList(left Expr, list []Expr, common postgres.OID, not bool, at int32) (Expr, error) {
	name := "="
	if not {
		name = "<>"
	}
	r, err := postgres.ResolveOperator(name, left.Type().OID, common)
	if err != nil {
		return nil, faultAt(at, err)
	}
	if left, err = b.coerce(left, plainType(r.LeftType), postgres.Implicit, at); err != nil {
		return nil, err
	}
	in := &In{Operator: r.Operator, Left: left, Not: not}
	for _, e := range list {
		if e, err = b.coerce(e, plainType(common), postgres.Implicit, at); err != nil {
			return nil, err
		}
		if e, err = b.coerce(e, plainType(r.RightType), postgres.Implicit, at); err != nil {
			return nil, err
		}
		in.List = append(in.List, e)
	}
	return in, nil
}

func (b *binder) inElement(left Expr, row *Row, e Expr, not bool, n *pgquery.A_Expr, node *pgquery.Node) (Expr, error) {
	name := "="
	if not {
		name = "<>"
	}
	if row != nil {
		other, ok := e.(*Row)
		if !ok {
			return nil, unsupported(n.Location, "IN of a row and what is no row")
		}
		return b.compareRows(name, row.Elems, other.Elems, n.Location)
	}
	return b.operator(name, left, e, n.Location, locate(n.Lexpr), locate(node))
}
