package planner

import (
	"math"
	"slices"
	"strconv"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// span is an inclusive range of times or of numbers, or a list of texts.
type span struct {
	of       spanClass
	times    sources.Bounds
	min, max float64
	texts    []string
}

// spanClass says of what a span is.
type spanClass uint8

const (
	ofNumbers spanClass = iota
	ofTimes
	ofTexts
)

func (s span) intersect(o span) span {
	s.times = s.times.Intersect(o.times)
	s.min, s.max = math.Max(s.min, o.min), math.Min(s.max, o.max)
	others := make(map[string]bool, len(o.texts))
	for _, t := range o.texts {
		others[t] = true
	}
	s.texts = slices.DeleteFunc(slices.Clone(s.texts), func(t string) bool { return !others[t] })
	return s
}

// union takes over the texts of s.
func (s span) union(o span) span {
	s.times = sources.Bounds{Min: min(s.times.Min, o.times.Min), Max: max(s.times.Max, o.times.Max)}
	s.min, s.max = math.Min(s.min, o.min), math.Max(s.max, o.max)
	s.texts = append(s.texts, o.texts...)
	return s
}

// comparison reads a condition that compares something with constants.
func (p *pruner) comparison(e Expr) []limit {
	switch e := e.(type) {
	case *Op:
		if c, ok := e.Right.(*Const); ok && e.Left != nil {
			return p.compare(e.Left, e.Operator.Name, []*Const{c})
		}
		if c, ok := e.Left.(*Const); ok {
			return p.compare(e.Right, flipped[e.Operator.Name], []*Const{c})
		}
	case *In:
		values := make([]*Const, 0, len(e.List))
		for _, item := range e.List {
			c, ok := item.(*Const)
			if !ok {
				return nil
			}
			values = append(values, c)
		}
		if !e.Not {
			return p.compare(e.Left, e.Operator.Name, values)
		}
	case *Quantified:
		c, ok := e.Array.(*Const)
		if !ok || e.All || c.Null || c.Value.Array == nil || e.Operator.Name != "=" {
			return nil
		}
		var values []*Const
		for _, item := range c.Value.Array.Items {
			values = append(values, &Const{T: plainType(c.Value.Array.Elem), Null: item.Kind == postgres.NullKind, Value: item})
		}
		return p.compare(e.Left, "=", values)
	}
	return nil
}

// flipped are the comparison operators with their sides exchanged.
var flipped = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// compare is what "e op one of the values" needs of the column in e.
func (p *pruner) compare(e Expr, op string, values []*Const) []limit {
	if _, ok := flipped[op]; !ok {
		return nil
	}
	var all span
	found := false
	for _, c := range values {
		if c.Null {
			continue // is never true
		}
		s, ok := p.spanOf(op, c)
		if !ok || found && s.of != all.of {
			return nil
		}
		if found {
			s = all.union(s)
		}
		all, found = s, true
	}
	if !found {
		return nil
	}
	return p.within(e, all)
}

// spanOf is the range of the values that compare so with a constant.
func (p *pruner) spanOf(op string, c *Const) (span, bool) {
	switch c.T.OID {
	case postgres.DateOID, postgres.TimestampOID, postgres.TimestampTZOID:
		return p.timeSpan(op, c)
	case postgres.TextOID, postgres.VarcharOID:
		// Of no interest but for equality: texts are not sorted in storage.
		return span{of: ofTexts, texts: []string{c.Value.Str}}, op == "=" && c.Value.Kind == postgres.TextKind
	}
	f, ok := numberOf(c)
	if !ok || math.IsNaN(f) {
		return span{}, false
	}
	s := span{times: sources.Unbounded(), min: math.Inf(-1), max: math.Inf(1)}
	if op != "<" && op != "<=" {
		s.min = f
	}
	if op != ">" && op != ">=" {
		s.max = f
	}
	return s, true
}

func numberOf(c *Const) (float64, bool) {
	switch c.Value.Kind {
	case postgres.IntKind:
		category, _ := postgres.CategoryOf(c.T.OID)
		return float64(c.Value.Int), category == postgres.NumericCategory
	case postgres.FloatKind:
		return c.Value.Float, true
	case postgres.NumericKind:
		f, err := strconv.ParseFloat(c.Value.Str, 64)
		return f, err == nil
	}
	return 0, false
}

func (p *pruner) timeSpan(op string, c *Const) (span, bool) {
	v, ok := p.convertTime(c.Value, c.T.OID, postgres.TimestampTZOID)
	if !ok {
		return span{}, false
	}
	s := span{of: ofTimes, times: sources.Unbounded(), min: math.Inf(-1), max: math.Inf(1)}
	at := v.Int
	switch op {
	case "=":
		s.times = sources.Bounds{Min: at, Max: at}
	case ">":
		s.times.Min = at + 1
	case ">=":
		s.times.Min = at
	case "<":
		s.times.Max = at - 1
	case "<=":
		s.times.Max = at
	}
	return s, true
}

// within is what "e lies in the span" needs of the column in e: the column
// itself, or behind casts, AT TIME ZONE and date_trunc, each of which widens it.
func (p *pruner) within(e Expr, s span) []limit {
	switch e := e.(type) {
	case *Column:
		if s.of != classOf(e.T) {
			return nil
		}
		return []limit{{relation: e.Relation, index: e.Index, span: s}}
	case *Cast:
		return p.withinCast(e, s)
	case *Func:
		return p.withinFunc(e, s)
	}
	return nil
}

// classOf is what spans limit columns of a type.
func classOf(t Type) spanClass {
	switch t.OID {
	case postgres.TimestampTZOID, postgres.TimestampOID, postgres.DateOID:
		return ofTimes
	case postgres.TextOID, postgres.VarcharOID:
		return ofTexts
	default:
		return ofNumbers
	}
}

func (p *pruner) withinCast(e *Cast, s span) []limit {
	switch s.of {
	case ofTexts:
		if e.T.Typmod >= 0 || classOf(e.T) != ofTexts || classOf(e.Arg.Type()) != ofTexts {
			return nil
		}
		return p.within(e.Arg, s)
	case ofNumbers:
		if s, ok := widenNumbers(s, e); ok {
			return p.within(e.Arg, s)
		}
		return nil
	}
	switch e.Arg.Type().OID {
	case postgres.TimestampTZOID, postgres.TimestampOID:
	default:
		return nil
	}
	day := int64(0)
	if e.T.OID == postgres.DateOID {
		day = microsPerDay
	}
	s.times = widen(s.times, zoneSlack, zoneSlack+day)
	return p.within(e.Arg, s)
}

// widenNumbers is the range before a cast among numbers, which may round.
func widenNumbers(s span, e *Cast) (span, bool) {
	category, _ := postgres.CategoryOf(e.Arg.Type().OID)
	if category != postgres.NumericCategory {
		return s, false
	}
	var ok bool
	s.min, s.max, ok = beforeRounding(s.min, s.max, e.T)
	return s, ok
}

// beforeRounding widens a range of values of a type to that of the values which
// may be rounded into it.
func beforeRounding(lo, hi float64, t Type) (from, to float64, ok bool) {
	const relative, relative4 = 1e-9, 1e-6
	slack := relative
	absolute := 0.0
	switch t.OID {
	case postgres.Int2OID, postgres.Int4OID, postgres.Int8OID:
		absolute = 1
	case postgres.Float4OID:
		slack = relative4
	case postgres.Float8OID:
	case postgres.NumericOID:
		if t.Typmod >= 0 {
			_, scale := postgres.NumericTypmod(t.Typmod)
			absolute = math.Pow10(-scale)
		}
	default:
		return 0, 0, false
	}
	return lo - absolute - slack*math.Abs(lo), hi + absolute + slack*math.Abs(hi), true
}

// truncUnits are how much later than its start a unit of date_trunc can end, in
// microseconds, changes of offset included.
var truncUnits = map[string]int64{
	"microseconds": 1, "milliseconds": 1000, "second": 1_000_000, "minute": 60_000_000, "hour": 2 * 3600_000_000,
	"day": 2 * microsPerDay, "week": 8 * microsPerDay, "month": 32 * microsPerDay, "quarter": 94 * microsPerDay, "year": 367 * microsPerDay,
}

func (p *pruner) withinFunc(e *Func, s span) []limit {
	if s.of != ofTimes || len(e.Args) < 2 {
		return nil
	}
	unit, ok := e.Args[0].(*Const)
	if !ok || unit.Null {
		return nil
	}
	switch e.Proc.Name {
	case "date_trunc":
		length, ok := truncUnits[unit.Value.Str]
		if !ok {
			return nil
		}
		s.times = widen(s.times, 0, length)
		if len(e.Args) == 3 {
			s.times = widen(s.times, zoneSlack, zoneSlack)
		}
	case "timezone":
		s.times = widen(s.times, 2*zoneSlack, 2*zoneSlack)
	default:
		return nil
	}
	return p.within(e.Args[1], s)
}

// widen moves the ends of a range apart; an open end stays open.
func widen(b sources.Bounds, before, after int64) sources.Bounds {
	all := sources.Unbounded()
	if b.Min != all.Min {
		b.Min = max(b.Min, all.Min+before) - before
	}
	if b.Max != all.Max {
		b.Max = min(b.Max, all.Max-after) + after
	}
	return b
}

// line is a linear function of the sent value.
type line struct{ factor, offset float64 }

// inverse is the range of the values that the line takes into [lo, hi].
func (l line) inverse(lo, hi float64) (from, to float64) {
	slack := conversionSlack * math.Abs(l.offset)
	from, to = (lo-slack-l.offset)/l.factor, (hi+slack-l.offset)/l.factor
	if l.factor < 0 {
		from, to = to, from
	}
	return from, to
}

// linear reads a conversion that is made of the value, constants, casts among
// numbers, and + - * / as a linear function.
func linear(e Expr) (line, bool) {
	switch e := e.(type) {
	case *SentValue:
		return line{factor: 1}, true
	case *Const:
		f, ok := numberOf(e)
		return line{offset: f}, ok && !e.Null
	case *Cast:
		switch e.T.OID {
		case postgres.Float8OID, postgres.NumericOID:
			return linear(e.Arg)
		}
	case *Op:
		return linearOp(e)
	}
	return line{}, false
}

func linearOp(e *Op) (line, bool) {
	if e.T.OID != postgres.Float8OID && e.T.OID != postgres.NumericOID {
		return line{}, false
	}
	r, ok := linear(e.Right)
	if !ok {
		return line{}, false
	}
	var l line
	if e.Left != nil {
		if l, ok = linear(e.Left); !ok {
			return line{}, false
		}
	}
	switch e.Operator.Name {
	case "+":
		return line{l.factor + r.factor, l.offset + r.offset}, true
	case "-":
		return line{l.factor - r.factor, l.offset - r.offset}, true
	case "*":
		return line{l.factor*r.offset + r.factor*l.offset, l.offset * r.offset}, l.factor == 0 || r.factor == 0
	case "/":
		return line{l.factor / r.offset, l.offset / r.offset}, r.factor == 0 && r.offset != 0
	}
	return line{}, false
}
