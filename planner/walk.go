package planner

import (
	"reflect"
	"slices"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// walk visits e and what it is made of, parents first, as long as visit says to
// go deeper. It does not enter the query of a Subquery.
func walk(e Expr, visit func(Expr) bool) {
	if e == nil || !visit(e) {
		return
	}
	for _, child := range children(e) {
		walk(child, visit)
	}
}

// children are the expressions that e is made of; some may be nil.
func children(e Expr) []Expr {
	switch e := e.(type) {
	case *Func:
		return e.Args
	case *CatalogCall:
		return e.Args
	case *Op:
		return []Expr{e.Left, e.Right}
	case *Cast:
		return []Expr{e.Arg}
	case *Logic:
		return e.Args
	case *IsNull:
		return []Expr{e.Arg}
	case *IsBool:
		return []Expr{e.Arg}
	case *IsDistinct:
		return []Expr{e.Left, e.Right}
	case *Case:
		out := make([]Expr, 0, 2*len(e.Whens)+1)
		for _, w := range e.Whens {
			out = append(out, w.Cond, w.Result)
		}
		return append(out, e.Else)
	case *Coalesce:
		return e.Args
	case *NullIf:
		return []Expr{e.Left, e.Right}
	case *MinMax:
		return e.Args
	case *In:
		return append([]Expr{e.Left}, e.List...)
	case *Quantified:
		return []Expr{e.Left, e.Array}
	case *Array:
		return e.Elems
	case *Subscript:
		return slices.Concat([]Expr{e.Arg}, e.Index, e.Upper)
	case *Row:
		return e.Elems
	case *RecordField:
		return []Expr{e.Arg}
	case *JSONField:
		return []Expr{e.JSON, e.Base}
	case *RowCompare:
		return append(append([]Expr{}, e.Left...), e.Right...)
	case *Subquery:
		return e.Left
	case *Aggregate:
		return aggregateParts(e)
	case *WindowCall:
		return windowParts(e)
	case *Grouping:
		return e.Args
	}
	return nil
}

func windowParts(w *WindowCall) []Expr {
	out := append([]Expr{}, w.Args...)
	out = append(append(out, w.Filter), w.Window.Partition...)
	for _, k := range w.Window.Order {
		out = append(out, k.Expr)
	}
	if f := w.Window.Frame; f != nil {
		out = append(out, f.StartOff, f.EndOff)
	}
	return out
}

// walkQuery visits the expressions of a query, and of the queries in it.
func walkQuery(q *Query, visit func(Expr) bool) {
	visitQueries(q, func(q *Query) {
		ownExprs(q, func(e Expr) { walk(e, visit) })
	})
}

// ownExprs gives the expressions of a query itself; some are nil.
func ownExprs(q *Query, give func(Expr)) {
	for _, t := range q.Targets {
		give(t.Expr)
	}
	for _, f := range q.From {
		fromExprs(f, give)
	}
	for _, list := range append([][]Expr{{q.Where, q.Having, q.Limit, q.Offset}, q.GroupBy, q.DistinctOn}, q.Values...) {
		for _, e := range list {
			give(e)
		}
	}
	for _, k := range q.OrderBy {
		give(k.Expr)
	}
}

func fromExprs(f FromItem, give func(Expr)) {
	switch f := f.(type) {
	case *Join:
		fromExprs(f.Left, give)
		fromExprs(f.Right, give)
		give(f.On)
	case *FunctionScan:
		give(f.Call)
		for _, c := range f.More {
			give(c)
		}
	}
}

// SameExpr says whether two expressions are the same but for where they stand.
func SameExpr(a, b Expr) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || reflect.TypeOf(a) != reflect.TypeOf(b) || a.Type() != b.Type() || !sameNode(a, b) {
		return false
	}
	x, y := children(a), children(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !SameExpr(x[i], y[i]) {
			return false
		}
	}
	return true
}

// sameNode compares what two nodes of one kind and type hold besides children.
func sameNode(a, b Expr) bool {
	switch a := a.(type) {
	case *Const:
		b := b.(*Const)
		return a.Null == b.Null && (a.Null || reflect.DeepEqual(a.Value, b.Value))
	case *ParamRef:
		return a.Number == b.(*ParamRef).Number
	case *Column:
		b := b.(*Column)
		return a.Relation == b.Relation && a.Index == b.Index
	case *Output:
		return a.Index == b.(*Output).Index
	case *Func:
		b := b.(*Func)
		return a.Proc == b.Proc && a.Variadic == b.Variadic
	case *Op:
		return a.Operator == b.(*Op).Operator
	case *Cast:
		return a.Explicit == b.(*Cast).Explicit
	case *Logic:
		return a.Kind == b.(*Logic).Kind
	case *IsNull:
		return a.Not == b.(*IsNull).Not
	case *IsBool:
		b := b.(*IsBool)
		return a.Test == b.Test && a.Not == b.Not
	case *IsDistinct:
		b := b.(*IsDistinct)
		return a.Operator == b.Operator && a.Not == b.Not
	case *MinMax:
		return a.Greatest == b.(*MinMax).Greatest
	}
	return sameRareNode(a, b)
}

func sameRareNode(a, b Expr) bool {
	switch a := a.(type) {
	case *NullIf:
		return a.Operator == b.(*NullIf).Operator
	case *CatalogCall:
		return a.Signature == b.(*CatalogCall).Signature
	case *In:
		b := b.(*In)
		return a.Operator == b.Operator && a.Not == b.Not
	case *Quantified:
		b := b.(*Quantified)
		return a.Operator == b.Operator && a.All == b.All
	case *Subscript:
		return a.Slice == b.(*Subscript).Slice
	case *RowCompare:
		return a.Name == b.(*RowCompare).Name
	case *Row:
		return slices.Equal(a.Names, b.(*Row).Names)
	case *RecordField:
		return a.Index == b.(*RecordField).Index
	case *JSONField:
		b := b.(*JSONField)
		return a.Key == b.Key && (a.Base == nil) == (b.Base == nil)
	case *Aggregate:
		b := b.(*Aggregate)
		return a.Proc == b.Proc && a.Star == b.Star && a.Distinct == b.Distinct && len(a.Args) == len(b.Args) &&
			(a.Filter == nil) == (b.Filter == nil) && sameOrder(a.Order, b.Order)
	case *WindowCall:
		b := b.(*WindowCall)
		return a.Proc == b.Proc && a.Star == b.Star && sameWindow(a.Window, b.Window)
	case *Subquery:
		return false // two queries are never taken for one
	}
	return true
}

func sameOrder(a, b []SortKey) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Desc != b[i].Desc || a[i].NullsFirst != b[i].NullsFirst {
			return false
		}
	}
	return true
}

func sameWindow(a, b *Window) bool {
	if len(a.Partition) != len(b.Partition) || !sameOrder(a.Order, b.Order) || (a.Frame == nil) != (b.Frame == nil) {
		return false
	}
	if a.Frame == nil {
		return true
	}
	return a.Frame.Mode == b.Frame.Mode && a.Frame.Start == b.Frame.Start && a.Frame.End == b.Frame.End && a.Frame.Exclude == b.Frame.Exclude
}

// contains says that some part of e satisfies the test.
func contains(e Expr, test func(Expr) bool) bool {
	found := false
	walk(e, func(e Expr) bool {
		found = found || test(e)
		return !found
	})
	return found
}

// maxCopies bounds the nodes that an expression written once can stand for.
const maxCopies = 100_000

// checkCopies refuses to write an expression several times where that would, with
// others in it that are themselves copied, make the tree grow without bound.
func checkCopies(e Expr, copies int, at int32) error {
	nodes := 0
	walk(e, func(Expr) bool {
		nodes += copies
		return nodes <= maxCopies
	})
	if nodes > maxCopies {
		return errorAt(at, pgerrcode.StatementTooComplex, "statement too complex")
	}
	return nil
}

func hasColumns(e Expr) bool {
	return contains(e, func(e Expr) bool {
		switch e.(type) {
		case *Column, *Aggregate, *WindowCall, *Subquery:
			return true
		}
		return false
	})
}

func hasAggregate(e Expr) bool {
	return contains(e, func(e Expr) bool { _, ok := e.(*Aggregate); return ok })
}

// Windowed says that an output of the query is computed over a window.
func (q *Query) Windowed() bool {
	for _, t := range q.Targets {
		if findWindowCall(t.Expr) != nil {
			return true
		}
	}
	return false
}

func findWindowCall(e Expr) *WindowCall {
	var found *WindowCall
	walk(e, func(e Expr) bool {
		if w, ok := e.(*WindowCall); ok && found == nil {
			found = w
		}
		return found == nil
	})
	return found
}

// isVolatile says that e may differ each time it is computed.
func isVolatile(e Expr) bool {
	return contains(e, func(e Expr) bool {
		_, query := e.(*Subquery)
		return query || isVolatileCall(e)
	})
}

// isVolatileCall says that e itself, whatever its arguments are, may differ each time.
func isVolatileCall(e Expr) bool {
	switch e := e.(type) {
	case *Func:
		return e.Proc.Volatility == postgres.Volatile
	case *Op:
		p, ok := postgres.ProcByOID(e.Operator.Code)
		return ok && p.Volatility == postgres.Volatile
	}
	return false
}

// withoutImplicit is what stands under casts that nobody wrote.
func withoutImplicit(e Expr) Expr {
	for {
		cast, ok := e.(*Cast)
		if !ok || cast.Explicit {
			return e
		}
		e = cast.Arg
	}
}

// Conjuncts are the conditions that all hold where a condition does.
func Conjuncts(e Expr) []Expr {
	if e == nil {
		return nil
	}
	and, ok := e.(*Logic)
	if !ok || and.Kind != And {
		return []Expr{e}
	}
	var all []Expr
	for _, arg := range and.Args {
		all = append(all, Conjuncts(arg)...)
	}
	return all
}
