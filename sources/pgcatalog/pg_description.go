package pgcatalog

import (
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// descriptionRows are the comments on functions, tables and columns.
func descriptionRows(s *state, b *builder) {
	for _, procs := range [][]postgres.Proc{postgres.Procs(), schema.Functions()} {
		for i := range procs {
			if p := &procs[i]; p.Description != "" {
				b.add("objoid", p.OID, "classoid", procCatalogOID, "description", p.Description)
			}
		}
	}
	for _, o := range s.objects() {
		if o.comment != "" {
			b.add("objoid", o.oid, "classoid", classCatalogOID, "description", o.comment)
		}
		for _, a := range o.attributes {
			if a.comment != "" {
				b.add("objoid", o.oid, "classoid", classCatalogOID, "objsubid", a.number, "description", a.comment)
			}
		}
	}
}
