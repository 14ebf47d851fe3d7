package duckdb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Arrays have two forms; see physical.go.

func elementOf(t planner.Type) planner.Type {
	return planner.Type{OID: postgres.ElemOf(postgres.BaseOf(t.OID)), Typmod: -1}
}

// isVector says that a type is one of the catalog's arrays that count from 0 and
// print as numbers with spaces between them.
func isVector(oid postgres.OID) bool {
	return oid == postgres.Int2VectorOID || oid == postgres.OIDVectorOID
}

// inForm brings a value of a type into a form: numerics and arrays have several.
func (p *printer) inForm(t planner.Type, e printed, scale int) printed {
	switch {
	case e.scale == scale:
		return e
	case postgres.ElemOf(t.OID) == 0:
		return p.rescale(e, scale)
	case scale == asText:
		return p.shaped(t, e)
	}
	return p.list(t, e)
}

// standard prints as if nothing were set in the session: so values are kept in texts.
func (p *printer) standard(write func() string) string {
	zone, style := p.zone, p.style
	p.zone, p.style = "UTC", ""
	defer func() { p.zone, p.style = zone, style }()
	return write()
}

// keptTexts is a list's elements as they are kept in texts.
func (p *printer) keptTexts(elem planner.Type, list string) string {
	if elem.OID == postgres.RecordOID {
		return list
	}
	elem = keptType(elem)
	return p.standard(func() string {
		s := &site{p: p, args: []printed{{sql: list}}, types: []planner.Type{{OID: postgres.ArrayOf(elem.OID), Typmod: -1}}}
		return s.elementTexts(0)
	})
}

// keptType is the type as whose text an element is kept: of a type, a function or the
// like the number, which needs no name to be read.
func keptType(elem planner.Type) planner.Type {
	switch elem.OID {
	case postgres.RegtypeOID, postgres.RegprocOID, postgres.RegconfigOID, postgres.RegdictionaryOID:
		elem.OID = postgres.OIDOID
	}
	return elem
}

// keptList is a list of texts that were kept as a list of what they are.
func (p *printer) keptList(elem planner.Type, texts string) string {
	if physical(elem.OID) == "VARCHAR" {
		return texts
	}
	elem = keptType(elem)
	if elem.OID == postgres.OIDOID {
		name := p.name("e")
		return transform(texts, name, "CAST("+name+" AS "+physical(elem.OID)+")") // they are digits alone
	}
	return p.standard(func() string {
		name := p.name("e")
		text := planner.Type{OID: postgres.TextOID, Typmod: -1}
		return transform(texts, name, p.inForm(elem, p.cast(printed{sql: name}, text, elem, true, false), textScale(elem)).sql)
	})
}

// shaped is an array as text.
func (p *printer) shaped(t planner.Type, e printed) printed {
	if e.scale == asText {
		return e
	}
	texts := p.keptTexts(elementOf(t), e.sql)
	if isVector(t.OID) {
		return printed{"fg_array_shaped(" + texts + ", 0)", asText}
	}
	return printed{"fg_array_shaped(" + texts + ", 1)", asText}
}

// list is an array as a list, which one of another shape cannot be.
func (p *printer) list(t planner.Type, e printed) printed {
	if e.scale != asText {
		return e
	}
	return printed{sql: p.keptList(elementOf(t), "fg_array_list("+e.sql+")")}
}

// items is the list of an array's elements, whatever its shape.
func (p *printer) items(t planner.Type, e printed) string {
	if e.scale != asText {
		return e.sql
	}
	return p.keptList(elementOf(t), "fg_array_items("+e.sql+")")
}

// arrayKey is what an array is compared by: the keys of its elements, and where
// shapes differ its shape.
func (p *printer) arrayKey(t planner.Type, e printed) string {
	elem := elementOf(t)
	items := p.items(t, e)
	if hasKey(elem.OID) {
		name := p.name("e")
		items = transform(items, name, p.key(elem, printed{name, textScale(elem)}))
	}
	if e.scale != asText {
		return items
	}
	return fmt.Sprintf("(CASE WHEN %s IS NOT NULL THEN struct_pack(v := %s, s := fg_array_shape(%s)) END)", e.sql, items, e.sql)
}

// array prints ARRAY[...].
func (p *printer) array(e *planner.Array) printed {
	elem := postgres.ElemOf(e.T.OID)
	if elem == 0 || physical(e.T.OID) == "" {
		return p.fail(unsupported("an array of type %s", e.T.OID))
	}
	es := p.exprs(e.Elems)
	nested := false
	for i, x := range e.Elems {
		t := x.Type()
		if nested = postgres.ElemOf(t.OID) != 0 && t.OID != elem; nested {
			es[i] = p.shaped(t, es[i])
			continue
		}
		es[i] = p.inForm(t, es[i], textScale(t))
	}
	switch {
	case nested:
		return printed{"fg_array_build([" + join(es) + "])", asText}
	case isVector(elem):
		return printed{p.shapedVectors(elem, "["+join(es)+"]"), asText}
	}
	return printed{sql: "CAST([" + join(es) + "] AS " + physical(e.T.OID) + ")"}
}

// shapedVectors is an array of vectors, which is always text, of their list.
func (p *printer) shapedVectors(vector postgres.OID, list string) string {
	return "fg_array_shaped(" + p.keptTexts(planner.Type{OID: vector, Typmod: -1}, list) + ", 1)"
}

// arrayConstant prints a literal: one that a list cannot be as text.
func (p *printer) arrayConstant(oid postgres.OID, d *postgres.Datum) printed {
	a := d.Array
	if !isPlain(a) && !isVector(oid) || isVector(postgres.ElemOf(oid)) {
		kept := *a
		kept.Elem = keptType(elementOf(planner.Type{OID: oid})).OID
		text := postgres.AppendText(nil, oid, postgres.Datum{Kind: d.Kind, Array: &kept}, postgres.DefaultEnv())
		return printed{"CAST(" + quoteString(string(text)) + " AS VARCHAR)", asText}
	}
	elem := planner.Type{OID: postgres.ElemOf(oid), Typmod: -1}
	elems := make([]string, len(a.Items))
	for i := range a.Items {
		elems[i] = p.inForm(elem, p.datum(elem.OID, &a.Items[i]), textScale(elem)).sql
	}
	return printed{sql: "CAST([" + strings.Join(elems, ", ") + "] AS " + physical(oid) + ")"}
}

// isShaped says of an expression, without printing it, that it is an array as text.
func isShaped(e planner.Expr) bool {
	switch e := e.(type) {
	case *planner.Const:
		return e.Value.Kind == postgres.ArrayKind && !isPlain(e.Value.Array)
	case *planner.Array:
		return len(e.Elems) > 0 && postgres.ElemOf(e.Elems[0].Type().OID) != 0
	case *planner.Cast:
		return postgres.ElemOf(e.T.OID) != 0 && (isString(e.Arg.Type().OID) || isShaped(e.Arg))
	case *planner.Op:
		return postgres.ElemOf(e.T.OID) != 0 && (isShaped(e.Left) || isShaped(e.Right))
	case *planner.Func:
		return e.Proc.Name == "array_fill" || postgres.ElemOf(e.T.OID) != 0 && slices.ContainsFunc(e.Args, isShaped)
	}
	return false
}

// subscript prints an element or a slice. Out of its bounds an array has NULLs,
// or nothing; DuckDB counts negative numbers from the end.
func (p *printer) subscript(e *planner.Subscript) printed {
	t := e.Arg.Type()
	t.OID = postgres.BaseOf(t.OID)
	if postgres.ElemOf(t.OID) == 0 {
		return p.fail(unsupported("subscripting type %s", t.OID))
	}
	arg := p.expr(e.Arg)
	plain := arg.scale != asText && len(e.Index) == 1
	switch {
	case !e.Slice && plain && isVector(t.OID):
		i := p.expr(e.Index[0]).sql
		return printed{"(CASE WHEN " + i + " >= 0 THEN list_extract(" + arg.sql + ", CAST(" + i + " AS BIGINT) + 1) END)", textScale(e.T)}
	case !e.Slice && plain:
		i := p.expr(e.Index[0]).sql
		return printed{"(CASE WHEN " + i + " >= 1 THEN list_extract(" + arg.sql + ", " + i + ") END)", textScale(e.T)}
	case !e.Slice:
		var at []string
		for _, index := range e.Index {
			at = append(at, p.expr(index).sql)
		}
		text := "fg_array_get(" + p.shaped(t, arg).sql + ", " + strings.Join(at, " || ',' || ") + " || '')"
		return p.keptValue(e.T, text)
	case plain && !isVector(t.OID):
		return p.plainSlice(e, arg)
	}
	var within []string
	for i := range e.Index {
		bound := func(x planner.Expr) string {
			if x == nil {
				return "''"
			}
			return p.expr(x).sql
		}
		within = append(within, bound(e.Index[i])+" || ':' || "+bound(e.Upper[i]))
	}
	return printed{"fg_array_slice(" + p.shaped(t, arg).sql + ", " + strings.Join(within, " || ',' || ") + ")", asText}
}

// plainSlice prints a slice of a list.
func (p *printer) plainSlice(e *planner.Subscript, list printed) printed {
	from, to := "1", "len("+list.sql+")"
	if e.Index[0] != nil {
		from = "greatest(" + p.expr(e.Index[0]).sql + ", 1)"
	}
	if e.Upper[0] != nil {
		to = p.expr(e.Upper[0]).sql
	}
	out := fmt.Sprintf("CASE WHEN %s < %s THEN list_slice(%s, 1, 0) ELSE list_slice(%s, %s, %s) END", to, from, list.sql, list.sql, from, to)
	for _, x := range []planner.Expr{e.Index[0], e.Upper[0]} {
		if x != nil {
			// Of a NULL bound greatest() takes no notice.
			out = "CASE WHEN " + p.expr(x).sql + " IS NOT NULL THEN " + out + " END"
		}
	}
	return printed{sql: "(" + out + ")"}
}

// keptValue is a text that was kept as what it is.
func (p *printer) keptValue(t planner.Type, text string) printed {
	if physical(t.OID) == "VARCHAR" {
		return printed{text, textScale(t)}
	}
	out := printed{scale: textScale(t)}
	out.sql = p.standard(func() string {
		return p.inForm(t, p.cast(printed{sql: text}, planner.Type{OID: postgres.TextOID, Typmod: -1}, t, true, false), out.scale).sql
	})
	return out
}

// castArray converts an array to one of another element type, element by element.
func (p *printer) castArray(arg printed, from, to planner.Type, explicit, try bool) printed {
	elem := elementOf(from)
	if arg.scale != asText {
		list := p.castElements(arg, elem.OID, to, explicit, try)
		if isVector(from.OID) && to.OID != from.OID {
			return printed{"fg_array_shaped(" + p.keptTexts(elementOf(to), list.sql) + ", 0)", asText}
		}
		return list
	}
	if elem.OID == elementOf(to).OID && to.Typmod < 0 {
		return arg
	}
	list := p.castElements(printed{sql: p.items(from, arg)}, elem.OID, to, explicit, try)
	return printed{"fg_array_like(" + p.keptTexts(elementOf(to), list.sql) + ", " + arg.sql + ")", asText}
}

// arrayOfText reads an array from its text, whose shape only shows when it is read.
func (p *printer) arrayOfText(arg printed, to planner.Type, try bool) printed {
	if isVector(to.OID) {
		words := "list_filter(string_split(" + arg.sql + ", ' '), lambda w: w <> '')"
		return p.castElements(printed{sql: words}, postgres.TextOID, to, true, try)
	}
	text := planner.Type{OID: postgres.TextOID, Typmod: -1}
	name := p.name("r")
	list := p.castElements(printed{sql: "fg_array_items(" + name + ")"}, text.OID, to, true, try)
	read := "fg_array_like(" + p.keptTexts(elementOf(to), list.sql) + ", " + name + ")"
	return printed{"list_extract(" + transform("["+arg.sql+"]", name, read) + ", 1)", asText}
}

// textOfArray prints an array as its type does.
func (s *site) textOfArray() string {
	texts := s.elementTexts(0)
	switch {
	case isVector(s.types[0].OID):
		return "array_to_string(" + texts + ", ' ')"
	case s.args[0].scale == asText:
		return "fg_array_like(" + texts + ", " + s.args[0].sql + ")"
	}
	return "fg_array_out(" + texts + ")"
}

// arrayDimension prints a function of one dimension of an array.
func arrayDimension(name, list string) entry {
	return func(s *site) printed {
		if s.args[0].scale != asText && !isVector(s.types[0].OID) {
			return printed{sql: s.fill(list)}
		}
		return printed{sql: "fg_array_" + name + "(" + s.p.shaped(s.types[0], s.args[0]).sql + ", " + s.args[1].sql + ")"}
	}
}

// shapeOf prints a function of an array's shape.
func shapeOf(name, list string) entry {
	return func(s *site) printed {
		if s.args[0].scale != asText && !isVector(s.types[0].OID) {
			return printed{sql: s.fill(list)}
		}
		return printed{sql: "fg_array_" + name + "(" + s.p.shaped(s.types[0], s.args[0]).sql + ")"}
	}
}

// concatArrays joins two arrays; to DuckDB nothing and nothing is an empty list.
func concatArrays(s *site) printed {
	if s.args[0].scale == asText || s.args[1].scale == asText {
		return printed{"fg_array_cat(" + s.p.shaped(s.types[0], s.args[0]).sql + ", " + s.p.shaped(s.types[1], s.args[1]).sql + ")", asText}
	}
	return printed{sql: s.fill("(CASE WHEN $1 IS NOT NULL OR $2 IS NOT NULL THEN list_concat($1, $2) END)")}
}

// extendArray joins an array and an element, which is argument i.
func extendArray(i int) entry {
	return func(s *site) printed {
		array, elem := s.args[1-i], s.p.inForm(s.types[i], s.args[i], textScale(s.types[i]))
		if array.scale == asText {
			text := "list_extract(" + s.p.keptTexts(s.types[i], "["+elem.sql+"]") + ", 1)"
			return printed{fmt.Sprintf("fg_array_append(%s, %s, %t)", array.sql, text, i == 0), asText}
		}
		list := "coalesce(" + array.sql + ", [])"
		if i == 0 {
			return printed{sql: "list_concat([" + elem.sql + "], " + list + ")"}
		}
		return printed{sql: "list_concat(" + list + ", [" + elem.sql + "])"}
	}
}

// fillArray is array_fill.
func fillArray(s *site) printed {
	elem := s.p.inForm(s.types[0], s.args[0], textScale(s.types[0]))
	text := "list_extract(" + s.p.keptTexts(s.types[0], "["+elem.sql+"]") + ", 1)"
	lengths, lowers := s.p.shaped(s.types[1], s.args[1]).sql, "CAST(NULL AS VARCHAR)"
	if len(s.args) > 2 {
		lowers = s.p.shaped(s.types[2], s.args[2]).sql
	}
	return printed{fmt.Sprintf("fg_array_fill(%s, %s, %s, %t)", text, lengths, lowers, len(s.args) > 2), asText}
}

// trimArray is trim_array.
func trimArray(s *site) printed {
	list, n := s.args[0].sql, s.args[1].sql
	if s.args[0].scale == asText {
		return printed{"fg_array_trim(" + list + ", " + n + ")", asText}
	}
	outside := "fg_raise('" + pgerrcode.ArraySubscriptError + "', 'number of elements to trim must be between 0 and ' || len(" + list + "))"
	return printed{sql: fmt.Sprintf("(CASE WHEN %[2]s < 0 OR %[2]s > len(%[1]s) THEN list_slice(%[1]s, 1, CAST(%[3]s AS BIGINT)) WHEN %[2]s IS NOT NULL THEN list_slice(%[1]s, 1, len(%[1]s) - %[2]s) END)",
		list, n, outside)}
}
