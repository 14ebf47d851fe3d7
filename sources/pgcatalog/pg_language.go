package pgcatalog

// internalLanguageOID is the language that functions are listed with.
const internalLanguageOID = 12

func languageRows(b *builder) {
	b.add("oid", internalLanguageOID, "lanname", "internal", "lanowner", systemRoleOID)
	b.add("oid", 13, "lanname", "c", "lanowner", systemRoleOID)
	b.add("oid", 14, "lanname", "sql", "lanowner", systemRoleOID, "lanpltrusted", true)
}
