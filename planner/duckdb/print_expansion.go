package duckdb

import (
	"maps"
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/planner"
)

// expands says that a set-returning function runs over the rows of the items before it.
func (p *printer) expands(s *planner.FunctionScan, before []planner.FromItem) bool {
	if !s.Lateral {
		return false
	}
	for _, item := range before {
		for _, r := range planner.Relations(item) {
			if s.Reads(r) {
				return true
			}
		}
	}
	return false
}

// expansion prints a set-returning function over the rows of items, which are printed already, as one relation with the columns
// of all. The engine then makes the rows one after the other, each row's together and in order, as PostgreSQL does;
// of LATERAL it would make a hash join, which has no order. Further columns are seen by nobody; one of a list with an
// element keeps the rows for which the function returns none.
func (p *printer) expansion(items string, before []planner.FromItem, s *planner.FunctionScan, unseen ...string) string {
	name := p.name("t")
	var relations []planner.Relation
	for _, item := range before {
		relations = append(relations, planner.Relations(item)...)
	}
	earlier, seen := p.under(name, relations)
	columns := slices.Concat(unseen, earlier)
	sets, scales := p.setColumns(s)
	own := relation{name: name, prefix: p.name("t") + "_", columns: scales}
	for i, set := range sets {
		columns = append(columns, set+" AS "+own.prefix+columnName(i))
	}
	maps.Copy(p.relations, seen)
	p.relations[s] = own
	return "(SELECT " + strings.Join(columns, ", ") + " FROM " + items + ") AS " + name
}
