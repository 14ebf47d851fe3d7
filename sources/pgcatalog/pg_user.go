package pgcatalog

// userRows lists the roles that can log in.
func userRows(s *state, b *builder) {
	for _, r := range s.roles {
		b.add("usename", r.name, "usesysid", r.oid, "usecreatedb", false, "usesuper", false, "userepl", false, "usebypassrls", false,
			"passwd", passwordMask)
	}
}
