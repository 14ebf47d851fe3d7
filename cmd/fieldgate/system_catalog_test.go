package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// TestSystemRelations compares every relation of pg_catalog and information_schema
// with PostgreSQL's: its kind and its columns, their names, types and order; whether it
// can be read, and the columns of a query's result.
func TestSystemRelations(t *testing.T) {
	t.Parallel()
	testdeps.Postgres(t)
	w := startTwin(t)
	w.withPostgres(t)
	ours, theirs := dialURL(t, w.ours), dialURL(t, w.theirs)
	const columns = `select n.nspname || '.' || c.relname, c.relkind, string_agg(a.attnum || ' ' || a.attname || ' ' || a.atttypid || ' ' || a.atttypmod || ' '
			|| a.attnotnull || ' ' || a.attlen || ' ' || a.attcollation, ', ' order by a.attnum)
		from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
		where n.nspname in ('pg_catalog', 'information_schema') and c.relkind in ('r', 'v') group by 1, 2 order by 1`
	want := w.exec(t, theirs, columns).Rows
	if len(want) < 200 {
		t.Errorf("PostgreSQL has %d relations", len(want))
	}
	compareLines(t, "relations", tableLines(w.exec(t, ours, columns).Rows), tableLines(want))
	for _, row := range want {
		if name := string(row[0]); name == "pg_catalog.pg_subscription" || name == "pg_catalog.pg_statistic_ext_data" {
			continue // PostgreSQL shows all columns of the one but one; both are empty
		}
		sql := "select * from " + string(row[0])
		got, gotErr := resultColumns(t, ours, sql)
		want, wantErr := resultColumns(t, theirs, sql)
		if got != want || gotErr != wantErr {
			t.Errorf("%s: %s %s\nPostgreSQL: %s %s", sql, gotErr, got, wantErr, want)
		}
	}
}

// resultColumns are the columns of a query's result, or the error that running it gives.
func resultColumns(t *testing.T, conn *pgconn.PgConn, sql string) (columns, failed string) {
	t.Helper()
	reader := conn.ExecParams(t.Context(), sql, nil, nil, nil, nil)
	var out strings.Builder
	for _, f := range reader.FieldDescriptions() {
		fmt.Fprintf(&out, "%s %d/%d/%d, ", f.Name, f.DataTypeOID, f.TypeModifier, f.DataTypeSize)
	}
	if err := reader.Read().Err; err != nil {
		var e *pgconn.PgError
		if !errors.As(err, &e) {
			t.Fatal(err)
		}
		return "", e.Code + " " + e.Message
	}
	return out.String(), ""
}

// constantRows are queries whose rows are the same in every PostgreSQL 15, but for what
// is not here: PL/pgSQL, libraries, the system's role by the name postgres.
const constantRows = `
select * from pg_aggregate
select * from pg_am
select * from pg_amop
select * from pg_amproc
select * from pg_auth_members where member < 16384
select * from pg_cast
select * from pg_conversion
select * from pg_group
select * from pg_language where not lanispl
select * from pg_opclass
select * from pg_operator
select * from pg_opfamily
select oid, proname, pronamespace, proowner, prolang, procost, prorows, provariadic, prosupport, prokind, prosecdef, proleakproof, proisstrict, proretset, provolatile, proparallel, pronargs, pronargdefaults, prorettype, proargtypes, proallargtypes, proargnames, prosrc, probin, pg_get_function_sqlbody(oid) from pg_proc where oid < 13000
select oid, pg_get_functiondef(oid) from pg_proc where oid < 13000 and prokind <> 'a'
select oid, pg_get_function_arguments(oid), pg_get_function_result(oid) from pg_proc where oid < 13000
select * from pg_range
select * from pg_ts_config
select * from pg_ts_config_map
select * from pg_ts_dict
select * from pg_ts_parser
select * from pg_ts_template
select rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolconnlimit, rolbypassrls, oid from pg_roles where oid < 16384 and oid <> 10
select classoid, objoid, objsubid, description from pg_description where objoid < 13000
select d.datistemplate, d.datdba, d.encoding, shobj_description(d.oid, 'pg_database'), datname from pg_database d where datistemplate
select conname, contype, contypid::regtype, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) from pg_constraint where contypid <> 0
select c.oid, c.relname, c.relkind, c.relhasrules, c.relacl::text[]::text from pg_class c where c.relkind in ('r', 'v') and c.oid < 16000 and c.relname <> 'pg_subscription'
select nspname, nspacl::text[]::text from pg_namespace where nspname in ('pg_catalog', 'information_schema', 'public')
select i, pg_encoding_to_char(i), pg_char_to_encoding(lower(pg_encoding_to_char(i))) from generate_series(-1, 45) i
select * from ts_token_type('default')
select p.prsname, t.* from pg_ts_parser p, ts_token_type(p.oid) t
select * from pg_options_to_table(array['a=1', 'b', 'c=x=y', '='])
select * from pg_partition_tree('pg_class')
select pg_size_pretty(n::numeric), pg_size_pretty(-n::numeric / 3), pg_size_pretty(n), pg_size_pretty(-n) from unnest(array[0, 1, 10239, 10240, 10000000, 9223372036854775807]) n
select pg_size_pretty(1e25), pg_size_pretty(12.50), pg_size_pretty('NaN'::numeric)
select pg_blocking_pids(pg_backend_pid()), pg_safe_snapshot_blocking_pids(1)
select locktype, relation::regclass, mode, granted, fastpath, virtualxid = virtualtransaction from pg_locks where pid = pg_backend_pid()
listen b
listen "A b"
select pg_listening_channels()
select c from pg_listening_channels() c where c > 'A'
unlisten b
select pg_catalog.pg_listening_channels() as heard
select * from information_schema.domains
select * from information_schema.domain_constraints
select table_name, constraint_type, is_deferrable, initially_deferred, enforced, nulls_distinct from information_schema.table_constraints
select check_clause, constraint_schema from information_schema.check_constraints
select * from information_schema.parameters where specific_schema = 'pg_catalog' and specific_name !~ '^(plpgsql|dsnowball)_'
select grantee, specific_name, routine_name, privilege_type, is_grantable from information_schema.routine_privileges where specific_schema = 'pg_catalog' and specific_name !~ '^(plpgsql|dsnowball)_'
select grantee, object_schema, object_name, privilege_type, is_grantable from information_schema.usage_privileges where object_type = 'DOMAIN'
select specific_name, routine_name, routine_type, data_type from information_schema.routines where specific_schema = 'pg_catalog' and specific_name !~ '^(plpgsql|dsnowball)_'
select * from information_schema.sql_features
select * from information_schema.sql_implementation_info
select * from information_schema.sql_sizing
`

// TestSystemRows compares rows that every PostgreSQL 15 has.
func TestSystemRows(t *testing.T) {
	t.Parallel()
	testdeps.Postgres(t)
	w := startTwin(t)
	w.withPostgres(t)
	ours, theirs := dialURL(t, w.ours), dialURL(t, w.theirs)
	for sql := range strings.Lines(strings.TrimSpace(constantRows)) {
		want := tableLines(w.exec(t, theirs, sql).Rows)
		for i, line := range want {
			want[i] = strings.ReplaceAll(line, "postgres=", "fieldgate=")
			want[i] = strings.ReplaceAll(want[i], "/postgres", "/fieldgate")
		}
		compareLines(t, strings.TrimSpace(sql), tableLines(w.exec(t, ours, sql).Rows), want)
	}
}

func tableLines(rows [][][]byte) []string {
	lines := make([]string, len(rows))
	for i, row := range rows {
		values := make([]string, len(row))
		for n, v := range row {
			if values[n] = string(v); v == nil {
				values[n] = "NULL"
			}
		}
		lines[i] = strings.Join(values, " | ")
	}
	slices.Sort(lines)
	return lines
}

// compareLines wants the same lines and shows the first of those that differ.
func compareLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	t.Errorf("%s: %d lines, PostgreSQL %d", what, len(got), len(want))
	const shown = 5
	show := func(label string, of, without []string) {
		has := make(map[string]bool, len(without))
		for _, line := range without {
			has[line] = true
		}
		of = slices.DeleteFunc(slices.Clone(of), func(line string) bool { return has[line] })
		for _, line := range of[:min(shown, len(of))] {
			t.Logf("%s %s", label, line)
		}
	}
	show("PostgreSQL", want, got)
	show("here      ", got, want)
}
