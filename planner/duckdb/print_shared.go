package duckdb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"
	"github.com/zeebo/xxh3"

	"github.com/fieldgate/fieldgate/planner"
)

const (
	// sharedBytes is how long the arguments of a call are at least that are computed
	// before it where it uses one more than once.
	sharedBytes = 4 << 10
	// maxExpression bounds the text of an expression, bytes. DuckDB takes about a hundred
	// times as much memory to read it, which no limit of its own counts.
	maxExpression = 8 << 20
)

// shared prints a call over arguments that are printed already. Where it puts long ones
// into several places, they become fields of what a lambda is called with: calls in calls
// would double the text with every level.
func (p *printer) shared(args []printed, nodes []planner.Expr, call func() printed) printed {
	if p.err != nil {
		return printed{} // which nobody reads; there may be many levels to go back through
	}
	given, size := slices.Clone(args), 0
	for _, a := range args {
		size += len(a.sql)
	}
	out := call()
	if p.err != nil || size < sharedBytes || len(out.sql) < size+size/2 {
		return out
	}
	var fields []string
	for i, a := range given {
		if _, constant := nodes[i].(*planner.Const); !constant {
			fields = append(fields, fmt.Sprintf("v%d := %s", i, a.sql))
		}
	}
	if fields == nil {
		return out // constants do not grow
	}
	pack := "struct_pack(" + strings.Join(fields, ", ") + ")"
	// The name follows from what it stands for, since DuckDB knows an expression again by its text.
	name := fmt.Sprintf("a%x", xxh3.HashString(pack))
	copy(args, given)
	for i := range args {
		if _, constant := nodes[i].(*planner.Const); !constant {
			args[i].sql = fmt.Sprintf("%s.v%d", name, i)
		}
	}
	body := call()
	if strings.Contains(body.sql, "SELECT ") { // DuckDB has no subquery in a lambda
		return out
	}
	return printed{"list_extract(list_transform([" + pack + "], lambda " + name + ": " + body.sql + "), 1)", body.scale}
}

// bounded is an expression unless it is too long to be read.
func (p *printer) bounded(e printed) printed {
	if len(e.sql) <= maxExpression || p.err != nil {
		return e
	}
	err := errorf(pgerrcode.StatementTooComplex, "statement too complex")
	err.Hint = "An expression that is used in many places, as by BETWEEN within BETWEEN, can be computed in a subquery."
	return p.fail(err)
}
