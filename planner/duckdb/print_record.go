package duckdb

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// A record is the text that postgres.ParseKept reads: an array of its fields' types,
// names and values, so that the value says of itself what it is.

// recordParts are the texts of each field.
const recordParts = 3

// row prints ROW(...), or a whole row, as a value.
func (p *printer) row(e *planner.Row) printed {
	if e.Null {
		return printed{sql: "CAST(NULL AS VARCHAR)"}
	}
	present := ""
	if e.Whole != nil && (p.nullable[e.Whole] || p.absent[e.Whole]) {
		// Without a partner the row is NULL, and not one of NULLs.
		if e.Present == nil {
			return p.fail(unsupported("a whole row of the nullable side of an outer join"))
		}
		present = p.expr(e.Present).sql
	}
	if e.Table && e.RowType == 0 && !p.tableRows {
		return p.fail(unsupported("a value of a system catalog's row type"))
	}
	parts := make([]string, 0, recordParts*len(e.Elems))
	for i, x := range e.Elems {
		name := "f" + strconv.Itoa(i+1)
		if e.Names != nil {
			name = e.Names[i]
		}
		oid := strconv.FormatUint(uint64(x.Type().OID), 10)
		parts = append(parts, quoteString(oid), quoteString(name), p.keptText(x.Type(), p.expr(x)))
	}
	value := "fg_array_shaped(CAST([" + strings.Join(parts, ", ") + "] AS VARCHAR[]), 1)"
	if present != "" {
		value = "(CASE WHEN " + present + " IS NOT NULL THEN " + value + " END)"
	}
	return printed{sql: value}
}

// rowTypes are the types of a row's fields; "" for what is no row.
func rowTypes(e planner.Expr) string {
	row, ok := e.(*planner.Row)
	if !ok {
		return ""
	}
	var types strings.Builder
	for _, x := range row.Elems {
		fmt.Fprintf(&types, " %d", x.Type().OID)
	}
	return types.String()
}

// sameRows refuses rows of several types in one column: PostgreSQL will not compare
// them, which keys cannot tell.
func (p *printer) sameRows(es ...planner.Expr) {
	first := ""
	for _, e := range es {
		types := rowTypes(e)
		if first != "" && types != "" && types != first {
			p.fail(unsupported("rows of several types in one column"))
		}
		if types != "" {
			first = types
		}
	}
}

// keptText is a value as it is kept in a text.
func (p *printer) keptText(t planner.Type, e printed) string {
	switch {
	case t.OID == postgres.RecordOID || t.OID == postgres.UnknownOID:
		return e.sql
	case postgres.ElemOf(t.OID) != 0:
		return p.shaped(t, e).sql
	}
	return p.standard(func() string {
		s := &site{p: p, args: []printed{e}, types: []planner.Type{t}}
		return s.output(0)
	})
}

// showsNoType are the functions in whose results it does not show of what type the
// rows in their arguments are.
func showsNoType(name string) bool {
	switch name {
	case "row_to_json", "to_json", "to_jsonb", "json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg", "json_build_object", "jsonb_build_object",
		"json_build_array", "jsonb_build_array", "count":
		return true
	}
	return false
}

// nullableSides notes the relations whose rows an outer join may leave out.
func (p *printer) nullableSides(j *planner.Join) {
	if j.Kind == planner.LeftJoin || j.Kind == planner.FullJoin {
		p.noteNullable(j.Right)
	}
	if j.Kind == planner.RightJoin || j.Kind == planner.FullJoin {
		p.noteNullable(j.Left)
	}
}

func (p *printer) noteNullable(item planner.FromItem) {
	switch item := item.(type) {
	case *planner.Join:
		p.noteNullable(item.Left)
		p.noteNullable(item.Right)
	case planner.Relation:
		p.nullable[item] = true
	}
}

// jsonField prints a member of a JSON object read as a type.
func (p *printer) jsonField(e *planner.JSONField) printed {
	kind := "scalar"
	elem := postgres.ElemOf(e.T.OID)
	switch {
	case e.T.OID == postgres.RecordOID, elem == postgres.RecordOID, e.T.Typmod >= 0 && isString(e.T.OID):
		return p.fail(unsupported("function %s of fields of type %s", e.Function, postgres.FormatType(e.T.OID, e.T.Typmod)))
	case e.T.OID == postgres.JSONOID || e.T.OID == postgres.JSONBOID:
		kind = "json"
	case elem == postgres.JSONOID || elem == postgres.JSONBOID:
		kind = "json array"
	case elem != 0:
		kind = "array"
	}
	args := p.expr(e.JSON).sql + ", " + quoteString(e.Key)
	text := printed{sql: "fg_json_field(" + args + ", " + quoteString(kind) + ")"}
	value := p.cast(text, planner.Type{OID: postgres.TextOID, Typmod: -1}, e.T, true, false)
	if e.Base == nil {
		return value
	}
	both := p.common(e.T, []printed{value, p.expr(e.Base)})
	return printed{fmt.Sprintf("(CASE WHEN fg_json_has_field(%s) THEN %s ELSE %s END)", args, both[0].sql, both[1].sql), both[0].scale}
}

// addRecords: functions of rows.
func (t *tables) addRecords() {
	each(comparisons, func(o string) {
		t.operatorTexts(sig(o, "record", "record"), "(fg_record_compare($1, $2) "+o+" 0)")
	})
	t.castTexts("record->text", "fg_record_out($1, $zone$style)", "record->varchar", "fg_record_out($1, $zone$style)")
	t.functionTexts("row_to_json(record)", "fg_json_record($1, false, $zone$style)", "row_to_json(record, bool)", "fg_json_record($1, $2, $zone$style)")
}
