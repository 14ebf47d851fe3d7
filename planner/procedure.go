package planner

import (
	"context"
	"errors"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// refuseCall says why CALL finds nothing to call: there are functions, and no procedures.
func (s *Session) refuseCall(ctx context.Context, n *pgquery.FuncCall) error {
	env := s.environment()
	names, err := s.lookup(ctx, env.path)
	if err != nil {
		return err
	}
	parts, _ := nameParts(n.Funcname)
	c := &callSite{node: n, name: parts[len(parts)-1]}
	b := newBinder(names, env, &parameters{})
	if err = b.callArguments(newScope(nil), c); err != nil {
		return err
	}
	for i, arg := range c.args {
		if contains(arg, func(e Expr) bool { _, ok := e.(*Subquery); return ok }) {
			return errorAt(c.places[i], pgerrcode.FeatureNotSupported, "cannot use subquery in CALL argument")
		}
	}
	if err = checkFunctionSchema(parts, c); err == nil {
		_, err = postgres.ResolveFunction(c.name, c.types(), postgres.CallOptions{
			Names: c.names, Variadic: n.FuncVariadic, Star: n.AggStar, WithinGroup: n.AggWithinGroup,
		})
	}
	var unknownSchema *Error
	switch {
	case err == nil:
		return errorAt(n.Location, pgerrcode.WrongObjectType, "%s is not a procedure", c.signature(parts)).withHint("To call a function, use SELECT.")
	case errors.As(err, &unknownSchema) && unknownSchema.Code == pgerrcode.InvalidSchemaName:
		return err
	}
	return errorAt(n.Location, pgerrcode.UndefinedFunction, "procedure %s does not exist", c.signature(parts)).
		withHint("No procedure matches the given name and argument types. You might need to add explicit type casts.")
}
