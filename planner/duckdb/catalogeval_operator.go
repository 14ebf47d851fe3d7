package duckdb

import (
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// comparable says that an operator compares values of one kind by their bytes or as
// numbers.
func comparable(o *postgres.Operator) bool {
	left, ok := kindOf(o.Left)
	right, alike := kindOf(o.Right)
	return ok && alike && left == right
}

func (c *catalogCompiler) operator(out *catalogExpr, e *planner.Op) bool {
	if e.Left == nil {
		return false
	}
	list := []planner.Expr{e.Left, e.Right}
	if holds := comparison(e.Operator.Name); holds != nil {
		isText, _ := kindOf(e.Operator.Left)
		return comparable(e.Operator) && c.strict(out, list, func(args []catalogValue) (catalogValue, error) {
			return truthValue(holds(args[0].compare(args[1], isText))), nil
		})
	}
	switch name := e.Operator.Name; name {
	case "+", "-":
		return c.sum(out, e)
	case "~~", "!~~":
		pattern, ok := constantText(e.Right)
		if !ok || strings.ContainsAny(pattern, `_\`) || !isPlainText(e.Operator.Left) {
			return false
		}
		pieces := strings.Split(pattern, "%")
		return c.strict(out, list[:1], func(args []catalogValue) (catalogValue, error) {
			return truthValue(hasPieces(args[0].text, pieces) == (name == "~~")), nil
		})
	case "~", "!~", "~*", "!~*":
		text, ok := constantText(e.Right)
		if !ok || !isPlainText(e.Operator.Left) {
			return false
		}
		flags := ""
		if strings.HasSuffix(name, "*") {
			flags = "i"
		}
		p, err := compilePattern(text, flags)
		return err == nil && c.strict(out, list[:1], func(args []catalogValue) (catalogValue, error) {
			matches, err := p.matches(args[0].text)
			return truthValue(matches == (name[0] == '~')), err
		})
	}
	return false
}

// comparison says for which order of its operands an operator holds; nil: it is no
// comparison.
func comparison(name string) func(order int) bool {
	switch name {
	case "=":
		return func(order int) bool { return order == 0 }
	case "<>":
		return func(order int) bool { return order != 0 }
	case "<":
		return func(order int) bool { return order < 0 }
	case "<=":
		return func(order int) bool { return order <= 0 }
	case ">":
		return func(order int) bool { return order > 0 }
	case ">=":
		return func(order int) bool { return order >= 0 }
	}
	return nil
}

// sum adds and subtracts integers that do not overflow 64 bits.
func (c *catalogCompiler) sum(out *catalogExpr, e *planner.Op) bool {
	small := func(oid postgres.OID) bool { return oid == postgres.Int2OID || oid == postgres.Int4OID }
	if !small(e.Operator.Left) || !small(e.Operator.Right) || e.T.OID != postgres.Int4OID {
		return false
	}
	sign := int64(1)
	if e.Operator.Name == "-" {
		sign = -1
	}
	return c.strict(out, []planner.Expr{e.Left, e.Right}, func(args []catalogValue) (catalogValue, error) {
		n := args[0].n + sign*args[1].n
		if n != int64(int32(n)) {
			return catalogValue{}, errorf(pgerrcode.NumericValueOutOfRange, "integer out of range")
		}
		return catalogValue{n: n}, nil
	})
}

// hasPieces says that a text is the pieces with anything between them.
func hasPieces(text string, pieces []string) bool {
	last := len(pieces) - 1
	if last == 0 {
		return text == pieces[0]
	}
	text, ok := strings.CutPrefix(text, pieces[0])
	if !ok {
		return false
	}
	for _, piece := range pieces[1:last] {
		if _, text, ok = strings.Cut(text, piece); !ok {
			return false
		}
	}
	return strings.HasSuffix(text, pieces[last])
}
