package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

// passwordMask stands where a password could be.
const passwordMask = "********"

// roleRows lists the tenant's users, and the role that owns the system.
func (c *Catalog) roleRows(ctx context.Context, view *sources.CatalogView, b *builder) error {
	roles, err := c.roles(ctx, view)
	if err != nil {
		return err
	}
	add := func(oid uint32, name string, super, login bool) {
		b.add("oid", oid, "rolname", name, "rolsuper", super, "rolinherit", true, "rolcreaterole", super, "rolcreatedb", super,
			"rolcanlogin", login, "rolreplication", false, "rolconnlimit", -1, "rolpassword", passwordMask, "rolbypassrls", super)
	}
	add(systemRoleOID, systemRole, true, false)
	for _, r := range roles {
		add(r.oid, r.name, false, true)
	}
	return nil
}
