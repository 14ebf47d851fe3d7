package planner

import (
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// How a constant is printed: with its type where it would be read as another, always,
// or never.
type label int

const (
	labelNeeded label = iota
	labelled
	unlabelled
)

// expr prints an expression; a cast that nobody wrote is shown if implicit.
func (p *viewPrinter) expr(e *viewExpr, implicit bool) {
	open := func(yes bool) func() {
		p.text(strings.Repeat("(", btoi(yes)))
		return func() { p.text(strings.Repeat(")", btoi(yes))) }
	}
	switch e.kind {
	case varView:
		if e.rel != nil && e.rel.assigned != "" {
			p.text(postgres.QuoteIdentifier(e.rel.assigned) + ".")
		}
		p.text(postgres.QuoteIdentifier(e.name))
	case constView:
		p.constant(e.value, labelNeeded)
	case wordView:
		p.text(e.name)
	case opView, distinctView, arrayOpView, testView:
		defer open(!p.pretty)()
		p.operation(e)
	case boolView:
		defer open(!p.pretty)()
		if e.name == "NOT" {
			p.text("NOT ")
			p.part(e.args[0], false, e)
			return
		}
		for i, a := range e.args {
			if i > 0 {
				p.text(" " + e.name + " ")
			}
			p.part(a, false, e)
		}
	case castView:
		if e.implicit && !implicit {
			p.part(e.args[0], false, e)
			return
		}
		p.cast(e)
	case caseView:
		p.caseExpr(e)
	case arrayView:
		p.text("ARRAY[")
		p.list(e.args)
		p.text("]")
		if len(e.args) == 0 {
			p.text("::" + viewTypeText(e.t))
		}
	case rowView:
		p.text("ROW(")
		p.list(e.args)
		p.text(")")
	case rowCompareView:
		defer open(true)()
		p.expr(e.args[0], true)
		p.text(" " + e.name + " ")
		p.expr(e.args[1], true)
	case keywordCallView:
		p.text(e.name + "(")
		p.list(e.args)
		p.text(")")
	case subscriptView:
		p.subscripts(e, implicit)
	case collateView:
		defer open(!p.pretty)()
		p.part(e.args[0], implicit, e)
		p.text(" COLLATE " + postgres.QuoteIdentifier(e.name))
	case queryView:
		p.subquery(e)
	case syntaxView:
		if !p.syntax(e) {
			p.call(e)
		}
	default:
		p.call(e)
	}
}

func (p *viewPrinter) list(args []*viewExpr) {
	for i, a := range args {
		if i > 0 {
			p.text(", ")
		}
		p.expr(a, true)
	}
}

// part prints an operand, in parentheses where they are needed and no others are.
func (p *viewPrinter) part(e *viewExpr, implicit bool, of *viewExpr) {
	enclosed := p.pretty && !isSimple(e, of)
	p.text(strings.Repeat("(", btoi(enclosed)))
	p.expr(e, implicit)
	p.text(strings.Repeat(")", btoi(enclosed)))
}

func (p *viewPrinter) operation(e *viewExpr) {
	switch e.kind {
	case testView:
		p.part(e.args[0], e.explicitly, e)
		p.text(" " + e.name)
	case arrayOpView:
		p.part(e.args[0], true, e)
		p.text(" " + e.name + " (")
		p.part(e.args[1], true, e)
		if r := e.args[1]; r.kind == queryView && r.subquery == SubqueryScalar {
			p.text("::" + viewTypeText(r.t))
		}
		p.text(")")
	default:
		if len(e.args) == 1 {
			p.text(e.name + " ")
			p.part(e.args[0], true, e)
			return
		}
		p.part(e.args[0], true, e)
		p.text(" " + e.name + " ")
		p.part(e.args[1], true, e)
	}
}

func viewTypeText(t Type) string { return postgres.FormatType(t.OID, t.Typmod) }

func (p *viewPrinter) cast(e *viewExpr) {
	arg := e.args[0]
	if arg.kind == constView && arg.t.OID == e.t.OID && arg.t.Typmod < 0 {
		p.constant(arg.value, unlabelled)
	} else {
		p.text(strings.Repeat("(", btoi(!p.pretty)))
		p.part(arg, false, e)
		p.text(strings.Repeat(")", btoi(!p.pretty)))
	}
	p.text("::" + viewTypeText(e.t))
}

func (p *viewPrinter) constant(c *Const, l label) {
	if c.Null {
		p.text("NULL")
		if l != unlabelled {
			p.text("::" + viewTypeText(c.T))
		}
		return
	}
	text := c.Value.Str
	if c.T.OID != postgres.UnknownOID {
		text = string(postgres.AppendText(nil, c.T.OID, c.Value, p.env))
	}
	typed := true
	switch {
	case c.T.OID == postgres.BoolOID:
		text, typed = map[string]string{"t": "true", "f": "false"}[text], false
	case c.T.OID == postgres.UnknownOID:
		text, typed = quoteLiteral(text), false
	case c.T.OID == postgres.Int4OID && text[0] != '-':
		typed = false
	case c.T.OID == postgres.NumericOID && text[0] >= '0' && text[0] <= '9' && strings.ContainsAny(text, "eE."):
		typed = c.T.Typmod >= 0
	default:
		text = quoteLiteral(text)
	}
	p.text(text)
	if l == labelled || typed && l == labelNeeded {
		p.text("::" + viewTypeText(c.T))
	}
}

// quoteLiteral writes a text as SQL reads it.
func quoteLiteral(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

func (p *viewPrinter) caseExpr(e *viewExpr) {
	p.keyword("CASE", 0, indentItem, 0)
	if e.upper != nil {
		p.text(" ")
		p.expr(e.upper[0], true)
	}
	last := len(e.args) - 1
	for i := 0; i < last; i += 2 {
		p.keyword("WHEN ", 0, 0, 0)
		p.expr(e.args[i], false)
		p.text(" THEN ")
		p.expr(e.args[i+1], true)
	}
	p.keyword("ELSE ", 0, 0, 0)
	p.expr(e.args[last], true)
	p.keyword("END", -indentItem, 0, 0)
}

func (p *viewPrinter) subscripts(e *viewExpr, implicit bool) {
	enclosed := e.args[0].kind != varView
	p.text(strings.Repeat("(", btoi(enclosed)))
	p.expr(e.args[0], implicit)
	p.text(strings.Repeat(")", btoi(enclosed)))
	for i, lower := range e.args[1:] {
		p.text("[")
		if lower != nil {
			p.expr(lower, false)
		}
		if e.slice {
			p.text(":")
			if e.upper[i] != nil {
				p.expr(e.upper[i], false)
			}
		}
		p.text("]")
	}
}

func (p *viewPrinter) subquery(e *viewExpr) {
	word, enclosed := "", true
	switch e.subquery {
	case SubqueryArray:
		p.text("ARRAY")
		enclosed = false
	case SubqueryScalar:
		enclosed = false
	case SubqueryExists:
		word = "EXISTS "
	case SubqueryAny:
		word = " " + e.name + " ANY "
		if e.name == "=" {
			word = " IN "
		}
	case SubqueryAll:
		word = " " + e.name + " ALL "
	}
	p.text("(")
	if len(e.args) == 1 {
		p.expr(e.args[0], true)
	} else if len(e.args) > 1 {
		p.text("(")
		p.list(e.args)
		p.text(")")
	}
	p.text(word + strings.Repeat("(", btoi(enclosed)))
	p.query(e.query, nil, false)
	p.text(")" + strings.Repeat(")", btoi(enclosed)))
}

func (p *viewPrinter) call(e *viewExpr) {
	p.text(postgres.QuoteIdentifier(e.name) + "(")
	if e.distinct {
		p.text("DISTINCT ")
	}
	if e.star {
		p.text("*")
	}
	for i, a := range e.args {
		if i > 0 {
			p.text(", ")
		}
		if n := i - (len(e.args) - len(e.argNames)); n >= 0 {
			p.text(postgres.QuoteIdentifier(e.argNames[n]) + " => ")
		}
		if e.variadic && i == len(e.args)-1 {
			p.text("VARIADIC ")
		}
		p.expr(a, true)
	}
	if e.within {
		p.text(") WITHIN GROUP (ORDER BY ")
		p.sorts(e.order, false)
	} else if len(e.order) > 0 {
		p.text(" ORDER BY ")
		p.sorts(e.order, false)
	}
	if e.filter != nil {
		p.text(") FILTER (WHERE ")
		p.expr(e.filter, false)
	}
	p.text(")")
	if w := e.window; w != nil {
		p.text(" OVER ")
		if w.name != "" {
			p.text(postgres.QuoteIdentifier(w.name))
		} else {
			p.window(w)
		}
	}
}

// syntax prints what the SQL standard writes in a form of its own; false: it is called
// as any other function.
func (p *viewPrinter) syntax(e *viewExpr) bool {
	words := func(before string, parts ...string) {
		p.text(before)
		for i := 0; i < len(parts) && i < len(e.args); i++ {
			p.text(parts[i])
			p.expr(e.args[i], false)
		}
		p.text(")")
	}
	switch e.name {
	case "timezone":
		p.text("(")
		p.part(e.args[1], false, e)
		p.text(" AT TIME ZONE ")
		p.part(e.args[0], false, e)
		p.text(")")
	case "extract":
		p.text("EXTRACT(" + e.args[0].value.Value.Str + " FROM ")
		p.expr(e.args[1], false)
		p.text(")")
	case "overlay":
		words("OVERLAY(", "", " PLACING ", " FROM ", " FOR ")
	case "position":
		p.text("POSITION((")
		p.expr(e.args[1], false)
		p.text(") IN (")
		p.expr(e.args[0], false)
		p.text("))")
	case "substring":
		if e.args[1].t.OID == postgres.TextOID {
			return false
		}
		words("SUBSTRING(", "", " FROM ", " FOR ")
	case "btrim", "ltrim", "rtrim":
		p.text("TRIM(" + map[string]string{"btrim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}[e.name])
		if len(e.args) == 2 {
			p.text(" ")
			p.expr(e.args[1], false)
		}
		p.text(" FROM ")
		p.expr(e.args[0], false)
		p.text(")")
	case "overlaps":
		if len(e.args) != 4 {
			return false
		}
		p.text("((")
		p.expr(e.args[0], false)
		p.text(", ")
		p.expr(e.args[1], false)
		p.text(") OVERLAPS (")
		p.expr(e.args[2], false)
		p.text(", ")
		p.expr(e.args[3], false)
		p.text("))")
	case "pg_collation_for":
		p.text("COLLATION FOR (")
		p.expr(e.args[0], false)
		p.text(")")
	default:
		return false
	}
	return true
}

// isRelabel says that a cast calls no function: it is binary-coercible or goes through
// text, and so is no call to PostgreSQL's printer.
func isRelabel(e *viewExpr) bool {
	arg := e.args[0].t
	if arg.OID == e.t.OID {
		return false
	}
	c, ok := postgres.CastBetween(arg.OID, e.t.OID)
	return !ok || c.Method != postgres.CastByFunction
}

// isSimple says that an operand needs no parentheses in a pretty text.
func isSimple(e, of *viewExpr) bool {
	switch e.kind {
	case varView, constView, wordView, subscriptView, arrayView, rowView, keywordCallView, aggregateView, windowView, callView, syntaxView, caseView:
		return true
	case castView:
		if isRelabel(e) {
			return isSimple(e.args[0], e)
		}
		return true
	case opView:
		if of.kind == opView {
			return bindsTighter(e, of)
		}
		return isSeparate(of)
	case queryView, testView, distinctView:
		return isSeparate(of)
	case boolView:
		if of.kind == boolView {
			switch e.name {
			case "OR":
				return of.name == "OR"
			default:
				return of.name != "NOT"
			}
		}
		return of.kind != boolView && isSeparate(of)
	}
	return false
}

// isSeparate says that something keeps its operands apart by itself.
func isSeparate(of *viewExpr) bool {
	switch of.kind {
	case boolView, callView, subscriptView, arrayView, rowView, keywordCallView, aggregateView, windowView, caseView:
		return true
	}
	return false
}

// bindsTighter says that of two operators of arithmetic the inner one is computed
// first anyway.
func bindsTighter(e, of *viewExpr) bool {
	const low, high = "+-", "*/%"
	if len(e.args) != 2 || len(of.args) != 2 || len(e.name) != 1 || len(of.name) != 1 {
		return false
	}
	inLow, inHigh := strings.Contains(low, e.name), strings.Contains(high, e.name)
	ofLow, ofHigh := strings.Contains(low, of.name), strings.Contains(high, of.name)
	switch {
	case !inLow && !inHigh, !ofLow && !ofHigh, inLow && ofHigh:
		return false
	case inHigh && ofLow:
		return true
	}
	return e == of.args[0]
}
