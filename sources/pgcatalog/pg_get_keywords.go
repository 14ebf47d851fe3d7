package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// keyword is a row of pg_get_keywords().
type keyword struct {
	word, code          string
	bareLabel           bool
	category, labelText string
}

// functionTable are functions whose rows are computed like a relation's; the
// parentheses keep their names from being tables'.
var functionTable = []description{
	{0, schemaCatalog, "pg_get_keywords()", 'f', 0, 0, []column{
		{"word", postgres.TextOID, -1, false, defaultCollation},
		{"catcode", postgres.CharOID, -1, false, 0},
		{"barelabel", postgres.BoolOID, -1, false, 0},
		{"catdesc", postgres.TextOID, -1, false, defaultCollation},
		{"baredesc", postgres.TextOID, -1, false, defaultCollation},
	}},
	{0, schemaCatalog, "pg_listening_channels()", 'f', 0, 0, []column{
		{"pg_listening_channels", postgres.TextOID, -1, false, defaultCollation},
	}},
	{0, schemaCatalog, "ts_token_type()", 'f', 0, 0, []column{
		{"tokid", postgres.Int4OID, -1, false, 0},
		{"alias", postgres.TextOID, -1, false, defaultCollation},
		{"description", postgres.TextOID, -1, false, defaultCollation},
		{"parser", postgres.OIDOID, -1, false, 0},
	}},
}

func keywordRows(b *builder) {
	for _, k := range keywordTable {
		b.add("word", k.word, "catcode", k.code, "barelabel", k.bareLabel, "catdesc", k.category, "baredesc", k.labelText)
	}
}

// channelRows are the rows of pg_listening_channels().
func channelRows(_ context.Context, p *pin, b *builder) error {
	if p.view.Channels == nil {
		return nil
	}
	for _, channel := range p.view.Channels() {
		b.add("pg_listening_channels", channel)
	}
	return nil
}
