package duckdb

import (
	"maps"
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/planner"
)

// DuckDB takes no subquery in the condition of an outer join. One that reads columns of
// one side alone is computed there, as a further column of that side. Where one reads
// both, the nullable side is a query over the row of the other, with the condition as its
// WHERE; a full join has no such side.

// joinSide prints one side of an outer join, with a column for each subquery of the
// condition that reads no columns of the other side. What has such a column is taken
// from the subqueries that are still to be computed.
func (p *printer) joinSide(side, other planner.FromItem, pending []*planner.Subquery) (text string, left []*planner.Subquery) {
	text = p.fromItem(side)
	var own []*planner.Subquery
	for _, s := range pending {
		if readsSide(s, other) {
			left = append(left, s)
		} else {
			own = append(own, s)
		}
	}
	if scan, ok := side.(*planner.SubqueryScan); len(own) == 0 || ok && scan.Lateral {
		return text, pending
	}
	columns := make([]string, len(own))
	name := p.name("t")
	for i, s := range own {
		value := p.subquery(s)
		column := p.name("q")
		columns[i] = value.sql + " AS " + column
		p.computed[s] = printed{name + "." + column, value.scale}
	}
	return p.oneRelation(name, text, planner.Relations(side), columns), left
}

// joinRows joins to what stands before it the rows of an item for which a condition holds,
// or a row of NULLs.
func (p *printer) joinRows(text string, item planner.FromItem, on planner.Expr) string {
	condition, name := p.expr(on).sql, p.name("t")
	columns, seen := p.under(name, planner.Relations(item))
	maps.Copy(p.relations, seen)
	return " LEFT JOIN LATERAL (SELECT " + strings.Join(append(columns, "1"), ", ") + " FROM " + text + " WHERE " + condition + ") AS " + name + " ON true"
}

// oneRelation is a relation with the columns of several, which are printed already, and
// more; they are seen under its name from now on.
func (p *printer) oneRelation(name, text string, relations []planner.Relation, columns []string) string {
	own, seen := p.under(name, relations)
	maps.Copy(p.relations, seen)
	columns = append(columns, own...)
	return "(SELECT " + strings.Join(columns, ", ") + " FROM " + text + ") AS " + name
}

// under gives the columns of relations as those of one, and how the relations are seen under its name.
func (p *printer) under(name string, relations []planner.Relation) (columns []string, seen map[planner.Relation]relation) {
	seen = map[planner.Relation]relation{}
	for _, r := range relations {
		was := p.relations[r]
		now := relation{name: name, prefix: was.prefix, columns: was.columns}
		if now.prefix == "" {
			now.prefix = was.name + "_"
		}
		for i := range r.Columns() {
			columns = append(columns, was.column(i)+" AS "+now.prefix+columnName(i))
		}
		seen[r] = now
	}
	return columns, seen
}

// readsSide says that a subquery, or what it is compared with, reads columns of an item.
func readsSide(s *planner.Subquery, item planner.FromItem) bool {
	relations := planner.Relations(item)
	return slices.ContainsFunc(s.Outside(), func(r planner.Relation) bool { return slices.Contains(relations, r) })
}
