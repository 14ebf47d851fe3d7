package planner

import (
	"errors"
	"fmt"
	"slices"

	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// viewBuilder makes a viewQuery of a parsed query and what it was bound to.
type viewBuilder struct {
	b     *binder
	trace *trace
	rels  map[*item]*viewRel
}

// errNoViewForm is of a query that has something of which PostgreSQL's form is not
// known here.
var errNoViewForm = errors.New("no form of PostgreSQL's")

func noForm(n *pgquery.Node) error { return fmt.Errorf("%w for %s", errNoViewForm, nodeName(n)) }

// query makes that of one SELECT. Outputs without a type get that of the set operation
// around it, if there is one.
func (v *viewBuilder) query(n *pgquery.SelectStmt, outer *Query) (*viewQuery, error) {
	bound := v.trace.queries[n]
	if bound == nil {
		return nil, errNoViewForm
	}
	if outer == nil {
		outer = bound
	}
	q := &viewQuery{}
	if err := v.with(q, n.WithClause); err != nil {
		return nil, err
	}
	var err error
	switch {
	case n.Larg != nil:
		q.set = &viewSet{word: setOpKinds[n.Op].String(), all: n.All}
		if q.set.left, err = v.query(n.Larg, outer); err == nil {
			q.set.right, err = v.query(n.Rarg, outer)
		}
		for _, t := range bound.Targets {
			q.targets = append(q.targets, viewTarget{name: t.Name})
		}
	case n.ValuesLists != nil:
		err = v.values(q, n, bound)
	default:
		err = v.plain(q, n, outer)
	}
	if err != nil {
		return nil, err
	}
	if q.order, err = v.sorts(q, n.SortClause, true); err != nil {
		return nil, err
	}
	if q.limit, err = v.limit(n.LimitCount); err != nil {
		return nil, err
	}
	q.ties = n.LimitOption == pgquery.LimitOption_LIMIT_OPTION_WITH_TIES
	q.offset, err = v.limit(n.LimitOffset)
	return q, err
}

func (v *viewBuilder) limit(n *pgquery.Node) (*viewExpr, error) {
	if n == nil {
		return nil, nil
	}
	return v.exprAs(n, plainType(postgres.Int8OID))
}

func (v *viewBuilder) with(q *viewQuery, n *pgquery.WithClause) error {
	if n == nil {
		return nil
	}
	q.recursive = n.Recursive
	for _, node := range n.Ctes {
		c := node.GetCommonTableExpr()
		s := c.Ctequery.GetSelectStmt()
		if v.trace.queries[s] == nil && s.GetLarg() != nil {
			// Of a recursive one the sides are bound, and not the whole.
			v.trace.queries[s] = v.trace.queries[s.Larg]
		}
		inner, err := v.query(s, nil)
		if err != nil {
			return err
		}
		cte := viewCTE{name: c.Ctename, columns: aliasNames(c.Aliascolnames), query: inner}
		switch c.Ctematerialized {
		case pgquery.CTEMaterialize_CTEMaterializeAlways:
			cte.materialized = "MATERIALIZED "
		case pgquery.CTEMaterialize_CTEMaterializeNever:
			cte.materialized = "NOT MATERIALIZED "
		}
		q.ctes = append(q.ctes, cte)
	}
	return nil
}

func (v *viewBuilder) values(q *viewQuery, n *pgquery.SelectStmt, bound *Query) error {
	for _, list := range n.ValuesLists {
		var row []*viewExpr
		for i, node := range list.GetList().GetItems() {
			e, err := v.exprAs(node, bound.Targets[i].Expr.Type())
			if err != nil {
				return err
			}
			row = append(row, e)
		}
		q.values = append(q.values, row)
	}
	rel := &viewRel{kind: valuesRel, name: "*VALUES*"}
	for i := range bound.Targets {
		rel.columns = append(rel.columns, valuesName(i))
		q.targets = append(q.targets, viewTarget{&viewExpr{kind: varView, t: bound.Targets[i].Expr.Type(), name: valuesName(i), rel: rel}, bound.Targets[i].Name})
	}
	rel.query = &viewQuery{values: q.values}
	q.rels = []*viewRel{rel}
	q.from = []viewFrom{{rel: rel}}
	return nil
}

func (v *viewBuilder) plain(q *viewQuery, n *pgquery.SelectStmt, outer *Query) error {
	for _, node := range n.FromClause {
		item, err := v.from(q, node)
		if err != nil {
			return err
		}
		q.from = append(q.from, item)
	}
	if err := v.targets(q, n.TargetList, outer); err != nil {
		return err
	}
	var err error
	if q.where, err = v.condition(n.WhereClause); err != nil {
		return err
	}
	if q.having, err = v.condition(n.HavingClause); err != nil {
		return err
	}
	q.groupOnce = n.GroupDistinct
	if q.groupBy, err = v.groups(q, n.GroupClause); err != nil {
		return err
	}
	for _, node := range n.WindowClause {
		w, err := v.window(node.GetWindowDef())
		if err != nil {
			return err
		}
		q.windows = append(q.windows, w)
	}
	if len(n.DistinctClause) > 0 {
		q.distinct = true
	}
	for _, node := range n.DistinctClause {
		if node.GetNode() == nil {
			continue
		}
		key, err := v.sortExpr(q, node, true)
		if err != nil {
			return err
		}
		q.distinctOn = append(q.distinctOn, key.expr)
	}
	return nil
}

func (v *viewBuilder) condition(n *pgquery.Node) (*viewExpr, error) {
	if n == nil {
		return nil, nil
	}
	return v.exprAs(n, boolType())
}

func (v *viewBuilder) targets(q *viewQuery, list []*pgquery.Node, outer *Query) error {
	bound := 0
	for _, node := range list {
		n := node.GetResTarget()
		if _, star := starOf(n.Val); star {
			for _, c := range v.trace.stars[locate(n.Val)] {
				e, err := v.column(c)
				if err != nil {
					return err
				}
				q.targets = append(q.targets, viewTarget{e, c.it.columns[c.index].name})
				bound++
			}
			continue
		}
		e, err := v.expr(n.Val)
		if err != nil {
			return err
		}
		if e.isUntyped() {
			t := plainType(postgres.TextOID)
			if bound < len(outer.Targets) && outer.Targets[bound].Expr.Type().OID != postgres.UnknownOID {
				t = outer.Targets[bound].Expr.Type()
			}
			if e, err = v.coerce(e, t, true); err != nil {
				return err
			}
		}
		name := n.Name
		if name == "" {
			name = v.b.columnName(n.Val)
		}
		q.targets = append(q.targets, viewTarget{e, name})
		bound++
	}
	return nil
}

// sorts makes the keys of an ORDER BY; by outputs, if they can be named in it.
func (v *viewBuilder) sorts(q *viewQuery, nodes []*pgquery.Node, outputs bool) ([]viewSort, error) {
	var out []viewSort
	for _, node := range nodes {
		n := node.GetSortBy()
		key, err := v.sortExpr(q, n.Node, outputs)
		if err != nil {
			return nil, err
		}
		key.desc = n.SortbyDir == pgquery.SortByDir_SORTBY_DESC
		switch n.SortbyNulls {
		case pgquery.SortByNulls_SORTBY_NULLS_FIRST:
			key.nullsFirst = true
		case pgquery.SortByNulls_SORTBY_NULLS_LAST:
		default:
			key.nullsFirst = key.desc
		}
		out = append(out, key)
	}
	return out, nil
}

func (v *viewBuilder) sortExpr(q *viewQuery, n *pgquery.Node, outputs bool) (viewSort, error) {
	if outputs {
		if name, ok := bareName(n); ok {
			if i := slices.IndexFunc(q.targets, func(t viewTarget) bool { return t.name == name }); i >= 0 {
				return viewSort{expr: q.targets[i].expr, output: i + 1}, nil
			}
		}
		if i := n.GetAConst().GetIval().GetIval(); i > 0 && int(i) <= len(q.targets) {
			return viewSort{expr: q.targets[i-1].expr, output: int(i)}, nil
		}
	}
	e, err := v.resolved(n)
	return viewSort{expr: e}, err
}

func (v *viewBuilder) groups(q *viewQuery, nodes []*pgquery.Node) ([]viewGroup, error) {
	var out []viewGroup
	sets := slices.ContainsFunc(nodes, func(n *pgquery.Node) bool { return n.GetGroupingSet() != nil })
	for _, n := range nodes {
		g, err := v.group(q, n)
		if err != nil {
			return nil, err
		}
		if g.kind == groupPlain && !sets && len(g.exprs) > 1 {
			for _, e := range g.exprs {
				out = append(out, viewGroup{exprs: []*viewExpr{e}})
			}
			continue
		}
		if g.kind == groupPlain && sets {
			g.kind = groupSimple
		}
		out = append(out, g)
	}
	return out, nil
}

func (v *viewBuilder) group(q *viewQuery, n *pgquery.Node) (viewGroup, error) {
	if row := n.GetRowExpr(); row != nil && row.RowFormat == pgquery.CoercionForm_COERCE_IMPLICIT_CAST {
		g := viewGroup{}
		for _, arg := range row.Args {
			e, err := v.groupExpr(q, arg)
			if err != nil {
				return g, err
			}
			g.exprs = append(g.exprs, e)
		}
		return g, nil
	}
	set := n.GetGroupingSet()
	if set == nil {
		e, err := v.groupExpr(q, n)
		return viewGroup{exprs: []*viewExpr{e}}, err
	}
	g := viewGroup{}
	switch set.Kind {
	case pgquery.GroupingSetKind_GROUPING_SET_EMPTY:
		return viewGroup{kind: groupEmpty}, nil
	case pgquery.GroupingSetKind_GROUPING_SET_ROLLUP:
		g.kind = groupRollup
	case pgquery.GroupingSetKind_GROUPING_SET_CUBE:
		g.kind = groupCube
	default:
		g.kind = groupSets
	}
	for _, node := range set.Content {
		inner, err := v.group(q, node)
		if err != nil {
			return g, err
		}
		if inner.kind == groupPlain {
			inner.kind = groupSimple
		}
		g.sets = append(g.sets, inner)
	}
	return g, nil
}

// groupExpr is an expression of GROUP BY: a column before an output.
func (v *viewBuilder) groupExpr(q *viewQuery, n *pgquery.Node) (*viewExpr, error) {
	if ref := n.GetColumnRef(); ref != nil {
		if _, column := v.trace.columns[ref.Location]; column {
			return v.expr(n)
		}
	}
	key, err := v.sortExpr(q, n, true)
	return key.expr, err
}

func (v *viewBuilder) window(n *pgquery.WindowDef) (*viewWindow, error) {
	w := &viewWindow{name: n.Name, base: n.Refname}
	for _, node := range n.PartitionClause {
		e, err := v.resolved(node)
		if err != nil {
			return nil, err
		}
		w.partition = append(w.partition, e)
	}
	var err error
	if w.order, err = v.sorts(nil, n.OrderClause, false); err != nil {
		return nil, err
	}
	o := n.FrameOptions
	if o&frameNonDefault == 0 {
		return w, nil
	}
	w.frame = "RANGE"
	offset := plainType(postgres.Int8OID)
	switch {
	case o&frameRows != 0:
		w.frame = "ROWS"
	case o&frameGroups != 0:
		w.frame = "GROUPS"
	case len(w.order) > 0:
		offset = w.order[0].expr.t
		if category(offset.OID) == postgres.DateTimeCategory {
			offset = plainType(postgres.IntervalOID)
		}
	}
	w.between = o&frameBetween != 0
	w.start, w.end = frameWord(frameStart(o)), frameWord(frameEnd(o))
	if n.StartOffset != nil {
		if w.startOff, err = v.exprAs(n.StartOffset, offset); err != nil {
			return nil, err
		}
	}
	if n.EndOffset != nil {
		if w.endOff, err = v.exprAs(n.EndOffset, offset); err != nil {
			return nil, err
		}
	}
	w.exclude = frameExclusion(o)
	return w, nil
}

func frameWord(b FrameBound) string {
	switch b {
	case UnboundedPreceding:
		return "UNBOUNDED PRECEDING"
	case UnboundedFollowing:
		return "UNBOUNDED FOLLOWING"
	case OffsetPreceding:
		return "PRECEDING"
	case OffsetFollowing:
		return "FOLLOWING"
	default:
		return "CURRENT ROW"
	}
}
