package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

func (c *Catalog) namespaceRows(ctx context.Context, view *sources.CatalogView, b *builder) error {
	owner, err := c.owner(ctx, view)
	if err != nil {
		return err
	}
	for _, name := range namespaces() {
		b.add("oid", namespaceOID(name), "nspname", name, "nspowner", namespaceOwner(name, owner).oid)
	}
	return nil
}

func namespaces() []string {
	return []string{schemaCatalog, schemaInformation, schemaPublic, schemaErrors, schemaFieldgate}
}

// namespaceOwner is the tenant's owner for the schemas of the tenant.
func namespaceOwner(name string, owner role) role {
	if name == schemaCatalog || name == schemaInformation {
		return role{oid: systemRoleOID, name: systemRole}
	}
	return owner
}
