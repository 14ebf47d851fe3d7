package pgcatalog

// viewRows lists the views, all of which are computed and have no text.
func viewRows(s *state, b *builder) {
	for _, o := range s.allObjects() {
		if o.kind == 'v' {
			b.add("schemaname", o.schema, "viewname", o.name, "viewowner", namespaceOwner(o.schema, s.owner).name)
		}
	}
}
