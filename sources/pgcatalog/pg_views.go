package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

// viewRows lists the views, all of which are computed and have no text.
func (c *Catalog) viewRows(ctx context.Context, view *sources.CatalogView, b *builder) error {
	owner, err := c.owner(ctx, view)
	if err != nil {
		return err
	}
	for _, o := range c.allObjects(view) {
		if o.kind == 'v' {
			b.add("schemaname", o.schema, "viewname", o.name, "viewowner", namespaceOwner(o.schema, owner).name)
		}
	}
	return nil
}
