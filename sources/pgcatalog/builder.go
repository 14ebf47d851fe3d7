package pgcatalog

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// form is how the values of a column are kept.
type form byte

const (
	integerForm form = iota
	numberForm
	textForm
	textListForm
	integerListForm
)

// formOf is the form of a type's values.
func formOf(oid postgres.OID) form {
	oid = postgres.BaseOf(oid)
	if elem := postgres.ElemOf(oid); elem != 0 {
		if formOf(elem) == textForm {
			return textListForm
		}
		return integerListForm
	}
	switch oid {
	case postgres.BoolOID, postgres.Int2OID, postgres.Int4OID, postgres.Int8OID, postgres.OIDOID, postgres.XIDOID,
		postgres.RegprocOID, postgres.RegtypeOID, postgres.TimestampTZOID:
		return integerForm
	case postgres.Float4OID, postgres.Float8OID:
		return numberForm
	}
	return textForm
}

// builder makes the rows of one relation, by column.
type builder struct {
	relation *relation
	rows     rows
	// order has the places of the columns that the row before named: most rows
	// name the same ones in the same order, and then no map is asked.
	order []int
	row   []any
}

func newBuilder(r *relation) *builder {
	b := &builder{relation: r, row: make([]any, len(r.columns))}
	b.rows.columns = make([]sources.CatalogValues, len(r.columns))
	return b
}

// add appends a row, given as names and values. A column that is not named is
// NULL, or what PostgreSQL has for "none" if it cannot be: 0, false, empty.
func (b *builder) add(namesAndValues ...any) {
	for i := range b.row {
		b.row[i] = b.relation.none[i]
	}
	for i := 0; i < len(namesAndValues); i += 2 {
		name, _ := namesAndValues[i].(string)
		b.row[b.place(i/2, name)] = namesAndValues[i+1]
	}
	for i, v := range b.row {
		b.put(i, v)
	}
	b.rows.count++
}

// place finds the n-th column that a row names.
func (b *builder) place(n int, name string) int {
	if n < len(b.order) && b.relation.columns[b.order[n]].name == name {
		return b.order[n]
	}
	place, ok := b.relation.places[name]
	if !ok {
		panic(fmt.Sprintf("relation %s has no column %s", b.relation.name, name))
	}
	if n < len(b.order) {
		b.order[n] = place
	} else {
		b.order = append(b.order[:n], place)
	}
	return place
}

// put appends a value to column i.
func (b *builder) put(i int, v any) {
	c, row := &b.rows.columns[i], b.rows.count
	if row%64 == 0 {
		c.Valid = append(c.Valid, 0)
	}
	if v != nil {
		c.Valid[row/64] |= 1 << (row % 64)
	}
	switch b.relation.forms[i] {
	case integerForm:
		c.Ints = append(c.Ints, integer(v))
	case numberForm:
		n, _ := v.(float64)
		c.Nums = append(c.Nums, n)
	case textForm:
		if row == 0 {
			c.Offsets = append(c.Offsets, 0)
		}
		c.Text = appendText(c.Text, v)
		c.Offsets = append(c.Offsets, uint32(len(c.Text)))
	case textListForm:
		list, _ := v.([]string)
		c.Texts = append(c.Texts, list)
	case integerListForm:
		list, _ := v.([]int64)
		c.Lists = append(c.Lists, list)
	}
}

// integer is v as the value of a column of integers.
func integer(v any) int64 {
	switch v := v.(type) {
	case bool:
		if v {
			return 1
		}
	case int:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case int64:
		return v
	case uint32:
		return int64(v)
	case postgres.OID:
		return int64(v)
	case nil:
	default:
		panic(fmt.Sprintf("%T as an integer", v))
	}
	return 0
}

// appendText appends v as the value of a column of texts; a byte is a "char".
func appendText(text []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return append(text, v...)
	case byte:
		if v != 0 {
			return utf8.AppendRune(text, rune(v))
		}
	case nil:
	default:
		panic(fmt.Sprintf("%T as a text", v))
	}
	return text
}

// none is the value of a column that has none but must not be NULL.
func none(oid postgres.OID) any {
	switch oid {
	case postgres.ByteaOID, postgres.TimestampTZOID:
		return nil
	}
	switch formOf(oid) {
	case numberForm:
		return float64(0)
	case textForm:
		return ""
	case textListForm:
		return []string{}
	case integerListForm:
		return []int64{}
	}
	return 0
}

// oids is a list of object identifiers as a value.
func oids(list []postgres.OID) []int64 {
	out := make([]int64, len(list))
	for i, oid := range list {
		out[i] = int64(oid)
	}
	return out
}

// procOID finds a support function by its name; 0 if that is empty.
func procOID(name string) postgres.OID {
	if procs := postgres.ProcsByName(name); len(procs) > 0 {
		return procs[0].OID
	}
	return 0
}

func decimal(n int) string { return strconv.Itoa(n) }

func yesOrNo(b bool) string {
	if b {
		return "YES"
	}
	return "NO"
}
