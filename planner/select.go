package planner

import (
	"slices"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// unknowns says what becomes of outputs without a type: text, or nothing yet
// because a set operation or VALUES will decide.
type unknowns bool

const (
	resolveUnknowns unknowns = true
	keepUnknowns    unknowns = false
)

// subselect binds a query within the scope's query.
func (b *binder) subselect(sc *scope, n *pgquery.Node) (*Query, error) {
	s := n.GetSelectStmt()
	if s == nil {
		return nil, unsupported(locate(n), "%s in a query", statementName(n))
	}
	return b.selectStmt(sc, s, resolveUnknowns)
}

// selectStmt binds SELECT, VALUES or a set operation.
func (b *binder) selectStmt(outer *scope, n *pgquery.SelectStmt, u unknowns) (*Query, error) {
	if err := refuseClauses(n); err != nil {
		return nil, err
	}
	sc := newScope(outer)
	q := &Query{}
	if err := b.withClause(sc, n.WithClause); err != nil {
		return nil, err
	}
	var err error
	switch {
	case n.Op != pgquery.SetOperation_SETOP_NONE && n.Op != pgquery.SetOperation_SET_OPERATION_UNDEFINED:
		err = b.setOperation(sc, q, n)
	case len(n.ValuesLists) > 0:
		err = b.values(sc, q, n, u)
	default:
		err = b.plainSelect(sc, q, listeningSelect(n), u)
	}
	if err == nil && (q.SetOp != nil || q.Values != nil) {
		err = b.locking(sc, q, n.LockingClause)
	}
	if err != nil {
		return nil, err
	}
	q.CTEs = sc.with.used(sc)
	if b.trace != nil {
		b.trace.queries[n] = q
	}
	return q, nil
}

// refuseClauses refuses what no form of SELECT has here.
func refuseClauses(n *pgquery.SelectStmt) error {
	switch {
	case n.IntoClause != nil:
		return withIngestHint(unsupported(nowhere, "SELECT INTO"))
	case n.LimitOption == pgquery.LimitOption_LIMIT_OPTION_WITH_TIES && (n.Larg != nil || n.ValuesLists != nil || n.DistinctClause != nil):
		return unsupported(locate(n.LimitCount), "FETCH FIRST WITH TIES of a set operation, VALUES or DISTINCT")
	}
	return nil
}

// plainSelect binds a SELECT without set operation, in PostgreSQL's order.
func (b *binder) plainSelect(sc *scope, q *Query, n *pgquery.SelectStmt, u unknowns) error {
	var err error
	if q.From, err = b.from(sc, n.FromClause); err != nil {
		return err
	}
	if err := b.windowClause(sc, n.WindowClause); err != nil {
		return err
	}
	if err := b.targets(sc, q, n.TargetList); err != nil {
		return err
	}
	if q.Where, err = b.condition(sc, inWhere, n.WhereClause); err != nil {
		return err
	}
	if q.Having, err = b.condition(sc, inHaving, n.HavingClause); err != nil {
		return err
	}
	if err := b.orderBy(sc, q, n.SortClause); err != nil {
		return err
	}
	if err := b.groupBy(sc, q, n); err != nil {
		return err
	}
	if u == resolveUnknowns {
		if err := b.resolveTargets(q); err != nil {
			return err
		}
	}
	if err := b.distinctClause(sc, q, n); err != nil {
		return err
	}
	if err := b.limits(sc, q, n); err != nil {
		return err
	}
	q.Aggregated = sc.aggregates || len(n.GroupClause) > 0 || q.Having != nil
	if err := b.addSets(sc, q); err != nil {
		return err
	}
	if err := b.checkGrouping(sc, q); err != nil {
		return err
	}
	if err := b.locking(sc, q, n.LockingClause); err != nil {
		return err
	}
	return b.groupBelow(sc, q)
}

// condition binds WHERE or HAVING; nil: there is none.
func (b *binder) condition(sc *scope, c clause, n *pgquery.Node) (Expr, error) {
	if n == nil {
		return nil, nil
	}
	defer sc.in(c)()
	e, err := b.expr(sc, n)
	if err != nil {
		return nil, err
	}
	return b.coerceBool(e, c.String(), locate(n))
}

func (b *binder) resolveTargets(q *Query) error {
	for i := range q.Targets {
		var err error
		if q.Targets[i].Expr, err = b.resolve(q.Targets[i].Expr); err != nil {
			return err
		}
	}
	return nil
}

// distinctClause binds DISTINCT and DISTINCT ON.
func (b *binder) distinctClause(sc *scope, q *Query, n *pgquery.SelectStmt) error {
	if len(n.DistinctClause) == 0 {
		return nil
	}
	if n.DistinctClause[0].GetNode() != nil {
		return b.distinctOn(sc, q, n.DistinctClause)
	}
	q.Distinct = true
	for i, t := range q.Targets {
		if err := postgres.CheckEquality(t.Expr.Type().OID); err != nil {
			return faultAt(targetAt(n.TargetList, i), err)
		}
	}
	for i, k := range q.OrderBy {
		if _, shown := k.Expr.(*Output); !shown {
			return errorAt(locate(n.SortClause[i].GetSortBy().GetNode()), pgerrcode.InvalidColumnReference,
				"for SELECT DISTINCT, ORDER BY expressions must appear in select list")
		}
	}
	return nil
}

func targetAt(list []*pgquery.Node, i int) int32 {
	if i < len(list) {
		return locate(list[i].GetResTarget().GetVal())
	}
	return nowhere
}

// distinctOn binds DISTINCT ON, whose expressions lead the ORDER BY if there is one.
func (b *binder) distinctOn(sc *scope, q *Query, nodes []*pgquery.Node) error {
	defer sc.in(inDistinctOn)()
	for _, node := range nodes {
		e, err := b.outputOrExpr(sc, q, node, inDistinctOn)
		if err != nil {
			return err
		}
		if o, ok := e.(*Output); ok {
			e = q.Targets[o.Index].Expr
		}
		if err := postgres.CheckEquality(e.Type().OID); err != nil {
			return faultAt(locate(node), err)
		}
		if !slices.ContainsFunc(q.DistinctOn, func(d Expr) bool { return SameExpr(d, e) }) {
			q.DistinctOn = append(q.DistinctOn, e)
		}
	}
	for i, k := range q.OrderBy {
		if i >= len(q.DistinctOn) {
			break
		}
		e := k.Expr
		if o, ok := e.(*Output); ok {
			e = q.Targets[o.Index].Expr
		}
		if !slices.ContainsFunc(q.DistinctOn, func(d Expr) bool { return SameExpr(d, e) }) {
			return errorAt(locate(nodes[min(i, len(nodes)-1)]), pgerrcode.InvalidColumnReference,
				"SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
		}
	}
	return nil
}

// limits binds LIMIT and OFFSET.
func (b *binder) limits(sc *scope, q *Query, n *pgquery.SelectStmt) error {
	var err error
	if q.Limit, err = b.limit(sc, inLimit, n.LimitCount); err != nil {
		return err
	}
	q.Offset, err = b.limit(sc, inOffset, n.LimitOffset)
	if n.LimitOption == pgquery.LimitOption_LIMIT_OPTION_WITH_TIES {
		if len(q.OrderBy) == 0 {
			return errorAt(nowhere, pgerrcode.SyntaxError, "WITH TIES cannot be specified without ORDER BY clause")
		}
		q.Ties = q.Limit != nil
	}
	return err
}

func (b *binder) limit(sc *scope, c clause, n *pgquery.Node) (Expr, error) {
	if n == nil || n.GetAConst().GetIsnull() {
		return nil, nil
	}
	defer sc.in(c)()
	e, err := b.expr(sc, n)
	if err != nil {
		return nil, err
	}
	if contains(e, func(e Expr) bool { col, ok := e.(*Column); return ok && sc.relations[col.Relation] }) {
		return nil, errorAt(locate(n), pgerrcode.InvalidColumnReference, "argument of %s must not contain variables", c)
	}
	if hasColumns(e) {
		return nil, unsupported(locate(n), "%s by a column of an outer query", c)
	}
	if e, err = b.coerceTo(e, postgres.Int8OID, c.String(), locate(n)); err != nil {
		return nil, err
	}
	k, ok := e.(*Const)
	switch {
	case ok && k.Null:
		return nil, nil
	case b.params.values == nil:
		// A statement that is only prepared is not yet wrong.
	case ok && k.Value.Int < 0 && c == inLimit:
		return nil, errorf(pgerrcode.InvalidRowCountInLimitClause, "LIMIT must not be negative")
	case ok && k.Value.Int < 0:
		return nil, errorf(pgerrcode.InvalidRowCountInResultOffsetClause, "OFFSET must not be negative")
	}
	return e, nil
}
