package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// copied are the relations whose rows are the same in every PostgreSQL 15, with the
// condition on those that are.
var copied = []struct{ name, where string }{
	{"information_schema.sql_features", ""},
	{"information_schema.sql_implementation_info", ""},
	{"information_schema.sql_parts", ""},
	{"information_schema.sql_sizing", ""},
	{"pg_catalog.pg_aggregate", ""},
	{"pg_catalog.pg_amop", ""},
	{"pg_catalog.pg_amproc", ""},
	{"pg_catalog.pg_conversion", ""},
	// PL/pgSQL is an extension, and not there.
	{"pg_catalog.pg_language", "lanispl = false"},
	{"pg_catalog.pg_opclass", ""},
	{"pg_catalog.pg_opfamily", ""},
	{"pg_catalog.pg_operator", ""},
	{"pg_catalog.pg_range", ""},
}

// tokenTypes are the rows of ts_token_type with the parser that they are of.
const tokenTypes = `select t.tokid, t.alias, t.description, p.oid::int8 from pg_ts_parser p, ts_token_type(p.oid) t order by 1`

// implementations is what pg_proc says beyond schema/postgres, where that is not the rule: an
// internal function of its own name, safe to run in parallel, of cost 1.
const implementations = `select oid::int8::text, prolang::int8::text, procost::text, prorows::text, prosupport::oid::int8::text, proleakproof::int4::text,
	proparallel::text, nullif(prosrc, proname), probin, array_to_string(proacl, ' '),
	pg_get_function_sqlbody(oid)
from pg_proc where pronamespace = 'pg_catalog'::regnamespace and oid < 13000
	and (prolang <> 12 or procost <> 1 or prorows <> 0 or prosupport <> 0 or proleakproof or proparallel <> 's' or prosrc <> proname or probin is not null or proacl is not null)
order by pg_proc.oid`

// systemRows are the rows of copied relations, and what pg_proc says of implementations.
func systemRows(ctx context.Context, conn *pgx.Conn) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(header)
	out.WriteString("// systemRows are rows that are the same in every PostgreSQL 15, by relation: a line a row, as COPY writes it.\n")
	out.WriteString("var systemRows = map[string]string{\n")
	for _, c := range copied {
		query, err := everyColumn(ctx, conn, c.name, c.where)
		if err != nil {
			return nil, err
		}
		if err := writeRows(ctx, conn, &out, "\t"+fmt.Sprintf("%q: ", c.name), query, ",\n"); err != nil {
			return nil, err
		}
	}
	if err := writeRows(ctx, conn, &out, "\t\"pg_catalog.ts_token_type()\": ", tokenTypes, ",\n"); err != nil {
		return nil, err
	}
	out.WriteString("}\n\n// implementations is what pg_proc says beyond package postgres: OID, prolang, procost, prorows, prosupport,\n" +
		"// proleakproof, proparallel, prosrc, probin, proacl and the body in SQL of those of which that is not 12, 1, 0, 0, 0, s, proname, NULL, NULL, NULL.\n")
	if err := writeRows(ctx, conn, &out, "const implementations = ", implementations, "\n"); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// everyColumn reads all columns of a relation as texts, numbers of objects as numbers.
func everyColumn(ctx context.Context, conn *pgx.Conn, relation, where string) (string, error) {
	rows, err := conn.Query(ctx, `select case atttypid when 'regproc'::regtype then quote_ident(attname) || '::oid::int8::text'
		when 'bool'::regtype then quote_ident(attname) || '::int4::text' else quote_ident(attname) || '::text' end
		from pg_attribute where attrelid = $1::text::regclass and attnum > 0 order by attnum`, relation)
	if err != nil {
		return "", fmt.Errorf("read columns of %s: %w", relation, err)
	}
	columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return "", fmt.Errorf("read columns of %s: %w", relation, err)
	}
	query := "select " + strings.Join(columns, ", ") + " from " + relation
	if where != "" {
		query += " where " + where
	}
	return query + " order by ctid", nil
}

// writeRows writes the rows of a query as a literal between two texts.
func writeRows(ctx context.Context, conn *pgx.Conn, out *bytes.Buffer, before, query, after string) error {
	out.WriteString(before + "`")
	n := out.Len()
	if _, err := conn.PgConn().CopyTo(ctx, out, "copy ("+query+") to stdout"); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	if bytes.ContainsRune(out.Bytes()[n:], '`') {
		return errors.New("a value has a back quote: " + query)
	}
	out.WriteString("`" + after)
	return nil
}
