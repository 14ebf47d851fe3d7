package planner

import (
	"slices"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

var joinKinds = map[pgquery.JoinType]JoinKind{
	pgquery.JoinType_JOIN_INNER: InnerJoin,
	pgquery.JoinType_JOIN_LEFT:  LeftJoin,
	pgquery.JoinType_JOIN_RIGHT: RightJoin,
	pgquery.JoinType_JOIN_FULL:  FullJoin,
}

// join binds a JOIN. Its item has the merged columns first, then those of the
// left and the right side; the sides keep their names for qualified references.
func (b *binder) join(sc *scope, j *pgquery.JoinExpr) (FromItem, []*item, error) {
	kind, ok := joinKinds[j.Jointype]
	if !ok {
		return nil, nil, unsupported(locate(j.Larg), "this join")
	}
	left, leftItems, err := b.fromItem(sc, j.Larg)
	if err != nil {
		return nil, nil, err
	}
	// The right side may refer to the left one if it is LATERAL.
	before := sc.items
	setLateral(leftItems, true, kind == InnerJoin || kind == LeftJoin)
	sc.items = append(slices.Clone(before), leftItems...)
	right, rightItems, err := b.fromItem(sc, j.Rarg)
	sc.items = before
	if err != nil {
		return nil, nil, err
	}
	if err := checkDuplicates(leftItems, rightItems); err != nil {
		return nil, nil, err
	}
	items := slices.Concat(leftItems, rightItems)
	setLateral(items, false, true)
	bound := &Join{Kind: kind, Left: left, Right: right}
	joined := &item{}
	using := make([]string, 0, len(j.UsingClause))
	for _, name := range j.UsingClause {
		using = append(using, name.GetString_().GetSval())
	}
	l, r := visibleColumns(leftItems), visibleColumns(rightItems)
	if j.IsNatural {
		using = commonNames(l, r)
	}
	if l, r, err = b.mergeColumns(bound, joined, using, l, r, locate(j.Rarg)); err != nil {
		return nil, nil, err
	}
	joined.columns = slices.Concat(joined.columns, l, r)
	if j.Quals != nil {
		if bound.On, err = b.joinCondition(sc, items, j.Quals); err != nil {
			return nil, nil, err
		}
	}
	if j.JoinUsingAlias != nil && j.Alias == nil {
		if items, err = sc.addUsingAlias(j.JoinUsingAlias.Aliasname, joined.columns[:len(using)], items); err != nil {
			return nil, nil, err
		}
	}
	return b.joinItem(sc, bound, joined, items, j.Alias)
}

// addUsingAlias makes the merged columns of a join visible under the name that USING
// gives them. A name of the whole join would hide it.
func (sc *scope) addUsingAlias(name string, merged []itemColumn, items []*item) ([]*item, error) {
	added, err := sc.add(&item{name: name, columns: slices.Clone(merged)}, nil)
	if err != nil {
		return nil, err
	}
	if err := checkDuplicates(items, added); err != nil {
		return nil, err
	}
	return append(items, added...), nil
}

// joinItem puts the item of a join in place of its sides' columns.
func (b *binder) joinItem(sc *scope, bound *Join, joined *item, items []*item, alias *pgquery.Alias) (FromItem, []*item, error) {
	for _, it := range items {
		it.columnsVisible = false
	}
	if alias != nil {
		joined.name = alias.Aliasname
		for _, it := range items {
			it.nameVisible = false
		}
		for i := range joined.columns {
			joined.columns[i].observed = false
		}
	}
	added, err := sc.add(joined, alias)
	return bound, append(items, added...), err
}

// joinCondition binds ON, which sees the two sides and the outer queries only.
func (b *binder) joinCondition(sc *scope, items []*item, n *pgquery.Node) (Expr, error) {
	before := sc.items
	sc.items = items
	defer func() { sc.items = before }()
	defer sc.in(inJoin)()
	e, err := b.expr(sc, n)
	if err != nil {
		return nil, err
	}
	return b.coerceBool(e, "JOIN/ON", locate(n))
}

// visibleColumns are the columns that * gives for one side of a join.
func visibleColumns(items []*item) []itemColumn {
	var out []itemColumn
	for _, it := range items {
		if !it.columnsVisible {
			continue
		}
		for i, c := range it.columns {
			out = append(out, itemColumn{name: c.name, t: c.t, observed: c.observed, apart: c.apart, formerly: c.formerly, from: it, index: i})
		}
	}
	return out
}

// commonNames are the declared columns that both sides have, for NATURAL.
func commonNames(left, right []itemColumn) []string {
	var names []string
	for _, l := range left {
		has := func(c itemColumn) bool { return c.name == l.name && !c.observed }
		if !l.observed && slices.ContainsFunc(right, has) && !slices.Contains(names, l.name) {
			names = append(names, l.name)
		}
	}
	return names
}

// mergeColumns makes the condition of USING and the merged columns, and gives
// the columns of both sides that are left.
func (b *binder) mergeColumns(bound *Join, joined *item, using []string, l, r []itemColumn, at int32) (left, right []itemColumn, err error) {
	var conditions []Expr
	for n, name := range using {
		if slices.Contains(using[:n], name) {
			return nil, nil, errorAt(at, pgerrcode.DuplicateColumn, "column name %q appears more than once in USING clause", name)
		}
		i, err := usingColumn(l, name, "left", at)
		if err != nil {
			return nil, nil, err
		}
		k, err := usingColumn(r, name, "right", at)
		if err != nil {
			return nil, nil, err
		}
		x, err := b.column(l[i].from, l[i].index)
		if err != nil {
			return nil, nil, err
		}
		y, err := b.column(r[k].from, r[k].index)
		if err != nil {
			return nil, nil, err
		}
		equal, err := b.operator("=", x, y, at, at, at)
		if err != nil {
			return nil, nil, err
		}
		conditions = append(conditions, equal)
		merged, err := b.mergedColumn(bound.Kind, x, y, at)
		if err != nil {
			return nil, nil, err
		}
		joined.columns = append(joined.columns, itemColumn{name: name, t: merged.Type(), merged: merged})
		l, r = slices.Delete(slices.Clone(l), i, i+1), slices.Delete(slices.Clone(r), k, k+1)
	}
	if len(conditions) > 0 {
		bound.On = conjunction(conditions)
	}
	return l, r, nil
}

func usingColumn(columns []itemColumn, name, side string, at int32) (int, error) {
	found, undeclared := -1, false
	for i, c := range columns {
		if c.name != name {
			continue
		}
		if c.observed {
			undeclared = true
			continue
		}
		if found >= 0 {
			return 0, errorAt(at, pgerrcode.AmbiguousColumn, "common column name %q appears more than once in %s table", name, side)
		}
		found = i
	}
	if found < 0 {
		err := errorAt(at, pgerrcode.UndefinedColumn, "column %q specified in USING clause does not exist in %s table", name, side)
		if undeclared {
			err = err.withHint("USING sees declared columns only. Join with ON, or declare the column.")
		}
		return 0, err
	}
	return found, nil
}

// mergedColumn is what a column of USING means: that of the side which has a row.
func (b *binder) mergedColumn(kind JoinKind, l, r Expr, at int32) (Expr, error) {
	common, err := postgres.SelectCommonType([]postgres.OID{l.Type().OID, r.Type().OID}, "JOIN/USING")
	if err != nil {
		return nil, faultAt(at, err)
	}
	t := Type{OID: common, Typmod: commonTypmod(common, l, r)}
	if l, err = b.coerce(l, t, postgres.Implicit, at); err != nil {
		return nil, err
	}
	if r, err = b.coerce(r, t, postgres.Implicit, at); err != nil {
		return nil, err
	}
	switch kind {
	case RightJoin:
		return r, nil
	case FullJoin:
		return &Coalesce{T: t, Args: []Expr{l, r}}, nil
	}
	return l, nil
}

// conjunction joins conditions with AND.
func conjunction(conditions []Expr) Expr {
	if len(conditions) == 1 {
		return conditions[0]
	}
	return &Logic{Kind: And, Args: conditions}
}
