package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

// informationTableRows lists tables by name alone: an alias is no table.
func (c *Catalog) informationTableRows(_ context.Context, view *sources.CatalogView, b *builder) error {
	for _, o := range c.allObjects(view) {
		kind := "BASE TABLE"
		if o.kind == 'v' {
			kind = "VIEW"
		}
		b.add("table_catalog", view.Snapshot.Tenant, "table_schema", o.schema, "table_name", o.name, "table_type", kind,
			"is_insertable_into", "NO", "is_typed", "NO")
	}
	return nil
}
