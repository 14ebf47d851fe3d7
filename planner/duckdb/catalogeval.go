package duckdb

import (
	"strings"
	"unicode"
	"unsafe"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// Clients ask for whole relations of the catalog with a few expressions over them.
// Their rows lie in blocks of a table each, in which most columns have one value, so
// that an expression is computed once a block. The engine would be given each value,
// compute each row and give each value back.

// catalogValue is a value of an expression over rows of the catalog: a number, which
// is 0 or 1 for a boolean, or a text.
type catalogValue struct {
	null bool
	n    int64
	text string
}

// catalogRow is the row of a block at which expressions are computed.
type catalogRow struct {
	place int // in the block
}

// catalogExpr is an expression over the columns of one scan.
type catalogExpr struct {
	isText  bool
	columns []int
	compute func(at *catalogRow) (catalogValue, error)

	// isColumn: it is the column whose values in the part are these.
	isColumn bool
	values   *sources.CatalogValues
	// same: all rows of the part have one value, which is known once it is done.
	same, done bool
	value      catalogValue
}

// enter goes to a part, whose rows are computed from now on.
func (e *catalogExpr) enter(part *planner.CatalogPart) {
	if e.isColumn {
		e.values = part.Block.Column(e.columns[0])
		return
	}
	if e.done && len(e.columns) == 0 {
		return
	}
	e.same, e.done = true, false
	for _, c := range e.columns {
		e.same = e.same && part.Block.Column(c).Same
	}
}

// of computes the expression at a row.
func (e *catalogExpr) of(at *catalogRow) (catalogValue, error) {
	if !e.same {
		return e.compute(at)
	}
	if !e.done {
		var err error
		if e.value, err = e.compute(at); err != nil {
			return catalogValue{}, err
		}
		e.done = true
	}
	return e.value, nil
}

// isTrue says that a condition holds at a row.
func (e *catalogExpr) isTrue(at *catalogRow) (bool, error) {
	v, err := e.of(at)
	return err == nil && !v.null && v.n != 0, err
}

// catalogCompiler makes catalogExprs. What it does not know is left to DuckDB.
type catalogCompiler struct {
	source *catalogSource
	scan   *planner.CatalogScan
	absent map[planner.Relation]bool
	made   []*catalogExpr
}

// kindOf says whether values of a type are texts or numbers here.
func kindOf(oid postgres.OID) (isText, ok bool) {
	switch postgres.BaseOf(oid) {
	case postgres.CharOID, postgres.CStringOID:
		return true, true
	case postgres.XIDOID, postgres.CIDOID:
		return false, false
	}
	switch physical(oid) {
	case "BOOLEAN", "SMALLINT", "INTEGER", "BIGINT":
		return false, true
	}
	return true, isPlainText(oid)
}

func (c *catalogCompiler) compile(e planner.Expr) (*catalogExpr, bool) {
	isText, ok := kindOf(e.Type().OID)
	if !ok {
		return nil, false
	}
	out := &catalogExpr{isText: isText}
	c.made = append(c.made, out)
	switch e := e.(type) {
	case *planner.Const:
		v := catalogValue{null: e.Null, n: e.Value.Int, text: e.Value.Str}
		out.compute = func(*catalogRow) (catalogValue, error) { return v, nil }
	case *planner.Column:
		return out, c.column(out, e)
	case *planner.Cast:
		args, ok := c.all([]planner.Expr{e.Arg}, out)
		if !ok || !keepsValue(e.Arg.Type(), e.T) {
			return nil, false
		}
		out.compute = args[0].of
	case *planner.IsNull:
		args, ok := c.all([]planner.Expr{e.Arg}, out)
		if !ok {
			return nil, false
		}
		out.compute = func(at *catalogRow) (catalogValue, error) {
			v, err := args[0].of(at)
			return truthValue(v.null != e.Not), err
		}
	case *planner.Logic:
		return out, c.logic(out, e)
	case *planner.Case:
		return out, c.cases(out, e)
	case *planner.Coalesce:
		args, ok := c.all(e.Args, out)
		out.compute = func(at *catalogRow) (v catalogValue, err error) {
			for _, arg := range args {
				if v, err = arg.of(at); err != nil || !v.null {
					break
				}
			}
			return v, err
		}
		return out, ok
	case *planner.In:
		return out, c.in(out, e)
	case *planner.Op:
		return out, c.operator(out, e)
	case *planner.Func:
		return out, c.function(out, e)
	case *planner.CatalogCall:
		return out, c.lookup(out, e)
	default:
		return nil, false
	}
	return out, true
}

// all compiles the arguments of an expression, and notes their columns with it.
func (c *catalogCompiler) all(args []planner.Expr, of *catalogExpr) ([]*catalogExpr, bool) {
	out := make([]*catalogExpr, len(args))
	for i, arg := range args {
		var ok bool
		if out[i], ok = c.compile(arg); !ok {
			return nil, false
		}
		of.columns = append(of.columns, out[i].columns...)
	}
	return out, true
}

func (c *catalogCompiler) column(out *catalogExpr, e *planner.Column) bool {
	if c.absent[e.Relation] {
		out.compute = func(*catalogRow) (catalogValue, error) { return catalogValue{null: true}, nil }
		return true
	}
	if e.Relation != planner.Relation(c.scan) || e.Index < 0 || (c.source.names[e.Index].kind == "VARCHAR") != out.isText {
		return false
	}
	out.isColumn, out.columns = true, []int{e.Index}
	out.compute = func(at *catalogRow) (catalogValue, error) {
		switch {
		case !out.values.IsValid(at.place):
			return catalogValue{null: true}, nil
		case out.isText:
			return catalogValue{text: textOf(out.values.BytesAt(at.place))}, nil
		}
		return catalogValue{n: out.values.IntAt(at.place)}, nil
	}
	return true
}

// keepsValue says that a cast changes no value.
func keepsValue(from, to planner.Type) bool {
	a, b := postgres.BaseOf(from.OID), postgres.BaseOf(to.OID)
	switch {
	case a == b:
		return to.Typmod < 0 || to.Typmod == from.Typmod
	case b == postgres.TextOID, b == postgres.CStringOID, b == postgres.VarcharOID && to.Typmod < 0:
		isText, ok := kindOf(a)
		return ok && isText
	case a == postgres.OIDOID, isRegistered(a):
		return b == postgres.Int8OID || b == postgres.OIDOID || isRegistered(b) && a == postgres.OIDOID
	case a == postgres.Int2OID:
		return b == postgres.Int4OID || b == postgres.Int8OID
	}
	return a == postgres.Int4OID && b == postgres.Int8OID
}

func truthValue(is bool) catalogValue {
	if is {
		return catalogValue{n: 1}
	}
	return catalogValue{}
}

// logic computes AND, OR and NOT from left to right, up to where they are decided.
func (c *catalogCompiler) logic(out *catalogExpr, e *planner.Logic) bool {
	args, ok := c.all(e.Args, out)
	if e.Kind == planner.Not {
		out.compute = func(at *catalogRow) (catalogValue, error) {
			v, err := args[0].of(at)
			v.n = 1 - v.n
			return v, err
		}
		return ok
	}
	decided := truthValue(e.Kind == planner.Or)
	out.compute = func(at *catalogRow) (catalogValue, error) {
		result := catalogValue{n: 1 - decided.n}
		for _, arg := range args {
			v, err := arg.of(at)
			switch {
			case err != nil:
				return v, err
			case v.null:
				result.null = true
			case v.n == decided.n:
				return decided, nil
			}
		}
		return result, nil
	}
	return ok
}

func (c *catalogCompiler) cases(out *catalogExpr, e *planner.Case) bool {
	var list []planner.Expr
	for _, w := range e.Whens {
		list = append(list, w.Cond, w.Result)
	}
	if e.Else != nil {
		list = append(list, e.Else)
	}
	args, ok := c.all(list, out)
	out.compute = func(at *catalogRow) (catalogValue, error) {
		for i := range e.Whens {
			switch holds, err := args[2*i].isTrue(at); {
			case err != nil:
				return catalogValue{}, err
			case holds:
				return args[2*i+1].of(at)
			}
		}
		if e.Else != nil {
			return args[len(args)-1].of(at)
		}
		return catalogValue{null: true}, nil
	}
	return ok
}

// strict compiles a call that is NULL for a NULL, and else what is made of the
// arguments, which are valid until the next call.
func (c *catalogCompiler) strict(out *catalogExpr, list []planner.Expr, call func(args []catalogValue) (catalogValue, error)) bool {
	args, ok := c.all(list, out)
	values := make([]catalogValue, len(list))
	out.compute = func(at *catalogRow) (catalogValue, error) {
		anyNull := false
		for i, arg := range args {
			v, err := arg.of(at)
			if err != nil {
				return v, err
			}
			values[i], anyNull = v, anyNull || v.null
		}
		if anyNull {
			return catalogValue{null: true}, nil
		}
		return call(values)
	}
	return ok
}

func (c *catalogCompiler) in(out *catalogExpr, e *planner.In) bool {
	if e.Operator.Name != "=" && e.Operator.Name != "<>" || !comparable(e.Operator) {
		return false
	}
	args, ok := c.all(append([]planner.Expr{e.Left}, e.List...), out)
	out.compute = func(at *catalogRow) (catalogValue, error) {
		left, err := args[0].of(at)
		if err != nil || left.null {
			return left, err
		}
		result := truthValue(e.Not)
		for _, arg := range args[1:] {
			v, err := arg.of(at)
			switch {
			case err != nil:
				return v, err
			case v.null:
				result.null = true
			case left.compare(v, args[0].isText) == 0:
				return truthValue(!e.Not), nil
			}
		}
		return result, nil
	}
	return ok
}

func (v *catalogValue) compare(w catalogValue, isText bool) int {
	switch {
	case isText:
		return strings.Compare(v.text, w.text)
	case v.n < w.n:
		return -1
	case v.n > w.n:
		return 1
	}
	return 0
}

func (c *catalogCompiler) function(out *catalogExpr, e *planner.Func) bool {
	if e.Variadic {
		return false
	}
	for _, arg := range e.Args {
		if isText, ok := kindOf(arg.Type().OID); !ok || !isText {
			return false
		}
	}
	switch e.Proc.Name {
	case "lower":
		return c.strict(out, e.Args, func(args []catalogValue) (catalogValue, error) {
			return catalogValue{text: strings.Map(unicode.ToLower, args[0].text)}, nil
		})
	case "quote_ident":
		return c.strict(out, e.Args, func(args []catalogValue) (catalogValue, error) {
			return catalogValue{text: postgres.QuoteIdentifier(args[0].text)}, nil
		})
	case "format":
		return c.format(out, e)
	}
	return false
}

// format compiles format() of a constant and texts.
func (c *catalogCompiler) format(out *catalogExpr, e *planner.Func) bool {
	f, ok := constantText(e.Args[0])
	if !ok {
		return false
	}
	args, ok := c.all(e.Args[1:], out)
	if f == "%s" && ok && len(args) == 1 {
		out.compute = func(at *catalogRow) (catalogValue, error) {
			v, err := args[0].of(at)
			return catalogValue{text: v.text}, err
		}
		return true
	}
	texts := make([][]byte, len(args))
	out.compute = func(at *catalogRow) (catalogValue, error) {
		for i, arg := range args {
			v, err := arg.of(at)
			if err != nil {
				return v, err
			}
			if texts[i] = bytesOf(v.text); v.null {
				texts[i] = nil
			}
		}
		text, err := format(f, texts)
		return catalogValue{text: text}, err
	}
	return ok
}

// textOf and bytesOf take bytes that nobody writes to as text, and the other way round.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func bytesOf(text string) []byte {
	if text == "" {
		return []byte{} // which is no NULL
	}
	return unsafe.Slice(unsafe.StringData(text), len(text))
}

// lookup calls a function that looks something up.
func (c *catalogCompiler) lookup(out *catalogExpr, e *planner.CatalogCall) bool {
	if e.Function == nil || out.isText != (physical(e.T.OID) == "VARCHAR") {
		return false
	}
	isText := make([]bool, len(e.Args))
	for i, arg := range e.Args {
		isText[i], _ = kindOf(arg.Type().OID)
	}
	return c.strict(out, e.Args, func(args []catalogValue) (catalogValue, error) {
		result, err := e.Function(catalogArgs(args, isText))
		return catalogValue{null: result.Null, n: result.Int, text: result.Text}, err
	})
}

// catalogArgs gives a lookup its integers and texts, each in their order.
func catalogArgs(values []catalogValue, isText []bool) (args sources.CatalogArgs) {
	ints, texts := 0, 0
	for i, v := range values {
		if isText[i] {
			args.Texts[texts] = v.text
			texts++
			continue
		}
		args.Ints[ints] = v.n
		ints++
	}
	return args
}
