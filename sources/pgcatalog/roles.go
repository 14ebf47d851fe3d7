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
		out = append(out, role{oid: roleOID(u.Name), name: u.Name, User: u})
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

// roleOID and databaseOID are the identifiers of a user and of a database, which
// have no number of their own: hashes of their names, above what declared tables
// reach in practice, and apart.
func roleOID(name string) uint32     { return 1<<30 + nameHash(name) }
func databaseOID(name string) uint32 { return 1<<30 + 1<<29 + nameHash(name) }

func nameHash(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return h.Sum32() % (1 << 29)
}
