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

// withChildren is a copy of e with other children, in the order of children. An
// aggregate, a window call and a GROUPING stay as they are: what they are of is
// computed where they are.
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
	}
	return e
}
