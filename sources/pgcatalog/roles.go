package pgcatalog

import (
	"hash/fnv"
	"slices"
	"strings"
)

// The role that owns what no user does, with the OID of PostgreSQL's first.
const (
	systemRole    = "fieldgate"
	systemRoleOID = 10
)

// role is a row of pg_roles.
type role struct {
	oid  uint32
	name string
	User
}

// rolesOf are the users by name.
func rolesOf(users []User) []role {
	out := make([]role, 0, len(users))
	for _, u := range users {
		out = append(out, role{oid: nameOID(u.Name), name: u.Name, User: u})
	}
	slices.SortFunc(out, func(a, b role) int { return strings.Compare(a.name, b.name) })
	return out
}

// ownerOf is the first owner among roles sorted by name, or the system's.
func ownerOf(roles []role) role {
	for _, r := range roles {
		if r.Owner {
			return r
		}
	}
	return role{oid: systemRoleOID, name: systemRole}
}

// nameOID is the identifier of a user or database, which have no number of their
// own: a hash of the name, above what declared tables reach in practice.
func nameOID(name string) uint32 {
	const base, span = 1 << 30, 1 << 30
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return base + h.Sum32()%span
}
