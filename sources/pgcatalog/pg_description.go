package pgcatalog

import (
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// systemComment is a comment on an object of PostgreSQL's own that is no function.
type systemComment struct {
	object, class uint32
	sub           int32
	text          string
}

// systemDescriptionRows are the comments on functions and what else is PostgreSQL's.
func systemDescriptionRows(b *builder) {
	for _, procs := range [][]postgres.Proc{postgres.Procs(), schema.Functions()} {
		for i := range procs {
			if p := &procs[i]; p.Description != "" {
				b.add("objoid", p.OID, "classoid", procCatalogOID, "description", p.Description)
			}
		}
	}
	for i := range systemComments {
		c := &systemComments[i]
		b.add("objoid", c.object, "classoid", c.class, "objsubid", c.sub, "description", c.text)
	}
}

// descriptionRows are the comments on tables and columns.
func descriptionRows(s *state, b *builder) {
	for _, o := range s.objects {
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
