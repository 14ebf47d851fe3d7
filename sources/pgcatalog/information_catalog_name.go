package pgcatalog

const catalogNameRelation = "information_schema_catalog_name"

func catalogNameRows(s *state, b *builder) {
	b.add("catalog_name", s.snapshot.Tenant)
}
