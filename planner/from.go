package planner

import (
	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// from binds a FROM clause and makes its items what names refer to.
func (b *binder) from(sc *scope, nodes []*pgquery.Node) ([]FromItem, error) {
	bound := make([]FromItem, 0, len(nodes))
	for _, n := range nodes {
		f, items, err := b.fromItem(sc, n)
		if err != nil {
			return nil, err
		}
		if err := checkDuplicates(sc.items, items); err != nil {
			return nil, err
		}
		setLateral(items, true, true)
		sc.items = append(sc.items, items...)
		bound = append(bound, f)
	}
	setLateral(sc.items, false, true)
	return bound, nil
}

// fromItem binds one item of FROM and gives what names can refer to in it.
func (b *binder) fromItem(sc *scope, n *pgquery.Node) (FromItem, []*item, error) {
	f, items, err := b.plainFromItem(sc, n)
	if b.trace != nil && err == nil {
		b.trace.items[n] = items[len(items)-1]
	}
	return f, items, err
}

func (b *binder) plainFromItem(sc *scope, n *pgquery.Node) (FromItem, []*item, error) {
	switch n := n.GetNode().(type) {
	case *pgquery.Node_RangeVar:
		return b.rangeVar(sc, n.RangeVar)
	case *pgquery.Node_RangeSubselect:
		return b.rangeSubselect(sc, n.RangeSubselect)
	case *pgquery.Node_RangeFunction:
		return b.rangeFunction(sc, n.RangeFunction)
	case *pgquery.Node_JoinExpr:
		return b.join(sc, n.JoinExpr)
	case *pgquery.Node_RangeTableSample:
		return b.sample(sc, n.RangeTableSample)
	case *pgquery.Node_RangeTableFunc:
		return nil, nil, unsupported(n.RangeTableFunc.Location, "XMLTABLE")
	}
	return nil, nil, unsupported(locate(n), "%s in FROM", nodeName(n))
}

// rangeVar binds a table, view or WITH query named in FROM.
func (b *binder) rangeVar(sc *scope, rv *pgquery.RangeVar) (FromItem, []*item, error) {
	if rv.Catalogname != "" && rv.Catalogname != b.env.database {
		return nil, nil, errorAt(rv.Location, pgerrcode.FeatureNotSupported,
			"cross-database references are not implemented: \"%s.%s.%s\"", rv.Catalogname, rv.Schemaname, rv.Relname)
	}
	if rv.Schemaname == "" {
		if entry := sc.with.find(rv.Relname); entry != nil {
			return b.cteReference(sc, entry, rv)
		}
	}
	t, err := b.names.table(rv.Schemaname, rv.Relname, rv.Location)
	if err != nil {
		return nil, nil, err
	}
	if b.trace != nil {
		b.trace.tables[rv] = t
	}
	alias := rv.Relname
	if rv.Alias != nil {
		alias = rv.Alias.Aliasname
	}
	it := &item{name: alias, typed: true}
	if rv.Alias == nil {
		it.schema = t.schema
	}
	var f FromItem
	if t.metric != nil {
		scan, err := b.readMetric(it, t.metric)
		if err != nil {
			return nil, nil, err
		}
		it.relation, it.metric, it.columns, f = scan, t.metric, t.metric.items(), scan
		it.rowType = schema.RowTypeOID(t.metric.oid)
		b.use(t.metric.oid, 0)
	} else if t.view != nil {
		scan, err := b.readView(it, t.view, rv.Location)
		if err != nil {
			return nil, nil, err
		}
		it.relation, it.columns, f = scan, relationColumns(scan), scan
		it.rowType = schema.RowTypeOID(schema.ViewOID(t.view))
		b.use(scan.OID, 0)
		if len(b.viewing) > 0 {
			for i := range t.view.Columns {
				it.columns[i].formerly = t.view.Columns[i].Former
			}
		}
	} else {
		scan := b.newCatalogScan(t.catalog, alias)
		it.relation, it.columns, f = scan, relationColumns(scan), scan
		b.checkCatalog(t.catalog, rv.Relname)
	}
	items, err := sc.add(it, rv.Alias)
	return f, items, err
}

func (b *binder) newCatalogScan(r catalogRelation, label string) *CatalogScan {
	scan := &CatalogScan{RelationLabel: b.label(label), Relation: r}
	b.catalogs = append(b.catalogs, scan)
	for _, c := range r.Columns() {
		scan.Cols = append(scan.Cols, RelationColumn{Name: c.Name, T: plainType(postgres.OID(c.TypeOID))})
	}
	return scan
}

// relationColumns are the columns of a relation for an item over it.
func relationColumns(r Relation) []itemColumn {
	columns := r.Columns()
	out := make([]itemColumn, len(columns))
	for i, c := range columns {
		out[i] = itemColumn{name: c.Name, t: c.T}
	}
	return out
}

// add makes a new item of this level visible, under its alias's column names.
func (sc *scope) add(it *item, alias *pgquery.Alias) ([]*item, error) {
	if err := it.rename(alias); err != nil {
		return nil, err
	}
	it.nameVisible, it.columnsVisible = it.name != "", true
	sc.all = append(sc.all, it)
	if it.relation != nil {
		sc.relations[it.relation] = true
	}
	return []*item{it}, nil
}

// rename gives the first columns the names that an alias lists for them.
func (it *item) rename(alias *pgquery.Alias) error {
	if alias == nil {
		return nil
	}
	if len(alias.Colnames) > len(it.columns) {
		return errorf(pgerrcode.InvalidColumnReference, "table %q has %d columns available but %d columns specified",
			it.name, len(it.columns), len(alias.Colnames))
	}
	for i, name := range alias.Colnames {
		it.columns[i].name = name.GetString_().GetSval()
		it.columns[i].observed, it.columns[i].formerly = false, nil
	}
	return nil
}

// rangeSubselect binds a query in FROM.
func (b *binder) rangeSubselect(sc *scope, rs *pgquery.RangeSubselect) (FromItem, []*item, error) {
	lateral := sc.lateral
	sc.lateral = rs.Lateral
	defer func() { sc.lateral = lateral }()
	defer sc.in(inFromQuery)()
	q, err := b.subselect(sc, rs.Subquery)
	if err != nil {
		return nil, nil, err
	}
	if rs.Alias == nil {
		return nil, nil, errorAt(locate(rs.Subquery), pgerrcode.SyntaxError, "subquery in FROM must have an alias").
			withHint("For example, FROM (SELECT ...) [AS] foo.")
	}
	name := rs.Alias.Aliasname
	scan := b.newSubqueryScan(q, name, rs.Lateral)
	items, err := sc.add(&item{name: name, relation: scan, columns: splitRows(scan)}, rs.Alias)
	return scan, items, err
}

func (b *binder) newSubqueryScan(q *Query, label string, lateral bool) *SubqueryScan {
	return &SubqueryScan{RelationLabel: b.label(label), Query: q, Cols: outputs(q), Lateral: lateral}
}

// outputs are the outputs of a query as columns.
func outputs(q *Query) []RelationColumn {
	columns := make([]RelationColumn, len(q.Targets))
	for i, t := range q.Targets {
		columns[i] = RelationColumn{Name: t.Name, T: t.Expr.Type()}
	}
	return columns
}
