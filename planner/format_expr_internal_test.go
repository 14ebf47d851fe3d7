package planner

import (
	"fmt"
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// expr prints an expression.
func (f *formatter) expr(e Expr) string {
	switch e := e.(type) {
	case nil:
		return "-"
	case *Const:
		return formatConst(e)
	case *ParamRef:
		return fmt.Sprintf("$%d::%s", e.Number, typeText(e.T))
	case *Column:
		return quoteName(e.Relation.Label()) + "." + quoteName(e.Relation.Columns()[e.Index].Name)
	case *Output:
		return fmt.Sprintf("#%d", e.Index+1)
	case *SentValue:
		return "value"
	case *Func:
		variadic := ""
		if e.Variadic {
			variadic = "variadic "
		}
		return e.Proc.Name + "(" + variadic + f.list(e.Args) + ")"
	case *Op:
		if e.Left == nil {
			return "(" + e.Operator.Name + " " + f.expr(e.Right) + ")"
		}
		return "(" + f.expr(e.Left) + " " + e.Operator.Name + " " + f.expr(e.Right) + ")"
	case *Cast:
		if e.Explicit {
			return "CAST(" + f.expr(e.Arg) + " AS " + typeText(e.T) + ")"
		}
		return f.expr(e.Arg) + "::" + typeText(e.T)
	case *Logic:
		return f.logic(e)
	case *IsNull:
		return "(" + f.expr(e.Arg) + " is " + notWord(e.Not) + "null)"
	case *IsBool:
		test := map[BoolTest]string{IsTrue: "true", IsFalse: "false", IsUnknown: "unknown"}[e.Test]
		return "(" + f.expr(e.Arg) + " is " + notWord(e.Not) + test + ")"
	case *IsDistinct:
		return "(" + f.expr(e.Left) + " is " + notWord(e.Not) + "distinct from " + f.expr(e.Right) + ")"
	}
	return f.branchExpr(e)
}

// branchExpr prints expressions that choose among others.
func (f *formatter) branchExpr(e Expr) string {
	switch e := e.(type) {
	case *Case:
		var b strings.Builder
		b.WriteString("case")
		for _, w := range e.Whens {
			b.WriteString(" when " + f.expr(w.Cond) + " then " + f.expr(w.Result))
		}
		if e.Else != nil {
			b.WriteString(" else " + f.expr(e.Else))
		}
		return b.String() + " end"
	case *Coalesce:
		return "coalesce(" + f.list(e.Args) + ")"
	case *CatalogCall:
		name, _, _ := strings.Cut(e.Signature, "(")
		return name + "(" + f.list(e.Args) + ")"
	case *NullIf:
		return "nullif(" + f.expr(e.Left) + ", " + f.expr(e.Right) + ")"
	case *MinMax:
		return map[bool]string{true: "greatest", false: "least"}[e.Greatest] + "(" + f.list(e.Args) + ")"
	case *In:
		return "(" + f.expr(e.Left) + " " + notWord(e.Not) + "in (" + f.list(e.List) + "))"
	case *Quantified:
		word := map[bool]string{true: "all", false: "any"}[e.All]
		return "(" + f.expr(e.Left) + " " + e.Operator.Name + " " + word + " (" + f.expr(e.Array) + "))"
	case *Array:
		return "array[" + f.list(e.Elems) + "]"
	case *Subscript:
		return f.subscript(e)
	case *Row:
		return "row(" + f.list(e.Elems) + ")"
	case *RecordField:
		return "(" + f.expr(e.Arg) + ")." + fieldName(nil, e.Index)
	case *JSONField:
		return e.Function + "(" + f.expr(e.JSON) + ")." + e.Key
	case *RowCompare:
		return "(row(" + f.list(e.Left) + ") " + e.Name + " row(" + f.list(e.Right) + "))"
	}
	return f.groupExpr(e)
}

func (f *formatter) subscript(e *Subscript) string {
	text := f.expr(e.Arg)
	bound := func(e Expr) string {
		if e == nil {
			return ""
		}
		return f.expr(e)
	}
	for i := range e.Index {
		text += "[" + bound(e.Index[i])
		if e.Slice {
			text += ":" + bound(e.Upper[i])
		}
		text += "]"
	}
	return text
}

// groupExpr prints expressions over several rows.
func (f *formatter) groupExpr(e Expr) string {
	switch e := e.(type) {
	case *Aggregate:
		var b strings.Builder
		b.WriteString(e.Proc.Name + "(")
		if e.Distinct {
			b.WriteString("distinct ")
		}
		b.WriteString(starOr(e.Star, f.list(e.Args)))
		if order := formatOrder(f, e.Order); order != "" && !e.WithinGroup {
			b.WriteString(" order by " + order)
		}
		b.WriteString(")")
		if e.WithinGroup {
			b.WriteString(" within group (order by " + formatOrder(f, e.Order) + ")")
		}
		if e.Filter != nil {
			b.WriteString(" filter (where " + f.expr(e.Filter) + ")")
		}
		return b.String()
	case *WindowCall:
		s := e.Proc.Name + "(" + starOr(e.Star, f.list(e.Args)) + ")"
		if e.Filter != nil {
			s += " filter (where " + f.expr(e.Filter) + ")"
		}
		return s + " over (" + f.window(e.Window) + ")"
	case *Grouping:
		return "grouping(" + f.list(e.Args) + ")"
	case *Subquery:
		return f.subquery(e)
	}
	return fmt.Sprintf("%T", e)
}

func starOr(star bool, list string) string {
	if star {
		return "*"
	}
	return list
}

func notWord(not bool) string {
	if not {
		return "not "
	}
	return ""
}

func (f *formatter) logic(e *Logic) string {
	if e.Kind == Not {
		return "(not " + f.expr(e.Args[0]) + ")"
	}
	args := make([]string, len(e.Args))
	for i, arg := range e.Args {
		args[i] = f.expr(arg)
	}
	return "(" + strings.Join(args, map[LogicKind]string{And: " and ", Or: " or "}[e.Kind]) + ")"
}

var frameWords = map[FrameBound]string{
	UnboundedPreceding: "unbounded preceding", OffsetPreceding: "preceding", CurrentRow: "current row",
	OffsetFollowing: "following", UnboundedFollowing: "unbounded following",
}

func (f *formatter) window(w *Window) string {
	var parts []string
	if len(w.Partition) > 0 {
		parts = append(parts, "partition by "+f.list(w.Partition))
	}
	if len(w.Order) > 0 {
		parts = append(parts, "order by "+formatOrder(f, w.Order))
	}
	if fr := w.Frame; fr != nil {
		end := func(e Expr, bound FrameBound) string {
			if e == nil {
				return frameWords[bound]
			}
			return f.expr(e) + " " + frameWords[bound]
		}
		s := strings.ToLower(fr.Mode) + " between " + end(fr.StartOff, fr.Start) + " and " + end(fr.EndOff, fr.End)
		if fr.Exclude != "" {
			s += " exclude " + strings.ToLower(fr.Exclude)
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " ")
}

var subqueryWords = map[SubqueryKind]string{
	SubqueryScalar: "", SubqueryExists: "exists ", SubqueryAny: " any ", SubqueryAll: " all ", SubqueryArray: "array",
}

// subquery prints a query in an expression on one line.
func (f *formatter) subquery(e *Subquery) string {
	inner := strings.Join(strings.Fields(Format(e.Query)), " ")
	left := ""
	if len(e.Left) > 0 {
		left = f.list(e.Left) + " " + e.Operators[0].Name
	}
	return "(" + left + subqueryWords[e.Kind] + "(" + inner + "))"
}

func formatConst(c *Const) string {
	if c.Null {
		return "null::" + typeText(c.T)
	}
	if c.T.OID == postgres.UnknownOID {
		return "'" + c.Value.Str + "'::unknown"
	}
	text := string(postgres.AppendText(nil, c.T.OID, c.Value, postgres.DefaultEnv()))
	switch c.T.OID {
	case postgres.Int4OID:
		return text
	case postgres.BoolOID:
		return map[string]string{"t": "true", "f": "false"}[text]
	}
	return "'" + text + "'::" + typeText(c.T)
}
