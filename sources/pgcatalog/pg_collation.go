package pgcatalog

// The collations of text, and of name.
const (
	defaultCollation = 100
	collationC       = 950
)

// collationRows are the collations that types and columns refer to. Text is compared by its bytes.
func collationRows(b *builder) {
	for _, c := range []struct {
		oid      int
		name     string
		provider string
		locale   any
	}{
		{defaultCollation, "default", "d", nil},
		{collationC, "C", "c", "C"},
		{951, "POSIX", "c", "POSIX"},
	} {
		b.add("oid", c.oid, "collname", c.name, "collnamespace", catalogOID, "collowner", systemRoleOID, "collprovider", c.provider,
			"collisdeterministic", true, "collencoding", -1, "collcollate", c.locale, "collctype", c.locale)
	}
}
