package pgcatalog

// passwordMask stands where a password could be.
const passwordMask = "********"

// roleRows lists the tenant's users, and the role that owns the system.
func roleRows(s *state, b *builder) {
	add := func(oid uint32, name string, super, login bool) {
		b.add("oid", oid, "rolname", name, "rolsuper", super, "rolinherit", true, "rolcreaterole", super, "rolcreatedb", super,
			"rolcanlogin", login, "rolreplication", false, "rolconnlimit", -1, "rolpassword", passwordMask, "rolbypassrls", super)
	}
	add(systemRoleOID, systemRole, true, false)
	for _, r := range s.roles {
		add(r.oid, r.name, false, true)
	}
}
