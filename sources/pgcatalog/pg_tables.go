package pgcatalog

func tableRows(s *state, b *builder) {
	for _, o := range s.allObjects() {
		if o.kind == 'r' {
			b.add("schemaname", o.schema, "tablename", o.name, "tableowner", namespaceOwner(o.schema, s.owner).name,
				"hasindexes", false, "hasrules", false, "hastriggers", false, "rowsecurity", false)
		}
	}
}
