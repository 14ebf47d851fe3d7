package pgcatalog

const defaultTablespaceOID = 1663

func tablespaceRows(b *builder) {
	b.add("oid", defaultTablespaceOID, "spcname", "pg_default", "spcowner", systemRoleOID)
	b.add("oid", 1664, "spcname", "pg_global", "spcowner", systemRoleOID)
}
