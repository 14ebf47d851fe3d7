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
	p.eachGrant(func(o *object, g *schema.Grant) {
		if g.Select {
			b.add("grantor", p.grantorName(g), "grantee", granteeName(g.Role), "table_catalog", p.state.snapshot.Tenant, "table_schema", o.schema,
				"table_name", o.name, "privilege_type", "SELECT", "is_grantable", yesOrNo(g.SelectOption), "with_hierarchy", "YES")
		}
	})
	return nil
}

// columnPrivilegeRows do so for columns, in column_privileges and
// role_column_grants.
func columnPrivilegeRows(_ context.Context, p *pin, b *builder) error {
	p.eachGrant(func(o *object, g *schema.Grant) {
		for _, a := range o.attributes {
			if g.Select || slices.Contains(g.Columns, a.number) {
				b.add("grantor", p.grantorName(g), "grantee", granteeName(g.Role), "table_catalog", p.state.snapshot.Tenant,
					"table_schema", o.schema, "table_name", o.name, "column_name", a.name, "privilege_type", "SELECT",
					"is_grantable", yesOrNo(g.SelectOption || slices.Contains(g.ColumnOptions, a.number)))
			}
		}
	})
	return nil
}

// eachGrant visits what the user may read, and grants that the user may see: those to
// and by the user and to Public, and all for an owner.
func (p *pin) eachGrant(visit func(o *object, g *schema.Grant)) {
	owner := p.isOwner()
	user := role{name: p.view.User, User: User{Owner: owner}}
	for _, o := range p.state.objects {
		var grants []schema.Grant
		if a := p.state.snapshot.AccessTo(o.oid); a != nil && o.isUsers() {
			grants = a.Grants
		}
		for i := range grants {
			g := &grants[i]
			if owner && g.Role == p.view.User {
				continue // who is an owner by now
			}
			if owner || g.Role == p.view.User || g.Grantor == p.view.User || g.Role == schema.Public {
				visit(o, g)
			}
		}
		if r := p.state.rights(o, user); r.Default || owner || !o.isUsers() {
			visit(o, &schema.Grant{Role: p.view.User, Select: r.Select, SelectOption: owner})
		}
	}
}

func (p *pin) grantorName(g *schema.Grant) string {
	if g.Grantor == "" {
		return p.state.owner.name
	}
	return g.Grantor
}

func granteeName(role string) string {
	if role == schema.Public {
		return "PUBLIC"
	}
	return role
}

// isOwner says whether the user is an owner of the tenant.
func (p *pin) isOwner() bool { return !p.view.Limited }
