package planner

import (
	"slices"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// aggregate binds an aggregate call.
func (b *binder) aggregate(sc *scope, c *callSite) (Expr, error) {
	n := c.node
	args, err := b.arguments(c)
	if err != nil {
		return nil, err
	}
	a := &Aggregate{
		T: plainType(c.proc.Ret), Proc: c.proc.Proc, Args: args, Star: n.AggStar,
		Distinct: n.AggDistinct, WithinGroup: n.AggWithinGroup, at: n.Location,
	}
	if n.AggWithinGroup {
		err = b.withinGroup(a, c)
	} else {
		err = b.aggregateOrder(sc, a, n)
	}
	if err != nil {
		return nil, err
	}
	if n.AggFilter != nil {
		if a.Filter, err = b.filter(sc, n.AggFilter); err != nil {
			return nil, err
		}
	}
	level := levelOf(sc, a.levelParts())
	if err := checkAllowed(level, clauses[level.clause].aggregates, "aggregate functions", pgerrcode.GroupingError, n.Location); err != nil {
		return nil, err
	}
	if err := b.checkAggregate(sc, level, a); err != nil {
		return nil, err
	}
	level.aggregates = true
	if level != sc {
		return b.computedOutside(level, a, a.Proc.Name, a.at), nil
	}
	return a, nil
}

// levelParts are the parts of an aggregate whose columns decide which query it belongs
// to: the direct arguments of WITHIN GROUP do so only where there is no other column.
func (a *Aggregate) levelParts() []Expr {
	if !a.WithinGroup {
		return aggregateParts(a)
	}
	parts := make([]Expr, 0, len(a.Order)+1)
	for _, k := range a.Order {
		parts = append(parts, k.Expr)
	}
	if a.Filter != nil {
		parts = append(parts, a.Filter)
	}
	if !slices.ContainsFunc(parts, hasColumns) {
		return aggregateParts(a)
	}
	return parts
}

// checkAllowed refuses an aggregate or the like where its clause has none.
func checkAllowed(sc *scope, allowed bool, what, code string, at int32) error {
	if allowed {
		return nil
	}
	return errorAt(at, code, "%s are not allowed in %s", what, sc.clause)
}

// withinGroup moves the arguments of WITHIN GROUP to where they are ordered.
func (b *binder) withinGroup(a *Aggregate, c *callSite) error {
	n := c.node
	if n.AggDistinct {
		return errorAt(n.Location, pgerrcode.SyntaxError, "cannot use DISTINCT with WITHIN GROUP")
	}
	direct := len(a.Args) - len(n.AggOrder)
	for i, node := range n.AggOrder {
		key, err := b.sortKey(a.Args[direct+i], node.GetSortBy())
		if err != nil {
			return err
		}
		a.Order = append(a.Order, key)
	}
	a.Args = a.Args[:direct]
	if c.proc.Aggregate.Kind == postgres.HypotheticalAggregate {
		return b.matchHypothetical(a, c)
	}
	return nil
}

// matchHypothetical brings each direct argument of a hypothetical-set aggregate and
// the column it is compared with to one type.
func (b *binder) matchHypothetical(a *Aggregate, c *callSite) error {
	collations := map[string]bool{}
	visitMessages(c.node.ProtoReflect(), func(m protoreflect.Message) bool {
		if n, ok := m.Interface().(*pgquery.CollateClause); ok {
			name, _ := nameParts(n.Collname)
			collations[name[len(name)-1]] = true
		}
		return true
	})
	if len(collations) > 1 {
		return errorAt(c.node.Location, pgerrcode.CollationMismatch, "collation mismatch between explicit collations")
	}
	for i := range a.Args {
		pair := []Expr{a.Order[i].Expr, c.args[i]}
		pair, _, err := b.coerceAll(pair, []int32{c.places[len(a.Args)+i], c.places[i]}, "WITHIN GROUP")
		if err != nil {
			return err
		}
		a.Order[i].Expr, a.Args[i] = pair[0], pair[1]
	}
	return nil
}

// aggregateOrder binds the ORDER BY and checks the DISTINCT inside a call.
func (b *binder) aggregateOrder(sc *scope, a *Aggregate, n *pgquery.FuncCall) error {
	for _, node := range n.AggOrder {
		sort := node.GetSortBy()
		e, err := b.expr(sc, sort.Node)
		if err != nil {
			return err
		}
		if e, err = b.resolve(e); err != nil {
			return err
		}
		if a.Distinct {
			i := slices.IndexFunc(a.Args, func(arg Expr) bool { return SameExpr(arg, e) || SameExpr(withoutImplicit(arg), e) })
			if i < 0 {
				return errorAt(locate(sort.Node), pgerrcode.InvalidColumnReference,
					"in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list")
			}
			e = a.Args[i]
		}
		key, err := b.sortKey(e, sort)
		if err != nil {
			return err
		}
		a.Order = append(a.Order, key)
	}
	if !a.Distinct {
		return nil
	}
	if a.Star {
		return errorAt(n.Location, pgerrcode.SyntaxError, "DISTINCT specified, but %s has no argument", a.Proc.Name)
	}
	for i, arg := range a.Args {
		if err := postgres.CheckEquality(arg.Type().OID); err != nil {
			return faultAt(locate(n.Args[i]), err)
		}
	}
	return nil
}

func (b *binder) filter(sc *scope, n *pgquery.Node) (Expr, error) {
	defer sc.in(inFilter)()
	e, err := b.expr(sc, n)
	if err != nil {
		return nil, err
	}
	return b.coerceBool(e, "FILTER", locate(n))
}

// checkAggregate refuses an aggregate of a level within an aggregate of that level.
func (b *binder) checkAggregate(sc, level *scope, a *Aggregate) error {
	var err error
	for _, e := range aggregateParts(a) {
		walk(e, func(e Expr) bool {
			switch e := e.(type) {
			case *Aggregate:
				err = errorAt(e.at, pgerrcode.GroupingError, "aggregate function calls cannot be nested")
			case *WindowCall:
				err = errorAt(e.at, pgerrcode.GroupingError, "aggregate function calls cannot contain window function calls")
			}
			return err == nil
		})
		if c := level.readsGrouped(e); err == nil && c != nil {
			err = errorAt(c.at, pgerrcode.GroupingError, "aggregate function calls cannot be nested")
		}
	}
	if err == nil {
		err = sc.refuseSets("aggregate function", aggregateParts(a))
	}
	if err != nil || level == sc {
		return err
	}
	for _, arg := range a.Args {
		if c := columnOf(arg, func(r Relation) bool { return sc.relations[r] }); c != nil && a.WithinGroup {
			return errorAt(c.at, pgerrcode.GroupingError, "outer-level aggregate cannot contain a lower-level variable in its direct arguments")
		}
	}
	return nil
}

func aggregateParts(a *Aggregate) []Expr {
	parts := slices.Clone(a.Args)
	for _, k := range a.Order {
		parts = append(parts, k.Expr)
	}
	if a.Filter != nil {
		parts = append(parts, a.Filter)
	}
	return parts
}

// sortKey makes a key of an ORDER BY, with PostgreSQL's default for NULLs.
func (b *binder) sortKey(e Expr, n *pgquery.SortBy) (SortKey, error) {
	descending := n.SortbyDir == pgquery.SortByDir_SORTBY_DESC
	if n.SortbyDir == pgquery.SortByDir_SORTBY_USING {
		name, _ := nameParts(n.UseOp)
		operator := name[len(name)-1]
		if operator != "<" && operator != ">" {
			return SortKey{}, unsupported(n.Location, "ORDER BY USING %s", operator)
		}
		descending = operator == ">"
	}
	if err := postgres.CheckOrderable(e.Type().OID); err != nil {
		return SortKey{}, faultAt(locate(n.Node), err)
	}
	key := SortKey{Expr: e, Desc: descending}
	switch n.SortbyNulls {
	case pgquery.SortByNulls_SORTBY_NULLS_FIRST:
		key.NullsFirst = true
	case pgquery.SortByNulls_SORTBY_NULLS_LAST:
	default:
		key.NullsFirst = key.Desc
	}
	return key, nil
}
