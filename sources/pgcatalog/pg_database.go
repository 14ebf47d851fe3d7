package pgcatalog

const (
	encodingUTF8 = 6
	locale       = "C.UTF-8"
)

// databaseRows lists the one database that the user may know of: its tenant's.
func databaseRows(s *state, b *builder) {
	b.add("oid", databaseOID(s.snapshot.Tenant), "datname", s.snapshot.Tenant, "datdba", s.owner.oid, "encoding", encodingUTF8,
		"datlocprovider", "c", "datallowconn", true, "datconnlimit", -1, "dattablespace", defaultTablespaceOID,
		"datcollate", locale, "datctype", locale)
}
