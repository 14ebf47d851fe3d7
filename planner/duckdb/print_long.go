package duckdb

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// DuckDB plans some shapes of long expressions in a time that grows with the square
// or the cube of their length. Those that clients write are printed in others.

const (
	// longChain is from how many operands on a chain of operators is printed as a
	// list: every step of it makes planning the whole slower, that of a list does not.
	longChain = 32
	// longOr is from how many arms on an OR over several columns is sealed.
	longOr = 16
)

// chain prints a + b - c …, which nests to the left, if it is long. Texts that are
// joined can be joined in any order; whether a number overflows depends on it, so
// numbers are added up in theirs.
func (p *printer) chain(e *planner.Op) (out printed, ok bool) {
	operators, operands := chained(e)
	if len(operands) < longChain {
		return printed{}, false
	}
	if joinsTexts(e.Operator) {
		parts := make([]string, len(operands))
		for i, x := range operands {
			s := &site{p: p, args: []printed{p.expr(x)}, types: []planner.Type{x.Type()}, nodes: []planner.Expr{x}}
			parts[i] = s.castText(0)
		}
		return printed{sql: balanced(parts, " || ")}, true
	}
	t := e.Type()
	x, y := p.name("e"), p.name("e")
	elements := p.exprs(operands)
	if !slices.ContainsFunc(operators, func(o *postgres.Operator) bool { return o.OID != operators[0].OID }) {
		step := p.apply(operators[0], t, printed{sql: x}, t, printed{sql: y})
		return printed{sql: fmt.Sprintf("list_reduce([%s], lambda %s, %s: %s)", join(elements), x, y, step.sql)}, true
	}
	// Each element brings along which operator comes before it.
	var known []*postgres.Operator
	var steps strings.Builder
	pairs := make([]string, len(elements))
	for i, v := range elements {
		place := 0
		if i > 0 {
			o := operators[i-1]
			if place = slices.Index(known, o); place < 0 {
				place = len(known)
				known = append(known, o)
				step := p.apply(o, t, printed{sql: x + ".v"}, t, printed{sql: y + ".v"})
				fmt.Fprintf(&steps, " WHEN %d THEN %s", place, step.sql)
			}
		}
		pairs[i] = "{'o': " + strconv.Itoa(place) + ", 'v': " + v.sql + "}"
	}
	return printed{sql: fmt.Sprintf(
		"struct_extract(list_reduce([%s], lambda %s, %s: {'o': 0, 'v': CASE %[3]s.o%[4]s END}), 'v')",
		strings.Join(pairs, ", "), x, y, steps.String(),
	)}, true
}

// chained are the operators of a chain in their order, and its operands, one more.
func chained(e *planner.Op) (operators []*postgres.Operator, operands []planner.Expr) {
	var last planner.Expr = e
	for {
		op, ok := last.(*planner.Op)
		if !ok || !chains(op.Operator, e.Operator) {
			break
		}
		operators = append(operators, op.Operator)
		operands = append(operands, op.Right)
		last = op.Left
	}
	operands = append(operands, last)
	slices.Reverse(operators)
	slices.Reverse(operands)
	return operators, operands
}

// chains says that an operator may be in the chain that ends with another: both join
// texts, or both make a number of two of its type that are values of one form.
func chains(o, last *postgres.Operator) bool {
	if joinsTexts(last) {
		return joinsTexts(o)
	}
	switch o.Result {
	case postgres.Int2OID, postgres.Int4OID, postgres.Int8OID, postgres.Float4OID, postgres.Float8OID:
		return o.Left == o.Result && o.Right == o.Result && o.Result == last.Result
	}
	return false
}

func joinsTexts(o *postgres.Operator) bool { return o.Name == "||" && o.Result == postgres.TextOID }

// balanced joins operands of an associative operator as a tree without long arms.
func balanced(operands []string, operator string) string {
	if len(operands) == 1 {
		return operands[0]
	}
	half := len(operands) / 2
	return "(" + balanced(operands[:half], operator) + operator + balanced(operands[half:], operator) + ")"
}

// seal notes which parts of a condition that chooses rows print as NULL no more, but
// as false. From an OR over several columns DuckDB derives conditions on each of
// them, whose arms it nests one in another; it does not see an OR that is sealed.
func (p *printer) seal(condition planner.Expr) {
	l, ok := condition.(*planner.Logic)
	if !ok {
		return
	}
	switch l.Kind {
	case planner.And:
		for _, arg := range l.Args {
			p.seal(arg)
		}
	case planner.Or:
		if len(l.Args) >= longOr && overSeveralColumns(l) {
			p.sealed[l] = true
		}
	}
}

// overSeveralColumns says that some arm of an OR is a condition on two columns.
func overSeveralColumns(or *planner.Logic) bool {
	return slices.ContainsFunc(or.Args, func(arm planner.Expr) bool {
		found := map[any]bool{}
		comparedIn(arm, found)
		return len(found) > 1
	})
}

// comparedIn gathers what a condition compares: columns, and what is made of them.
func comparedIn(e planner.Expr, found map[any]bool) {
	switch e := e.(type) {
	case nil, *planner.Const, *planner.ParamRef:
	case *planner.Logic:
		for _, arg := range e.Args {
			comparedIn(arg, found)
		}
	case *planner.Op:
		comparedIn(e.Left, found)
		comparedIn(e.Right, found)
	case *planner.RowCompare:
		for _, left := range e.Left {
			comparedIn(left, found)
		}
	case *planner.In:
		comparedIn(e.Left, found)
	case *planner.IsNull:
		comparedIn(e.Arg, found)
	case *planner.Cast:
		comparedIn(e.Arg, found)
	case *planner.Column:
		found[[2]any{e.Relation, e.Index}] = true
	default:
		found[e] = true
	}
}
