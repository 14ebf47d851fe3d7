package planner

import (
	"math"
	"slices"
	"time"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// prune narrows every scan to what the query's conditions can be true for. The
// conditions stay in the query; what is found here only saves reading.
//
// A comparison of a column with a constant is not true where the column is NULL,
// so a row outside its range cannot be in the result, neither by itself nor
// beside an outer join that lost it: WHERE narrows all relations of its query, a
// join's condition those sides that give no row without a match.
func prune(bound *boundQuery) {
	p := &pruner{
		binder: &binder{env: bound.env},
		reads:  map[*CTE]int{},
	}
	visitQueries(bound.query, func(q *Query) {
		for _, f := range q.From {
			visitRelations(f, func(r Relation) {
				if c, ok := r.(*CTEScan); ok {
					p.reads[c.CTE]++
				}
			})
		}
	})
	visitQueries(bound.query, p.query)
	bound.equalities = p.equalities
}

type pruner struct {
	*binder
	// reads counts the scans of each WITH query.
	reads map[*CTE]int
	// equalities are those between scans of the catalog.
	equalities []catalogEquality
}

// query narrows the relations of one query by its own conditions.
func (p *pruner) query(q *Query) {
	for _, f := range q.From {
		p.narrow(q.Where, f)
		p.joins(f)
	}
	if !q.Guarded {
		q.Where = withoutSelected(q.Where, q.From)
	}
}

func (p *pruner) joins(f FromItem) {
	j, ok := f.(*Join)
	if !ok {
		return
	}
	p.joins(j.Left)
	p.joins(j.Right)
	if j.Kind == InnerJoin || j.Kind == RightJoin {
		p.narrow(j.On, j.Left)
	}
	if j.Kind == InnerJoin || j.Kind == LeftJoin {
		p.narrow(j.On, j.Right)
	}
}

// narrow applies a condition to the relations of one item of FROM.
func (p *pruner) narrow(condition Expr, f FromItem) {
	p.narrowCatalog(condition, f)
	limits := merge(p.limits(condition))
	if len(limits) == 0 {
		return
	}
	visitRelations(f, func(r Relation) {
		for _, l := range limits {
			if l.relation == r {
				p.apply(l)
			}
		}
	})
}

// limit says that a condition needs column index of a relation within a span.
type limit struct {
	relation Relation
	index    int
	span     span
}

// limits are what a condition needs to be true; several on one column all hold.
func (p *pruner) limits(e Expr) []limit {
	logic, ok := e.(*Logic)
	switch {
	case e == nil:
		return nil
	case !ok:
		return p.comparison(e)
	case logic.Kind == And:
		var out []limit
		for _, arg := range logic.Args {
			out = append(out, p.limits(arg)...)
		}
		return out
	case logic.Kind == Or:
		out := merge(p.limits(logic.Args[0]))
		for _, arg := range logic.Args[1:] {
			out = either(out, merge(p.limits(arg)))
		}
		return out
	}
	return nil
}

// merge makes one limit a column.
func merge(limits []limit) []limit {
	var out []limit
	for _, l := range limits {
		i := slices.IndexFunc(out, l.sameColumn)
		if i < 0 {
			out = append(out, l)
			continue
		}
		out[i].span = out[i].span.intersect(l.span)
	}
	return out
}

// either keeps the columns that both sides limit, to what one of them allows.
func either(a, b []limit) []limit {
	var out []limit
	for _, l := range a {
		if i := slices.IndexFunc(b, l.sameColumn); i >= 0 {
			l.span = l.span.union(b[i].span)
			out = append(out, l)
		}
	}
	return out
}

func (l limit) sameColumn(o limit) bool {
	return l.relation == o.relation && l.index == o.index && l.span.of == o.span.of
}

// apply narrows a scan, or what a query in FROM reads for the column.
func (p *pruner) apply(l limit) {
	switch r := l.relation.(type) {
	case *MetricScan:
		f := &r.Fields[l.index]
		switch {
		case l.span.of == ofTimes && f.Builtin == sources.ColumnTS:
			r.Bounds = r.Bounds.Intersect(l.span.times)
		case l.span.of == ofNumbers && f.Builtin == "":
			r.Filters = append(r.Filters, physicalFilters(f, l.span)...)
		case l.span.of == ofTexts && f.Builtin == "":
			r.Filters = append(r.Filters, textFilters(f, l.span)...)
		}
	case *SubqueryScan:
		p.output(r.Query, l.index, l.span)
	case *CTEScan:
		if p.reads[r.CTE] == 1 && !r.CTE.Recursive {
			p.output(r.CTE.Query, l.index, l.span)
		}
	}
}

// output narrows what a query reads to where its output is within the span, if
// no other row of its result depends on those that this leaves out.
func (p *pruner) output(q *Query, index int, s span) {
	if q.Limit != nil || q.Offset != nil || q.DistinctOn != nil {
		return
	}
	if q.SetOp != nil {
		p.output(q.SetOp.Left, index, s)
		if q.SetOp.Kind != Except {
			p.output(q.SetOp.Right, index, s)
		}
		return
	}
	if q.Values != nil || slices.ContainsFunc(q.Targets, func(t Target) bool { return findWindowCall(t.Expr) != nil }) {
		return
	}
	e := guardedExpr(q, index)
	if q.Aggregated && (q.GroupingSets != nil || !slices.ContainsFunc(q.GroupBy, func(g Expr) bool { return SameExpr(g, e) })) {
		return
	}
	for _, l := range p.within(e, s) {
		for _, f := range q.From {
			visitRelations(f, func(r Relation) {
				if r == l.relation {
					p.apply(l)
				}
			})
		}
	}
}

// visitRelations visits the relations of an item of FROM.
func visitRelations(f FromItem, visit func(Relation)) {
	switch f := f.(type) {
	case *Join:
		visitRelations(f.Left, visit)
		visitRelations(f.Right, visit)
	case Relation:
		visit(f)
	}
}

// visitQueries visits a query and all that are in it.
func visitQueries(q *Query, visit func(*Query)) {
	visit(q)
	for _, c := range q.CTEs {
		visitQueries(c.Query, visit)
	}
	if q.SetOp != nil {
		visitQueries(q.SetOp.Left, visit)
		visitQueries(q.SetOp.Right, visit)
	}
	for _, f := range q.From {
		visitRelations(f, func(r Relation) {
			if s, ok := r.(*SubqueryScan); ok {
				visitQueries(s.Query, visit)
			}
		})
	}
	ownExprs(q, func(e Expr) {
		walk(e, func(e Expr) bool {
			if s, ok := e.(*Subquery); ok {
				visitQueries(s.Query, visit)
			}
			return true
		})
	})
}

// textFilters are those of a text field on the text columns of its sources.
func textFilters(f *ScanField, s span) []PhysicalFilter {
	var out []PhysicalFilter
	if f.T.Typmod >= 0 {
		return nil // what was sent may be longer than what it is read as
	}
	for _, source := range f.Sources {
		if source.Convert == nil {
			out = append(out, PhysicalFilter{Column: sources.PhysicalName(source.Sent, schema.KindText), Others: f.physicalNames(), Texts: s.texts})
		}
	}
	return out
}

// physicalNames are those that may give the field a value.
func (f *ScanField) physicalNames() []string {
	names := make([]string, 0, len(f.Sources)*len(schema.Kinds))
	for _, source := range f.Sources {
		for _, kind := range schema.Kinds {
			names = append(names, sources.PhysicalName(source.Sent, kind))
		}
	}
	return names
}

// conversionSlack is how far, relative to the numbers involved, a conversion's
// rounding may move a value.
const conversionSlack = 1e-9

// physicalFilters turn a range of a field round onto the columns of its sources,
// plain or converted linearly. The engine adds one where its column alone gives
// the field.
func physicalFilters(f *ScanField, s span) []PhysicalFilter {
	var out []PhysicalFilter
	lo, hi, ok := beforeRounding(s.min, s.max, f.T)
	if !ok {
		return nil
	}
	names := f.physicalNames()
	for _, source := range f.Sources {
		from, to := lo, hi
		if source.Convert != nil {
			line, ok := linear(source.Convert)
			if !ok || line.factor == 0 {
				continue
			}
			from, to = line.inverse(lo, hi)
		}
		for _, kind := range []schema.Kind{schema.KindInt, schema.KindNumber} {
			out = append(out, PhysicalFilter{
				Column: sources.PhysicalName(source.Sent, kind),
				Others: names,
				Min:    from - conversionSlack*math.Abs(from),
				Max:    to + conversionSlack*math.Abs(to),
			})
		}
	}
	return out
}

// hours of the day and more: how far a local time can be from UTC, with a change
// of offset on top.
const zoneSlack = int64(26 * time.Hour / time.Microsecond)
