package pgcatalog

// viewRows lists the views. Those that are computed have no text.
func viewRows(s *state, b *builder) {
	for _, o := range s.allObjects() {
		if o.kind == 'v' {
			b.add("schemaname", o.schema, "viewname", o.name, "viewowner", namespaceOwner(o.schema, s.owner).name, "definition", o.definition())
		}
	}
}
