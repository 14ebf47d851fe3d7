package pgcatalog

import (
	"bytes"
	"slices"
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

// builder makes a block of the rows of one relation, by column.
type builder struct {
	relation *relation
	count    int
	columns  []sources.CatalogValues
	// order has the places of the columns that the row before named: most rows
	// name the same ones in the same order, and then no map is asked.
	order []int
	// named lists the columns that some row named, and last says by column how many
	// rows there were with the one that named it last; the others say nothing in any.
	named []int
	last  []int
}

func newBuilder(r *relation) *builder {
	return &builder{relation: r, columns: make([]sources.CatalogValues, len(r.columns)), last: make([]int, len(r.columns))}
}

// add appends a row, given as names and values. A column that is not named is
// NULL, or what PostgreSQL has for "none" if it cannot be: 0, false, empty.
func (b *builder) add(namesAndValues ...any) {
	for i := 0; i < len(namesAndValues); i += 2 {
		name, _ := namesAndValues[i].(string)
		place := b.place(i/2, name)
		if b.last[place] == 0 {
			b.named = append(b.named, place)
			for row := range b.count {
				b.put(place, row, b.relation.none[place])
			}
		}
		b.last[place] = b.count + 1
		b.put(place, b.count, namesAndValues[i+1])
	}
	for _, place := range b.named {
		if b.last[place] <= b.count {
			b.last[place] = b.count + 1
			b.put(place, b.count, b.relation.none[place])
		}
	}
	b.count++
}

// place finds the n-th column that a row names.
func (b *builder) place(n int, name string) int {
	if n < len(b.order) && b.relation.columns[b.order[n]].name == name {
		return b.order[n]
	}
	place, ok := b.relation.places[name]
	if !ok {
		panic("relation " + b.relation.name + " has no column " + name)
	}
	if n < len(b.order) {
		b.order[n] = place
	} else {
		b.order = append(b.order[:n], place)
	}
	return place
}

// put appends the value of a row to column i.
func (b *builder) put(i, row int, v any) {
	c := &b.columns[i]
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

// block is the rows that were added, with columns of one value in its short form.
// The builder begins anew.
func (b *builder) block() *block {
	out := &block{count: b.count, columns: make([]sources.CatalogValues, len(b.columns))}
	for i := range b.columns {
		if b.last[i] == 0 && b.count > 0 {
			b.put(i, 0, b.relation.none[i])
			b.columns[i].Same = true
		}
		c := &b.columns[i]
		out.columns[i] = compacted(c, b.count)
		*c = sources.CatalogValues{
			Valid: c.Valid[:0], Ints: c.Ints[:0], Nums: c.Nums[:0], Offsets: c.Offsets[:0], Text: c.Text[:0], Texts: c.Texts[:0], Lists: c.Lists[:0],
		}
		b.last[i] = 0
	}
	b.count, b.named = 0, b.named[:0]
	return out
}

// compacted copies a column of so many rows.
func compacted(c *sources.CatalogValues, count int) sources.CatalogValues {
	out := sources.CatalogValues{Same: c.Same || isSame(c, count)}
	if out.Same {
		count = 1
	}
	out.Valid = slices.Clone(c.Valid[:(count+63)/64])
	switch {
	case len(c.Ints) > 0:
		out.Ints = slices.Clone(c.Ints[:count])
	case len(c.Nums) > 0:
		out.Nums = slices.Clone(c.Nums[:count])
	case len(c.Offsets) > 0:
		out.Offsets = slices.Clone(c.Offsets[:count+1])
		out.Text = slices.Clone(c.Text[:c.Offsets[count]])
	case len(c.Texts) > 0:
		out.Texts = slices.Clone(c.Texts[:count])
	case len(c.Lists) > 0:
		out.Lists = slices.Clone(c.Lists[:count])
	}
	return out
}

// isSame says that all of a column's rows have one value. Arrays are not compared.
func isSame(c *sources.CatalogValues, count int) bool {
	if count < 2 || len(c.Texts) > 0 || len(c.Lists) > 0 {
		return false
	}
	if c.IsValid(0) {
		for row := 1; row < count; row++ {
			if !c.IsValid(row) {
				return false
			}
		}
	} else if slices.ContainsFunc(c.Valid, func(word uint64) bool { return word != 0 }) {
		return false
	}
	switch {
	case len(c.Ints) > 0:
		return !slices.ContainsFunc(c.Ints, func(v int64) bool { return v != c.Ints[0] })
	case len(c.Nums) > 0:
		return !slices.ContainsFunc(c.Nums, func(v float64) bool { return v != c.Nums[0] })
	case len(c.Offsets) > 0:
		first := c.BytesAt(0)
		for row := 1; row < count; row++ {
			if !bytes.Equal(c.BytesAt(row), first) {
				return false
			}
		}
	}
	return true
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
		panic("a value of another type as an integer")
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
		panic("a value of another type as a text")
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
