package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

func systemDescriptionRows(b *builder) {
	for _, p := range postgres.Procs() {
		if p.Description != "" {
			b.add("objoid", p.OID, "classoid", procCatalogOID, "description", p.Description)
		}
	}
}

// descriptionRows are the comments on tables and columns.
func (c *Catalog) descriptionRows(_ context.Context, view *sources.CatalogView, b *builder) error {
	for _, o := range c.userObjects(view) {
		if o.comment != "" {
			b.add("objoid", o.oid, "classoid", classCatalogOID, "description", o.comment)
		}
		for _, a := range o.attributes {
			if a.comment != "" {
				b.add("objoid", o.oid, "classoid", classCatalogOID, "objsubid", a.number, "description", a.comment)
			}
		}
	}
	return nil
}
