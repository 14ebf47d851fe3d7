package pgcatalog

func informationCollationRows(s *state, b *builder) {
	for _, name := range []string{"default", "C", "POSIX"} {
		b.add("collation_catalog", s.snapshot.Tenant, "collation_schema", schemaCatalog, "collation_name", name, "pad_attribute", "NO PAD")
	}
}

func collationSetRows(s *state, b *builder) {
	for _, name := range []string{"default", "C", "POSIX"} {
		b.add("collation_catalog", s.snapshot.Tenant, "collation_schema", schemaCatalog, "collation_name", name, "character_set_name", "UTF8")
	}
}
