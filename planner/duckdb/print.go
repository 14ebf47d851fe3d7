package duckdb

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// printed is an expression as DuckDB's SQL, complete in itself: it can stand
// anywhere in another. Of numerics, scale says the form; see physical.go.
type printed struct {
	sql   string
	scale int
}

// printer prints one statement. After the first error it goes on, and what it
// prints is worth nothing; err holds that error.
type printer struct {
	zone string
	// style is how values are read and printed, as styleOf gives it.
	style string
	// careful asks for the careful form of aggregates over floats and of fields of times;
	// floats says that the other was printed. See table_statistics.go and table_time.go.
	careful, floats bool

	// reach, around and whereMark are those of print_reach.go: under which conditions what is printed is computed, the relations
	// of queries around a guarded subquery, and whose WHERE has its guard.
	reach     []string
	around    map[planner.Relation]bool
	whereMark *planner.Query
	// selecting is the query whose select list is printed.
	selecting *planner.Query

	// recursive is the query that reads itself, while it is printed.
	recursive *planner.Query

	rows *registry
	// registered are the numbers of what was put into rows, first the first of them.
	registered []int64
	first      int64
	// slice, if set, are the times of the rows that the statement is of.
	slice *sources.Bounds
	// copied has batches of a dataset, of which whole ones are read, read from a table
	// that has the columns, and gives those that none has; nil: all are read as they are.
	copied func(dataset *schema.Dataset, columns []string, batches []*sources.BatchSplit) (*copyScan, []*sources.BatchSplit)
	// reads are what the statement reads of files, noted if fetches: files are fetched
	// before they are read.
	fetches bool
	reads   []sources.FileRead
	// shapes are the columns of the row sources, in the order of their numbers.
	shapes [][]sourceColumn
	// hoisted are constants of a condition that rows of the scan bring along, and
	// standIns what they print as while the condition is printed. See hoist.go.
	hoisted  hoisted
	standIns map[*planner.Const]string
	// few is the scan whose constants are parameters, and parameters their values.
	few        *planner.MetricScan
	parameters []*planner.Const
	// fields are the resolved expressions of each scan, by its label, if explains.
	fields   map[string][]string
	explains bool
	// spells says that what is printed is to be read and not to run.
	spells bool
	err    error

	// relations are the names and columns given to relations so far, ctes those
	// of WITH queries.
	relations map[planner.Relation]relation
	ctes      map[*planner.CTE]relation
	names     int
	// spans are the interval constants so far, by days and time of day.
	spans map[[2]int64]span

	// value is what SentValue stands for while a source is printed, within the scan
	// whose columns it can name.
	value  func(t planner.Type) printed
	within *scanBranch
	// stopped says, if not nil, that nobody waits for the statement any more.
	stopped func() error
	// nullable are the relations whose rows an outer join may leave out.
	nullable map[planner.Relation]bool
	// absent are relations of which there is no row, so that their columns are NULL.
	absent map[planner.Relation]bool
	// computed are subqueries that are columns of what they stand over. See print_joinquery.go.
	computed map[*planner.Subquery]printed
	// tableRows: rows of a table's own type may be printed as records.
	tableRows bool
	// over is the query whose FROM is printed; nil: none.
	over *planner.Query
	// most bounds the rows that are read of the function in FROM that is printed; 0:
	// all are.
	most int64
	// groups are, while outputs of a grouping query are printed, the texts of the
	// keys that have to be taken out of their group.
	groups map[string]bool
	// named are the keys of the grouping query that is printed which are not printed anew.
	named []namedKey
	// sealed are the ORs that print as false where they are NULL. See print_long.go.
	sealed map[*planner.Logic]bool
}

// relation is a printed relation: its name and the form of its columns. Where several are one in the engine, each has a prefix for
// the names of its columns.
type relation struct {
	name, prefix string
	columns      []int // scales
}

func (r relation) column(i int) string { return r.name + "." + r.prefix + columnName(i) }

// number is the next of what is put into rows.
func (p *printer) number() int64 {
	n := p.first + int64(len(p.registered))
	p.registered = append(p.registered, n)
	return n
}

func newPrinter(zone string, rows *registry) *printer {
	return &printer{
		zone:      zone,
		rows:      rows,
		fields:    map[string][]string{},
		relations: map[planner.Relation]relation{},
		ctes:      map[*planner.CTE]relation{},
		spans:     map[[2]int64]span{},
		nullable:  map[planner.Relation]bool{},
		sealed:    map[*planner.Logic]bool{},
		computed:  map[*planner.Subquery]printed{},
	}
}

func (p *printer) fail(err error) printed {
	if p.err == nil {
		p.err = err
	}
	return printed{sql: "NULL"}
}

// name makes a name that no other relation of the statement has.
func (p *printer) name(prefix string) string {
	p.names++
	return prefix + strconv.Itoa(p.names)
}

// utc says that the session's zone is UTC, in which local time and instants are
// the same.
func (p *printer) utc() bool {
	switch strings.ToUpper(p.zone) {
	case "UTC", "ETC/UTC", "GMT", "ETC/GMT", "Z", "ZULU", "UCT", "ETC/UCT", "UNIVERSAL", "ETC/UNIVERSAL", "GREENWICH", "":
		return true
	}
	return false
}

// columnName is the name of column i of a relation, outputName that of output
// column i of a query. They differ, because a name in ORDER BY could be either.
func columnName(i int) string { return "c" + strconv.Itoa(i+1) }
func outputName(i int) string { return "o" + strconv.Itoa(i+1) }

// statement prints a whole statement.
func (p *printer) statement(q *planner.Query) (string, error) {
	body := p.query(q, nil)
	if p.err != nil {
		return "", p.err
	}
	return body.sql, nil
}

// body is a printed query: its text, which can stand in parentheses, and the
// form of its columns.
type body struct {
	sql    string
	scales []int
}

// query prints a query. want, if not nil, are the forms its columns must have.
func (p *printer) query(q *planner.Query, want []int) body {
	outer, outerNamed := p.groups, p.named
	p.groups, p.named = nil, nil
	defer func() { p.groups, p.named = outer, outerNamed }()
	var with strings.Builder
	for i, c := range q.CTEs {
		if i == 0 {
			with.WriteString("WITH RECURSIVE ")
		} else {
			with.WriteString(", ")
		}
		with.WriteString(p.cte(c))
	}
	if with.Len() > 0 {
		with.WriteByte(' ')
	}
	var b body
	switch {
	case q.SetOp != nil:
		b = p.setOperation(q, want)
	case q.Values != nil:
		b = p.values(q, want)
	default:
		b = p.selection(q, want)
	}
	b.sql = with.String() + b.sql
	return b
}

func (p *printer) cte(c *planner.CTE) string {
	r := relation{name: p.name("w")}
	shown := c.Query.Targets
	var names []string
	for i := range shown {
		names = append(names, columnName(i))
	}
	var want []int
	if c.Recursive {
		// The query reads itself, so the forms of its columns are settled first.
		for i, t := range shown {
			scale := textScale(t.Expr.Type())
			if first := c.Query.SetOp.Left.Targets[i].Expr; isShaped(first) {
				scale = asText
			}
			want = append(want, scale)
		}
		r.columns = want
		p.ctes[c] = r
	}
	recursive := p.recursive
	if c.Recursive {
		p.recursive = c.Query
	}
	b := p.query(c.Query, want)
	p.recursive = recursive
	r.columns = b.scales
	p.ctes[c] = r
	materialized := ""
	if c.Materialized {
		materialized = "MATERIALIZED "
	}
	return r.name + "(" + strings.Join(names, ", ") + ") AS " + materialized + "(" + b.sql + ")"
}

// textScale is the scale of a type's values where nothing fixes it.
func textScale(t planner.Type) int {
	if t.OID == postgres.NumericOID || isVector(postgres.ElemOf(t.OID)) {
		return asText
	}
	return 0
}

// selection prints SELECT ... FROM ... without set operation.
func (p *printer) selection(q *planner.Query, want []int) body {
	outer := p.selecting
	p.selecting = q
	defer func() { p.selecting = outer }()
	p.hoist(q)
	outerMost, outerQuery := p.most, p.over
	p.most, p.over = mostOf(q), q
	from, position := p.fromWhere(q)
	p.most, p.over = outerMost, outerQuery
	group := p.grouping(q)
	shown := q.Targets
	var b body
	var outputs, distinctKeys []string
	keyed := false
	for i, t := range shown {
		e := p.expr(t.Expr)
		e = p.wanted(t.Expr.Type(), e, want, i)
		outputs = append(outputs, p.output(t.Expr.Type(), e)+" AS "+outputName(i))
		key := p.key(t.Expr.Type(), e)
		keyed = keyed || key != e.sql
		distinctKeys = append(distinctKeys, key)
		b.scales = append(b.scales, e.scale)
	}
	if len(outputs) == 0 {
		// A query without outputs still has rows.
		outputs = []string{"NULL AS o0"}
	}
	distinct := ""
	switch {
	case len(q.DistinctOn) > 0:
		distinct = "DISTINCT ON (" + p.keys(q.DistinctOn) + ") "
	case q.Distinct && keyed:
		distinct = "DISTINCT ON (" + strings.Join(distinctKeys, ", ") + ") "
	case q.Distinct:
		distinct = "DISTINCT "
	}
	having := ""
	if q.Having != nil {
		p.seal(q.Having)
		having = " HAVING " + p.expr(q.Having).sql
	}
	b.sql = "SELECT " + distinct + strings.Join(outputs, ", ") + from + group + having
	if q.Distinct && len(q.OrderBy) > 0 {
		// What orders a DISTINCT is its outputs; outside they can be seen by name.
		b.sql = "SELECT * FROM (" + b.sql + ")"
	}
	if q.Ties {
		b.sql += p.ties(q, b.scales) + p.orderBy(q, b.scales)
		return b
	}
	b.sql += p.orderBy(q, b.scales)
	if position != "" {
		b.sql += ", " + position
	}
	b.sql += p.limit(q)
	return b
}

// mostOf is how many rows are read of what a query has in FROM, where that is one
// function and nothing but a constant LIMIT says which of its rows are wanted; 0: all.
func mostOf(q *planner.Query) int64 {
	if len(q.From) != 1 || q.Where != nil || q.Aggregated || q.Windowed() || q.Distinct || len(q.DistinctOn) > 0 || len(q.OrderBy) > 0 || q.Ties {
		return 0
	}
	if f, ok := q.From[0].(*planner.FunctionScan); !ok || !f.Listed || q.Limit == nil {
		return 0
	}
	limit, ok := constantInt(q.Limit)
	offset := int64(0)
	if q.Offset != nil {
		var isConstant bool
		offset, isConstant = constantInt(q.Offset)
		ok = ok && isConstant
	}
	if !ok || limit < 1 || offset < 0 || limit > math.MaxInt64-offset {
		return 0
	}
	return limit + offset
}

// mostRows is p.most as SQL.
func (p *printer) mostRows() string { return fmt.Sprintf("CAST(%d AS BIGINT)", p.most) }

// ties prints FETCH FIRST n ROWS WITH TIES: behind the offset, all rows that rank
// no later than the last of n.
func (p *printer) ties(q *planner.Query, scales []int) string {
	over := " OVER (" + strings.TrimSpace(p.orderBy(q, scales)) + ")"
	offset := "0"
	if q.Offset != nil {
		offset = p.rowCount(q.Offset, pgerrcode.InvalidRowCountInResultOffsetClause, "OFFSET")
	}
	last := offset + " + " + p.rowCount(q.Limit, pgerrcode.InvalidRowCountInLimitClause, "LIMIT")
	return " QUALIFY row_number()" + over + " > " + offset + " AND rank()" + over + " <= " + last
}

// output casts a shown column to the type its reader expects.
func (p *printer) output(t planner.Type, e printed) string {
	physicalType := physical(t.OID)
	if postgres.ElemOf(t.OID) != 0 && e.scale == asText {
		physicalType = "VARCHAR"
	}
	if t.OID == postgres.NumericOID && e.scale != asText {
		physicalType = fmt.Sprintf("DECIMAL(%d,%d)", decimalWidth, e.scale)
	}
	if physicalType == "" {
		p.fail(unsupported("type %s", t.OID))
	}
	return "CAST(" + e.sql + " AS " + physicalType + ")"
}

// wanted brings output i into the wanted form.
func (p *printer) wanted(t planner.Type, e printed, want []int, i int) printed {
	if want == nil {
		return e
	}
	return p.inForm(t, e, want[i])
}

// rescale brings a numeric into a form with at least its digits.
func (p *printer) rescale(e printed, scale int) printed {
	switch {
	case e.scale == scale:
		return e
	case scale == asText:
		return printed{"CAST(" + e.sql + " AS VARCHAR)", asText}
	}
	return printed{fmt.Sprintf("CAST(%s AS DECIMAL(%d,%d))", e.sql, decimalWidth, scale), scale}
}

// common brings values of a type into one form. It keeps each numeric's scale:
// decimals of different scales become text.
func (p *printer) common(t planner.Type, es []printed) []printed {
	if len(es) == 0 {
		return es
	}
	scale := es[0].scale
	for _, e := range es {
		if e.scale != scale {
			scale = asText
		}
	}
	out := make([]printed, len(es))
	for i, e := range es {
		out[i] = p.inForm(t, e, scale)
	}
	return out
}

func (p *printer) limit(q *planner.Query) string {
	text := ""
	if q.Limit != nil {
		text += " LIMIT " + p.rowCount(q.Limit, pgerrcode.InvalidRowCountInLimitClause, "LIMIT")
	}
	if q.Offset != nil {
		text += " OFFSET " + p.rowCount(q.Offset, pgerrcode.InvalidRowCountInResultOffsetClause, "OFFSET")
	}
	return text
}

func (p *printer) rowCount(e planner.Expr, code, clause string) string {
	if c, ok := e.(*planner.Const); ok {
		if c.Null {
			if clause == "OFFSET" {
				return "0"
			}
			return "NULL"
		}
		if n, ok := constantInt(c); ok {
			if n < 0 {
				p.fail(errorf(code, "%s must not be negative", clause))
			}
			return strconv.FormatInt(n, 10)
		}
	}
	s := p.expr(e).sql
	return fmt.Sprintf("(CASE WHEN %s < 0 THEN CAST(%s AS BIGINT) ELSE %s END)", s, raise(code, clause+" must not be negative"), s)
}

// raise is an expression that fails when it is evaluated. DuckDB's own error()
// is volatile, which keeps filters from being pushed down.
func raise(code, message string) string {
	return "fg_raise(" + quoteString(code) + ", " + quoteString(message) + ")"
}
