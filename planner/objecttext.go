package planner

import (
	"context"
	"slices"
	"strconv"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// objectTexts are what regclass, regnamespace and regrole values print as, by type
// and number. The values stay numbers, as binary formats send them; their texts
// stand beside them in a result.
type objectTexts map[postgres.OID]map[int64][]byte

// objectTexts reads from the catalog what the columns need of it.
func (s *Session) objectTexts(ctx context.Context, names *lookup, columns []ResultColumn) (objectTexts, error) {
	texts := objectTexts{}
	for _, c := range columns {
		oid := elementType(c.T.OID)
		if texts[oid] != nil {
			continue
		}
		var err error
		switch oid {
		case postgres.RegclassOID:
			texts[oid], err = s.relationTexts(ctx, names)
		case postgres.RegnamespaceOID:
			texts[oid], err = s.namedObjects(ctx, names, "pg_namespace", "nspname")
		case postgres.RegroleOID:
			texts[oid], err = s.namedObjects(ctx, names, "pg_roles", "rolname")
		}
		if err != nil {
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

// relationTexts are the names of the relations, qualified where the search path
// does not find them.
func (s *Session) relationTexts(ctx context.Context, names *lookup) (map[int64][]byte, error) {
	schemas := map[int64]string{}
	err := s.readCatalog(ctx, names, "pg_namespace", "nspname", "oid", func(oid int64, name string, _ int64) { schemas[oid] = name })
	if err != nil {
		return nil, err
	}
	type relation struct {
		oid          int64
		schema, name string
	}
	var relations []relation
	first := map[string]int{} // the place in the path of the relation that a bare name means
	err = s.readCatalog(ctx, names, "pg_class", "relname", "relnamespace", func(oid int64, name string, namespace int64) {
		r := relation{oid, schemas[namespace], name}
		relations = append(relations, r)
		if at := slices.Index(names.path, r.schema); at >= 0 {
			if before, ok := first[name]; !ok || at < before {
				first[name] = at
			}
		}
	})
	if err != nil {
		return nil, err
	}
	texts := make(map[int64][]byte, len(relations))
	for _, r := range relations {
		text := postgres.QuoteIdentifier(r.name)
		if at, found := first[r.name]; !found || names.path[at] != r.schema {
			text = postgres.QuoteIdentifier(r.schema) + "." + text
		}
		texts[r.oid] = []byte(text)
	}
	return texts, nil
}

// namedObjects are the names of the objects of one relation of the catalog.
func (s *Session) namedObjects(ctx context.Context, names *lookup, relation, column string) (map[int64][]byte, error) {
	texts := map[int64][]byte{}
	err := s.readCatalog(ctx, names, relation, column, "oid", func(oid int64, name string, _ int64) {
		texts[oid] = []byte(postgres.QuoteIdentifier(name))
	})
	return texts, err
}

// readCatalog yields the OID, the name and a number of each row of a relation of
// pg_catalog; none, if there is no such relation.
func (s *Session) readCatalog(ctx context.Context, names *lookup, relation, name, number string, yield func(oid int64, name string, number int64)) error {
	if names.catalog == nil {
		return nil
	}
	r, ok := names.catalog.Relation(schemaCatalog, relation)
	if !ok {
		return nil
	}
	places := map[string]int{}
	for i, c := range r.Columns() {
		places[c.Name] = i
	}
	rows, err := r.Rows(ctx, s.catalogView(names))
	if err != nil {
		return err
	}
	for _, row := range rows {
		oid, _ := row[places["oid"]].(int64)
		text, _ := row[places[name]].(string)
		n, _ := row[places[number]].(int64)
		yield(oid, text, n)
	}
	return nil
}

// add puts the texts beside the numbers of a chunk.
func (t objectTexts) add(columns []ResultColumn, c *Chunk) {
	for i := range c.Columns {
		texts := t[elementType(columns[i].T.OID)]
		if texts == nil {
			continue
		}
		v := &c.Columns[i]
		for v.Lists != nil {
			v = &v.Lists.Elems
		}
		v.Bytes = make([][]byte, len(v.Int64s))
		for row, oid := range v.Int64s {
			switch text, ok := texts[oid]; {
			case v.IsNull(row):
			case ok:
				v.Bytes[row] = text
			case oid == 0:
				v.Bytes[row] = []byte{'-'}
			default:
				v.Bytes[row] = strconv.AppendInt(nil, oid, 10)
			}
		}
	}
}
