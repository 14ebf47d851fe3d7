package planner

import (
	"slices"
	"strconv"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

func valuesName(i int) string { return "column" + strconv.Itoa(i+1) }

// rangeFunction binds a function in FROM.
func (b *binder) rangeFunction(sc *scope, n *pgquery.RangeFunction) (FromItem, []*item, error) {
	node := n.Functions[0].GetList().GetItems()
	call := node[0].GetFuncCall()
	at := locate(node[0])
	if len(node) > 1 && len(node[1].GetList().GetItems()) > 0 || len(n.Coldeflist) > 0 && call == nil {
		return nil, nil, unsupported(at, "a column definition list here")
	}
	lateral := sc.lateral
	sc.lateral = true // a function may refer to what stands before it
	defer func() { sc.lateral = lateral }()
	defer sc.in(inFromFunction)()
	if len(n.Coldeflist) > 0 {
		return b.definedColumns(sc, n, call, n.Coldeflist)
	}
	if calls := sideBySide(n); len(calls) > 1 {
		return b.functionsInFrom(sc, n, calls)
	}
	if call == nil {
		return b.valueInFrom(sc, n, node[0])
	}
	if parts, _ := nameParts(call.Funcname); len(parts) == 2 && parts[0] == schemaFieldgate && isInspection(parts[1]) {
		return b.inspect(sc, n, call)
	}
	if from, items, ok, err := b.catalogSeries(sc, n, call); ok || err != nil {
		return from, items, err
	}
	if query, err := inlinedFunction(n, call); query != nil || err != nil {
		if err != nil {
			return nil, nil, err
		}
		return b.rangeSubselect(sc, query)
	}
	c, err := b.callSite(sc, call)
	if err != nil {
		return nil, nil, err
	}
	if f, items, ok, err := b.populateInFrom(sc, n, c); ok || err != nil {
		return f, items, err
	}
	if c.proc.Proc == nil || !c.proc.Proc.ReturnsSet {
		return b.valueInFrom(sc, n, node[0])
	}
	if err := c.checkPlain(); err != nil {
		return nil, nil, err
	}
	f, err := b.function(c)
	if err != nil {
		return nil, nil, err
	}
	alias := c.name
	if n.Alias != nil {
		alias = n.Alias.Aliasname
	}
	columns, err := functionColumns(c, alias)
	if err != nil {
		return nil, nil, err
	}
	if n.Ordinality {
		columns = append(columns, RelationColumn{Name: "ordinality", T: plainType(postgres.Int8OID)})
	}
	scan := &FunctionScan{
		RelationLabel: b.label(alias), Call: f, Cols: columns, Ordinality: n.Ordinality,
		Lateral: n.Lateral || hasColumns(f),
	}
	items, err := sc.add(&item{name: alias, relation: scan, columns: relationColumns(scan)}, n.Alias)
	return scan, items, err
}

// sideBySide are the calls of ROWS FROM, and of unnest with several arrays one
// each.
func sideBySide(n *pgquery.RangeFunction) []*pgquery.Node {
	var calls []*pgquery.Node
	for _, f := range n.Functions {
		node := f.GetList().GetItems()[0]
		call := node.GetFuncCall()
		if call == nil {
			calls = append(calls, node)
			continue
		}
		if parts, _ := nameParts(call.Funcname); parts[len(parts)-1] != "unnest" || len(call.Args) < 2 {
			calls = append(calls, node)
			continue
		}
		for _, arg := range call.Args {
			calls = append(calls, &pgquery.Node{Node: &pgquery.Node_FuncCall{FuncCall: &pgquery.FuncCall{
				Funcname: call.Funcname, Args: []*pgquery.Node{arg}, Location: call.Location,
			}}})
		}
	}
	return calls
}

// functionsInFrom binds set-returning functions side by side.
func (b *binder) functionsInFrom(sc *scope, n *pgquery.RangeFunction, calls []*pgquery.Node) (FromItem, []*item, error) {
	scan := &FunctionScan{Ordinality: n.Ordinality}
	name := ""
	for _, node := range calls {
		call := node.GetFuncCall()
		if call == nil {
			return nil, nil, unsupported(locate(node), "a function that returns no set in ROWS FROM")
		}
		c, err := b.callSite(sc, call)
		if err != nil {
			return nil, nil, err
		}
		if c.proc.Proc == nil || !c.proc.Proc.ReturnsSet {
			return nil, nil, unsupported(call.Location, "a function that returns no set in ROWS FROM")
		}
		if err := c.checkPlain(); err != nil {
			return nil, nil, err
		}
		f, err := b.function(c)
		if err != nil {
			return nil, nil, err
		}
		columns, err := functionColumns(c, c.name)
		if err != nil {
			return nil, nil, err
		}
		if len(columns) != 1 {
			return nil, nil, unsupported(call.Location, "function %s with several result columns in ROWS FROM", c.name)
		}
		if scan.Call == nil {
			scan.Call, name = f, c.name
		} else {
			scan.More = append(scan.More, f)
		}
		scan.Cols = append(scan.Cols, columns...)
		scan.Lateral = scan.Lateral || hasColumns(f)
	}
	if n.Alias != nil {
		name = n.Alias.Aliasname
	}
	if n.Ordinality {
		scan.Cols = append(scan.Cols, RelationColumn{Name: "ordinality", T: plainType(postgres.Int8OID)})
	}
	scan.RelationLabel, scan.Lateral = b.label(name), scan.Lateral || n.Lateral
	items, err := sc.add(&item{name: name, relation: scan, columns: relationColumns(scan)}, n.Alias)
	return scan, items, err
}

// functionColumns are what a set-returning function gives: its outputs, or one
// column named after the alias or the function.
func functionColumns(c *callSite, alias string) ([]RelationColumn, error) {
	s := c.proc.Proc.Signature
	if s != nil && len(s.AllArgs) > 0 {
		var columns []RelationColumn
		for i, t := range s.AllArgs {
			if mode := s.Modes[i]; mode == 'o' || mode == 't' || mode == 'b' {
				columns = append(columns, RelationColumn{Name: s.Names[i], T: plainType(t)})
			}
		}
		if len(columns) > 1 {
			return columns, nil
		}
		if len(columns) == 1 { // an output's name wins over the alias
			columns[0].T = plainType(c.proc.Ret)
			return columns, nil
		}
	}
	if t, ok := postgres.TypeByOID(c.proc.Ret); !ok || t.Kind == postgres.CompositeType || t.OID == postgres.RecordOID {
		return nil, unsupported(c.node.Location, "function %s, which returns rows,", c.name)
	}
	return []RelationColumn{{Name: alias, T: plainType(c.proc.Ret)}}, nil
}

// valueInFrom makes a row of a function in FROM that returns one value.
func (b *binder) valueInFrom(sc *scope, n *pgquery.RangeFunction, node *pgquery.Node) (FromItem, []*item, error) {
	if n.Ordinality {
		return nil, nil, unsupported(locate(node), "WITH ORDINALITY of a function that returns no set")
	}
	e, err := b.expr(sc, node)
	if err != nil {
		return nil, nil, err
	}
	if e, err = b.resolve(e); err != nil {
		return nil, nil, err
	}
	alias := b.columnName(node)
	if n.Alias != nil {
		alias = n.Alias.Aliasname
	}
	scan := b.newSubqueryScan(&Query{Targets: []Target{{Expr: e, Name: alias}}}, alias, n.Lateral || hasColumns(e))
	items, err := sc.add(&item{name: alias, relation: scan, columns: relationColumns(scan)}, n.Alias)
	return scan, items, err
}

// setReturning moves a set-returning function of the select list into FROM, where it
// gives the same rows; addSets looks whether it runs over groups or windows. Several
// give their rows side by side.
func (b *binder) setReturning(sc *scope, f *Func, at int32) (Expr, error) {
	if sc.clause == inGroupBy || sc.clause == inOrderBy {
		if c := sc.listedCall(f, at); c != nil {
			return c, nil
		}
	}
	if !clauses[sc.clause].sets {
		return nil, errorAt(at, pgerrcode.FeatureNotSupported, "set-returning functions are not allowed in %s", sc.clause)
	}
	if sc.clause == inFromFunction {
		return nil, errorAt(at, pgerrcode.FeatureNotSupported, "set-returning functions must appear at top level of FROM")
	}
	if returnsPairs(f.Proc) {
		return b.expandedRow(sc, f)
	}
	if t, ok := postgres.TypeByOID(f.T.OID); !ok || t.Kind == postgres.CompositeType || t.OID == postgres.RecordOID && f.Proc.Name != "unnest" {
		return nil, unsupported(at, "function %s, which returns rows, in a select list", f.Proc.Name)
	}
	// Those of a level stand side by side; one of another's results runs over its rows.
	level := 0
	for i, scan := range sc.sets {
		if scan.ReadBy(f) {
			level = i + 1
		}
	}
	if level < len(sc.sets) {
		scan := sc.sets[level]
		if returnsPairs(scan.Call.Proc) {
			return nil, unsupported(at, "%s beside another set-returning function in a select list", scan.Call.Proc.Name)
		}
		scan.More, scan.Lateral = append(scan.More, f), scan.Lateral || hasColumns(f)
		scan.Cols = append(scan.Cols, RelationColumn{Name: f.Proc.Name, T: f.T})
		return &Column{T: f.T, Relation: scan, Index: len(scan.Cols) - 1, at: at}, nil
	}
	scan := &FunctionScan{
		RelationLabel: b.label(f.Proc.Name), Call: f, Lateral: hasColumns(f), Listed: true,
		Cols: []RelationColumn{{Name: f.Proc.Name, T: f.T}},
	}
	sc.sets = append(sc.sets, scan)
	sc.relations[scan] = true
	return &Column{T: f.T, Relation: scan, at: at}, nil
}

// listedCall is the column of a call that the select list has too; nil: it has none.
func (sc *scope) listedCall(f *Func, at int32) Expr {
	for _, scan := range sc.sets {
		if returnsPairs(scan.Call.Proc) {
			continue
		}
		for i, call := range scan.Calls() {
			if SameExpr(call, f) {
				return &Column{T: f.T, Relation: scan, Index: i, at: at}
			}
		}
	}
	return nil
}

// expandsAggregates says that e shows what a set-returning function makes of aggregates.
func (sc *scope) expandsAggregates(e Expr) bool {
	return slices.ContainsFunc(sc.sets, func(s *FunctionScan) bool {
		return s.ReadBy(e) && slices.ContainsFunc(s.Calls(), func(call *Func) bool { return hasAggregate(call) })
	})
}

// groupedBy says that q groups by all that the function returns: then rows are expanded before they are grouped, as those of FROM.
// What depends on the groups PostgreSQL expands after them.
func groupedBy(q *Query, scan *FunctionScan) bool {
	if !scan.Listed || q.GroupingSets != nil {
		return false
	}
	for i := range scan.Cols {
		shown := func(e Expr) bool {
			c, ok := e.(*Column)
			return ok && c.Relation == scan && c.Index == i
		}
		if !slices.ContainsFunc(q.GroupBy, func(e Expr) bool { return contains(e, shown) }) {
			return false
		}
	}
	return true
}

// addSets joins the set-returning function of the select list to FROM.
func (b *binder) addSets(sc *scope, q *Query) error {
	if len(sc.sets) == 0 {
		return nil
	}
	for _, scan := range sc.sets {
		for _, t := range q.Targets {
			if name, at := conditional(t.Expr, scan); name != "" {
				return errorAt(at, pgerrcode.FeatureNotSupported, "set-returning functions are not allowed in %s", name).
					withHint("You might be able to move the set-returning function into a LATERAL FROM item.")
			}
		}
	}
	if expandsAfter(sc, q) {
		if err := b.setsAfter(sc, q); err != nil {
			return err
		}
	}
	for _, scan := range sc.sets {
		q.From = append(q.From, scan)
	}
	return nil
}

// conditional names the CASE or COALESCE in e that the scan's column stands in.
func conditional(e Expr, scan *FunctionScan) (name string, at int32) {
	walk(e, func(e Expr) bool {
		within := ""
		switch e.(type) {
		case *Case:
			within = "CASE"
		case *Coalesce:
			within = "COALESCE"
		default:
			return true
		}
		walk(e, func(e Expr) bool {
			if c, ok := e.(*Column); ok && c.Relation == scan {
				name, at = within, c.at
			}
			return name == ""
		})
		return name == ""
	})
	return name, at
}
