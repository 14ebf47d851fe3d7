package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

// tableStatisticRows lists the tables without statistics, of which none are kept.
func (c *Catalog) tableStatisticRows(_ context.Context, view *sources.CatalogView, b *builder) error {
	for _, o := range c.userObjects(view) {
		if o.kind == 'r' {
			b.add("relid", o.oid, "schemaname", o.schema, "relname", o.name)
		}
	}
	return nil
}
