package pgcatalog

func tableRows(s *state, b *builder) {
	addTables(b, s.objects, s.owner)
}

func systemTableRows(b *builder) { addTables(b, systemObjects(), role{}) }

func addTables(b *builder, objects []*object, owner role) {
	for _, o := range objects {
		if o.kind == 'r' {
			b.add("schemaname", o.schema, "tablename", o.name, "tableowner", namespaceOwner(o.schema, owner).name,
				"hasindexes", false, "hasrules", false, "hastriggers", false, "rowsecurity", false)
		}
	}
}
