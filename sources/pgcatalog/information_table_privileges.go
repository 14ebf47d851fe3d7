package pgcatalog

import (
	"context"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
)

// tablePrivilegeRows list what the user may do with the tenant's tables, which is to
// read them; an owner sees what others may do by a grant too. It fills
// table_privileges and role_table_grants.
func tablePrivilegeRows(_ context.Context, p *pin, b *builder) error {
	p.eachGrant(func(o *object, g schema.Grant, owner bool) {
		if g.Select {
			b.add("grantor", p.state.owner.name, "grantee", granteeName(g.Role), "table_catalog", p.state.snapshot.Tenant, "table_schema", o.schema,
				"table_name", o.name, "privilege_type", "SELECT", "is_grantable", yesOrNo(owner), "with_hierarchy", "YES")
		}
	})
	return nil
}

// columnPrivilegeRows do so for columns, in column_privileges and
// role_column_grants.
func columnPrivilegeRows(_ context.Context, p *pin, b *builder) error {
	p.eachGrant(func(o *object, g schema.Grant, owner bool) {
		for _, a := range o.attributes {
			if g.Select || slices.Contains(g.Columns, a.number) {
				b.add("grantor", p.state.owner.name, "grantee", granteeName(g.Role), "table_catalog", p.state.snapshot.Tenant,
					"table_schema", o.schema, "table_name", o.name, "column_name", a.name, "privilege_type", "SELECT",
					"is_grantable", yesOrNo(owner))
			}
		}
	})
	return nil
}

// eachGrant visits what the user may read, and grants that the user may see: those to
// Public, and all for an owner.
func (p *pin) eachGrant(visit func(o *object, g schema.Grant, owner bool)) {
	owner := p.isOwner()
	user := role{name: p.view.User, User: User{Owner: owner}}
	for _, o := range p.state.objects {
		r := p.state.rights(o, user)
		visit(o, schema.Grant{Role: p.view.User, Select: r.Select, Columns: r.Columns}, owner)
		a := p.state.snapshot.AccessTo(o.oid)
		if a == nil || !o.isUsers() {
			continue
		}
		for _, g := range a.Grants {
			if g.Role != p.view.User && (owner || g.Role == schema.Public) {
				visit(o, g, false)
			}
		}
	}
}

func granteeName(role string) string {
	if role == schema.Public {
		return "PUBLIC"
	}
	return role
}

// isOwner says whether the user is an owner of the tenant.
func (p *pin) isOwner() bool { return !p.view.Limited }
