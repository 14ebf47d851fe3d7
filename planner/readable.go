package planner

import (
	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// What a user who is no owner may read is checked where the binder uses a column,
// so it holds for every engine. As in PostgreSQL a statement that may not run can be
// prepared and described: a name that does not exist is the first error, and a name
// that is not allowed the error of running it.

// readable is what the session's user may read of an item.
type readable struct {
	schema.Rights

	kind, name string
}

// readable finds the user's rights on a table or view; nil: all, as of an owner, and
// of what a view reads that was granted.
func (b *binder) readable(oid uint32, kind, name string) *readable {
	if !b.env.limited || b.definer {
		return nil
	}
	return &readable{Rights: b.names.snapshot.Rights(oid, b.env.user), kind: kind, name: name}
}

// deny notes the first thing that the user may not read.
func (b *binder) deny(r *readable) {
	if b.denied == nil {
		b.denied = errorf(pgerrcode.InsufficientPrivilege, "permission denied for %s %s", r.kind, r.name)
	}
}

// checkColumn notes a column that may not be read; attribute 0 is one that nobody
// declared.
func (b *binder) checkColumn(r *readable, attribute int16) {
	if r != nil && !r.Column(int(attribute)) {
		b.deny(r)
	}
}

// checkCatalog notes a relation that PostgreSQL lets superusers alone read.
func (b *binder) checkCatalog(r catalogRelation, name string) {
	if !r.IsConcealed() {
		return
	}
	kind := "view"
	if r.IsTable() {
		kind = "table"
	}
	b.deny(&readable{kind: kind, name: name})
}

// readMetric is an item's scan of a metric, with what the user may see of it.
func (b *binder) readMetric(it *item, table *metricTable) (Relation, error) {
	it.readable = b.readable(table.oid, "table", table.name)
	table.unseen = it.readable != nil && !it.readable.Observe
	if err := table.expand(); err != nil {
		return nil, err
	}
	scan := b.newMetricScan(table, it.name)
	scan.Unseen = table.unseen
	if it.readable == nil {
		return scan, nil
	}
	if !it.readable.Any() {
		b.deny(it.readable)
	}
	if !it.readable.Filtered {
		return scan, nil
	}
	return b.guard(scan, table, it.readable)
}

// readView is an item's scan of a view. Who was granted the view reads it with its
// owner's rights, anybody else with their own.
func (b *binder) readView(it *item, v *schema.View, at int32) (*SubqueryScan, error) {
	it.readable = b.readable(schema.ViewOID(v), "view", v.Name)
	definer := b.definer
	if r := it.readable; r != nil && !r.Default {
		b.definer = true
		if !r.Any() {
			b.deny(r)
		}
	}
	defer func() { b.definer = definer }()
	return b.viewScan(v, it.name, at)
}

// readColumn is an expression for a column of an item that is a metric.
func (b *binder) readColumn(it *item, c metricColumn) (Expr, error) {
	b.checkColumn(it.readable, c.attribute)
	b.use(it.metric.oid, c.attribute)
	if guard, ok := it.relation.(*SubqueryScan); ok {
		return b.guardedColumn(guard, it.metric, c)
	}
	return b.useColumn(it.relation.(*MetricScan), it.metric, c)
}

// guard puts a scan behind its policies. A condition of the statement could tell of a
// row that it may not see, by the error that it fails with, and an engine may ask it
// before the policies; so columns are NULL in such rows.
func (b *binder) guard(scan *MetricScan, table *metricTable, r *readable) (*SubqueryScan, error) {
	q := &Query{From: []FromItem{scan}, Guarded: true}
	var err error
	if q.Where, err = b.policies(scan, table, r.Policies); err != nil {
		return nil, err
	}
	return b.newSubqueryScan(q, table.name, false), nil
}

// guardedColumn adds a column to a guard unless it is there, and refers to it.
func (b *binder) guardedColumn(guard *SubqueryScan, table *metricTable, c metricColumn) (Expr, error) {
	q := guard.Query
	e, err := b.useColumn(q.From[0].(*MetricScan), table, c)
	if err != nil {
		return nil, err
	}
	for i := range q.Targets {
		if SameExpr(guardedExpr(q, i), e) {
			return &Column{T: c.t, Relation: guard, Index: i}, nil
		}
	}
	t := newTarget(e, c.name)
	t.Expr = &Case{T: c.t, Whens: []When{{Cond: q.Where, Result: e}}}
	q.Targets = append(q.Targets, t)
	guard.Cols = append(guard.Cols, RelationColumn{Name: c.name, T: c.t, Hidden: c.hidden})
	return &Column{T: c.t, Relation: guard, Index: len(q.Targets) - 1}, nil
}

// guardedExpr is what an output of a query is in the rows that it gives.
func guardedExpr(q *Query, i int) Expr {
	if q.Guarded {
		return q.Targets[i].Expr.(*Case).Whens[0].Result
	}
	return q.Targets[i].Expr
}

// policies are the condition that policies make together: one of those that permit,
// and all that restrict.
func (b *binder) policies(scan *MetricScan, table *metricTable, list []schema.Policy) (Expr, error) {
	var permissive, all []Expr
	for i := range list {
		e, err := b.policy(scan, table, list[i].Using, list[i].Path)
		if err != nil {
			return nil, err
		}
		if list[i].Restrictive {
			all = append(all, e)
		} else {
			permissive = append(permissive, e)
		}
	}
	switch len(permissive) {
	case 0:
		return &Const{T: plainType(postgres.BoolOID), Value: postgres.BoolDatum(false), at: nowhere}, nil
	case 1:
		all = append(all, permissive[0])
	default:
		all = append(all, &Logic{Kind: Or, Args: permissive})
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return &Logic{Kind: And, Args: all}, nil
}

// policy binds the condition of a policy, which may name any column of its table.
func (b *binder) policy(scan *MetricScan, of *metricTable, using string, searched []string) (Expr, error) {
	n, err := parseExpr(using)
	if err != nil {
		return nil, unplaced(err)
	}
	table := *of
	table.unseen = false
	it := &item{name: table.name, relation: scan, metric: &table, columns: table.items(), nameVisible: true, columnsVisible: true}
	sc := newScope(nil)
	sc.clause, sc.items, sc.all = inPolicy, []*item{it}, []*item{it}
	path, params := b.names.path, b.params
	b.names.path, b.params = searched, &parameters{values: []*Const{}}
	defer func() { b.names.path, b.params = path, params }()
	e, err := b.expr(sc, n)
	if err == nil {
		e, err = b.coerceBool(e, "POLICY", nowhere)
	}
	if err == nil && isVolatile(e) {
		err = unsupported(nowhere, "a subquery or volatile function in a policy")
	}
	return e, unplaced(err)
}
