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

// HasColumns says that an expression may differ from row to row.
func HasColumns(e Expr) bool { return hasColumns(e) }

// Outside are the relations of which a subquery, or what it is compared with, uses columns.
func (s *Subquery) Outside() []Relation {
	out := OuterRelations(s.Query)
	for _, e := range s.Left {
		out = append(out, relationsIn(e)...)
	}
	return out
}

// Subqueries are those of an expression that are in no other.
func Subqueries(e Expr) []*Subquery {
	var out []*Subquery
	walk(e, func(e Expr) bool {
		s, ok := e.(*Subquery)
		if ok {
			out = append(out, s)
		}
		return !ok
	})
	return out
}
