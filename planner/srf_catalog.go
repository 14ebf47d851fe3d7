package planner

import (
	"slices"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// expandArray is information_schema._pg_expandarray, by which clients take the
// columns of keys and indexes apart: the elements of an array with their places.
var expandArray = &postgres.Proc{ //nolint:gochecknoglobals // a row of pg_proc
	OID: 13208, Name: "_pg_expandarray", Kind: postgres.FunctionProc, Volatility: postgres.Immutable, Strict: true, ReturnsSet: true,
	Ret: postgres.RecordOID, Args: []postgres.OID{postgres.AnyArrayOID},
}

// isExpandArray says that a call is of that function.
func isExpandArray(call *pgquery.FuncCall) bool {
	parts, _ := nameParts(call.Funcname)
	return len(parts) == 2 && parts[0] == schemaInformation && parts[1] == expandArray.Name && len(call.Args) == 1
}

// expandArrayCall binds a call of it.
func (b *binder) expandArrayCall(sc *scope, call *pgquery.FuncCall) (*Func, error) {
	arg, err := b.expr(sc, call.Args[0])
	if err != nil {
		return nil, err
	}
	if postgres.ElemOf(postgres.BaseOf(arg.Type().OID)) == 0 {
		return nil, errorAt(call.Location, pgerrcode.UndefinedFunction, "function %s.%s(%s) does not exist",
			schemaInformation, expandArray.Name, arg.Type().OID).
			withHint("No function matches the given name and argument types. You might need to add explicit type casts.")
	}
	return &Func{T: plainType(postgres.RecordOID), Proc: expandArray, Args: []Expr{arg}}, nil
}

// returnsPairs says that a set-returning function returns rows that the binder knows the columns of.
func returnsPairs(proc *postgres.Proc) bool {
	switch proc.Name {
	case expandArray.Name, "json_each", "jsonb_each", "json_each_text", "jsonb_each_text":
		return true
	}
	return false
}

func expandedColumns(f *Func) []RelationColumn {
	if s := f.Proc.Signature; s != nil { // key and value, behind the argument
		return []RelationColumn{{Name: s.Names[1], T: plainType(s.AllArgs[1])}, {Name: s.Names[2], T: plainType(s.AllArgs[2])}}
	}
	elem := postgres.ElemOf(postgres.BaseOf(f.Args[0].Type().OID))
	return []RelationColumn{{Name: "x", T: plainType(elem)}, {Name: "n", T: plainType(postgres.Int4OID)}}
}

// expandedRow moves a call in the select list into FROM, as setReturning does. Two
// of the same arguments give their rows together, so they are one.
func (b *binder) expandedRow(sc *scope, f *Func) (Expr, error) {
	i := slices.IndexFunc(sc.sets, func(s *FunctionScan) bool { return SameExpr(s.Call, f) })
	if i < 0 {
		if len(sc.sets) > 0 {
			return nil, unsupported(nowhere, "more than one set-returning function in a select list")
		}
		scan := &FunctionScan{RelationLabel: b.label(f.Proc.Name), Call: f, Lateral: hasColumns(f), Cols: expandedColumns(f)}
		i, sc.sets = len(sc.sets), append(sc.sets, scan)
		sc.relations[scan] = true
	}
	row := &Row{}
	for n, c := range sc.sets[i].Cols {
		row.Elems = append(row.Elems, &Column{T: c.T, Relation: sc.sets[i], Index: n})
		row.Names = append(row.Names, c.Name)
	}
	return row, nil
}

// seriesRelations are the computed relations that have the rows of functions
// without arguments.
var seriesRelations = map[string]string{
	"pg_get_keywords":       "pg_get_keywords()",
	"pg_cursor":             "pg_cursors",
	"pg_prepared_statement": "pg_prepared_statements",
	"pg_lock_status":        "pg_locks",
	"pg_listening_channels": "pg_listening_channels()",
	"pg_timezone_names":     "pg_timezone_names",
	"pg_timezone_abbrevs":   "pg_timezone_abbrevs",
}

// catalogSeries binds a function in FROM whose rows the catalog computes; not ok:
// it is none.
func (b *binder) catalogSeries(sc *scope, n *pgquery.RangeFunction, call *pgquery.FuncCall) (FromItem, []*item, bool, error) {
	parts, _ := nameParts(call.Funcname)
	name := parts[len(parts)-1]
	alias := name
	if n.Alias != nil {
		alias = n.Alias.Aliasname
	}
	if isExpandArray(call) {
		f, err := b.expandArrayCall(sc, call)
		if err != nil {
			return nil, nil, false, err
		}
		if n.Ordinality {
			return nil, nil, false, unsupported(call.Location, "WITH ORDINALITY of %s", name)
		}
		scan := &FunctionScan{RelationLabel: b.label(alias), Call: f, Cols: expandedColumns(f), Lateral: n.Lateral || hasColumns(f)}
		items, err := sc.add(&item{name: alias, relation: scan, columns: relationColumns(scan)}, n.Alias)
		return scan, items, true, err
	}
	relation, ok := seriesRelations[name]
	if !ok || len(call.Args) > 0 || n.Ordinality || len(parts) > 1 && parts[0] != schemaCatalog || b.names.catalog == nil {
		return nil, nil, false, nil
	}
	r, ok := b.names.catalog.Relation(schemaCatalog, relation)
	if !ok {
		return nil, nil, false, nil
	}
	scan := b.newCatalogScan(r, alias)
	named := n.Alias
	if named != nil && len(named.Colnames) == 0 && len(scan.Cols) == 1 { // of values and not of rows
		named = &pgquery.Alias{Aliasname: alias, Colnames: []*pgquery.Node{pgquery.MakeStrNode(alias)}}
	}
	items, err := sc.add(&item{name: alias, relation: scan, columns: relationColumns(scan)}, named)
	return scan, items, true, err
}

// splitRows makes the columns of rows that a query in FROM gives columns of their
// own behind the others, which the row's name then means.
func splitRows(scan *SubqueryScan) []itemColumn {
	q := scan.Query
	columns := relationColumns(scan)
	if q.SetOp != nil || q.Distinct || len(q.DistinctOn) > 0 {
		return columns
	}
	for i := range columns {
		row, ok := q.Targets[i].Expr.(*Row)
		if !ok || row.Names == nil {
			continue
		}
		q.Targets[i].Expr = nullConst(plainType(postgres.TextOID))
		out := &Row{Names: row.Names, Whole: row.Whole, Table: row.Table, RowType: row.RowType, Null: row.Null}
		for n, e := range row.Elems {
			out.Elems = append(out.Elems, &Column{T: e.Type(), Relation: scan, Index: len(q.Targets)})
			q.Targets = append(q.Targets, Target{Expr: e, Name: row.Names[n]})
			scan.Cols = append(scan.Cols, RelationColumn{Name: row.Names[n], T: e.Type(), Hidden: true})
		}
		columns[i].merged = out
	}
	return columns
}
