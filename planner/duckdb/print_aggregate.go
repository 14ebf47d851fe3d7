package duckdb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

func (p *printer) aggregate(e *planner.Aggregate) printed {
	entry, ok := printings().aggregates[e.Proc.OID]
	if !ok && (!e.WithinGroup || !isHypothetical(e.Proc.Name)) {
		return p.fail(unsupported("aggregate %s", signatureOf(e.Proc.Name, e.Proc.Args)))
	}
	// Inside an aggregate the rows of the group are seen, not its key.
	groups := p.groups
	p.groups = nil
	args := e.Args
	if e.WithinGroup {
		for _, k := range e.Order {
			args = append(args[:len(args):len(args)], k.Expr)
		}
	}
	s := p.site(e.Proc.Name, args, e.T)
	s.distinct = e.Distinct
	if e.Distinct {
		for i, t := range s.types {
			p.comparable(t)
			if p.key(t, s.args[i]) != s.args[i].sql && !distinctByKey[e.Proc.Name] {
				p.fail(unsupported("DISTINCT over type %s in %s", t.OID, e.Proc.Name))
			}
		}
	}
	direct := 0
	if e.WithinGroup {
		direct = len(e.Args)
	}
	s.filtered(e.Filter, direct)
	if e.WithinGroup {
		if isHypothetical(e.Proc.Name) {
			out := printed{sql: s.hypothetical(e.Order)}
			p.groups = groups
			return out
		}
		if len(e.Order) != 1 {
			return p.fail(unsupported("WITHIN GROUP with several keys"))
		}
		s.order = p.innerSortKey(e.Order[0], s.args[len(s.args)-1])
	} else {
		s.order = p.sortKeys(e.Order, e.Distinct)
	}
	if s.order == "" && e.Distinct && inOrder[e.Proc.Name] {
		// PostgreSQL sorts to find what is distinct, and it shows.
		s.order = p.innerSortKey(planner.SortKey{Expr: e.Args[0]}, s.args[0])
	}
	p.groups = groups
	if !printings().anyForm[e.Proc.OID] {
		s.lists()
	}
	return entry(s)
}

// filtered gives the call its FILTER, which its direct arguments are computed without.
func (s *site) filtered(filter planner.Expr, direct int) {
	if filter == nil {
		return
	}
	s.condition = s.p.expr(filter).sql
	s.filter = " FILTER (WHERE " + s.condition + ")"
	for i := direct; i < len(s.args); i++ {
		s.args[i].sql = s.where(s.args[i].sql)
	}
}

// where makes an argument that may fail NULL where the FILTER does not hold: DuckDB
// computes the arguments of all rows.
func (s *site) where(arg string) string {
	reached := "(CASE WHEN " + s.condition + " THEN "
	if s.condition == "" || !mayRaise.MatchString(arg) || strings.HasPrefix(arg, reached) {
		return arg
	}
	return reached + arg + " END)"
}

// inOrder are the aggregates whose result shows the order of their input.
var inOrder = map[string]bool{"array_agg": true, "string_agg": true, "json_agg": true, "jsonb_agg": true}

// distinctByKey are those that find what is distinct by its key.
var distinctByKey = map[string]bool{
	"count": true, "min": true, "max": true, "array_agg": true, "json_agg": true, "jsonb_agg": true, "json_object_agg": true, "jsonb_object_agg": true,
}

// innerKey is key for what aggregates, greatest and least order by: there DuckDB orders intervals by months, then days, then
// time, and not by how long they are.
func (p *printer) innerKey(t planner.Type, e printed) string {
	if t.OID != postgres.IntervalOID {
		return p.key(t, e)
	}
	return fmt.Sprintf("(CAST(fg_interval_field(%[1]d, %[4]s) * 30 + fg_interval_field(%[2]d, %[4]s) AS HUGEINT) * 86400000000 + fg_interval_field(%[3]d, %[4]s))",
		fieldMonths, fieldDay, fieldTime, e.sql)
}

// innerSortKey is sortKey by such a key.
func (p *printer) innerSortKey(k planner.SortKey, e printed) string {
	if k.Expr.Type().OID != postgres.IntervalOID {
		return p.sortKey(k, e)
	}
	plain := planner.SortKey{Expr: &planner.Const{T: planner.Type{OID: postgres.Int8OID}}, Desc: k.Desc, NullsFirst: k.NullsFirst}
	return p.sortKey(plain, printed{sql: p.innerKey(k.Expr.Type(), e)})
}

// distinctValues is the list of an aggregate's distinct values, in their order, for types of which equal values differ or
// that DuckDB would order otherwise; not ok: DuckDB's own will do.
func (s *site) distinctValues() (list string, ok bool) {
	key := s.p.innerKey(s.types[0], s.args[0])
	if !s.distinct || key == s.args[0].sql {
		return "", false
	}
	s.distinct = false
	pairs := s.call("list", "struct_pack(k := "+key+", v := "+s.args[0].sql+")")
	name := s.p.name("e")
	return transform(firstsBy(s.p, pairs, "k"), name, name+".v"), true
}

// firstsBy leaves in a sorted list of structs those that differ in a field from the one before.
func firstsBy(p *printer, list, field string) string {
	name, i := p.name("e"), p.name("i")
	return fmt.Sprintf("list_filter(%[1]s, lambda %[2]s, %[3]s: %[3]s = 1 OR %[2]s.%[4]s IS DISTINCT FROM list_extract(%[1]s, %[3]s - 1).%[4]s)", list, name, i, field)
}

// sortKeys prints the keys of a window or an aggregate. Those of an aggregate of distinct
// values stand as its arguments do.
func (p *printer) sortKeys(keys []planner.SortKey, distinct bool) string {
	var out []string
	for _, k := range keys {
		e := p.expr(k.Expr)
		if !distinct {
			e = apartFromZero(k.Expr.Type(), e)
		}
		out = append(out, p.innerSortKey(k, e))
	}
	return strings.Join(out, ", ")
}

func (p *printer) windowCall(e *planner.WindowCall) printed {
	entry, ok := printings().aggregates[e.Proc.OID]
	if !ok {
		return p.fail(unsupported("window function %s", signatureOf(e.Proc.Name, e.Proc.Args)))
	}
	s := p.site(e.Proc.Name, e.Args, e.T)
	s.filtered(e.Filter, 0)
	if !printings().anyForm[e.Proc.OID] {
		s.lists()
	}
	s.window = e.Window
	s.over = " OVER (" + p.window(e.Window) + ")"
	return entry(s)
}

func (p *printer) window(w *planner.Window) string {
	var parts []string
	if partition := slices.DeleteFunc(slices.Clone(w.Partition), p.isFromAround); len(partition) > 0 {
		parts = append(parts, "PARTITION BY "+p.keys(partition))
	}
	distance := p.distance(w)
	order := slices.DeleteFunc(slices.Clone(w.Order), func(k planner.SortKey) bool { return p.isFromAround(k.Expr) })
	switch {
	case distance != nil:
		// Not through sortKey: the key is what is added to.
		k := w.Order[0]
		plain := planner.SortKey{Expr: &planner.Const{T: planner.Type{OID: postgres.Int8OID}}, Desc: k.Desc, NullsFirst: k.NullsFirst}
		parts = append(parts, "ORDER BY "+p.sortKey(plain, printed{sql: distance(k.Expr)}))
	case len(order) > 0:
		parts = append(parts, "ORDER BY "+p.sortKeys(order, false))
	}
	if w.Frame != nil {
		parts = append(parts, p.frame(w.Frame, distance))
	}
	return strings.Join(parts, " ")
}

// isFromAround says that an expression is a column of a query around the one that is printed: it is the same for all rows
// that a window sees, and DuckDB does not take it in one.
func (p *printer) isFromAround(e planner.Expr) bool {
	for {
		cast, ok := e.(*planner.Cast)
		if !ok {
			break
		}
		e = cast.Arg
	}
	c, ok := e.(*planner.Column)
	return ok && p.selecting != nil && !reads(p.selecting.From, c.Relation)
}

// reads says that a FROM has a relation.
func reads(items []planner.FromItem, r planner.Relation) bool {
	return slices.ContainsFunc(items, func(item planner.FromItem) bool {
		if j, ok := item.(*planner.Join); ok {
			return reads([]planner.FromItem{j.Left, j.Right}, r)
		}
		of, ok := item.(planner.Relation)
		return ok && of == r
	})
}

// distance prints a window's key, or an offset of its frame, as a number in which the
// sum of both has room and, of decimals, one scale; nil if the frame has no such offset or
// the key's own type will do.
func (p *printer) distance(w *planner.Window) func(e planner.Expr) string {
	if w.Frame == nil || w.Frame.Mode != "RANGE" || w.Frame.StartOff == nil && w.Frame.EndOff == nil {
		return nil
	}
	as := func(t string) func(e planner.Expr) string {
		return func(e planner.Expr) string { return "CAST(" + p.expr(e).sql + " AS " + t + ")" }
	}
	key := w.Order[0].Expr
	switch key.Type().OID {
	case postgres.Int2OID, postgres.Int4OID, postgres.Int8OID:
		return as("HUGEINT")
	case postgres.Float4OID:
		return as("DOUBLE")
	case postgres.IntervalOID:
		return func(e planner.Expr) string { return p.innerKey(e.Type(), p.expr(e)) }
	case postgres.NumericOID:
		scale := p.expr(key).scale
		for _, offset := range []planner.Expr{w.Frame.StartOff, w.Frame.EndOff} {
			if scale != asText && offset != nil {
				scale = max(scale, p.expr(offset).scale)
			}
		}
		if scale != asText {
			return as(fmt.Sprintf("DECIMAL(%d,%d)", decimalWidth, scale))
		}
		return func(e planner.Expr) string {
			return fmt.Sprintf("CAST(fg_numeric_distance(%s) AS DECIMAL(%d,%d))", p.rescale(p.expr(e), asText).sql, decimalWidth, maxScale)
		}
	}
	return nil
}

// frame prints a frame clause; its offsets are printed by a function if one is given.
func (p *printer) frame(f *planner.Frame, offset func(e planner.Expr) string) string {
	text := f.Mode + " BETWEEN " + p.bound(f, f.Start, f.StartOff, offset) + " AND " + p.bound(f, f.End, f.EndOff, offset)
	if f.Exclude != "" {
		text += " EXCLUDE " + f.Exclude
	}
	return text
}

func (p *printer) bound(f *planner.Frame, b planner.FrameBound, offset planner.Expr, number func(e planner.Expr) string) string {
	distance := func() string { return p.checkedOffset(f, offset, number) }
	switch b {
	case planner.UnboundedPreceding:
		return "UNBOUNDED PRECEDING"
	case planner.UnboundedFollowing:
		return "UNBOUNDED FOLLOWING"
	case planner.OffsetPreceding:
		return distance() + " PRECEDING"
	case planner.OffsetFollowing:
		return distance() + " FOLLOWING"
	default:
		return "CURRENT ROW"
	}
}

// checkedOffset prints the offset of a frame, which fails where it is NULL or negative.
func (p *printer) checkedOffset(f *planner.Frame, offset planner.Expr, number func(e planner.Expr) string) string {
	value := p.expr(offset).sql
	size := value
	switch {
	case number != nil:
		value = number(offset)
		size = value
	case offset.Type().OID == postgres.IntervalOID:
		size = p.innerKey(offset.Type(), printed{sql: value})
	}
	if c, ok := offset.(*planner.Const); ok && !c.Null && !isNegative(c.Value) {
		return value
	}
	which := "starting"
	if offset == f.EndOff {
		which = "ending"
	}
	negative := "frame " + which + " offset must not be negative"
	if f.Mode == "RANGE" {
		negative = "invalid preceding or following size in window function"
	}
	return unlessFailed(value, value+" IS NULL", raise(pgerrcode.NullValueNotAllowedDataException, "frame "+which+" offset must not be null"),
		size+" < 0", raise(pgerrcode.InvalidPrecedingOrFollowingSize, negative))
}

// unlessFailed is a value but where one of the conditions holds, each of which has a call
// that fails behind it.
func unlessFailed(value string, failures ...string) string {
	var b strings.Builder
	b.WriteString("(CASE WHEN (CASE")
	for i := 0; i < len(failures); i += 2 {
		b.WriteString(" WHEN " + failures[i] + " THEN CAST(" + failures[i+1] + " AS BOOLEAN)")
	}
	b.WriteString(" ELSE false END) THEN NULL ELSE " + value + " END)")
	return b.String()
}

// isNegative says that a constant may be below zero.
func isNegative(v postgres.Datum) bool {
	switch v.Kind {
	case postgres.IntKind:
		return v.Int < 0
	case postgres.FloatKind:
		return !(v.Float >= 0)
	case postgres.IntervalKind:
		return v.Int < 0 || v.Days < 0 || v.Months < 0
	}
	return v.Str == "" || v.Str[0] < '0' || v.Str[0] > '9'
}
