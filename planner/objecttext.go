package planner

import (
	"context"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// objectTexts print regclass, regnamespace and regrole values, by type. The values
// stay numbers, as binary formats send them; their texts stand beside them in a
// result.
type objectTexts map[postgres.OID]sources.CatalogFunction

// objectTexts takes from the catalog what the columns need of it.
func (s *Session) objectTexts(ctx context.Context, names *lookup, columns []ResultColumn) (objectTexts, error) {
	texts := objectTexts{}
	for _, c := range columns {
		oid := elementType(c.T.OID)
		signature, ok := objectOutputs[oid]
		if !ok || names.catalog == nil {
			continue
		}
		pin, err := names.pinned()
		if err != nil {
			return nil, err
		}
		if texts[oid], err = pin.Function(ctx, signature); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// elementType is the element type of arrays, and of other types the type itself.
func elementType(oid postgres.OID) postgres.OID {
	if elem := postgres.ElemOf(oid); elem != 0 {
		return elem
	}
	return oid
}

// add puts the texts beside the numbers of a chunk.
func (t objectTexts) add(columns []ResultColumn, c *Chunk) error {
	for i := range c.Columns {
		text := t[elementType(columns[i].T.OID)]
		if text == nil {
			continue
		}
		v := &c.Columns[i]
		if v.Lists != nil {
			v = &v.Lists.Elems
		}
		v.Bytes = make([][]byte, len(v.Int64s))
		for row, oid := range v.Int64s {
			if v.IsNull(row) {
				continue
			}
			result, err := text(sources.CatalogArgs{Ints: [3]int64{oid}})
			if err != nil {
				return err
			}
			v.Bytes[row] = []byte(result.Text)
		}
	}
	return nil
}
