package planner

import (
	"strings"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// namedRow is the type of a table's rows as a cast names it.
type namedRow struct {
	oid     uint32
	name    string // of the table
	columns []itemColumn
}

// rowNamed finds the tenant's table whose rows a type's name means; nil: there is none.
func (b *binder) rowNamed(n *pgquery.TypeName) *namedRow {
	parts, _ := nameParts(n.Names)
	if len(n.Typmods) > 0 || len(parts) > 2 {
		return nil
	}
	qualifier := ""
	if len(parts) == 2 {
		qualifier = parts[0]
	}
	name := parts[len(parts)-1]
	t, err := b.names.table(qualifier, name, n.Location)
	switch {
	case err != nil || t.catalog != nil:
		return nil
	case t.metric != nil:
		b.use(t.metric.oid, 0)
		return &namedRow{schema.RowTypeOID(t.metric.oid), name, t.metric.items()}
	}
	row := &namedRow{oid: schema.RowTypeOID(schema.ViewOID(t.view)), name: name}
	b.use(schema.ViewOID(t.view), 0)
	for _, c := range t.view.Columns {
		row.columns = append(row.columns, itemColumn{name: c.Name, t: Type{OID: postgres.OID(c.TypeOID), Typmod: c.Typmod}})
	}
	return row
}

// rowTypeOID is the type that the name of a table, or an array of it, means as the name
// of a type.
func (b *binder) rowTypeOID(n *pgquery.TypeName) (postgres.OID, bool) {
	row := b.rowNamed(n)
	if row == nil {
		return 0, false
	}
	if len(n.ArrayBounds) > 0 {
		return postgres.OID(arrayOfRows(row.oid)), true
	}
	return postgres.OID(row.oid), true
}

// of is a row of the type.
func (r *namedRow) of(elems []Expr) *Row {
	row := &Row{Elems: elems, Names: make([]string, len(r.columns)), Table: true, RowType: r.oid}
	for i, c := range r.columns {
		row.Names[i] = c.name
	}
	return row
}

// null is the NULL of the type.
func (r *namedRow) null() *Row {
	elems := make([]Expr, len(r.columns))
	for i, c := range r.columns {
		elems[i] = nullConst(c.t)
	}
	row := r.of(elems)
	row.Null = true
	return row
}

// castToRow binds a cast to the type of a table's rows.
func (b *binder) castToRow(sc *scope, to *namedRow, n *pgquery.TypeCast) (Expr, error) {
	at := n.Location
	if at < 0 {
		at = locate(n.Arg)
	}
	if len(n.TypeName.ArrayBounds) > 0 {
		return nil, unsupported(at, "a cast to %s[]", to.name)
	}
	arg, err := b.expr(sc, n.Arg)
	if err != nil {
		return nil, err
	}
	from := arg.Type().OID
	c, literal := arg.(*Const)
	row, isRow := arg.(*Row)
	switch {
	case literal && c.Null && from == postgres.UnknownOID:
		return to.null(), nil
	case literal && from == postgres.UnknownOID:
		return b.rowLiteral(to, c)
	case rowType(arg) == to.oid:
		return arg, nil
	case isRow && !row.Table:
		return b.rowOf(to, row, n.Arg, at)
	case rowType(arg) != 0:
		return nil, errorAt(at, pgerrcode.CannotCoerce, "cannot cast type %s to %s", b.rowTypeName(rowType(arg)), to.name)
	case isRow:
		return nil, unsupported(at, "a cast of a system catalog's row to %s", to.name)
	case from == postgres.RecordOID || from == postgres.UnknownOID || category(from) == postgres.StringCategory:
		return nil, unsupported(at, "a cast of a value of type %s to %s", from, to.name)
	}
	return nil, errorAt(at, pgerrcode.CannotCoerce, "cannot cast type %s to %s", from, to.name)
}

// isRowType says that a number is that of the type of a table's rows, or of arrays of them.
func (b *binder) isRowType(oid uint32) bool {
	for _, first := range []uint32{schema.RowTypeOID(0), schema.RowArrayOID(0)} {
		if _, ok := b.names.snapshot.ViewByOID(oid - first); ok {
			return true
		}
		if _, ok := b.names.snapshot.MetricByOID(oid - first); ok {
			return true
		}
	}
	return false
}

// rowTypeName is the name of the table that has the type.
func (b *binder) rowTypeName(oid uint32) string {
	table := oid - schema.RowTypeOID(0)
	if v, ok := b.names.snapshot.ViewByOID(table); ok {
		return v.Name
	}
	if m, ok := b.names.snapshot.MetricByOID(table); ok {
		return m.Name
	}
	return "record"
}

// rowOf converts ROW(...) column by column (coerce_record_to_complex).
func (b *binder) rowOf(to *namedRow, row *Row, n *pgquery.Node, at int32) (Expr, error) {
	refuse := func(detail string, args ...any) error {
		return errorAt(at, pgerrcode.CannotCoerce, "cannot cast type record to %s", to.name).withDetail(detail, args...)
	}
	switch {
	case len(row.Elems) < len(to.columns):
		return nil, refuse("Input has too few columns.")
	case len(row.Elems) > len(to.columns):
		return nil, refuse("Input has too many columns.")
	}
	elems := make([]Expr, len(row.Elems))
	for i, e := range row.Elems {
		t := to.columns[i].t
		if from := e.Type().OID; from != postgres.UnknownOID && from != t.OID && !postgres.CanCoerce(from, t.OID, postgres.Explicit) {
			return nil, refuse("Cannot cast type %s to %s in column %d.", from, t.OID, i+1)
		}
		var err error
		if elems[i], err = b.coerce(e, t, postgres.Explicit, locate(n)); err != nil {
			return nil, err
		}
	}
	return to.of(elems), nil
}

// rowLiteral reads a row as its type's input does (record_in).
func (b *binder) rowLiteral(to *namedRow, c *Const) (Expr, error) {
	refuse := func(detail string) error {
		return errorAt(c.at, pgerrcode.InvalidTextRepresentation, `malformed record literal: "%s"`, c.Value.Str).withDetail("%s", detail)
	}
	fields, problem := splitRecord(c.Value.Str)
	switch {
	case problem != "":
		return nil, refuse(problem)
	case len(fields) < len(to.columns):
		return nil, refuse("Too few columns.")
	case len(fields) > len(to.columns):
		return nil, refuse("Too many columns.")
	}
	elems := make([]Expr, len(fields))
	for i, f := range fields {
		elem := nullConst(plainType(postgres.UnknownOID))
		if f != nil {
			elem = textConst(postgres.UnknownOID, *f)
		}
		var err error
		if elems[i], err = b.coerce(elem, to.columns[i].t, postgres.Assignment, c.at); err != nil {
			return nil, err
		}
	}
	return to.of(elems), nil
}

// splitRecord gives the fields of a row's text, nil for NULL; problem is what is wrong
// with it.
func splitRecord(text string) (fields []*string, problem string) {
	const space = " \t\n\r\v\f"
	rest, ok := strings.CutPrefix(strings.TrimLeft(text, space), "(")
	if !ok {
		return nil, "Missing left parenthesis."
	}
	if after, ok := strings.CutPrefix(rest, ")"); ok {
		if strings.Trim(after, space) != "" {
			return nil, "Junk after right parenthesis."
		}
		return nil, ""
	}
	for {
		field, after, ok := recordField(rest)
		if !ok {
			return nil, "Unexpected end of input."
		}
		fields = append(fields, field)
		rest = after[1:]
		if after[0] == ')' {
			break
		}
	}
	if strings.Trim(rest, space) != "" {
		return nil, "Junk after right parenthesis."
	}
	return fields, ""
}

// recordField reads up to the comma or parenthesis that ends a field. Quotes may stand
// anywhere in it; a field of nothing at all is NULL.
func recordField(text string) (field *string, rest string, ok bool) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			if i++; i == len(text) {
				return nil, "", false
			}
			b.WriteByte(text[i])
		case c == '"' && quoted && i+1 < len(text) && text[i+1] == '"':
			b.WriteByte(c)
			i++
		case c == '"':
			quoted = !quoted
		case (c == ',' || c == ')') && !quoted:
			if i == 0 {
				return nil, text, true
			}
			value := b.String()
			return &value, text[i:], true
		default:
			b.WriteByte(c)
		}
	}
	return nil, "", false
}
