package duckdb

import (
	"strings"

	"github.com/fieldgate/fieldgate/planner"
)

func (p *printer) aggregate(e *planner.Aggregate) printed {
	entry, ok := printings().aggregates[e.Proc.OID]
	if !ok {
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
	if e.Filter != nil {
		s.filter = " FILTER (WHERE " + p.expr(e.Filter).sql + ")"
	}
	if e.WithinGroup {
		if len(e.Order) != 1 {
			return p.fail(unsupported("WITHIN GROUP with several keys"))
		}
		s.order = p.sortKey(e.Order[0], p.expr(e.Order[0].Expr))
	} else {
		s.order = p.sortKeys(e.Order)
	}
	p.groups = groups
	return entry(s)
}

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
	if e.Filter != nil {
		s.filter = " FILTER (WHERE " + p.expr(e.Filter).sql + ")"
	}
	s.over = " OVER (" + p.window(e.Window) + ")"
	return entry(s)
}

func (p *printer) window(w *planner.Window) string {
	var parts []string
	if len(w.Partition) > 0 {
		parts = append(parts, "PARTITION BY "+p.keys(w.Partition))
	}
	if len(w.Order) > 0 {
		parts = append(parts, "ORDER BY "+p.sortKeys(w.Order))
	}
	if w.Frame != nil {
		parts = append(parts, p.frame(w.Frame))
	}
	return strings.Join(parts, " ")
}

func (p *printer) frame(f *planner.Frame) string {
	text := f.Mode + " BETWEEN " + p.bound(f.Start, f.StartOff) + " AND " + p.bound(f.End, f.EndOff)
	if f.Exclude != "" {
		text += " EXCLUDE " + f.Exclude
	}
	return text
}

func (p *printer) bound(b planner.FrameBound, offset planner.Expr) string {
	switch b {
	case planner.UnboundedPreceding:
		return "UNBOUNDED PRECEDING"
	case planner.UnboundedFollowing:
		return "UNBOUNDED FOLLOWING"
	case planner.OffsetPreceding:
		return p.expr(offset).sql + " PRECEDING"
	case planner.OffsetFollowing:
		return p.expr(offset).sql + " FOLLOWING"
	default:
		return "CURRENT ROW"
	}
}
