package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

func (c *Catalog) tableRows(ctx context.Context, view *sources.CatalogView, b *builder) error {
	owner, err := c.owner(ctx, view)
	if err != nil {
		return err
	}
	for _, o := range c.allObjects(view) {
		if o.kind == 'r' {
			b.add("schemaname", o.schema, "tablename", o.name, "tableowner", namespaceOwner(o.schema, owner).name,
				"hasindexes", false, "hasrules", false, "hastriggers", false, "rowsecurity", false)
		}
	}
	return nil
}
