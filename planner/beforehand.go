package planner

import (
	"math"
	"slices"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// PostgreSQL computes calls over constants while it plans, whether a row will need
// them or not: 1/0 fails under WHERE false, and beside a NULL. An engine computes
// what it needs. So what PostgreSQL would compute is found here, along the ways that
// its planner goes, and computed before the plan runs.

// beforehand finds the calls over constants of a query.
type beforehand struct {
	// calls are what is left to the engine: calls over constants.
	calls []Expr
	// nullable are relations of which an outer join can have no row.
	nullable map[Relation]bool
	// seen are the outputs of queries in FROM that were looked at: those that something
	// reads, since PostgreSQL forgets the others.
	seen map[seenOutput]bool
	err  error
}

type seenOutput struct {
	query *Query
	index int
}

// computeBeforehand gives the calls over constants that the engine must compute before
// the query runs. The error is that of one that was computed here.
func computeBeforehand(q *Query) ([]Expr, error) {
	f := &beforehand{nullable: map[Relation]bool{}, seen: map[seenOutput]bool{}}
	f.query(q)
	f.outputs(q)
	if len(q.From) == 0 && q.Where == nil && q.Limit == nil && q.Offset == nil {
		// Its outputs are computed in any case.
		f.calls = slices.DeleteFunc(f.calls, func(e Expr) bool {
			return slices.ContainsFunc(q.Targets, func(t Target) bool { return t.Expr == e })
		})
	}
	return f.calls, f.err
}

// query looks at all of a query but its outputs.
func (f *beforehand) query(q *Query) {
	for _, item := range q.From {
		f.from(item, false)
	}
	if q.SetOp != nil {
		for _, side := range []*Query{q.SetOp.Left, q.SetOp.Right} {
			f.query(side)
			f.outputs(side)
		}
	}
	for _, row := range q.Values {
		f.each(row)
	}
	f.each([]Expr{q.Where, q.Having})
	f.each(q.GroupBy)
	for _, k := range q.OrderBy {
		f.note(f.visit(k.Expr))
	}
}

func (f *beforehand) outputs(q *Query) {
	for i := range q.Targets {
		f.output(q, i)
	}
}

// output looks at one output of a query, once.
func (f *beforehand) output(q *Query, i int) {
	key := seenOutput{q, i}
	if i >= len(q.Targets) || f.seen[key] {
		return
	}
	f.seen[key] = true
	f.note(f.visit(q.Targets[i].Expr))
}

func (f *beforehand) from(item FromItem, nullable bool) {
	switch item := item.(type) {
	case *Join:
		f.from(item.Left, nullable || item.Kind == RightJoin || item.Kind == FullJoin)
		f.from(item.Right, nullable || item.Kind == LeftJoin || item.Kind == FullJoin)
		f.note(f.visit(item.On))
	case *SubqueryScan:
		f.nullable[item] = nullable
		f.query(item.Query)
	case *CTEScan:
		key := seenOutput{item.CTE.Query, -1}
		if f.seen[key] || item.CTE.Query == nil {
			return
		}
		f.seen[key] = true
		f.query(item.CTE.Query)
		if item.CTE.Materialized {
			f.outputs(item.CTE.Query)
		}
	case *FunctionScan:
		f.each(item.Call.Args)
		for _, call := range item.More {
			f.each(call.Args)
		}
	}
}

// note keeps an expression that is computed beforehand.
func (f *beforehand) note(e Expr) {
	if _, value := e.(*Const); e != nil && !value {
		f.calls = append(f.calls, e)
	}
}

// each looks at expressions that stand by themselves.
func (f *beforehand) each(list []Expr) {
	for _, e := range list {
		f.note(f.visit(e))
	}
}

// visit gives an expression of constants, with what is known of its value, or nil: e
// depends on more.
func (f *beforehand) visit(e Expr) Expr {
	switch e := e.(type) {
	case nil:
		return nil
	case *Const:
		return e
	case *Column:
		return f.column(e)
	case *Op:
		return f.op(e)
	case *Func:
		p := e.Proc
		args, constant := f.arguments(e.Args, p.Strict && p.Kind == postgres.FunctionProc)
		if !constant || p.Volatility != postgres.Immutable || p.ReturnsSet {
			f.each(args)
			return nil
		}
		if slices.Equal(args, e.Args) {
			return e
		}
		call := *e
		call.Args = args
		return &call
	case *Cast:
		arg := f.visit(e.Arg)
		if arg == nil || dependsOnSettings(arg.Type().OID) != dependsOnSettings(e.T.OID) {
			f.note(arg)
			return nil
		}
		return f.cast(e, arg)
	case *Logic:
		f.logic(e)
	case *Case:
		f.branches(e)
	case *Coalesce:
		f.coalesce(e)
	case *RowCompare:
		f.rows(e)
	case *Subquery:
		f.each(e.Left)
		f.query(e.Query)
		if e.Kind != SubqueryExists {
			f.outputs(e.Query)
		}
	case *Aggregate:
		f.each(aggregateParts(e))
	default:
		f.each(children(e))
	}
	if isConstant(e) {
		return e
	}
	return nil
}

// isConstant says that e is made of constants and immutable calls.
func isConstant(e Expr) bool {
	return !contains(e, func(e Expr) bool {
		switch e := e.(type) {
		case *Func:
			return e.Proc.Volatility != postgres.Immutable
		case *Op:
			p, ok := postgres.ProcByOID(e.Operator.Code)
			return !ok || p.Volatility != postgres.Immutable
		case *Column, *Output, *ParamRef, *SentValue, *CatalogCall, *Subquery, *Aggregate, *WindowCall, *Grouping, *JSONField:
			return true
		}
		return false
	})
}

// cast converts a constant; from integer to integer it is known what becomes of it.
func (f *beforehand) cast(e *Cast, arg Expr) Expr {
	if c, ok := arg.(*Const); ok && isInteger(c.T.OID) && isInteger(e.T.OID) && !c.Null {
		if !fitsInteger(c.Value.Int, e.T.OID) {
			f.fail(outOfRange(e.T.OID))
			return nil
		}
		return intConst(e.T.OID, c.Value.Int)
	}
	if arg == e.Arg {
		return e
	}
	cast := *e
	cast.Arg = arg
	return &cast
}

// fail keeps the first error.
func (f *beforehand) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

func outOfRange(oid postgres.OID) error {
	return errorf(pgerrcode.NumericValueOutOfRange, "%s out of range", oid)
}

func fitsInteger(n int64, oid postgres.OID) bool {
	bits := map[postgres.OID]uint{postgres.Int2OID: 16, postgres.Int4OID: 32, postgres.Int8OID: 64}[oid]
	shift := 64 - bits
	return n<<shift>>shift == n
}

// rows looks at a comparison of rows: of = and <>, which are comparisons of columns
// joined by AND or OR, at the first ones.
func (f *beforehand) rows(e *RowCompare) {
	if e.Name == "=" || e.Name == "<>" {
		f.each([]Expr{e.Left[0], e.Right[0]})
		return
	}
	f.each(children(e))
}

// dependsOnSettings says that a type's text depends on the session's settings.
func dependsOnSettings(oid postgres.OID) bool {
	c := category(oid)
	return c == postgres.DateTimeCategory || c == postgres.TimespanCategory
}

// column is the value of a column of a query of one row without a table, which
// PostgreSQL puts in its place.
func (f *beforehand) column(c *Column) Expr {
	if e := onlyValue(c); e != nil && !f.nullable[c.Relation] {
		return f.visit(e)
	}
	if q := queryOf(c.Relation); q != nil {
		f.output(q, c.Index)
	}
	return nil
}

// queryOf is the query that a relation reads, or nil.
func queryOf(r Relation) *Query {
	switch r := r.(type) {
	case *SubqueryScan:
		return r.Query
	case *CTEScan:
		return r.CTE.Query
	}
	return nil
}

// onlyValue is what a column stands for in a query of one row without a table; nil:
// it is of another one.
func onlyValue(c *Column) Expr {
	q := queryOf(c.Relation)
	switch {
	case q == nil, len(q.From) > 0, q.SetOp != nil, q.Where != nil, q.Aggregated, q.Distinct, q.DistinctOn != nil, q.Limit != nil, q.Offset != nil:
		return nil
	case len(q.Values) == 1:
		return q.Values[0][c.Index]
	case q.Values == nil && c.Index < len(q.Targets):
		return q.Targets[c.Index].Expr
	}
	return nil
}

// arguments visits those of a call. They are nil unless all are constant and, of a
// strict call, none is NULL: then there is no call, but what they are is computed.
func (f *beforehand) arguments(args []Expr, strict bool) (values []Expr, constant bool) {
	constant = true
	for _, arg := range args {
		v := f.visit(arg)
		constant = constant && v != nil && (!strict || !isNullConst(v))
		values = append(values, v)
	}
	return values, constant
}

func (f *beforehand) op(e *Op) Expr {
	p, ok := postgres.ProcByOID(e.Operator.Code)
	operands := []Expr{e.Right}
	if e.Left != nil {
		operands = []Expr{e.Left, e.Right}
	}
	args, constant := f.arguments(operands, ok && p.Strict)
	if !constant || !ok || p.Volatility != postgres.Immutable {
		f.each(args)
		return nil
	}
	if len(args) == 2 {
		if value, known := f.compute(e, args[0], args[1]); known {
			return value
		}
	}
	if slices.Equal(args, operands) {
		return e
	}
	call := *e
	call.Right = args[len(args)-1]
	if e.Left != nil {
		call.Left = args[0]
	}
	return &call
}

// compute computes an operation on two integers; nil: it fails.
func (f *beforehand) compute(e *Op, left, right Expr) (value Expr, known bool) {
	l, lok := left.(*Const)
	r, rok := right.(*Const)
	if !lok || !rok || l.Value.Kind != postgres.IntKind || r.Value.Kind != postgres.IntKind || !isInteger(l.T.OID) || !isInteger(r.T.OID) {
		return nil, false
	}
	if isComparison(e.Operator.Name) {
		return boolConst(compares(e.Operator.Name, l.Value.Int, r.Value.Int)), true
	}
	if !isInteger(e.T.OID) {
		return nil, false
	}
	n, err := arithmetic(e.Operator.Name, l.Value.Int, r.Value.Int, e.T.OID)
	if err != nil {
		f.fail(err)
		return nil, true
	}
	if n == nil {
		return nil, false
	}
	return intConst(e.T.OID, *n), true
}

func isInteger(oid postgres.OID) bool {
	return oid == postgres.Int2OID || oid == postgres.Int4OID || oid == postgres.Int8OID
}

func isComparison(operator string) bool {
	switch operator {
	case "=", "<>", "<", "<=", ">", ">=":
		return true
	}
	return false
}

func compares(operator string, l, r int64) bool {
	switch operator {
	case "=":
		return l == r
	case "<>":
		return l != r
	case "<":
		return l < r
	case "<=":
		return l <= r
	case ">":
		return l > r
	}
	return l >= r
}

// arithmetic is an operation on two integers with a result of a type; nil: it is not
// one of those that can fail.
func arithmetic(operator string, l, r int64, oid postgres.OID) (*int64, error) {
	var n int64
	fits := true
	switch operator {
	case "+":
		n = l + r
		fits = (n < l) == (r < 0)
	case "-":
		n = l - r
		fits = (n > l) == (r < 0)
	case "*":
		n = l * r
		fits = l == 0 || n/l == r && (l != -1 || r != math.MinInt64)
	case "/", "%":
		switch {
		case r == 0:
			return nil, errorf(pgerrcode.DivisionByZero, "division by zero")
		case operator == "%" && r != -1:
			n = l % r
		case operator == "/":
			n = l / r
			fits = r != -1 || l != math.MinInt64
		}
	default:
		return nil, nil
	}
	if !fits || !fitsInteger(n, oid) {
		return nil, outOfRange(oid)
	}
	return &n, nil
}

// known is the truth of a constant condition: as far as it is known, true, false or
// NULL.
func known(e Expr) (value, null, ok bool) {
	c, ok := e.(*Const)
	if !ok {
		return false, false, false
	}
	return c.Value.Int != 0 && !c.Null, c.Null, true
}

// logic looks at the operands up to the one that decides, or could.
func (f *beforehand) logic(e *Logic) {
	for _, arg := range e.Args {
		v := f.visit(arg)
		f.note(v)
		if v == nil || e.Kind == Not {
			continue
		}
		if value, null, ok := known(v); !ok || !null && value == (e.Kind == Or) {
			return
		}
	}
}

// branches looks at the branches of a CASE up to the one that is taken, or could be.
func (f *beforehand) branches(e *Case) {
	for _, w := range e.Whens {
		cond := f.visit(w.Cond)
		f.note(cond)
		value, _, ok := known(cond)
		switch {
		case cond == nil, ok && value:
			f.note(f.visit(w.Result))
		case !ok:
			return
		}
		if ok && value {
			return
		}
	}
	f.note(f.visit(e.Else))
}

// coalesce looks at the arguments up to one that has a value, or could.
func (f *beforehand) coalesce(e *Coalesce) {
	for _, arg := range e.Args {
		v := f.visit(arg)
		f.note(v)
		if v != nil && !isNullConst(v) {
			return
		}
	}
}
