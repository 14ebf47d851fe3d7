package planner

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// The steps of PostgreSQL's indentation.
const (
	indentClause = 8
	indentJoin   = 4
	indentItem   = 4
	indentLimit  = 40
)

// viewPrinter prints a view's query as PostgreSQL's pg_get_viewdef does: over lines, and
// with parentheses only where they are needed if it is pretty.
type viewPrinter struct {
	out    strings.Builder
	indent int
	pretty bool
	// wrap is the length beyond which lists go on on another line; 0: each item has its
	// own, less: none has.
	wrap  int
	path  []string
	env   postgres.Env
	names [][]string // of the relations of the queries around
	ctes  [][]string
	// windows are those that have a name, of the query.
	windows []*viewWindow
}

func (p *viewPrinter) text(s string) { p.out.WriteString(s) }

// trim takes the spaces away that the text ends in.
func (p *viewPrinter) trim() {
	s := p.out.String()
	if trimmed := strings.TrimRight(s, " "); len(trimmed) != len(s) {
		p.out.Reset()
		p.out.WriteString(trimmed)
	}
}

// keyword begins a line.
func (p *viewPrinter) keyword(s string, before, after, plus int) {
	p.indent += before
	p.trim()
	amount := max(p.indent, 0) + plus
	if p.indent >= indentLimit {
		amount = (indentLimit+(p.indent-indentLimit)/(indentClause/2))%indentLimit + plus
	}
	p.text("\n" + strings.Repeat(" ", amount) + s)
	p.indent = max(p.indent+after, 0)
}

// clause begins a clause of a query.
func (p *viewPrinter) clause(s string, plus int) { p.keyword(s, -indentClause, indentClause, plus) }

// apart prints into a text of its own.
func (p *viewPrinter) apart(write func()) string {
	outer := p.out.String()
	p.out.Reset()
	write()
	inner := p.out.String()
	p.out.Reset()
	p.out.WriteString(outer)
	return inner
}

// lineLength is how much stands on the last line.
func (p *viewPrinter) lineLength() int {
	s := p.out.String()
	return len(s) - strings.LastIndexByte(s, '\n') - 1
}

// query prints a query whose outputs have the names of columns, or nil: their own. One
// that is not visible need not say what they are called.
func (p *viewPrinter) query(q *viewQuery, columns []string, visible bool) {
	indent, windows := p.indent, p.windows
	p.windows = q.windows
	p.assign(q)
	p.with(q)
	if q.set != nil {
		p.set(q.set, columns, visible)
	} else {
		p.basic(q, columns, visible)
	}
	if len(q.order) > 0 {
		p.clause(" ORDER BY ", 1)
		p.sorts(q.order, q.set != nil)
	}
	if q.offset != nil {
		p.clause(" OFFSET ", 0)
		p.expr(q.offset, false)
	}
	if q.limit != nil && q.ties {
		p.clause(" FETCH FIRST (", 0)
		p.expr(q.limit, false)
		p.text(") ROWS WITH TIES")
	} else if q.limit != nil {
		p.clause(" LIMIT ", 0)
		if q.limit.kind == constView && q.limit.value.Null {
			p.text("ALL")
		} else {
			p.expr(q.limit, false)
		}
	}
	p.names, p.ctes = p.names[:len(p.names)-1], p.ctes[:len(p.ctes)-1]
	p.indent, p.windows = indent, windows
}

// assign gives the query's relations names that none around has.
func (p *viewPrinter) assign(q *viewQuery) {
	var own []string
	if len(p.names) == 0 {
		own = []string{"old", "new"} // of the view's rule
	}
	taken := func(name string) bool {
		return slices.Contains(own, name) || slices.ContainsFunc(p.names, func(names []string) bool { return slices.Contains(names, name) })
	}
	for _, r := range q.rels {
		base := r.alias
		if base == "" {
			base = r.name
		}
		r.assigned = base
		for n := 1; base != "" && taken(r.assigned); n++ {
			suffix := "_" + strconv.Itoa(n)
			r.assigned = cutName(base[:min(len(base), maxIdentifier-len(suffix))]) + suffix
		}
		if base != "" {
			own = append(own, r.assigned)
		}
	}
	p.names = append(p.names, own)
	var ctes []string
	for _, c := range q.ctes {
		ctes = append(ctes, c.name)
	}
	p.ctes = append(p.ctes, ctes)
}

func (p *viewPrinter) with(q *viewQuery) {
	if len(q.ctes) == 0 {
		return
	}
	p.indent += indentClause
	p.text(" WITH ")
	if q.recursive {
		p.text("RECURSIVE ")
	}
	for i, c := range q.ctes {
		if i > 0 {
			p.text(", ")
		}
		p.text(postgres.QuoteIdentifier(c.name))
		p.columns(c.columns)
		p.text(" AS " + c.materialized + "(")
		p.keyword("", 0, 0, 0)
		p.query(c.query, nil, true)
		p.keyword("", 0, 0, 0)
		p.text(")")
	}
	p.indent -= indentClause
	p.keyword("", 0, 0, 0)
}

func (p *viewPrinter) columns(names []string) {
	if len(names) == 0 {
		return
	}
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = postgres.QuoteIdentifier(n)
	}
	p.text("(" + strings.Join(quoted, ", ") + ")")
}

// set prints a set operation. Around one in another there are parentheses, unless it
// is the same on the left.
func (p *viewPrinter) set(s *viewSet, columns []string, visible bool) {
	left := bareSet(s.left)
	enclosed := left != nil && (left.word != s.word || left.all != s.all)
	if enclosed {
		p.text("(")
		p.keyword("", indentClause, 0, 0)
	}
	p.operand(s.left, columns, visible)
	if enclosed {
		p.keyword(") ", -indentClause, 0, 0)
	} else {
		p.keyword("", 0, 0, 0)
	}
	p.text(s.word + " ")
	if s.all {
		p.text("ALL ")
	}
	if bareSet(s.right) == nil {
		p.keyword("", 0, 0, 0)
		p.operand(s.right, columns, false)
		return
	}
	p.text("(")
	p.keyword("", indentClause, 0, 0)
	p.operand(s.right, columns, false)
	p.indent -= indentClause
	p.keyword(")", 0, 0, 0)
}

// bareSet is the set operation that a side is, if it has no clauses of its own.
func bareSet(q *viewQuery) *viewSet {
	if len(q.ctes) > 0 || len(q.order) > 0 || q.limit != nil || q.offset != nil {
		return nil
	}
	return q.set
}

func (p *viewPrinter) operand(q *viewQuery, columns []string, visible bool) {
	if s := bareSet(q); s != nil {
		p.set(s, columns, visible)
		return
	}
	enclosed := len(q.ctes) > 0 || len(q.order) > 0 || q.limit != nil || q.offset != nil
	if enclosed {
		p.text("(")
	}
	p.query(q, columns, visible)
	if enclosed {
		p.text(")")
	}
}

// basic prints SELECT … up to WINDOW, or VALUES.
func (p *viewPrinter) basic(q *viewQuery, columns []string, visible bool) {
	p.indent += indentClause
	p.text(" ")
	if q.values != nil && p.isPlainValues(q, columns) {
		p.values(q.values)
		return
	}
	p.text("SELECT")
	switch {
	case q.distinctOn != nil:
		p.text(" DISTINCT ON (")
		for i, e := range q.distinctOn {
			if i > 0 {
				p.text(", ")
			}
			p.key(e)
		}
		p.text(")")
	case q.distinct:
		p.text(" DISTINCT")
	}
	p.targets(q, columns, visible)
	for i, f := range q.from {
		if i == 0 {
			p.clause(" FROM ", 2)
			p.from(f)
			continue
		}
		p.text(", ")
		text := p.apart(func() { p.from(f) })
		switch {
		case p.wrap < 0:
		case strings.HasPrefix(text, "\n"):
			p.trim()
		case p.lineLength()+len(text) > p.wrap:
			p.clause("", indentItem)
		}
		p.text(text)
	}
	if q.where != nil {
		p.clause(" WHERE ", 1)
		p.expr(q.where, false)
	}
	if len(q.groupBy) > 0 {
		p.clause(" GROUP BY ", 1)
		if q.groupOnce {
			p.text("DISTINCT ")
		}
		p.groups(q.groupBy, true)
	}
	if q.having != nil {
		p.clause(" HAVING ", 0)
		p.expr(q.having, false)
	}
	for i, w := range q.windows {
		if i == 0 {
			p.clause(" WINDOW ", 1)
		} else {
			p.text(", ")
		}
		p.text(postgres.QuoteIdentifier(w.name) + " AS ")
		p.window(w)
	}
}

// isPlainValues says that the outputs of VALUES have the names that VALUES gives.
func (p *viewPrinter) isPlainValues(q *viewQuery, columns []string) bool {
	for i := range q.targets {
		if columns != nil && columns[i] != valuesName(i) {
			return false
		}
	}
	return true
}

func (p *viewPrinter) values(rows [][]*viewExpr) {
	p.text("VALUES ")
	for i, row := range rows {
		if i > 0 {
			p.text(", ")
		}
		p.text("(")
		for k, e := range row {
			if k > 0 {
				p.text(",")
			}
			p.expr(e, false)
		}
		p.text(")")
	}
}

func (p *viewPrinter) targets(q *viewQuery, columns []string, visible bool) {
	severalLines := false
	for i, t := range q.targets {
		if i == 0 {
			p.text(" ")
		} else {
			p.text(", ")
		}
		text := p.apart(func() {
			given := ""
			if t.expr.kind == varView {
				p.expr(t.expr, true)
				given = t.expr.name
			} else {
				p.expr(t.expr, true)
				if !visible {
					given = "?column?"
				}
			}
			name := t.name
			if columns != nil {
				name = columns[i]
			}
			if given != name {
				p.text(" AS " + postgres.QuoteIdentifier(name))
			}
		})
		if p.wrap >= 0 {
			switch {
			case strings.HasPrefix(text, "\n"):
				p.trim()
				severalLines = strings.Contains(text[1:], "\n")
			default:
				if i > 0 && (p.lineLength()+len(text) > p.wrap || severalLines) {
					p.clause("", indentItem)
				}
				severalLines = strings.Contains(text, "\n")
			}
		}
		p.text(text)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (p *viewPrinter) groups(list []viewGroup, bare bool) {
	for i, g := range list {
		if i > 0 {
			p.text(", ")
		}
		p.group(g, bare)
	}
}

// group prints an item of GROUP BY; bare: a single expression has no parentheses.
func (p *viewPrinter) group(g viewGroup, bare bool) {
	inner := true
	switch g.kind {
	case groupPlain, groupSimple:
		enclosed := g.kind == groupSimple && (!bare || len(g.exprs) != 1)
		p.text(strings.Repeat("(", btoi(enclosed)))
		for i, e := range g.exprs {
			if i > 0 {
				p.text(", ")
			}
			p.key(e)
		}
		p.text(strings.Repeat(")", btoi(enclosed)))
		return
	case groupEmpty:
		p.text("()")
		return
	case groupRollup:
		p.text("ROLLUP(")
	case groupCube:
		p.text("CUBE(")
	case groupSets:
		p.text("GROUPING SETS (")
		inner = false
	}
	p.groups(g.sets, inner)
	p.text(")")
}

// key prints an expression that is sorted or grouped by.
func (p *viewPrinter) key(e *viewExpr) {
	switch e.kind {
	case varView:
		p.expr(e, true)
	case constView:
		p.constant(e.value, labelled)
	default:
		enclosed := p.pretty || e.kind == callView || e.kind == syntaxView || e.kind == aggregateView || e.kind == windowView ||
			e.kind == castView && !isRelabel(e)
		p.text(strings.Repeat("(", btoi(enclosed)))
		p.expr(e, true)
		p.text(strings.Repeat(")", btoi(enclosed)))
	}
}

func (p *viewPrinter) sorts(keys []viewSort, numbers bool) {
	for i, k := range keys {
		if i > 0 {
			p.text(", ")
		}
		if numbers && k.output > 0 {
			p.text(strconv.Itoa(k.output))
		} else {
			p.key(k.expr)
		}
		switch {
		case !k.desc && k.nullsFirst:
			p.text(" NULLS FIRST")
		case k.desc && !k.nullsFirst:
			p.text(" DESC NULLS LAST")
		case k.desc:
			p.text(" DESC")
		}
	}
}

func (p *viewPrinter) window(w *viewWindow) {
	var parts []string
	if w.base != "" {
		parts = append(parts, postgres.QuoteIdentifier(w.base))
	}
	if len(w.partition) > 0 {
		parts = append(parts, p.apart(func() {
			p.text("PARTITION BY ")
			for i, e := range w.partition {
				if i > 0 {
					p.text(", ")
				}
				p.key(e)
			}
		}))
	}
	if len(w.order) > 0 {
		parts = append(parts, p.apart(func() {
			p.text("ORDER BY ")
			p.sorts(w.order, false)
		}))
	}
	if w.frame != "" {
		end := func(e *viewExpr, words string) string {
			if e == nil {
				return words
			}
			return p.apart(func() { p.expr(e, false) }) + " " + words
		}
		frame := w.frame + " "
		if w.between {
			frame += "BETWEEN " + end(w.startOff, w.start) + " AND " + end(w.endOff, w.end)
		} else {
			frame += end(w.startOff, w.start)
		}
		if w.exclude != "" {
			frame += " EXCLUDE " + w.exclude
		}
		parts = append(parts, frame)
	}
	p.text("(" + strings.Join(parts, " ") + ")")
}
