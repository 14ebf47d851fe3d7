package pgcatalog

func classRows(s *state, b *builder) {
	for _, o := range s.objects {
		addClass(b, o, namespaceOwner(o.schema, s.owner), s.rowSecurity(o), s.acl(o))
	}
}

func systemClassRows(b *builder) {
	for _, o := range systemObjects() {
		addClass(b, o, namespaceOwner(o.schema, role{}), false, systemACL(o))
	}
}

// addClass lists a table or view. Nothing is known of its size: reltuples is -1,
// as of a table that was never analysed.
func addClass(b *builder, o *object, owner role, rowSecurity bool, acl any) {
	am, identity := 0, "n"
	if o.kind == 'r' {
		am = heapOID
		if o.schema != schemaCatalog {
			identity = "d"
		}
	}
	last := 0
	for _, a := range o.attributes {
		last = max(last, a.number)
	}
	b.add("oid", o.oid, "relname", o.name, "relnamespace", namespaceOID(o.schema), "reltype", o.rowType, "relowner", owner.oid,
		"relam", am, "reltuples", float64(-1), "relpersistence", "p", "relkind", o.kind, "relnatts", last,
		"relispopulated", true, "relreplident", identity, "relhasrules", o.kind == 'v',
		"relrowsecurity", rowSecurity, "relacl", acl)
}
