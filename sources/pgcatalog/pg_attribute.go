package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

func systemAttributeRows(b *builder) {
	for _, o := range systemObjects() {
		addAttributes(b, &o)
	}
}

func (c *Catalog) attributeRows(_ context.Context, view *sources.CatalogView, b *builder) error {
	for _, o := range c.userObjects(view) {
		addAttributes(b, &o)
	}
	return nil
}

func addAttributes(b *builder, o *object) {
	for _, a := range o.attributes {
		t, ok := postgres.TypeByOID(a.typeOID)
		if !ok {
			t = &postgres.Type{Layout: postgres.Layout{Len: -1, Align: 'i', Storage: 'x'}}
		}
		dims := 0
		if t.IsArray() && t.OID != postgres.Int2VectorOID && t.OID != postgres.OIDVectorOID {
			dims = 1
		}
		b.add("attrelid", o.oid, "attname", a.name, "atttypid", a.typeOID, "attstattarget", -1, "attlen", t.Layout.Len,
			"attnum", a.number, "attndims", dims, "attcacheoff", -1, "atttypmod", a.typmod, "attbyval", t.Layout.ByVal,
			"attalign", t.Layout.Align, "attstorage", t.Layout.Storage, "attnotnull", a.notNull, "attislocal", true,
			"attcollation", t.Collation)
	}
}
