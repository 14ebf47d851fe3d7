package pgcatalog

import "github.com/fieldgate/fieldgate/schema/postgres"

// aggregateRows tells what aggregates are; how they are computed is the engine's.
func aggregateRows(b *builder) {
	for _, a := range postgres.Aggregates() {
		b.add("aggfnoid", a.Proc, "aggkind", byte(a.Kind), "aggnumdirectargs", a.DirectArgs, "aggfinalmodify", "r", "aggmfinalmodify", "r")
	}
}
