package duckdb

import (
	"fmt"
	"strings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// hypothetical are the hypothetical-set aggregates: where a row of the direct
// arguments would stand among the rows of the group.
var hypothetical = map[string]func(s *site, keys []planner.SortKey) string{
	"rank": func(s *site, keys []planner.SortKey) string {
		return "(" + s.countWhere(s.before(keys, false)) + " + 1)"
	},
	"dense_rank": func(s *site, keys []planner.SortKey) string {
		var values []string
		for i, k := range keys {
			values = append(values, s.p.key(k.Expr.Type(), s.args[len(keys)+i]))
		}
		before := "CASE WHEN " + s.before(keys, false) + " THEN row(" + strings.Join(values, ", ") + ") END"
		return "(count(DISTINCT " + before + ")" + s.filter + " + 1)"
	},
	"percent_rank": func(s *site, keys []planner.SortKey) string {
		all := s.countWhere("true")
		return fmt.Sprintf("(CASE WHEN %s = 0 THEN CAST(0 AS DOUBLE) ELSE CAST(%s AS DOUBLE) / %s END)", all, s.countWhere(s.before(keys, false)), all)
	},
	"cume_dist": func(s *site, keys []planner.SortKey) string {
		return "(CAST(" + s.countWhere(s.before(keys, true)) + " + 1 AS DOUBLE) / (" + s.countWhere("true") + " + 1))"
	},
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
		if k.Expr.Type().OID == postgres.NumericOID {
			column, argument = s.p.common2(column, argument)
		}
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
