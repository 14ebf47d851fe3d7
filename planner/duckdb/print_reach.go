package duckdb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
)

// PostgreSQL computes a subquery for the rows that need it, as a branch of CASE does; DuckDB joins it to all rows of the query
// around it, so that it would fail for rows that nothing is computed for. So while a branch is printed, reach has the
// conditions under which it is. A subquery which may fail and uses columns of queries around it then finds NULL in these
// columns wherever the branch is not reached, and has no rows there.

// Marks around what a subquery may be guarded by, until it is known whether it is.
const (
	markColumn    = "\x01" // before a column of a query around it
	markColumnEnd = "\x02"
	markWhere     = "\x03" // before the condition of WHERE
	markNoWhere   = "\x04" // where WHERE would be
)

// maxReach bounds the text of a guard, which stands at every column.
const maxReach = 2000

// reached prints what is reached under a condition, given as SQL.
func (p *printer) reached(condition string, write func() printed) printed {
	outer := p.reach
	p.reach = narrower(outer, condition)
	defer func() { p.reach = outer }()
	return write()
}

// narrower are the conditions and one more. Where they are too long for a guard already
// it changes nothing, and would cost as much again for each of the many that there are.
func narrower(reach []string, condition string) []string {
	length := 0
	for _, r := range reach {
		if length += len(r); length > maxReach {
			return reach
		}
	}
	return slices.Concat(reach, []string{condition})
}

// reachedBy prints the arguments of AND, OR or COALESCE, each of which is reached where a test holds of those before it.
func (p *printer) reachedBy(args []planner.Expr, test string) []printed {
	out := make([]printed, len(args))
	outer := p.reach
	defer func() { p.reach = outer }()
	for i, arg := range args {
		out[i] = p.expr(arg)
		p.reach = narrower(p.reach, "("+out[i].sql+test+")")
	}
	return out
}

// guardedSubquery prints a subquery for the rows that reach it; many says that it fails if it has more than one row.
func (p *printer) guardedSubquery(q *planner.Query, want []int, many bool) body {
	guard := strings.Join(p.reach, " AND ")
	if guard == "" || len(guard) > maxReach || strings.Contains(guard, "SELECT ") || strings.Contains(guard, "random()") || strings.Contains(guard, "uuid()") {
		return p.query(q, want)
	}
	around, reach, pending := p.around, p.reach, p.whereMark
	p.around, p.reach, p.whereMark = make(map[planner.Relation]bool, len(p.relations)), []string{guard}, q
	for r := range p.relations {
		p.around[r] = true
	}
	b := p.query(q, want)
	p.around, p.reach, p.whereMark = around, reach, pending
	marks := []string{markColumn, "", markColumnEnd, "", markWhere, "", markNoWhere, ""}
	if strings.Contains(b.sql, markColumn) && (many || mayRaise.MatchString(b.sql)) {
		marks = []string{markColumn, "(CASE WHEN " + guard + " THEN ", markColumnEnd, " END)", markWhere, guard + " AND ", markNoWhere, " WHERE " + guard}
	}
	b.sql = strings.NewReplacer(marks...).Replace(b.sql)
	return b
}

// guardColumn marks a column of a query around a guarded subquery.
func (p *printer) guardColumn(c *planner.Column, sql string) string {
	if !p.around[c.Relation] {
		return sql
	}
	return markColumn + sql + markColumnEnd
}

// guardWhere marks the place of a guard in WHERE, of which condition is what the query has itself, if any.
func (p *printer) guardWhere(q *planner.Query, condition string) string {
	switch {
	case p.whereMark != q && condition == "":
		return ""
	case p.whereMark != q:
		return " WHERE " + condition
	case condition == "":
		return markNoWhere
	}
	return fmt.Sprintf(" WHERE %s(%s)", markWhere, condition)
}

// onlyRow prints a subquery that reads nothing of the row around it, so that DuckDB runs it whether it is reached or not: that
// it has several rows is found where its value is taken.
func (p *printer) onlyRow(query string) string {
	name := p.name("e")
	first := fmt.Sprintf("(CASE WHEN len(%s) > 1 THEN CAST(%s AS BIGINT) ELSE 1 END)", name,
		raise(pgerrcode.CardinalityViolation, "more than one row returned by a subquery used as an expression"))
	return fmt.Sprintf("list_extract(list_transform([(SELECT list(%[1]s) FROM (SELECT %[1]s FROM (%[2]s) LIMIT 2))], lambda %[3]s: list_extract(%[3]s, %[4]s)), 1)",
		outputName(0), query, name, first)
}

// returnsOne says that a query has one row at most, whatever it reads.
func returnsOne(q *planner.Query) bool {
	if c, ok := q.Limit.(*planner.Const); ok && !c.Null && c.Value.Int <= 1 {
		return true
	}
	return q.Aggregated && len(q.GroupBy) == 0 && q.GroupingSets == nil
}
