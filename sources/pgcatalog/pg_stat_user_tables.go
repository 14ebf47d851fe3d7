package pgcatalog

// tableStatisticRows lists the tables without statistics, of which none are kept.
func tableStatisticRows(s *state, b *builder) {
	for _, o := range s.objects {
		if o.kind == 'r' {
			b.add("relid", o.oid, "schemaname", o.schema, "relname", o.name)
		}
	}
}
