package pgcatalog

func characterSetRows(s *state, b *builder) {
	b.add("character_set_name", "UTF8", "character_repertoire", "UCS", "form_of_use", "UTF8", "default_collate_catalog", s.snapshot.Tenant)
}
