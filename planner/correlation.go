package planner

import "slices"

// OuterRelations are those of queries around q of which it, or a query in it, uses columns.
func OuterRelations(q *Query) []Relation {
	own := map[Relation]bool{}
	visitQueries(q, func(q *Query) {
		for _, item := range q.From {
			visitRelations(item, func(r Relation) { own[r] = true })
		}
	})
	var outer []Relation
	walkQuery(q, func(e Expr) bool {
		if c, ok := e.(*Column); ok && !own[c.Relation] && !slices.Contains(outer, c.Relation) {
			outer = append(outer, c.Relation)
		}
		return true
	})
	return outer
}
