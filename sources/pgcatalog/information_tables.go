package pgcatalog

// informationTableRows lists tables by name alone: an alias is no table. Views of
// information_schema list what the user may read.
func informationTableRows(s *state, b *builder) {
	for _, o := range s.shown() {
		kind := "BASE TABLE"
		if o.kind == 'v' {
			kind = "VIEW"
		}
		b.add("table_catalog", s.snapshot.Tenant, "table_schema", o.schema, "table_name", o.name, "table_type", kind,
			"is_insertable_into", "NO", "is_typed", "NO")
	}
}
