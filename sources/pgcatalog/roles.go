package pgcatalog

import (
	"context"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/sources"
)

// The role that owns what no user does, with the OID of PostgreSQL's first.
const (
	systemRole    = "fieldgate"
	systemRoleOID = 10
)

// role is a row of pg_roles.
type role struct {
	oid  uint32
	name string
	User
}

// roles are the tenant's users by name.
func (c *Catalog) roles(ctx context.Context, view *sources.CatalogView) ([]role, error) {
	users, err := c.cfg.Users(ctx, view.Snapshot.Tenant)
	if err != nil {
		return nil, err
	}
	out := make([]role, 0, len(users))
	for _, u := range users {
		out = append(out, role{oid: nameOID(u.Name), name: u.Name, User: u})
	}
	slices.SortFunc(out, func(a, b role) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// owner is the role that the tenant's tables belong to: its first owner.
func (c *Catalog) owner(ctx context.Context, view *sources.CatalogView) (role, error) {
	roles, err := c.roles(ctx, view)
	if err != nil {
		return role{}, err
	}
	for _, r := range roles {
		if r.Owner {
			return r, nil
		}
	}
	return role{oid: systemRoleOID, name: systemRole}, nil
}

// nameOID is the identifier of a user or database, which have no number of their
// own: a hash of the name, above what declared tables reach in practice.
func nameOID(name string) uint32 {
	const base, span = 1 << 30, 1 << 30
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return base + h.Sum32()%span
}
