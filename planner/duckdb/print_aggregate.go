package duckdb

import (
	"fmt"
	"strings"

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
			if p.key(t, s.args[i]) != s.args[i].sql && e.Proc.Name != "count" && e.Proc.Name != "min" && e.Proc.Name != "max" {
				p.fail(unsupported("DISTINCT over type %s in %s", t.OID, e.Proc.Name))
			}
		}
	}
	s.filtered(e.Filter)
	if e.WithinGroup {
		if isHypothetical(e.Proc.Name) {
			out := printed{sql: s.hypothetical(e.Order)}
			p.groups = groups
			return out
		}
		if len(e.Order) != 1 {
			return p.fail(unsupported("WITHIN GROUP with several keys"))
		}
		s.order = p.sortKey(e.Order[0], s.args[len(s.args)-1])
	} else {
		s.order = p.sortKeys(e.Order)
	}
	if s.order == "" && e.Distinct && inOrder[e.Proc.Name] {
		// PostgreSQL sorts to find what is distinct, and it shows.
		s.order = p.sortKey(planner.SortKey{Expr: e.Args[0]}, s.args[0])
	}
	p.groups = groups
	if !printings().anyForm[e.Proc.OID] {
		s.lists()
	}
	return entry(s)
}

// filtered gives the call its FILTER. DuckDB computes the arguments of all rows, so
// those that may fail are made NULL where the filter does not hold.
func (s *site) filtered(filter planner.Expr) {
	if filter == nil {
		return
	}
	condition := s.p.expr(filter).sql
	s.filter = " FILTER (WHERE " + condition + ")"
	for i, arg := range s.args {
		if mayRaise.MatchString(arg.sql) {
			s.args[i].sql = "(CASE WHEN " + condition + " THEN " + arg.sql + " END)"
		}
	}
}

// inOrder are the aggregates whose result shows the order of their input.
var inOrder = map[string]bool{"array_agg": true, "string_agg": true, "json_agg": true, "jsonb_agg": true}

func (p *printer) sortKeys(keys []planner.SortKey) string {
	var out []string
	for _, k := range keys {
		out = append(out, p.sortKey(k, p.expr(k.Expr)))
	}
	return strings.Join(out, ", ")
}

func (p *printer) windowCall(e *planner.WindowCall) printed {
	entry, ok := printings().aggregates[e.Proc.OID]
	if !ok {
		return p.fail(unsupported("window function %s", signatureOf(e.Proc.Name, e.Proc.Args)))
	}
	s := p.site(e.Proc.Name, e.Args, e.T)
	s.filtered(e.Filter)
	if !printings().anyForm[e.Proc.OID] {
		s.lists()
	}
	s.window = e.Window
	s.over = " OVER (" + p.window(e.Window) + ")"
	return entry(s)
}

func (p *printer) window(w *planner.Window) string {
	var parts []string
	if len(w.Partition) > 0 {
		parts = append(parts, "PARTITION BY "+p.keys(w.Partition))
	}
	distance := p.distance(w)
	switch {
	case distance != "":
		// Not through sortKey: the key is what is added to.
		k := w.Order[0]
		plain := planner.SortKey{Expr: &planner.Const{T: planner.Type{OID: postgres.Int8OID}}, Desc: k.Desc, NullsFirst: k.NullsFirst}
		parts = append(parts, "ORDER BY "+p.sortKey(plain, printed{sql: "CAST(" + p.expr(k.Expr).sql + " AS " + distance + ")"}))
	case len(w.Order) > 0:
		parts = append(parts, "ORDER BY "+p.sortKeys(w.Order))
	}
	if w.Frame != nil {
		parts = append(parts, p.frame(w.Frame, distance))
	}
	return strings.Join(parts, " ")
}

// distance is the type in which a frame's offset is added to the key, so that the
// sum has room and, of decimals, one scale; "" if the frame has no such offset or the
// key's own type will do.
func (p *printer) distance(w *planner.Window) string {
	if w.Frame == nil || w.Frame.Mode != "RANGE" || w.Frame.StartOff == nil && w.Frame.EndOff == nil {
		return ""
	}
	key := w.Order[0].Expr
	switch key.Type().OID {
	case postgres.Int2OID, postgres.Int4OID, postgres.Int8OID:
		return "HUGEINT"
	case postgres.Float4OID:
		return "DOUBLE"
	case postgres.NumericOID:
		scale := p.expr(key).scale
		for _, offset := range []planner.Expr{w.Frame.StartOff, w.Frame.EndOff} {
			if scale != asText && offset != nil {
				scale = max(scale, p.expr(offset).scale)
			}
		}
		if scale == asText {
			p.fail(unsupported("RANGE with an offset over numeric values whose scale varies"))
		}
		return fmt.Sprintf("DECIMAL(%d,%d)", decimalWidth, scale)
	}
	return ""
}

// frame prints a frame clause; its offsets are cast to a type if one is given.
func (p *printer) frame(f *planner.Frame, offset string) string {
	text := f.Mode + " BETWEEN " + p.bound(f.Start, f.StartOff, offset) + " AND " + p.bound(f.End, f.EndOff, offset)
	if f.Exclude != "" {
		text += " EXCLUDE " + f.Exclude
	}
	return text
}

func (p *printer) bound(b planner.FrameBound, offset planner.Expr, as string) string {
	distance := func() string {
		if as == "" {
			return p.expr(offset).sql
		}
		return "CAST(" + p.expr(offset).sql + " AS " + as + ")"
	}
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
