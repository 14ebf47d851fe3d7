package pgcatalog

import "github.com/fieldgate/fieldgate/schema/postgres"

// keyword is a row of pg_get_keywords().
type keyword struct {
	word, code          string
	bareLabel           bool
	category, labelText string
}

// functionTable are functions without arguments whose rows are computed like a
// relation's; the parentheses keep their names from being tables'.
var functionTable = []description{
	{0, schemaCatalog, "pg_get_keywords()", 'f', 0, 0, []column{
		{"word", postgres.TextOID, -1, false, defaultCollation},
		{"catcode", postgres.CharOID, -1, false, 0},
		{"barelabel", postgres.BoolOID, -1, false, 0},
		{"catdesc", postgres.TextOID, -1, false, defaultCollation},
		{"baredesc", postgres.TextOID, -1, false, defaultCollation},
	}},
}

func keywordRows(b *builder) {
	for _, k := range keywordTable {
		b.add("word", k.word, "catcode", k.code, "barelabel", k.bareLabel, "catdesc", k.category, "baredesc", k.labelText)
	}
}
