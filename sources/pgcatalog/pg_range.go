package pgcatalog

import "github.com/fieldgate/fieldgate/schema/postgres"

func rangeRows(b *builder) {
	for _, r := range postgres.Ranges() {
		b.add("rngtypid", r.Type, "rngsubtype", r.Subtype, "rngmultitypid", r.Multirange)
	}
}
