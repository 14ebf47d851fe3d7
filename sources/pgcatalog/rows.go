package pgcatalog

import (
	"sync"

	"github.com/fieldgate/fieldgate/sources"
)

// rows are the rows of a relation. They do not change once they are built.
type rows struct {
	count   int
	columns []sources.CatalogValues

	// indexes are made when they are first asked for.
	mu      sync.Mutex
	ints    map[int]map[int64][]uint32
	strings map[int]map[string][]uint32
}

var _ sources.CatalogRows = (*rows)(nil)

// Len counts the rows.
func (r *rows) Len() int { return r.count }

// Column is a column by its place.
func (r *rows) Column(i int) *sources.CatalogValues { return &r.columns[i] }

// WhereInt lists the rows with a value in a column of integers.
func (r *rows) WhereInt(column int, value int64) []uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	index, ok := r.ints[column]
	if !ok {
		c := &r.columns[column]
		index = indexOf(c, r.count, func(row int) int64 { return c.Ints[row] })
		if r.ints == nil {
			r.ints = map[int]map[int64][]uint32{}
		}
		r.ints[column] = index
	}
	return index[value]
}

// WhereText lists the rows with a value in a column of texts.
func (r *rows) WhereText(column int, value string) []uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	index, ok := r.strings[column]
	if !ok {
		c := &r.columns[column]
		index = indexOf(c, r.count, c.TextAt)
		if r.strings == nil {
			r.strings = map[int]map[string][]uint32{}
		}
		r.strings[column] = index
	}
	return index[value]
}

func indexOf[T comparable](c *sources.CatalogValues, count int, value func(row int) T) map[T][]uint32 {
	index := make(map[T][]uint32)
	for row := range count {
		if c.IsValid(row) {
			v := value(row)
			index[v] = append(index[v], uint32(row))
		}
	}
	return index
}

// bytes is about what the rows take in memory, without indexes.
func (r *rows) bytes() int {
	n := 0
	for i := range r.columns {
		c := &r.columns[i]
		n += 8*len(c.Valid) + 8*len(c.Ints) + 8*len(c.Nums) + 4*len(c.Offsets) + len(c.Text)
		for _, list := range c.Texts {
			n += 24 + 16*len(list)
		}
		for _, list := range c.Lists {
			n += 24 + 8*len(list)
		}
	}
	return n
}
