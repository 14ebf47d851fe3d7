package pgcatalog

import "github.com/fieldgate/fieldgate/schema/postgres"

func addAttributes(s *state, o *object, b *builder) {
	for i := range o.attributes {
		addAttribute(b, o, &o.attributes[i], s.columnACL(o, o.attributes[i].number))
	}
}

func systemAttributeRows(b *builder) {
	for _, o := range systemObjects() {
		for i := range o.attributes {
			addAttribute(b, o, &o.attributes[i], nil)
		}
	}
}

func addAttribute(b *builder, o *object, a *attribute, acl any) {
	t, ok := postgres.TypeByOID(a.typeOID)
	if !ok {
		t = &postgres.Type{Layout: postgres.Layout{Len: -1, Align: 'i', Storage: 'x'}}
	}
	dims := 0
	if t.IsArray() && o.kind == 'r' {
		dims = 1
	}
	b.add("attrelid", o.oid, "attname", a.name, "atttypid", a.typeOID, "attstattarget", -1, "attlen", t.Layout.Len,
		"attnum", a.number, "attndims", dims, "attcacheoff", -1, "atttypmod", a.typmod, "attbyval", t.Layout.ByVal,
		"attalign", t.Layout.Align, "attstorage", t.Layout.Storage, "attnotnull", a.notNull, "attislocal", true,
		"attcollation", a.collation, "attacl", acl)
}
