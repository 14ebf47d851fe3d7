package pgcatalog

func informationViewRows(s *state, b *builder) {
	for _, o := range s.allObjects() {
		if o.kind == 'v' {
			b.add("table_catalog", s.snapshot.Tenant, "table_schema", o.schema, "table_name", o.name, "view_definition", o.definition(), "check_option", "NONE",
				"is_updatable", "NO", "is_insertable_into", "NO", "is_trigger_updatable", "NO", "is_trigger_deletable", "NO",
				"is_trigger_insertable_into", "NO")
		}
	}
}
