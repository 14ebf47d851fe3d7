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
		} else if oid := columns[i].T.OID; postgres.ElemOf(oid) != 0 {
			if err := checkKeptTypes(oid, v); err != nil {
				return err
			}
			continue
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

// checkKeptTypes refuses arrays that are kept as text, whose elements print as the types
// that PostgreSQL has itself, if they have others.
func checkKeptTypes(oid postgres.OID, v *Vector) error {
	for row, text := range v.Bytes {
		if v.IsNull(row) {
			continue
		}
		for _, item := range KeptDatum(oid, text).Array.Items {
			if _, ok := postgres.TypeByOID(postgres.OID(item.Int)); !ok && item.Int != 0 {
				return unsupported(nowhere, "an array of %s of this shape, with the type of a table's rows", elementType(oid))
			}
		}
	}
	return nil
}
