package pgcatalog

import (
	"cmp"
	"slices"

	"github.com/fieldgate/fieldgate/sources"
)

// table is a relation's rows as a statement sees them.
type table struct {
	// blocks compute one block each, once.
	blocks []tableBlock
}

var _ sources.CatalogRows = (*table)(nil)

// tableBlock is a block, or what makes it.
type tableBlock struct {
	made *block
	// of is the object that the block's rows are about, in which it is kept.
	of       *object
	relation *relation
	part     *part
	state    *state
}

// get computes the block if that was not done.
func (b *tableBlock) get() *block {
	if b.made != nil {
		return b.made
	}
	return b.of.block(b.state, b.relation, b.part)
}

// Blocks are all blocks, but for those without rows.
func (t *table) Blocks() []sources.CatalogBlock {
	return t.those(func(*tableBlock) bool { return true })
}

// BlocksInt leaves out objects of which another number is the key.
func (t *table) BlocksInt(column int, values []int64) []sources.CatalogBlock {
	return t.those(func(b *tableBlock) bool {
		return b.of == nil || b.part.keyColumn != column || contains(values, int64(b.of.oid))
	})
}

// BlocksText leaves out objects of which another name is the key.
func (t *table) BlocksText(column int, values []string) []sources.CatalogBlock {
	return t.those(func(b *tableBlock) bool {
		return b.of == nil || b.part.keyColumn != column || contains(values, b.of.name)
	})
}

func contains[T cmp.Ordered](sorted []T, value T) bool {
	_, found := slices.BinarySearch(sorted, value)
	return found
}

func (t *table) those(wanted func(b *tableBlock) bool) []sources.CatalogBlock {
	out := make([]sources.CatalogBlock, 0, len(t.blocks))
	for i := range t.blocks {
		if !wanted(&t.blocks[i]) {
			continue
		}
		if made := t.blocks[i].get(); made.count > 0 {
			out = append(out, made)
		}
	}
	return out
}

// row is one row of a relation.
type row struct {
	of *block
	at int
}

func (r row) integer(column int) int64 { return r.of.columns[column].IntAt(r.at) }

func (r row) text(column int) string { return r.of.columns[column].TextAt(r.at) }

// whereFirst lists the rows with a value in the first column, one of integers: in most
// relations the number of what the row is about.
func (t *table) whereFirst(value int64) []row {
	var found []row
	for i := range t.blocks {
		b := t.blocks[i].get()
		for _, at := range b.WhereInt(0, value) {
			found = append(found, row{b, int(at)})
		}
	}
	return found
}

// whereName lists the rows of objects with a name, which stands behind their number.
func (t *table) whereName(value string) []row {
	const column = 1
	var found []row
	for i := range t.blocks {
		b := t.blocks[i].get()
		for _, at := range b.WhereText(column, value) {
			found = append(found, row{b, int(at)})
		}
	}
	return found
}
