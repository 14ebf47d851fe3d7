package pgcatalog

// passwordMask stands where a password could be.
const passwordMask = "********"

// roleRows lists the tenant's users, the role that owns the system, and the
// predefined ones.
func roleRows(s *state, b *builder) {
	for _, r := range s.everyRole() {
		b.add(append(roleColumns(r), "oid", r.oid, "rolpassword", passwordMask)...)
	}
}

// authRows lists the same roles. What a user's password becomes is not for SQL.
func authRows(s *state, b *builder) {
	for _, r := range s.everyRole() {
		b.add(append(roleColumns(r), "oid", r.oid)...)
	}
}

func roleColumns(r role) []any {
	super := r.name == systemRole
	return []any{
		"rolname", r.name, "rolsuper", super, "rolinherit", true, "rolcreaterole", super, "rolcreatedb", super,
		"rolcanlogin", r.Name != "", "rolreplication", false, "rolconnlimit", -1, "rolbypassrls", super,
	}
}

// everyRole is the system's role, the predefined ones and the tenant's users.
func (s *state) everyRole() []role {
	all := append([]role{{oid: systemRoleOID, name: systemRole}}, predefinedRoles...)
	return append(all, s.roles...)
}
