package pgcatalog

func namespaceRows(s *state, b *builder) {
	for _, name := range namespaces() {
		b.add("oid", namespaceOID(name), "nspname", name, "nspowner", namespaceOwner(name, s.owner).oid)
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
