package pgcatalog

import (
	"bytes"
	"sync"

	"github.com/fieldgate/fieldgate/sources"
)

// block is some of the rows of a relation. They do not change once they are built.
type block struct {
	count   int
	columns []sources.CatalogValues

	// indexes are made when they are first asked for.
	mu      sync.Mutex
	ints    map[int]map[int64][]uint32
	strings map[int]map[string][]uint32
}

var _ sources.CatalogBlock = (*block)(nil)

// maxUnindexed is the most rows of a block that are searched without an index.
const maxUnindexed = 128

// Len counts the rows.
func (b *block) Len() int { return b.count }

// Column is a column by its place.
func (b *block) Column(i int) *sources.CatalogValues { return &b.columns[i] }

// WhereInt lists the rows with a value in a column of integers.
func (b *block) WhereInt(column int, value int64) []uint32 {
	c := &b.columns[column]
	if c.Same || b.count <= maxUnindexed {
		return b.where(c, func(row int) bool { return c.IntAt(row) == value })
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	index, ok := b.ints[column]
	if !ok {
		index = indexOf(c, b.count, c.IntAt)
		if b.ints == nil {
			b.ints = map[int]map[int64][]uint32{}
		}
		b.ints[column] = index
	}
	return index[value]
}

// WhereText lists the rows with a value in a column of texts.
func (b *block) WhereText(column int, value string) []uint32 {
	c := &b.columns[column]
	if c.Same || b.count <= maxUnindexed {
		text := []byte(value)
		return b.where(c, func(row int) bool { return bytes.Equal(c.BytesAt(row), text) })
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	index, ok := b.strings[column]
	if !ok {
		index = indexOf(c, b.count, c.TextAt)
		if b.strings == nil {
			b.strings = map[int]map[string][]uint32{}
		}
		b.strings[column] = index
	}
	return index[value]
}

// where lists the rows of which a column has the value that is looked for.
func (b *block) where(c *sources.CatalogValues, is func(row int) bool) []uint32 {
	if c.Same && (b.count == 0 || !c.IsValid(0) || !is(0)) {
		return nil
	}
	var found []uint32
	for row := range b.count {
		if c.Same || c.IsValid(row) && is(row) {
			found = append(found, uint32(row))
		}
	}
	return found
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

// columnBytes is what the headers of a column's slices take.
const columnBytes = 176

// bytes is about what the rows take in memory, without indexes.
func (b *block) bytes() int64 {
	n := columnBytes * len(b.columns)
	for i := range b.columns {
		c := &b.columns[i]
		n += 8*len(c.Valid) + 8*len(c.Ints) + 8*len(c.Nums) + 4*len(c.Offsets) + len(c.Text)
		for _, list := range c.Texts {
			n += 24 + 16*len(list)
		}
		for _, list := range c.Lists {
			n += 24 + 8*len(list)
		}
	}
	return int64(n)
}
