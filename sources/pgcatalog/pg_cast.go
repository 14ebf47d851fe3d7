package pgcatalog

import "github.com/fieldgate/fieldgate/schema/postgres"

func castRows(b *builder) {
	contexts := map[postgres.CoercionContext]string{postgres.Implicit: "i", postgres.Assignment: "a", postgres.Explicit: "e"}
	for _, c := range postgres.Casts() {
		b.add("oid", c.OID, "castsource", c.Source, "casttarget", c.Target, "castfunc", c.Func,
			"castcontext", contexts[c.Context], "castmethod", byte(c.Method))
	}
}
