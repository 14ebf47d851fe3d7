package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

// userRows lists the roles that can log in.
func (c *Catalog) userRows(ctx context.Context, view *sources.CatalogView, b *builder) error {
	roles, err := c.roles(ctx, view)
	if err != nil {
		return err
	}
	for _, r := range roles {
		b.add("usename", r.name, "usesysid", r.oid, "usecreatedb", false, "usesuper", false, "userepl", false, "usebypassrls", false,
			"passwd", passwordMask)
	}
	return nil
}
