package duckdb

import (
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// A strict function gives NULL for a NULL without being called, so that one which has no printing still has an answer where
// an argument cannot be anything else. Above all that is so of types that have no values here, since nothing reads, computes
// or stores any.

// hasValues says that there can be values of a type.
func hasValues(oid postgres.OID) bool {
	t, ok := postgres.TypeByOID(postgres.BaseOf(oid))
	if !ok {
		return true
	}
	switch t.Name {
	case "box", "circle", "line", "lseg", "path", "point", "polygon", "money", "xml", "pg_lsn", "pg_snapshot", "txid_snapshot", "gtsvector", "refcursor",
		"pg_ndistinct", "pg_dependencies", "pg_mcv_list", "pg_brin_bloom_summary", "pg_brin_minmax_multi_summary":
		return false
	}
	return true
}

// isAlwaysNull says that an expression has no value in any row.
func isAlwaysNull(e planner.Expr) bool {
	if e == nil {
		return false
	}
	if !hasValues(e.Type().OID) {
		return true
	}
	switch e := e.(type) {
	case *planner.Const:
		return e.Null
	case *planner.Cast:
		return isAlwaysNull(e.Arg)
	case *planner.Case:
		return !slices.ContainsFunc(e.Whens, func(w planner.When) bool { return !isAlwaysNull(w.Result) }) && (e.Else == nil || isAlwaysNull(e.Else))
	case *planner.Coalesce:
		return !slices.ContainsFunc(e.Args, func(arg planner.Expr) bool { return !isAlwaysNull(arg) })
	case *planner.NullIf:
		return isAlwaysNull(e.Left)
	case *planner.Func:
		return e.Proc.Strict && !e.Proc.ReturnsSet && slices.ContainsFunc(e.Args, isAlwaysNull)
	case *planner.Op:
		proc, ok := postgres.ProcByOID(e.Operator.Code)
		return ok && proc.Strict && (isAlwaysNull(e.Left) || isAlwaysNull(e.Right))
	}
	return false
}

// withoutCall prints the NULL that a strict function gives, if one of the arguments is always NULL. The others are computed,
// since they may fail.
func (p *printer) withoutCall(proc *postgres.Proc, args []planner.Expr, ret planner.Type) (out printed, ok bool) {
	if !proc.Strict || proc.ReturnsSet || !slices.ContainsFunc(args, isAlwaysNull) {
		return printed{}, false
	}
	out = p.null(ret)
	var tests []string
	for _, arg := range p.exprs(args) {
		if mayRaise.MatchString(arg.sql) {
			tests = append(tests, arg.sql+" IS NOT NULL")
		}
	}
	if tests != nil {
		out.sql = "(CASE WHEN " + strings.Join(tests, " AND ") + " THEN " + out.sql + " END)"
	}
	return out, true
}
