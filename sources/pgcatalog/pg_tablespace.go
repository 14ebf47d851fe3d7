package pgcatalog

const (
	defaultTablespaceOID = 1663
	globalTablespaceOID  = 1664
)

func tablespaceRows(b *builder) {
	b.add("oid", defaultTablespaceOID, "spcname", "pg_default", "spcowner", systemRoleOID)
	b.add("oid", globalTablespaceOID, "spcname", "pg_global", "spcowner", systemRoleOID)
}
