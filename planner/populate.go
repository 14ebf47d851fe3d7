package planner

import (
	"strings"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// makesRows says that a function makes rows of JSON, and whether the row that it fills
// is its first argument.
func makesRows(name string) (is, fills bool) {
	switch strings.Replace(name, "jsonb_", "json_", 1) {
	case "json_to_record", "json_to_recordset":
		return true, false
	case "json_populate_record", "json_populate_recordset":
		return true, true
	}
	return false, false
}

// jsonArgument is the JSON that a function makes rows of.
func (b *binder) jsonArgument(c *callSite, fills bool) (Expr, error) {
	i := 0
	if fills {
		i = 1
	}
	return b.coerce(c.args[i], plainType(c.proc.ArgTypes[i]), postgres.Implicit, c.places[i])
}

// JSONRecords is the name of the function, of this planner alone, that gives the
// objects of a JSON array; its second argument names the function whose part it is.
const JSONRecords = "_json_records"

// recordsOf makes the call that gives the objects of a JSON array.
func recordsOf(c *callSite, json Expr) *Func {
	proc := &postgres.Proc{
		Name: JSONRecords, Kind: postgres.FunctionProc, Volatility: postgres.Immutable, Strict: true, ReturnsSet: true,
		Ret: json.Type().OID, Args: []postgres.OID{json.Type().OID, postgres.TextOID},
	}
	name := textConst(postgres.TextOID, c.name)
	return &Func{T: plainType(json.Type().OID), Proc: proc, Args: []Expr{json, name}}
}

// populateCall binds json_populate_record of a row outside of FROM, and its like; not
// ok: the function is another.
func (b *binder) populateCall(sc *scope, c *callSite) (e Expr, ok bool, err error) {
	if _, fills := makesRows(c.name); !fills {
		return nil, false, nil
	}
	row, isRow := c.args[0].(*Row)
	if !isRow {
		return nil, true, errorAt(c.node.Location, pgerrcode.FeatureNotSupported, "could not determine row type for result of %s", c.name).
			withHint("Provide a non-null record argument, or call the function in the FROM clause using a column definition list.")
	}
	json, err := b.jsonArgument(c, true)
	if err != nil {
		return nil, true, err
	}
	if c.proc.Proc.ReturnsSet {
		if json, err = b.setReturning(sc, recordsOf(c, json), c.node.Location); err != nil {
			return nil, true, err
		}
	}
	out := &Row{Names: []string{}, Table: row.Table, RowType: row.RowType}
	for i, elem := range row.Elems {
		field, err := b.jsonField(c, json, elem, fieldName(row, i))
		if err != nil {
			return nil, true, err
		}
		out.Names, out.Elems = append(out.Names, fieldName(row, i)), append(out.Elems, field)
	}
	return out, true, nil
}

// jsonField reads a member of a JSON object as base, which it is where there is none, has
// its type. A length is that of an assignment.
func (b *binder) jsonField(c *callSite, json, base Expr, key string) (Expr, error) {
	base, err := b.resolve(base)
	if err != nil {
		return nil, err
	}
	field := &JSONField{T: base.Type(), JSON: json, Base: base, Key: key, Function: c.name}
	if field.T.Typmod < 0 || category(field.T.OID) != postgres.StringCategory {
		return field, nil
	}
	field.T.Typmod = -1
	return &Cast{T: base.Type(), Arg: field}, nil
}

// populateInFrom binds json_populate_record of a row in FROM, and its like; not ok: the
// function is another, or what it fills is no row.
func (b *binder) populateInFrom(sc *scope, n *pgquery.RangeFunction, c *callSite) (f FromItem, items []*item, ok bool, err error) {
	if _, fills := makesRows(c.name); !fills || n.Ordinality {
		return nil, nil, false, nil
	}
	row, ok := c.args[0].(*Row)
	if !ok || row.Names == nil {
		return nil, nil, false, nil
	}
	json, err := b.jsonArgument(c, true)
	if err != nil {
		return nil, nil, false, err
	}
	q := &Query{}
	lateral := n.Lateral || hasColumns(json) || hasColumns(row)
	json = b.eachRecord(q, c, json)
	for i, elem := range row.Elems {
		field, err := b.jsonField(c, json, elem, row.Names[i])
		if err != nil {
			return nil, nil, false, err
		}
		q.Targets = append(q.Targets, Target{Name: row.Names[i], Expr: field})
	}
	alias := c.name
	if n.Alias != nil {
		alias = n.Alias.Aliasname
	}
	scan := b.newSubqueryScan(q, alias, lateral)
	items, err = sc.add(&item{name: alias, relation: scan, columns: relationColumns(scan), typed: row.Table, rowType: row.RowType}, n.Alias)
	return scan, items, true, err
}

// eachRecord makes a query read the objects of a JSON array, if it is such a function;
// what it gives is one object.
func (b *binder) eachRecord(q *Query, c *callSite, json Expr) Expr {
	if !c.proc.Proc.ReturnsSet {
		return json
	}
	scan := &FunctionScan{
		RelationLabel: b.label(c.name), Call: recordsOf(c, json), Lateral: hasColumns(json),
		Cols: []RelationColumn{{Name: "value", T: json.Type()}},
	}
	q.From = []FromItem{scan}
	return &Column{T: json.Type(), Relation: scan, at: nowhere}
}

// definedColumns binds a function in FROM whose row a column definition list tells.
func (b *binder) definedColumns(sc *scope, n *pgquery.RangeFunction, call *pgquery.FuncCall, list []*pgquery.Node) (FromItem, []*item, error) {
	c, err := b.callSite(sc, call)
	if err != nil {
		return nil, nil, err
	}
	is, fills := makesRows(c.name)
	switch {
	case !is && (c.proc.Proc == nil || c.proc.Ret != postgres.RecordOID):
		return nil, nil, errorAt(call.Location, pgerrcode.SyntaxError, `a column definition list is only allowed for functions returning "record"`)
	case !is:
		return nil, nil, unsupported(call.Location, "a column definition list of function %s", c.name)
	case n.Ordinality:
		return nil, nil, errorAt(call.Location, pgerrcode.SyntaxError, "WITH ORDINALITY cannot be used with a column definition list")
	}
	if fills {
		if base, ok := c.args[0].(*Const); !ok || !base.Null {
			return nil, nil, unsupported(call.Location, "a column definition list of function %s of a row", c.name)
		}
	}
	json, err := b.jsonArgument(c, fills)
	if err != nil {
		return nil, nil, err
	}
	q := &Query{}
	lateral := n.Lateral || hasColumns(json)
	json = b.eachRecord(q, c, json)
	for _, node := range list {
		def := node.GetColumnDef()
		t, err := b.typeName(def.TypeName)
		if err != nil {
			return nil, nil, err
		}
		q.Targets = append(q.Targets, Target{Name: def.Colname, Expr: &JSONField{T: t, JSON: json, Key: def.Colname, Function: c.name}})
	}
	alias := c.name
	if n.Alias != nil {
		alias = n.Alias.Aliasname
	}
	scan := b.newSubqueryScan(q, alias, lateral)
	items, err := sc.add(&item{name: alias, relation: scan, columns: relationColumns(scan)}, nil)
	return scan, items, err
}
