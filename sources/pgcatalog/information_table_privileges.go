package pgcatalog

import "context"

// tablePrivilegeRows list what the user may do with the tenant's tables: read
// them. It fills table_privileges and role_table_grants.
func tablePrivilegeRows(_ context.Context, p *pin, b *builder) error {
	for _, o := range p.state.objects() {
		b.add("grantor", p.state.owner.name, "grantee", p.view.User, "table_catalog", p.state.snapshot.Tenant, "table_schema", o.schema,
			"table_name", o.name, "privilege_type", "SELECT", "is_grantable", yesOrNo(p.isOwner()), "with_hierarchy", "YES")
	}
	return nil
}

// columnPrivilegeRows do so for columns, in column_privileges and
// role_column_grants.
func columnPrivilegeRows(_ context.Context, p *pin, b *builder) error {
	for _, o := range p.state.objects() {
		for _, a := range o.attributes {
			b.add("grantor", p.state.owner.name, "grantee", p.view.User, "table_catalog", p.state.snapshot.Tenant, "table_schema", o.schema,
				"table_name", o.name, "column_name", a.name, "privilege_type", "SELECT", "is_grantable", yesOrNo(p.isOwner()))
		}
	}
	return nil
}

// isOwner says whether the user is an owner of the tenant.
func (p *pin) isOwner() bool {
	r, err := p.state.roleNamed(p.view.User)
	return err == nil && r.Owner
}
