package planner

import (
	"errors"
	"strings"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// callSite is a function call while it is bound.
type callSite struct {
	node *pgquery.FuncCall
	name string
	// args are as written, then those in WITHIN GROUP; names belong to the last.
	args   []Expr
	places []int32
	names  []string
	proc   *postgres.ResolvedProc
}

// call binds a function call: a function, an aggregate, a window function, or a
// cast written as one.
func (b *binder) call(sc *scope, n *pgquery.FuncCall) (Expr, error) {
	if isExpandArray(n) {
		f, err := b.expandArrayCall(sc, n)
		if err != nil {
			return nil, err
		}
		return b.setReturning(sc, f, n.Location)
	}
	c, err := b.callSite(sc, n)
	if err != nil {
		return nil, err
	}
	if c.proc.Proc == nil {
		if err := c.checkPlain(); err != nil {
			return nil, err
		}
		return b.coerce(c.args[0], plainType(c.proc.Ret), postgres.Explicit, c.places[0])
	}
	switch {
	case c.proc.Aggregate != nil && n.Over == nil:
		return b.aggregate(sc, c)
	case c.proc.Aggregate != nil || c.proc.Proc.Kind == postgres.WindowProc:
		return b.windowCall(sc, c)
	}
	if err := c.checkPlain(); err != nil {
		return nil, err
	}
	if sc.clause == inConversion {
		if err := checkImmutable(c.proc.Proc, n.Location); err != nil {
			return nil, err
		}
	}
	if e, ok, err := b.sessionCall(c); ok || err != nil {
		return e, err
	}
	if e, ok, err := b.catalogCall(c); ok || err != nil {
		return e, err
	}
	if e, ok, err := b.populateCall(sc, c); ok || err != nil {
		return e, err
	}
	f, err := b.function(c)
	if err == nil {
		err = b.withTextSearchConfig(f, n.Location)
	}
	if err != nil {
		return nil, err
	}
	if c.proc.Proc.ReturnsSet {
		return b.setReturning(sc, f, n.Location)
	}
	return b.fold(f, n.Location)
}

// callSite binds the arguments and finds the function.
func (b *binder) callSite(sc *scope, n *pgquery.FuncCall) (*callSite, error) {
	parts, _ := nameParts(n.Funcname)
	c := &callSite{node: n, name: parts[len(parts)-1]}
	if err := b.callArguments(sc, c); err != nil {
		return nil, err
	}
	if err := checkFunctionSchema(parts, c); err != nil {
		return nil, err
	}
	var err error
	c.proc, err = postgres.ResolveFunction(c.name, c.types(), postgres.CallOptions{
		Names: c.names, Variadic: n.FuncVariadic, Star: n.AggStar, WithinGroup: n.AggWithinGroup,
	})
	if err != nil {
		return nil, qualified(faultAt(n.Location, err), parts)
	}
	if a := c.proc.Aggregate; a != nil && a.Kind == postgres.HypotheticalAggregate && len(c.args) != 2*len(n.AggOrder) {
		return nil, errorAt(n.Location, pgerrcode.UndefinedFunction, "function %s does not exist", c.signature(parts)).
			withHint("To use the hypothetical-set aggregate %s, the number of hypothetical direct arguments (here %d) "+
				"must match the number of ordering columns (here %d).", c.name, len(c.args)-len(n.AggOrder), len(n.AggOrder))
	}
	if b.trace != nil {
		b.trace.calls[n] = c
	}
	return c, nil
}

// callArguments binds the arguments as they are written.
func (b *binder) callArguments(sc *scope, c *callSite) error {
	n := c.node
	add := func(node *pgquery.Node) error {
		e, err := b.expr(sc, node)
		c.args, c.places = append(c.args, e), append(c.places, locate(node))
		return err
	}
	for _, node := range n.Args {
		if named := node.GetNamedArgExpr(); named != nil {
			c.names = append(c.names, named.Name)
			node = named.Arg
		} else if len(c.names) > 0 {
			return errorAt(locate(node), pgerrcode.SyntaxError, "positional argument cannot follow named argument")
		}
		if err := add(node); err != nil {
			return err
		}
	}
	if n.AggWithinGroup {
		for _, node := range n.AggOrder {
			if err := add(node.GetSortBy().GetNode()); err != nil {
				return err
			}
		}
	}
	return nil
}

// qualified has a message name the function as it was written.
func qualified(err error, parts []string) error {
	var e *Error
	if len(parts) > 1 && errors.As(err, &e) {
		e.Message = strings.Replace(e.Message, "function "+parts[len(parts)-1]+"(", "function "+dotted(parts)+"(", 1)
	}
	return err
}

// signature is the call as messages write it: name(type, type).
func (c *callSite) signature(parts []string) string {
	types := make([]string, 0, len(c.args))
	for _, t := range c.types() {
		types = append(types, t.String())
	}
	return dotted(parts) + "(" + strings.Join(types, ", ") + ")"
}

func (c *callSite) types() []postgres.OID {
	types := make([]postgres.OID, len(c.args))
	for i, e := range c.args {
		types[i] = e.Type().OID
	}
	return types
}

// checkFunctionSchema refuses a qualified name outside pg_catalog, which alone has
// functions that queries can call.
func checkFunctionSchema(parts []string, c *callSite) error {
	if len(parts) == 1 || parts[len(parts)-2] == schemaCatalog {
		return nil
	}
	schemaName := parts[len(parts)-2]
	at := c.node.Location
	switch {
	case schemaName == schemaFieldgate && isInspection(c.name):
		return errorAt(at, pgerrcode.FeatureNotSupported, "%s.%s can only be called in FROM", schemaFieldgate, c.name)
	case schemaName == schemaFieldgate && adminFunctions(c.name) != nil:
		return errorAt(at, pgerrcode.FeatureNotSupported, "%s.%s can only be called by a SELECT that does nothing else", schemaFieldgate, c.name)
	case schemaName == schemaInformation:
		return unsupported(at, "function %s", dotted(parts))
	case !isSchema(schemaName):
		return errorAt(at, pgerrcode.InvalidSchemaName, "schema %q does not exist", schemaName)
	}
	return errorAt(at, pgerrcode.UndefinedFunction, "function %s does not exist", c.signature(parts)).
		withHint("No function matches the given name and argument types. You might need to add explicit type casts.")
}

// checkPlain refuses what only aggregates and window functions can have.
func (c *callSite) checkPlain() error {
	n := c.node
	wrong := func(what string) error {
		return errorAt(n.Location, pgerrcode.WrongObjectType, "%s specified, but %s is not an aggregate function", what, c.name)
	}
	switch {
	case n.AggDistinct:
		return wrong("DISTINCT")
	case n.AggWithinGroup:
		return wrong("WITHIN GROUP")
	case len(n.AggOrder) > 0:
		return wrong("ORDER BY")
	case n.AggFilter != nil:
		return wrong("FILTER")
	case n.Over != nil:
		return errorAt(n.Location, pgerrcode.WrongObjectType, "OVER specified, but %s is not a window function nor an aggregate function", c.name)
	}
	return nil
}

// function makes the call of an ordinary function.
func (b *binder) function(c *callSite) (*Func, error) {
	args, err := b.arguments(c)
	if err != nil {
		return nil, err
	}
	if printsArguments[c.proc.Proc.Name] {
		for i, arg := range args {
			if text, ok := b.objectText(arg); ok {
				args[i] = text
			}
		}
	}
	return &Func{T: plainType(c.proc.Ret), Proc: c.proc.Proc, Args: args, Variadic: c.node.FuncVariadic}, nil
}

// printsArguments are the functions that take any type and print it.
var printsArguments = map[string]bool{
	"concat": true, "concat_ws": true, "format": true, "quote_literal": true, "quote_nullable": true, "to_json": true, "to_jsonb": true,
	"json_build_array": true, "json_build_object": true, "jsonb_build_array": true, "jsonb_build_object": true,
}

// arguments gives each parameter its argument, converted, or its default.
func (b *binder) arguments(c *callSite) ([]Expr, error) {
	args := make([]Expr, len(c.proc.ArgTypes))
	for i, t := range c.proc.ArgTypes {
		given := i
		if c.proc.ArgOrder != nil {
			given = c.proc.ArgOrder[i]
		}
		var err error
		if given < 0 {
			args[i], err = b.defaultArgument(c.proc.Proc, i, t)
		} else {
			args[i], err = b.coerce(c.args[given], plainType(t), postgres.Implicit, c.places[given])
		}
		if err != nil {
			return nil, err
		}
	}
	return args, nil
}

// defaultArgument binds the SQL that pg_proc has for an argument left out.
func (b *binder) defaultArgument(p *postgres.Proc, param int, t postgres.OID) (Expr, error) {
	n, err := parseExpr(p.Default(param))
	if err != nil {
		return nil, err
	}
	e, err := b.expr(newScope(nil), n)
	if err != nil {
		return nil, err
	}
	return b.coerce(e, plainType(t), postgres.Assignment, nowhere)
}

// parseExpr parses a scalar expression by itself.
func parseExpr(text string) (*pgquery.Node, error) {
	statements, err := parse("SELECT " + text)
	if err != nil {
		return nil, err
	}
	if len(statements) == 1 {
		if s := statements[0].node.GetSelectStmt(); isOneExpr(s) {
			return s.TargetList[0].GetResTarget().Val, nil
		}
	}
	return nil, errorf(pgerrcode.SyntaxError, "%s is not one expression", text)
}

// isOneExpr says that a SELECT has one unnamed target and nothing else.
func isOneExpr(s *pgquery.SelectStmt) bool {
	return s != nil && isOneTarget(s) && s.TargetList[0].GetResTarget().GetName() == ""
}

// isOneTarget says that a SELECT has one target and nothing else.
func isOneTarget(s *pgquery.SelectStmt) bool {
	if len(s.TargetList) != 1 {
		return false
	}
	return s.FromClause == nil && s.WhereClause == nil && s.GroupClause == nil && s.HavingClause == nil && s.WindowClause == nil &&
		s.SortClause == nil && s.LimitCount == nil && s.LimitOffset == nil && s.DistinctClause == nil && s.IntoClause == nil &&
		s.LockingClause == nil && s.WithClause == nil && s.Larg == nil && s.ValuesLists == nil
}
