package duckdb

import (
	"fmt"
	"strings"

	"github.com/fieldgate/fieldgate/planner"
)

// isHypothetical names the hypothetical-set aggregates.
func isHypothetical(name string) bool {
	switch name {
	case "rank", "dense_rank", "percent_rank", "cume_dist":
		return true
	}
	return false
}

// hypothetical prints a hypothetical-set aggregate: where a row of the direct
// arguments would stand among the rows of the group.
func (s *site) hypothetical(keys []planner.SortKey) string {
	switch s.name {
	case "rank":
		return "(" + s.countWhere(s.before(keys, false)) + " + 1)"
	case "dense_rank":
		var values []string
		for i, k := range keys {
			values = append(values, s.p.key(k.Expr.Type(), s.args[len(keys)+i]))
		}
		before := "CASE WHEN " + s.before(keys, false) + " THEN row(" + strings.Join(values, ", ") + ") END"
		return "(count(DISTINCT " + before + ")" + s.filter + " + 1)"
	case "percent_rank":
		all := s.countWhere("true")
		return fmt.Sprintf("(CASE WHEN %s = 0 THEN CAST(0 AS DOUBLE) ELSE CAST(%s AS DOUBLE) / %s END)", all, s.countWhere(s.before(keys, false)), all)
	}
	return "(CAST(" + s.countWhere(s.before(keys, true)) + " + 1 AS DOUBLE) / (" + s.countWhere("true") + " + 1))"
}

// countWhere counts the rows of the group that satisfy a condition.
func (s *site) countWhere(condition string) string {
	return "count(CASE WHEN " + condition + " THEN 1 END)" + s.filter
}

// before says that a row of the group sorts before the direct arguments, or, with
// peers, no later. The arguments stand first, then the columns, a key each.
func (s *site) before(keys []planner.SortKey, peers bool) string {
	out := "false"
	if peers {
		out = "true"
	}
	for i := len(keys) - 1; i >= 0; i-- {
		k := keys[i]
		s.p.orderable(k.Expr.Type())
		column, argument := s.args[len(keys)+i], s.args[i]
		column, argument = s.p.common2(s.types[i], column, argument)
		row, given := s.p.key(k.Expr.Type(), column), s.p.key(k.Expr.Type(), argument)
		less := row + " < " + given
		if k.Desc {
			less = row + " > " + given
		}
		out = fmt.Sprintf("(CASE WHEN %s IS NULL AND %s IS NULL THEN %s WHEN %s IS NULL THEN %t WHEN %s IS NULL THEN %t WHEN %s = %s THEN %s ELSE %s END)",
			row, given, out, row, k.NullsFirst, given, !k.NullsFirst, row, given, out, less)
	}
	return out
}
