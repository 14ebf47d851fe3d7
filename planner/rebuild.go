package planner

import "slices"

// rebuild is e with what change gives in place of parts of it; parts that change does
// not know (not ok) are looked into. What stays as it is is shared with e.
func rebuild(e Expr, change func(Expr) (Expr, bool)) Expr {
	if e == nil {
		return nil
	}
	if out, ok := change(e); ok {
		return out
	}
	before := children(e)
	after := make([]Expr, len(before))
	for i, c := range before {
		after[i] = rebuild(c, change)
	}
	if slices.Equal(before, after) {
		return e
	}
	return withChildren(e, after)
}

// replaceExprs puts what change gives in place of the expressions of a query itself;
// queries in it stay as they are.
func replaceExprs(q *Query, change func(Expr) Expr) {
	list := func(exprs []Expr) {
		for i, e := range exprs {
			exprs[i] = change(e)
		}
	}
	for i := range q.Targets {
		q.Targets[i].Expr = change(q.Targets[i].Expr)
	}
	for _, f := range q.From {
		replaceFrom(f, change)
	}
	q.Where, q.Having = change(q.Where), change(q.Having)
	q.Limit, q.Offset = change(q.Limit), change(q.Offset)
	list(q.GroupBy)
	list(q.DistinctOn)
	for _, set := range q.GroupingSets {
		list(set)
	}
	for _, row := range q.Values {
		list(row)
	}
	for i := range q.OrderBy {
		q.OrderBy[i].Expr = change(q.OrderBy[i].Expr)
	}
}

func replaceFrom(f FromItem, change func(Expr) Expr) {
	switch f := f.(type) {
	case *Join:
		replaceFrom(f.Left, change)
		replaceFrom(f.Right, change)
		f.On = change(f.On)
	case *FunctionScan:
		for _, call := range f.Calls() {
			for i, arg := range call.Args {
				call.Args[i] = change(arg)
			}
		}
	}
}

// withChildren is a copy of e with other children, in the order of children.
func withChildren(e Expr, parts []Expr) Expr {
	take := func(n int) []Expr {
		out := parts[:n:n]
		parts = parts[n:]
		return out
	}
	one := func() Expr { return take(1)[0] }
	switch e := e.(type) {
	case *Func:
		out := *e
		out.Args = parts
		return &out
	case *CatalogCall:
		out := *e
		out.Args = parts
		return &out
	case *Op:
		out := *e
		out.Left, out.Right = one(), one()
		return &out
	case *Cast:
		out := *e
		out.Arg = one()
		return &out
	case *Logic:
		return &Logic{Kind: e.Kind, Args: parts}
	case *IsNull:
		return &IsNull{Arg: one(), Not: e.Not}
	case *IsBool:
		return &IsBool{Arg: one(), Test: e.Test, Not: e.Not}
	case *IsDistinct:
		return &IsDistinct{Operator: e.Operator, Left: one(), Right: one(), Not: e.Not}
	case *Case:
		out := &Case{T: e.T, Whens: make([]When, len(e.Whens))}
		for i := range out.Whens {
			out.Whens[i] = When{Cond: one(), Result: one()}
		}
		out.Else = one()
		return out
	case *Coalesce:
		return &Coalesce{T: e.T, Args: parts}
	case *NullIf:
		return &NullIf{T: e.T, Operator: e.Operator, Left: one(), Right: one()}
	case *MinMax:
		return &MinMax{T: e.T, Greatest: e.Greatest, Args: parts}
	case *In:
		return &In{Operator: e.Operator, Left: one(), List: parts, Not: e.Not}
	case *Quantified:
		return &Quantified{Operator: e.Operator, Left: one(), Array: one(), All: e.All}
	case *Array:
		return &Array{T: e.T, Elems: parts}
	case *Subscript:
		return &Subscript{T: e.T, Arg: one(), Index: take(len(e.Index)), Upper: take(len(e.Upper)), Slice: e.Slice}
	case *Row:
		out := *e
		out.Elems = parts
		return &out
	case *RecordField:
		return &RecordField{T: e.T, Arg: one(), Index: e.Index}
	case *JSONField:
		out := *e
		out.JSON, out.Base = one(), one()
		return &out
	case *RowCompare:
		return &RowCompare{Operators: e.Operators, Name: e.Name, Left: take(len(e.Left)), Right: take(len(e.Right))}
	case *Subquery:
		out := *e
		out.Left = parts
		return &out
	case *Aggregate:
		out := *e
		out.Args, out.Order = take(len(e.Args)), withKeys(e.Order, take(len(e.Order)))
		if e.Filter != nil {
			out.Filter = one()
		}
		return &out
	case *WindowCall:
		out := *e
		out.Args, out.Filter = take(len(e.Args)), one()
		out.Window = &Window{Partition: take(len(e.Window.Partition)), Order: withKeys(e.Window.Order, take(len(e.Window.Order))), Frame: e.Window.Frame}
		if e.Window.Frame != nil {
			frame := *e.Window.Frame
			frame.StartOff, frame.EndOff = one(), one()
			out.Window.Frame = &frame
		}
		return &out
	case *Grouping:
		out := *e
		out.Args = parts
		return &out
	}
	return e
}

// withKeys are the keys of an order with other expressions.
func withKeys(keys []SortKey, exprs []Expr) []SortKey {
	out := slices.Clone(keys)
	for i, e := range exprs {
		out[i].Expr = e
	}
	return out
}
