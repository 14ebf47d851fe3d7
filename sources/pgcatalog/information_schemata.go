package pgcatalog

func schemataRows(s *state, b *builder) {
	for _, name := range namespaces() {
		b.add("catalog_name", s.snapshot.Tenant, "schema_name", name, "schema_owner", namespaceOwner(name, s.owner).name)
	}
}
