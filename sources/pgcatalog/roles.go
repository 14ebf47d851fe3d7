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

// predefinedRoles are the roles of groups that PostgreSQL brings. Nobody is a member of
// them but some of each other.
var predefinedRoles = []role{
	{oid: 4544, name: "pg_checkpoint"},
	{oid: 6171, name: "pg_database_owner"},
	{oid: 4571, name: "pg_execute_server_program"},
	{oid: monitorRoleOID, name: "pg_monitor"},
	{oid: 6181, name: "pg_read_all_data"},
	{oid: 3374, name: "pg_read_all_settings"},
	{oid: 3375, name: "pg_read_all_stats"},
	{oid: 4569, name: "pg_read_server_files"},
	{oid: 4200, name: "pg_signal_backend"},
	{oid: 3377, name: "pg_stat_scan_tables"},
	{oid: 6182, name: "pg_write_all_data"},
	{oid: 4570, name: "pg_write_server_files"},
}

// monitorRoleOID is pg_monitor, a member of those.
const monitorRoleOID = 3373

func monitored() []int { return []int{3374, 3375, 3377} }

// memberRows say which of the predefined roles are members of each other.
func memberRows(b *builder) {
	for _, oid := range monitored() {
		b.add("roleid", oid, "member", monitorRoleOID, "grantor", systemRoleOID)
	}
}

// groupRows list the roles that cannot log in, with their members.
func groupRows(b *builder) {
	for _, r := range predefinedRoles {
		members := []int64{}
		if slices.Contains(monitored(), int(r.oid)) {
			members = append(members, monitorRoleOID)
		}
		b.add("groname", r.name, "grosysid", r.oid, "grolist", members)
	}
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
