package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

func (c *Catalog) schemataRows(ctx context.Context, view *sources.CatalogView, b *builder) error {
	owner, err := c.owner(ctx, view)
	if err != nil {
		return err
	}
	for _, name := range namespaces() {
		b.add("catalog_name", view.Snapshot.Tenant, "schema_name", name, "schema_owner", namespaceOwner(name, owner).name)
	}
	return nil
}
