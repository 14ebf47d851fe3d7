package planner

import (
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// caseExpr binds CASE; the simple form has its comparisons spelled out.
func (b *binder) caseExpr(sc *scope, n *pgquery.CaseExpr) (Expr, error) {
	var arg Expr
	if n.Arg != nil {
		var err error
		if arg, err = b.expr(sc, n.Arg); err != nil {
			return nil, err
		}
		if arg, err = b.resolve(arg); err != nil {
			return nil, err
		}
		if err := checkCopies(arg, len(n.Args), n.Location); err != nil {
			return nil, err
		}
		if len(n.Args) > 1 && isVolatile(arg) {
			return nil, unsupported(n.Location, "CASE over a volatile expression")
		}
	}
	// The type of the ELSE counts first, as in PostgreSQL.
	results := []Expr{nullConst(plainType(postgres.UnknownOID))}
	places := []int32{n.Location}
	if n.Defresult != nil {
		e, err := b.expr(sc, n.Defresult)
		if err != nil {
			return nil, err
		}
		results[0], places[0] = e, locate(n.Defresult)
	}
	c := &Case{}
	for _, node := range n.Args {
		when := node.GetCaseWhen()
		cond, err := b.whenCondition(sc, arg, n, when)
		if err != nil {
			return nil, err
		}
		result, err := b.expr(sc, when.Result)
		if err != nil {
			return nil, err
		}
		c.Whens = append(c.Whens, When{Cond: cond})
		results, places = append(results, result), append(places, locate(when.Result))
	}
	results, t, err := b.coerceAll(results, places, "CASE")
	if err != nil {
		return nil, err
	}
	c.T = t
	for i := range c.Whens {
		c.Whens[i].Result = results[i+1]
	}
	if n.Defresult != nil {
		c.Else = results[0]
	}
	return c, nil
}

func (b *binder) whenCondition(sc *scope, arg Expr, n *pgquery.CaseExpr, when *pgquery.CaseWhen) (Expr, error) {
	e, err := b.expr(sc, when.Expr)
	if err != nil {
		return nil, err
	}
	if arg == nil {
		return b.coerceBool(e, "CASE/WHEN", locate(when.Expr))
	}
	return b.operator("=", arg, e, when.Location, locate(n.Arg), locate(when.Expr))
}
