package planner

import (
	"fmt"
	"slices"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// columnRef binds a name, in one part or qualified.
func (b *binder) columnRef(sc *scope, ref *pgquery.ColumnRef) (Expr, error) {
	parts, star := nameParts(ref.Fields)
	if star {
		if len(parts) == 0 {
			return nil, errorAt(ref.Location, pgerrcode.SyntaxError, `syntax error at or near "*"`)
		}
		it, err := b.itemOf(sc, parts, ref.Location)
		if err != nil {
			return nil, err
		}
		return b.wholeRow(it)
	}
	if len(parts) == 1 {
		return b.unqualified(sc, parts[0], ref.Location)
	}
	name := parts[len(parts)-1]
	it, err := b.itemOf(sc, parts[:len(parts)-1], ref.Location)
	if err != nil {
		return nil, err
	}
	e, err := b.columnNamed(it, name, ref.Location)
	if e != nil || err != nil {
		return e, err
	}
	return nil, b.missingColumn([]*item{it}, it.name, name, ref.Location)
}

// nameParts are the words of a dotted name, and whether it ends in a star.
func nameParts(fields []*pgquery.Node) (parts []string, star bool) {
	for _, f := range fields {
		if f.GetAStar() != nil {
			return parts, true
		}
		parts = append(parts, f.GetString_().GetSval())
	}
	return parts, false
}

// unqualified binds a name in one part: a column of the innermost scope that has it,
// else what PostgreSQL finds for it; and what stands beyond the declared columns only
// if nothing else has the name, so that no statement changes with what devices send.
func (b *binder) unqualified(sc *scope, name string, at int32) (Expr, error) {
	e, err := b.declaredColumn(sc, name, at)
	if e != nil || err != nil {
		return e, err
	}
	e, err = b.formerColumn(sc, name, at)
	if e != nil || err != nil {
		return e, err
	}
	e, err = b.unqualifiedSystemColumn(sc, name, at)
	if e != nil || err != nil {
		return e, err
	}
	e, err = b.wholeRowOrField(sc, name, at)
	if e != nil || err != nil {
		return e, err
	}
	e, err = b.undeclaredColumn(sc, name, at)
	if e != nil || err != nil {
		return e, err
	}
	return nil, b.missingColumn(allItems(sc), "", name, at)
}

// wholeRowOrField finds an item that has the name, which means its row. But a metric
// that nobody declared has its fields as columns, and those come before its row. Nil:
// no item is called so.
func (b *binder) wholeRowOrField(sc *scope, name string, at int32) (Expr, error) {
	for s := sc; s != nil; s = s.outer {
		for _, it := range s.items {
			if !it.nameVisible || it.name != name || !it.reachable(s) {
				continue
			}
			if it.metric != nil && it.metric.metric == nil {
				found, err := beyondIn(it, name)
				if err != nil {
					return nil, err
				}
				if len(found) > 0 {
					return b.only(found, name, at)
				}
			}
			if scan, ok := it.relation.(*FunctionScan); ok && len(scan.Cols) == 1 {
				return b.columnAt(it, 0, at)
			}
			return b.wholeRow(it)
		}
	}
	return nil, nil
}

// declaredColumn finds a name among the columns of all scopes, innermost first;
// nil: none has it.
func (b *binder) declaredColumn(sc *scope, name string, at int32) (Expr, error) {
	for s := sc; s != nil; s = s.outer {
		if s.value != nil && name == "value" {
			return s.value, nil
		}
		var found *item
		index := 0
		for _, it := range s.items {
			if !it.columnsVisible || !it.reachable(s) {
				continue
			}
			for i := range it.columns {
				if it.columns[i].name != name || it.columns[i].observed {
					continue
				}
				if found != nil {
					return nil, errorAt(at, pgerrcode.AmbiguousColumn, "column reference %q is ambiguous", name)
				}
				found, index = it, i
			}
		}
		if found != nil {
			if err := found.checkLateral(at); err != nil {
				return nil, err
			}
			return b.columnAt(found, index, at)
		}
	}
	return nil, nil
}

// formerColumn finds the column of a view that had a name, in the innermost scope
// that has one; nil: none has.
func (b *binder) formerColumn(sc *scope, name string, at int32) (Expr, error) {
	for s := sc; s != nil; s = s.outer {
		for _, it := range s.items {
			if i := it.former(name); i >= 0 && it.columnsVisible && it.reachable(s) {
				return b.columnAt(it, i, at)
			}
		}
	}
	return nil, nil
}

// former is the place of the column of a view that had a name, or -1.
func (it *item) former(name string) int {
	return slices.IndexFunc(it.columns, func(c itemColumn) bool { return slices.Contains(c.formerly, name) })
}

// candidate is something a name could mean beyond the declared columns.
type candidate struct {
	it     *item
	column metricColumn
}

func (c candidate) String() string { return quoteName(c.it.name) + "." + quoteName(c.column.name) }

// undeclaredColumn finds a name beyond the declared columns, exactly and then
// ignoring case, in the innermost scope that has it; nil: none has.
func (b *binder) undeclaredColumn(sc *scope, name string, at int32) (Expr, error) {
	ways := []func(*item) ([]candidate, error){
		func(it *item) ([]candidate, error) { return beyondIn(it, name) },
		func(it *item) ([]candidate, error) { return foldedIn(it, name) },
	}
	for _, way := range ways {
		for s := sc; s != nil; s = s.outer {
			var found []candidate
			for _, it := range s.items {
				if it.metric == nil || !it.nameVisible || !it.reachable(s) {
					continue
				}
				more, err := way(it)
				if err != nil {
					return nil, err
				}
				found = append(found, more...)
			}
			if len(found) > 0 {
				return b.only(found, name, at)
			}
		}
	}
	return nil, nil
}

// columnNamed finds a column of one item; nil: it has none of that name.
func (b *binder) columnNamed(it *item, name string, at int32) (Expr, error) {
	index := -1
	for i := range it.columns {
		if it.columns[i].name != name {
			continue
		}
		if index >= 0 {
			return nil, errorAt(at, pgerrcode.AmbiguousColumn, "column reference %q is ambiguous", name)
		}
		index = i
	}
	if index < 0 {
		index = it.former(name)
	}
	if index >= 0 {
		return b.columnAt(it, index, at)
	}
	if e, err := b.systemColumn(it, name, at); e != nil || err != nil || it.metric == nil {
		return e, err
	}
	found, err := beyondIn(it, name)
	if err == nil && len(found) == 0 {
		found, err = foldedIn(it, name)
	}
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return b.only(found, name, at)
}

func beyondIn(it *item, name string) ([]candidate, error) {
	columns, err := it.metric.beyond(name)
	return candidates(it, columns), err
}

func foldedIn(it *item, name string) ([]candidate, error) {
	columns, err := it.metric.folded(name)
	return candidates(it, columns), err
}

func candidates(it *item, columns []metricColumn) []candidate {
	out := make([]candidate, len(columns))
	for i, c := range columns {
		out[i] = candidate{it, c}
	}
	return out
}

// only takes the one thing that a name can mean; several are ambiguous.
func (b *binder) only(found []candidate, name string, at int32) (Expr, error) {
	if len(found) > 1 {
		return nil, errorAt(at, pgerrcode.AmbiguousColumn, "column reference %q is ambiguous", name).
			withHint("It could mean %s.", orList(found, candidate.String))
	}
	c := found[0]
	if err := c.it.checkLateral(at); err != nil {
		return nil, err
	}
	b.trace.beyond(at, c)
	e, err := b.readColumn(c.it, c.column)
	return placed(e, at), err
}

func (b *binder) columnAt(it *item, i int, at int32) (Expr, error) {
	b.trace.column(at, it, i)
	e, err := b.column(it, i)
	return placed(e, at), err
}

// placed notes where a column is named, for errors.
func placed(e Expr, at int32) Expr {
	if c, ok := e.(*Column); ok {
		c.at = at
	}
	return e
}

// wholeRow is a row of the item's columns; of a function that returns one value a
// row it is that value.
func (b *binder) wholeRow(it *item) (Expr, error) {
	if scan, ok := it.relation.(*FunctionScan); ok && len(scan.Cols) == 1 {
		return b.column(it, 0)
	}
	row := &Row{Elems: make([]Expr, 0, len(it.columns)), Names: []string{}, Whole: it.relation, Table: it.typed, RowType: it.rowType}
	for i := range it.columns {
		if it.columns[i].apart {
			continue
		}
		e, err := b.column(it, i)
		if err != nil {
			return nil, err
		}
		row.Elems, row.Names = append(row.Elems, e), append(row.Names, it.columns[i].name)
	}
	row.Present = b.presence(row)
	return row, nil
}

// itemOf finds the item that a qualifier, of up to three parts, names.
func (b *binder) itemOf(sc *scope, parts []string, at int32) (*item, error) {
	if err := b.checkQualified(parts, at); err != nil {
		return nil, err
	}
	if len(parts) == 3 {
		parts = parts[1:]
	}
	name := parts[len(parts)-1]
	for s := sc; s != nil; s = s.outer {
		var found *item
		for _, it := range s.items {
			if !it.nameVisible || it.name != name || !it.reachable(s) || len(parts) == 2 && it.schema != parts[0] {
				continue
			}
			if found != nil {
				return nil, errorAt(at, pgerrcode.AmbiguousAlias, "table reference %q is ambiguous", name)
			}
			found = it
		}
		if found != nil {
			return found, found.checkLateral(at)
		}
	}
	return nil, b.missingItem(sc, parts, at)
}

// checkQualified refuses a name of more than three parts, and one in another database.
func (b *binder) checkQualified(parts []string, at int32) error {
	switch {
	case len(parts) > 3:
		return errorAt(at, pgerrcode.SyntaxError, "improper qualified name (too many dotted names): %s", dotted(parts))
	case len(parts) == 3 && parts[0] != b.env.database:
		return errorAt(at, pgerrcode.FeatureNotSupported, "cross-database references are not implemented: %s", dotted(parts))
	}
	return nil
}

// missingItem says that a qualifier names nothing, or nothing that can be seen.
func (b *binder) missingItem(sc *scope, parts []string, at int32) *Error {
	name := parts[len(parts)-1]
	for s := sc; s != nil; s = s.outer {
		for _, it := range s.all {
			if it.name == name {
				e := errorAt(at, pgerrcode.UndefinedTable, "invalid reference to FROM-clause entry for table %q", name)
				if it.lateralOnly {
					e.Detail = fmt.Sprintf("There is an entry for table %q, but it cannot be referenced from this part of the query.", name)
					e.Hint = "To reference that table, you must mark this subquery with LATERAL."
					return e
				}
				return e.withHint("There is an entry for table %q, but it cannot be referenced from this part of the query.", name)
			}
		}
	}
	if alias := b.aliasOf(sc, parts); alias != "" {
		return errorAt(at, pgerrcode.UndefinedTable, "invalid reference to FROM-clause entry for table %q", name).
			withHint("Perhaps you meant to reference the table alias %q.", alias)
	}
	return errorAt(at, pgerrcode.UndefinedTable, "missing FROM-clause entry for table %q", name)
}

// aliasOf is the alias under which a table stands in FROM; empty: it does not.
func (b *binder) aliasOf(sc *scope, parts []string) string {
	qualifier := ""
	if len(parts) > 1 {
		qualifier = parts[len(parts)-2]
	}
	oid, err := b.tableOID(qualifier, parts[len(parts)-1], nowhere)
	if err != nil {
		return ""
	}
	for s := sc; s != nil; s = s.outer {
		for _, it := range s.all {
			if of, ok := it.table(); ok && of == oid && it.nameVisible {
				return it.name
			}
		}
	}
	return ""
}

func dotted(parts []string) string {
	s := parts[0]
	for _, p := range parts[1:] {
		s += "." + p
	}
	return s
}

func allItems(sc *scope) []*item {
	var items []*item
	for s := sc; s != nil; s = s.outer {
		for _, it := range s.all {
			if it.nameVisible && !slices.Contains(items, it) {
				items = append(items, it)
			}
		}
	}
	return items
}
