package pgcatalog

import "github.com/fieldgate/fieldgate/schema/postgres"

func namespaceRows(s *state, b *builder) {
	for _, name := range namespaces() {
		owner := namespaceOwner(name, s.owner)
		var acl any
		if name == schemaCatalog || name == schemaInformation || name == schemaPublic {
			quoted := postgres.QuoteIdentifier(owner.name)
			acl = []string{quoted + "=UC/" + quoted, "=U/" + quoted}
		}
		b.add("oid", namespaceOID(name), "nspname", name, "nspowner", owner.oid, "nspacl", acl)
	}
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
