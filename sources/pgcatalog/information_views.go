package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

func (c *Catalog) informationViewRows(_ context.Context, view *sources.CatalogView, b *builder) error {
	for _, o := range c.allObjects(view) {
		if o.kind == 'v' {
			b.add("table_catalog", view.Snapshot.Tenant, "table_schema", o.schema, "table_name", o.name, "check_option", "NONE",
				"is_updatable", "NO", "is_insertable_into", "NO", "is_trigger_updatable", "NO", "is_trigger_deletable", "NO",
				"is_trigger_insertable_into", "NO")
		}
	}
	return nil
}
