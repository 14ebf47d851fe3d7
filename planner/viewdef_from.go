package planner

import (
	"slices"
	"strconv"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// from makes an item of FROM, and notes its relations in the query's list.
func (v *viewBuilder) from(q *viewQuery, n *pgquery.Node) (viewFrom, error) {
	it := v.trace.items[n]
	if it == nil {
		return viewFrom{}, noForm(n)
	}
	rel := &viewRel{}
	for _, c := range it.columns {
		rel.columns = append(rel.columns, c.name)
	}
	var alias *pgquery.Alias
	var err error
	switch n := n.GetNode().(type) {
	case *pgquery.Node_RangeVar:
		alias = n.RangeVar.Alias
		v.tableRel(rel, n.RangeVar, it)
	case *pgquery.Node_RangeSubselect:
		alias, rel.kind, rel.lateral = n.RangeSubselect.Alias, queryRel, n.RangeSubselect.Lateral
		if rel.query, err = v.query(n.RangeSubselect.Subquery.GetSelectStmt(), nil); err != nil {
			return viewFrom{}, err
		}
	case *pgquery.Node_RangeFunction:
		alias = n.RangeFunction.Alias
		if err := v.functionRel(rel, n.RangeFunction, it); err != nil {
			return viewFrom{}, err
		}
	case *pgquery.Node_JoinExpr:
		return v.join(q, n.JoinExpr, it, rel)
	default:
		return viewFrom{}, errNoViewForm
	}
	if alias != nil {
		rel.alias, rel.listed = alias.Aliasname, len(alias.Colnames) > 0
	}
	if rel.kind != tableRel {
		rel.listed = rel.tellApart() || rel.listed
	}
	v.rels[it] = rel
	q.rels = append(q.rels, rel)
	return viewFrom{rel: rel}, nil
}

// tellApart gives columns of one name names of their own, and says whether there were
// such.
func (r *viewRel) tellApart() bool {
	changed := false
	for i, name := range r.columns {
		for n := 1; slices.Contains(r.columns[:i], r.columns[i]); n++ {
			r.columns[i], changed = name+"_"+strconv.Itoa(n), true
		}
	}
	return changed
}

func (v *viewBuilder) tableRel(rel *viewRel, n *pgquery.RangeVar, it *item) {
	t := v.trace.tables[n]
	rel.only = !n.Inh
	switch {
	case t == nil:
		rel.kind, rel.name = cteRel, n.Relname
		return
	case t.metric != nil:
		rel.name, rel.schema = t.metric.name, t.metric.schema
		for i := range it.columns {
			rel.real = append(rel.real, t.metric.columns[i].name)
		}
		return
	case t.view != nil:
		rel.name, rel.schema = t.view.Name, t.schema
	default:
		rel.name, rel.schema = n.Relname, t.schema
	}
	for _, c := range it.relation.Columns() {
		rel.real = append(rel.real, c.Name)
	}
}

func (v *viewBuilder) functionRel(rel *viewRel, n *pgquery.RangeFunction, it *item) error {
	if len(n.Coldeflist) > 0 {
		return errNoViewForm
	}
	rel.kind, rel.numbered, rel.lateral = functionRel, n.Ordinality, n.Lateral
	switch scan := it.relation.(type) {
	case *FunctionScan:
		rel.lateral = scan.Lateral
	case *SubqueryScan:
		rel.lateral = scan.Lateral
	}
	for _, f := range n.Functions {
		node := f.GetList().GetItems()[0]
		e, err := v.expr(node)
		if err != nil {
			return err
		}
		if rel.name == "" {
			rel.name = v.b.columnName(node)
		}
		rel.calls = append(rel.calls, e)
	}
	return nil
}

func (v *viewBuilder) join(q *viewQuery, n *pgquery.JoinExpr, it *item, rel *viewRel) (viewFrom, error) {
	j := &viewJoin{kind: joinKinds[n.Jointype], usingAlias: n.JoinUsingAlias.GetAliasname()}
	var err error
	if j.left, err = v.from(q, n.Larg); err != nil {
		return viewFrom{}, err
	}
	if j.right, err = v.from(q, n.Rarg); err != nil {
		return viewFrom{}, err
	}
	for _, c := range it.columns {
		if c.merged != nil {
			j.using = append(j.using, c.name)
		}
	}
	if j.on, err = v.condition(n.Quals); err != nil {
		return viewFrom{}, err
	}
	rel.kind = joinRel
	if n.Alias != nil {
		rel.alias = n.Alias.Aliasname
		j.alias = rel.alias
		if rel.tellApart() || len(n.Alias.Colnames) > 0 {
			j.columns = rel.columns
		}
	}
	v.rels[it] = rel
	q.rels = append(q.rels, rel)
	return viewFrom{join: j}, nil
}

// column is the expression for a column that a name means.
func (v *viewBuilder) column(c tracedColumn) (*viewExpr, error) {
	rel := v.rels[c.it]
	if rel == nil {
		return nil, errNoViewForm
	}
	if c.name != "" {
		return &viewExpr{kind: varView, rel: rel, name: c.name}, nil
	}
	col := &c.it.columns[c.index]
	switch {
	case rel.kind != joinRel || rel.alias != "":
		return &viewExpr{kind: varView, t: col.t, rel: rel, name: rel.columns[c.index]}, nil
	case col.from != nil:
		return v.column(tracedColumn{it: col.from, index: col.index})
	}
	// A merged column is that of a side, unless it is neither's own.
	merged, ok := col.merged.(*Column)
	if !ok {
		return &viewExpr{kind: varView, t: col.t, name: col.name}, nil
	}
	for it, side := range v.rels {
		if it.relation == merged.Relation {
			return &viewExpr{kind: varView, t: col.t, rel: side, name: col.name}, nil
		}
	}
	return nil, errNoViewForm
}
