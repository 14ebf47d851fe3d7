package duckdb

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// A scan of a metric is a UNION ALL of branches. Each reads files or rows that
// have the same kinds of the names in use, so that a field that needs no
// coalesce there is a plain column, on which filters prune.

// branch is one SELECT of a scan.
type branch struct {
	from  string
	where []string
	// read gives the column of a physical name; absent ones are not read.
	read map[string]string
	// full are physical names, sorted, that have a value in every row.
	full []string
	// metric is the sent metric name of the rows.
	metric string
}

// scanBranch is where a conversion stands: it can name other fields.
type scanBranch struct {
	scan   *planner.MetricScan
	branch *branch
}

// absent is the form of a field that no row of a branch has.
const absent = -2

func (p *printer) metricScan(s *planner.MetricScan) string {
	var branches []*branch
	for _, d := range s.Splits {
		branches = append(branches, p.datasetBranches(s, d)...)
	}
	outputs := make([][]printed, len(branches))
	for i, b := range branches {
		for f := range s.Fields {
			outputs[i] = append(outputs[i], p.field(&s.Fields[f], s, b))
		}
	}
	scales := make([]int, len(s.Fields))
	for f := range s.Fields {
		scales[f] = commonScale(s.Fields[f].T, outputs, f)
	}
	if p.explains {
		p.explainFields(s)
	}
	var selects []string
	for i, b := range branches {
		selects = append(selects, p.branchSelect(s, b, outputs[i], scales))
	}
	if len(selects) == 0 {
		selects = append(selects, p.branchSelect(s, &branch{where: []string{"false"}}, absentFields(s), scales))
	}
	return "(" + strings.Join(selects, " UNION ALL ") + ") AS " + p.declareScan(s, scales)
}

func absentFields(s *planner.MetricScan) []printed {
	return slices.Repeat([]printed{{scale: absent}}, len(s.Fields))
}

// commonScale is the form of a field in all branches.
func commonScale(t planner.Type, outputs [][]printed, field int) int {
	if t.OID != postgres.NumericOID {
		return 0
	}
	scale := absent
	for _, o := range outputs {
		switch s := o[field].scale; {
		case s == absent || s == scale:
		case scale == absent:
			scale = s
		default:
			return asText
		}
	}
	if scale == absent {
		return asText
	}
	return scale
}

func (p *printer) branchSelect(s *planner.MetricScan, b *branch, outputs []printed, scales []int) string {
	var columns []string
	for f, o := range outputs {
		switch {
		case o.scale == absent && scales[f] > 0:
			o = printed{sql: fmt.Sprintf("CAST(NULL AS DECIMAL(%d,%d))", decimalWidth, scales[f])}
		case o.scale == absent:
			o = p.null(s.Fields[f].T)
		default:
			o = p.rescale(o, scales[f])
		}
		columns = append(columns, o.sql+" AS "+columnName(f))
	}
	for i := range p.hoisted.of(s) {
		columns = append(columns, constantName(i))
	}
	if len(columns) == 0 {
		columns = []string{"1 AS c1"}
	}
	text := "SELECT " + strings.Join(columns, ", ")
	if b.from != "" {
		text += " FROM " + b.from
	}
	if len(b.where) > 0 {
		text += " WHERE " + strings.Join(b.where, " AND ")
	}
	return text
}

// field prints one field of a branch.
func (p *printer) field(f *planner.ScanField, scan *planner.MetricScan, b *branch) printed {
	switch f.Builtin {
	case "":
	case sources.ColumnID:
		own := p.source(planner.SourceRead{Sent: sources.ColumnID}, f.T, scan, b)
		identity := "replace(CAST(" + b.read[sources.ColumnID] + " AS VARCHAR), '-', '')"
		if own.scale == absent {
			return printed{sql: identity}
		}
		return printed{sql: "coalesce(" + own.sql + ", " + identity + ")"}
	case planner.BuiltinMetric:
		return printed{sql: "CAST(" + quoteString(b.metric) + " AS VARCHAR)"}
	default:
		return printed{sql: b.read[f.Builtin]}
	}
	var reads []printed
	for _, s := range f.Sources {
		if r := p.source(s, f.T, scan, b); r.scale != absent {
			reads = append(reads, r)
		}
		if gives(s, f.T, b) {
			break // no later one has a say
		}
	}
	return p.firstOf(reads, f.T)
}

// gives says that a source has a value of the type in every row of a branch.
func gives(s planner.SourceRead, t planner.Type, b *branch) bool {
	if s.Convert != nil {
		return false
	}
	return slices.ContainsFunc(schema.Kinds[:], func(k schema.Kind) bool {
		_, full := slices.BinarySearch(b.full, sources.PhysicalName(s.Sent, k))
		return full && castAlways(kindType(k).OID, t.OID)
	})
}

// castAlways says that every value of one type has one in the other.
func castAlways(from, to postgres.OID) bool {
	return from == to || to == postgres.TextOID || from == postgres.Int8OID && to == postgres.Float8OID
}

// firstOf is the first value that is not NULL.
func (p *printer) firstOf(reads []printed, t planner.Type) printed {
	switch len(reads) {
	case 0:
		return printed{scale: absent}
	case 1:
		return reads[0]
	}
	reads = p.common(t, reads)
	last := len(reads) - 1
	if t.OID == postgres.Float8OID && !p.spells && !slices.ContainsFunc(reads, func(r printed) bool { return !isCheap(r.sql) }) {
		first := reads[last].sql
		for _, r := range slices.Backward(reads[:last]) {
			first = "fg_first(" + r.sql + ", " + first + ")"
		}
		return printed{sql: first}
	}
	if slices.ContainsFunc(reads[:last], func(r printed) bool { return !isColumn(r.sql) }) {
		return printed{"coalesce(" + join(reads) + ")", reads[0].scale}
	}
	// The same, in less time where many values of a column are NULL.
	var b strings.Builder
	b.WriteString("CASE")
	for _, r := range reads[:last] {
		b.WriteString(" WHEN " + r.sql + " IS NOT NULL THEN " + r.sql)
	}
	b.WriteString(" ELSE " + reads[last].sql + " END")
	return printed{b.String(), reads[0].scale}
}

// isColumn says that printed SQL is a quoted name and nothing more.
func isColumn(sql string) bool {
	return len(sql) > 2 && sql[0] == '"' && strings.IndexByte(sql[1:], '"') == len(sql)-2
}

// isCheap says that printed SQL of a double costs about as much as not to evaluate it
// for some rows, and never fails.
func isCheap(sql string) bool {
	cast, isCast := strings.CutPrefix(sql, "CAST(")
	column, toDouble := strings.CutSuffix(cast, " AS DOUBLE)")
	return isColumn(sql) || isCast && toDouble && isColumn(column) || strings.HasPrefix(sql, "fg_line(")
}

// source prints one source of a field: what is there of the sent name, converted
// and cast.
func (p *printer) source(s planner.SourceRead, t planner.Type, scan *planner.MetricScan, b *branch) printed {
	value := func(t planner.Type) printed {
		var reads []printed
		for _, k := range schema.Kinds {
			column, ok := b.read[sources.PhysicalName(s.Sent, k)]
			if !ok {
				continue
			}
			if r := p.readAs(printed{sql: column}, kindType(k), t); r.scale != absent {
				reads = append(reads, r)
			}
		}
		return p.firstOf(reads, t)
	}
	if s.Convert == nil {
		return value(t)
	}
	var sent []string
	for _, k := range schema.Kinds {
		if column, ok := b.read[sources.PhysicalName(s.Sent, k)]; ok {
			sent = append(sent, column+" IS NOT NULL")
		}
	}
	if len(sent) == 0 {
		return printed{scale: absent}
	}
	outer, within := p.value, p.within
	p.within = &scanBranch{scan, b}
	p.value = func(t planner.Type) printed {
		v := value(t)
		if v.scale == absent {
			return p.null(t)
		}
		if s.Guard {
			sent = []string{v.sql + " IS NOT NULL"}
		}
		return v
	}
	converted, ok := p.line(s.Convert)
	if !ok {
		converted = p.expr(s.Convert)
		converted.sql = "TRY(" + converted.sql + ")"
	}
	p.value, p.within = outer, within
	if s.Guard {
		converted.sql = "(CASE WHEN " + strings.Join(sent, " OR ") + " THEN " + converted.sql + " END)"
	}
	return p.cast(converted, s.Convert.Type(), t, true, true)
}

// lineOperators are the steps of scalar.c of an operator with a constant on the right,
// and on the left; 0: none.
var lineOperators = map[string][2]int32{"+": {1, 1}, "-": {2, 5}, "*": {3, 3}, "/": {4, 0}}

// line prints a conversion that is a chain of arithmetic of `value` and constants:
// one pass over the values, with NULL for what is an error. Operator by operator,
// and TRY, take three times as long.
func (p *printer) line(e planner.Expr) (printed, bool) {
	var steps []*planner.Op
	for {
		op, ok := e.(*planner.Op)
		if !ok {
			break
		}
		steps = append(steps, op)
		e = op.Left
		if isConstant(op.Left) {
			e = op.Right
		}
	}
	value, ok := e.(*planner.SentValue)
	if !ok || value.T.OID != postgres.Float8OID {
		return printed{}, false
	}
	slices.Reverse(steps) // the innermost is the first step
	var chain lineSteps
	if len(steps) == 0 || len(steps) > len(chain.ops) {
		return printed{}, false
	}
	sent := p.expr(value).sql
	text := sent
	for i, op := range steps {
		constant, side := op.Right, 0
		if isConstant(op.Left) {
			constant, side = op.Left, 1
		}
		c, ok := constantFloat(constant)
		chain.ops[i], chain.constants[i] = lineOperators[op.Operator.Name][side], c
		if chain.ops[i] == 0 || !ok || op.T.OID != postgres.Float8OID {
			return printed{}, false
		}
		operands := []string{text, strconv.FormatFloat(c, 'g', -1, 64)}
		if side == 1 {
			slices.Reverse(operands)
		}
		text = "(" + operands[0] + " " + op.Operator.Name + " " + operands[1] + ")"
	}
	if p.spells {
		return printed{sql: text}, true
	}
	number, ok := chain.number()
	return printed{sql: fmt.Sprintf("fg_line(%s, CAST(%d AS SMALLINT))", sent, number)}, ok
}

// isConstant says that an expression is a constant, but for a cast.
func isConstant(e planner.Expr) bool {
	if c, ok := e.(*planner.Cast); ok {
		e = c.Arg
	}
	c, ok := e.(*planner.Const)
	return ok && !c.Null
}

// constantFloat is the value of a constant of type double precision, which may be cast
// from another type of number.
func constantFloat(e planner.Expr) (float64, bool) {
	if e.Type().OID != postgres.Float8OID {
		return 0, false
	}
	if c, ok := e.(*planner.Cast); ok {
		e = c.Arg
	}
	c, ok := e.(*planner.Const)
	if !ok || c.Null {
		return 0, false
	}
	switch c.Value.Kind {
	case postgres.FloatKind:
		return c.Value.Float, true
	case postgres.IntKind:
		return float64(c.Value.Int), true
	case postgres.NumericKind:
		f, err := strconv.ParseFloat(c.Value.Str, 64)
		return f, err == nil && (f != 0 || strings.Trim(c.Value.Str, "-0.") == "")
	}
	return 0, false
}

// kindType is PostgreSQL's type of the values of a kind.
func kindType(k schema.Kind) planner.Type {
	t := planner.Type{Typmod: -1}
	switch k {
	case schema.KindInt:
		t.OID = postgres.Int8OID
	case schema.KindNumber:
		t.OID = postgres.Float8OID
	case schema.KindBool:
		t.OID = postgres.BoolOID
	case schema.KindJSON:
		t.OID = postgres.JSONOID
	default:
		t.OID = postgres.TextOID
	}
	return t
}

// readAs casts what a device sent to a declared type. A cast that PostgreSQL
// does not have gives nothing; json, which it casts by its text, takes numbers
// and truth values too, and a truth value may have been sent as a number. JSON has no
// bytes: they are sent as text in base64, or as PostgreSQL writes them in hexadecimal.
func (p *printer) readAs(v printed, from, to planner.Type) printed {
	if to.OID == postgres.ByteaOID && from.OID == postgres.TextOID {
		hex := p.cast(v, from, to, true, true)
		return printed{sql: "(CASE WHEN starts_with(" + v.sql + `, '\x') THEN ` + hex.sql + " ELSE TRY(fg_decode(" + v.sql + ", 'base64')) END)"}
	}
	if to.OID == postgres.BoolOID && (from.OID == postgres.Int8OID || from.OID == postgres.Float8OID) {
		return truthOfNumber(v)
	}
	if to.OID == postgres.JSONOID || to.OID == postgres.JSONBOID {
		if from.OID != postgres.TextOID && from.OID != postgres.JSONOID {
			v = p.cast(v, from, planner.Type{OID: postgres.TextOID, Typmod: -1}, true, true)
			from = planner.Type{OID: postgres.TextOID, Typmod: -1}
		}
	} else if _, ok := postgres.FindPathway(from.OID, to.OID, postgres.Explicit); !ok {
		return printed{scale: absent}
	}
	return p.cast(v, from, to, true, true)
}

// truthOfNumber reads a number as PostgreSQL casts an integer that stands in SQL, where
// one of 32 bits is false if it is 0. What is no such integer gives NULL.
func truthOfNumber(v printed) printed {
	return printed{sql: fmt.Sprintf("(CASE WHEN %[1]s = trunc(%[1]s) AND %[1]s BETWEEN %[2]d AND %[3]d THEN %[1]s <> 0 END)",
		v.sql, math.MinInt32, math.MaxInt32)}
}

// explainFields notes what each field is read as where every name that any split
// has is present.
func (p *printer) explainFields(s *planner.MetricScan) {
	all := &branch{read: map[string]string{}, metric: s.Name}
	for _, c := range builtinColumns {
		all.read[c] = c
	}
	if s.Splits == nil && converts(s) { // not to run: what could be there is printed, for its faults
		for _, c := range usedBy(s).names {
			all.read[c] = quoteName(c)
		}
	}
	u := usedBy(s)
	for _, d := range s.Splits {
		known := map[columnLists]bool{}
		for _, split := range d.Splits {
			if split.File == nil {
				for _, c := range u.present(batchColumns(split.Batch.Batch)) {
					all.read[c] = quoteName(c)
				}
				continue
			}
			lists := listsOf(split.File)
			if known[lists] {
				continue
			}
			known[lists] = true
			for _, columns := range [][]string{split.File.Columns, split.File.More} {
				for _, c := range u.present(columns) {
					all.read[c] = quoteName(c)
				}
			}
		}
	}
	p.spells = true
	defer func() { p.spells = false }()
	var out []string
	for f := range s.Fields {
		e := p.field(&s.Fields[f], s, all)
		if e.scale == absent {
			e.sql = "NULL"
		}
		out = append(out, e.sql)
	}
	p.fields[s.Label()] = out
}

func converts(s *planner.MetricScan) bool {
	return slices.ContainsFunc(s.Fields, func(f planner.ScanField) bool {
		return slices.ContainsFunc(f.Sources, func(r planner.SourceRead) bool { return r.Convert != nil })
	})
}

// batchColumns are the physical names of a batch, sorted.
func batchColumns(b *sources.Batch) []string {
	names := make([]string, len(b.Columns))
	for i := range b.Columns {
		names[i] = b.Columns[i].Name
	}
	return sorted(names)
}
