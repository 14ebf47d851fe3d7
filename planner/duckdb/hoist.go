package duckdb

import (
	"fmt"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// maxHoistedRows bounds the rows for which constants are hoisted: with more, the
// columns of constants cost more than planning.
const maxHoistedRows = 64 << 10

// maxHoisted bounds the constants that are hoisted, or parameters: DuckDB makes an
// IN of many comparisons only if it sees what they compare with.
const maxHoisted = 16

// maxHoistedWhole bounds the rows in batches that are read as a whole: more are read
// faster from a table, which has no such columns, though the statement is then planned
// whenever it runs.
const maxHoistedWhole = 2 * copyLeast

// maxFewFiles is how many files a statement reads at most that is kept prepared: its
// text names them.
const maxFewFiles = 16

// fewFiles is the scan of a plan that is one query over it, of which few files are
// read. Its text is the same for other constants, which are its parameters.
func fewFiles(plan *planner.Plan) *planner.MetricScan {
	scan, ok := onlyScan(plan.Query)
	if !ok || len(plan.Metrics) != 1 {
		return nil
	}
	files := 0
	for _, d := range scan.Splits {
		for _, split := range d.Splits {
			if split.File != nil {
				files++
			}
		}
	}
	if files == 0 || files > maxFewFiles {
		return nil
	}
	return scan
}

// hoisted are the constants that a condition compares with, as columns of the
// rows that are read: then the statement has the same text whatever they are, and
// is planned once. Only batches can bring columns, and only one scan does.
type hoisted struct {
	scan      *planner.MetricScan
	constants []*planner.Const
}

func (h *hoisted) of(s *planner.MetricScan) []*planner.Const {
	if h.scan != s {
		return nil
	}
	return h.constants
}

func constantName(i int) string { return fmt.Sprintf("k%d", i+1) }

// hoist finds the constants of a query over one scan of batches alone.
func (p *printer) hoist(q *planner.Query) {
	scan, ok := onlyScan(q)
	if !ok || !isSmall(scan) {
		return
	}
	if found := comparedWith(q.Where); len(found) > 0 {
		p.hoisted = hoisted{scan, found}
	}
}

// onlyScan is the scan that is all a query has in FROM.
func onlyScan(q *planner.Query) (*planner.MetricScan, bool) {
	if len(q.From) != 1 {
		return nil, false
	}
	scan, ok := q.From[0].(*planner.MetricScan)
	return scan, ok
}

// comparedWith are the constants that a condition compares with and that can be
// columns or parameters.
func comparedWith(where planner.Expr) []*planner.Const {
	var found []*planner.Const
	if where == nil || !constantsOf(where, &found) || len(found) > maxHoisted {
		return nil
	}
	return found
}

// isSmall says that a scan reads some rows in batches, not many, and no file.
func isSmall(s *planner.MetricScan) bool {
	rows, whole := 0, 0
	for _, d := range s.Splits {
		for _, split := range d.Splits {
			switch {
			case split.File != nil:
				return false
			case split.Batch.Select != nil:
				rows += len(split.Batch.Select)
			default:
				rows += split.Batch.Batch.Rows
			}
			if mayCopy(split.Batch) {
				whole += split.Batch.Batch.Rows
			}
		}
	}
	return rows > 0 && rows <= maxHoistedRows && whole < maxHoistedWhole
}

// constantsOf gathers the constants that a condition compares columns and what is
// made of them with. It is false for a condition that has queries in it.
func constantsOf(e planner.Expr, found *[]*planner.Const) bool {
	switch e := e.(type) {
	case *planner.Logic:
		for _, arg := range e.Args {
			if !constantsOf(arg, found) {
				return false
			}
		}
	case *planner.Op:
		left := e.Left
		if cast, ok := left.(*planner.Cast); ok {
			left = cast.Arg
		}
		c, ok := e.Right.(*planner.Const)
		if _, plain := left.(*planner.Column); ok && plain && isComparison(e.Operator.Name) && canHoist(c) {
			*found = append(*found, c)
		}
	case *planner.Subquery:
		return false
	}
	return true
}

// canHoist says that a constant can be a column: it has one of the types whose
// values in DuckDB are those in Go.
func canHoist(c *planner.Const) bool {
	switch c.T.OID {
	case postgres.TextOID:
		return !c.Null && c.Value.Kind == postgres.TextKind
	case postgres.Int8OID:
		return !c.Null && c.Value.Kind == postgres.IntKind
	case postgres.Float8OID:
		return !c.Null && c.Value.Kind == postgres.FloatKind
	case postgres.TimestampOID, postgres.TimestampTZOID:
		return !c.Null && c.Value.Int != postgres.TimestampInfinity && c.Value.Int != postgres.TimestampNegativeInfinity
	}
	return false
}

// where prints the WHERE of a query whose FROM is printed.
func (p *printer) where(q *planner.Query) string {
	scan, ok := onlyScan(q)
	switch {
	case ok && scan == p.hoisted.scan:
		p.standIns = make(map[*planner.Const]string, len(p.hoisted.constants))
		for i, c := range p.hoisted.constants {
			p.standIns[c] = p.relations[scan].name + "." + constantName(i)
		}
	case ok && scan == p.few:
		p.standIns = map[*planner.Const]string{}
		for _, c := range comparedWith(q.Where) {
			p.parameters = append(p.parameters, c)
			p.standIns[c] = fmt.Sprintf("CAST($%d AS %s)", len(p.parameters), physical(c.T.OID))
		}
	}
	defer func() { p.standIns = nil }()
	p.seal(q.Where)
	return p.expr(q.Where).sql
}

// declareScan is declare with the constants' columns.
func (p *printer) declareScan(s *planner.MetricScan, scales []int) string {
	constants := p.hoisted.of(s)
	if len(constants) == 0 {
		return p.declare(s, scales)
	}
	name := p.name("t")
	p.relations[s] = relation{name: name, columns: scales}
	list := ""
	for i := range s.Columns() {
		list += columnName(i) + ", "
	}
	for i := range constants {
		list += constantName(i) + ", "
	}
	return name + "(" + list[:len(list)-2] + ")"
}

// fillConstant gives n rows the value of a constant that canHoist.
func fillConstant(into bindings.Vector, n int, c *planner.Const) {
	switch c.T.OID {
	case postgres.TextOID:
		offsets, text := make([]uint32, 1, n+1), make([]byte, 0, n*len(c.Value.Str))
		for range n {
			text = append(text, c.Value.Str...)
			offsets = append(offsets, uint32(len(text)))
		}
		assignStrings(into, 0, n, offsets, text, nil)
	case postgres.Float8OID:
		repeat(values[float64](into, n), c.Value.Float)
	default:
		repeat(values[int64](into, n), c.Value.Int)
	}
}

func repeat[T any](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}
