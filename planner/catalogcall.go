package planner

import (
	"errors"
	"fmt"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// catalogCalls are the functions of pg_catalog that look something up in the
// catalog's relations, by name and argument types, as SQL over their arguments.
// A call becomes the query, so that no engine needs to know the catalog.
var catalogCalls = map[string]string{
	"pg_get_userbyid(oid)": `coalesce((SELECT rolname FROM pg_catalog.pg_roles WHERE oid = $1), ('unknown (OID=' || $1::text || ')')::name)`,

	"obj_description(oid, name)": `(SELECT d.description FROM pg_catalog.pg_description d JOIN pg_catalog.pg_class c ON c.oid = d.classoid
		WHERE d.objoid = $1 AND d.objsubid = 0 AND c.relname = $2 AND c.relnamespace = 11)`,
	"obj_description(oid)": `(SELECT description FROM pg_catalog.pg_description WHERE objoid = $1 AND objsubid = 0)`,
	"col_description(oid, integer)": `(SELECT description FROM pg_catalog.pg_description
		WHERE objoid = $1 AND classoid = 'pg_catalog.pg_class'::regclass AND objsubid = $2)`,
	"shobj_description(oid, name)": `(SELECT d.description FROM pg_catalog.pg_shdescription d JOIN pg_catalog.pg_class c ON c.oid = d.classoid
		WHERE d.objoid = $1 AND c.relname = $2 AND c.relnamespace = 11)`,

	"pg_table_is_visible(oid)":    visibleIn("pg_class", "relnamespace"),
	"pg_type_is_visible(oid)":     visibleIn("pg_type", "typnamespace"),
	"pg_function_is_visible(oid)": visibleIn("pg_proc", "pronamespace"),
	"pg_operator_is_visible(oid)": visibleIn("pg_operator", "oprnamespace"),

	"pg_table_size(regclass)":          tableSize,
	"pg_total_relation_size(regclass)": tableSize,
	"pg_relation_size(regclass)":       tableSize,
	"pg_indexes_size(regclass)":        `CASE WHEN $1 IS NOT NULL THEN 0::bigint END`,
	"pg_database_size(name)":           `(SELECT coalesce(sum(f.bytes), 0)::bigint FROM fieldgate.files f WHERE $1 = pg_catalog.current_database())`,
	"pg_database_size(oid)": `(SELECT coalesce(sum(f.bytes), 0)::bigint FROM fieldgate.files f
		WHERE $1 = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))`,
	"pg_stat_get_numscans(oid)": `CASE WHEN $1 IS NOT NULL THEN 0::bigint END`,
}

// tableSize is what the lake's files of a table take.
const tableSize = `(SELECT coalesce(sum(f.bytes), 0)::bigint FROM fieldgate.files f, pg_catalog.pg_class c
	WHERE c.oid = $1::oid AND f.metric = c.relname)`

func visibleIn(relation, namespace string) string {
	return fmt.Sprintf(`(SELECT n.nspname = ANY (pg_catalog.current_schemas(true)) FROM pg_catalog.%s o
		JOIN pg_catalog.pg_namespace n ON n.oid = o.%s WHERE o.oid = $1)`, relation, namespace)
}

// objectNames give the text of an object's identifier, by its type.
var objectNames = map[postgres.OID]string{
	postgres.RegclassOID: `CASE WHEN $1::oid = 0 THEN '-' ELSE coalesce((SELECT CASE WHEN n.nspname = ANY (pg_catalog.current_schemas(true))
			THEN pg_catalog.quote_ident(c.relname::text) ELSE pg_catalog.quote_ident(n.nspname::text) || '.' || pg_catalog.quote_ident(c.relname::text) END
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid), $1::oid::text) END`,
	postgres.RegnamespaceOID: `CASE WHEN $1::oid = 0 THEN '-' ELSE coalesce(
		(SELECT pg_catalog.quote_ident(nspname::text) FROM pg_catalog.pg_namespace WHERE oid = $1::oid), $1::oid::text) END`,
	postgres.RegroleOID: `CASE WHEN $1::oid = 0 THEN '-' ELSE coalesce(
		(SELECT pg_catalog.quote_ident(rolname::text) FROM pg_catalog.pg_roles WHERE oid = $1::oid), $1::oid::text) END`,
}

// catalogCall makes a query of a call that looks into the catalog; not ok: the
// call does not.
func (b *binder) catalogCall(c *callSite) (e Expr, ok bool, err error) {
	types := make([]string, len(c.proc.Proc.Args))
	for i, t := range c.proc.Proc.Args {
		types[i] = t.String()
	}
	sql, ok := catalogCalls[c.proc.Proc.Name+"("+strings.Join(types, ", ")+")"]
	if !ok {
		return nil, false, nil
	}
	args, err := b.arguments(c)
	if err != nil {
		return nil, true, err
	}
	e, err = b.inline(sql, args)
	if err != nil {
		return nil, true, err
	}
	e, err = b.coerce(e, plainType(c.proc.Ret), postgres.Assignment, c.node.Location)
	return e, true, err
}

// inline binds SQL of our own over arguments that are bound already.
func (b *binder) inline(sql string, args []Expr) (Expr, error) {
	n, err := parseExpr(sql)
	if err != nil {
		return nil, err
	}
	before := b.args
	b.args = args
	defer func() { b.args = before }()
	e, err := b.expr(newScope(nil), n)
	if err != nil {
		return nil, fmt.Errorf("bind a function over the catalog: %w", hidePlace(err))
	}
	return b.resolve(e)
}

// hidePlace drops a place in text that the client did not write.
func hidePlace(err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.offset = 0
	}
	return err
}

// argument is $n in SQL of our own.
func (b *binder) argument(p *pgquery.ParamRef) Expr { return b.args[p.Number-1] }
