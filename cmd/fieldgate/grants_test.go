package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// grantSteps are what an owner and two users do one after the other, here and on
// PostgreSQL: the same rows, or the same error. A step begins with who does it.
const grantSteps = `
bob: SELECT count(*), sum(price) FROM valve
owner: GRANT SELECT ON nothing TO bob
owner: GRANT SELECT ON valve TO nobody_at_all
owner: GRANT SELECT (nothing) ON valve TO bob
owner: GRANT FLY ON valve TO bob
owner: GRANT USAGE ON valve TO bob
owner: REVOKE SELECT ON valve FROM bob
bob: SELECT * FROM valve
bob: SELECT 1 FROM valve
bob: SELECT nothing FROM valve
bob: EXPLAIN SELECT 1 FROM valve
bob: COPY (SELECT price FROM valve) TO STDOUT
bob: BEGIN; DECLARE c CURSOR FOR SELECT price FROM valve
bob: SELECT has_table_privilege('valve', 'SELECT'), has_any_column_privilege('valve', 'SELECT'), has_column_privilege('valve', 'price', 'SELECT')
ann: SELECT site, price FROM valve ORDER BY price
ann: SELECT has_table_privilege('valve', 'SELECT'), has_table_privilege('bob', 'valve', 'SELECT')
owner: GRANT SELECT (site, timestamp) ON valve TO bob
bob: SELECT site, timestamp AT TIME ZONE 'UTC' FROM valve ORDER BY 1
bob: SELECT count(*) FROM valve
bob: SELECT site FROM valve WHERE price > 1
bob: SELECT v.site FROM valve v JOIN valve w USING (site) ORDER BY w.price
bob: SELECT max(timestamp) > '2020-01-01', lower(site) FROM valve GROUP BY site ORDER BY 2
bob: SELECT * FROM valve
bob: SELECT x FROM (SELECT price AS x FROM valve) s
bob: WITH w AS (SELECT site FROM valve) SELECT count(*) FROM w
bob: SELECT exists (SELECT price FROM valve)
bob: SELECT has_table_privilege('valve', 'SELECT'), has_any_column_privilege('valve', 'SELECT'), has_column_privilege('valve', 'site', 'SELECT'), has_column_privilege('valve', 'price', 'SELECT')
bob: SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name IN ('valve', 'gauge') ORDER BY 1, ordinal_position
bob: SELECT grantee, privilege_type, is_grantable FROM information_schema.table_privileges WHERE table_name = 'valve'
bob: SELECT grantee, column_name, privilege_type, is_grantable FROM information_schema.column_privileges WHERE table_name = 'valve' ORDER BY 2
owner: SELECT grantee, column_name, privilege_type, is_grantable FROM information_schema.column_privileges WHERE table_name = 'valve' AND grantee = 'bob' ORDER BY 2
owner: SELECT attname, array_length(attacl, 1) FROM pg_attribute WHERE attrelid = 'valve'::regclass AND attacl IS NOT NULL ORDER BY 1
owner: REVOKE SELECT (site) ON valve FROM bob
bob: SELECT site FROM valve
bob: SELECT count(timestamp) FROM valve
owner: REVOKE ALL ON valve FROM bob
bob: SELECT count(timestamp) FROM valve
owner: CREATE VIEW cheap AS SELECT site, price FROM valve WHERE price < 2
owner: GRANT SELECT ON cheap TO bob
bob: SELECT * FROM cheap
bob: SELECT price FROM valve
owner: REVOKE SELECT ON cheap FROM bob
bob: SELECT * FROM cheap
owner: GRANT SELECT (site) ON cheap TO bob
bob: SELECT site FROM cheap
bob: SELECT price FROM cheap
bob: SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1
owner: DROP VIEW cheap
owner: GRANT ALL ON valve TO bob
bob: SELECT count(price) FROM valve
owner: CREATE POLICY north ON valve FOR SELECT TO bob USING (site = 'north')
owner: ALTER TABLE valve ENABLE ROW LEVEL SECURITY
bob: SELECT site, price FROM valve
bob: SELECT count(*) FROM valve
bob: SELECT count(*) FROM valve WHERE 1 / (price - 2.5) > 0
bob: SELECT count(*) FROM valve v, gauge g WHERE v.site = g.site
ann: SELECT site, price FROM valve
owner: SELECT site, price FROM valve ORDER BY price
bob: SELECT relrowsecurity FROM pg_class WHERE relname = 'valve'
owner: CREATE POLICY north ON valve USING (true)
owner: CREATE POLICY odd ON valve USING (nothing > 1)
owner: CREATE POLICY odd ON valve USING (price)
owner: CREATE POLICY odd ON valve TO nobody_at_all USING (true)
owner: CREATE POLICY odd ON valve USING (sum(price) > 1)
owner: CREATE POLICY all_see ON valve FOR SELECT USING (price > 2)
bob: SELECT site, price FROM valve ORDER BY price
ann: SELECT site, price FROM valve ORDER BY price
owner: CREATE POLICY never_south ON valve AS RESTRICTIVE FOR SELECT TO ann, bob USING (site <> 'south' AND current_user <> '')
ann: SELECT site, price FROM valve ORDER BY price
bob: SELECT site, max(price) FROM valve GROUP BY site ORDER BY 1
owner: SELECT schemaname, tablename, policyname, permissive, roles, cmd FROM pg_policies ORDER BY policyname
owner: SELECT polname, polpermissive, polcmd, polroles = '{0}' FROM pg_policy ORDER BY 1
owner: ALTER POLICY all_see ON valve TO bob USING (price > 100)
ann: SELECT count(*) FROM valve
owner: ALTER POLICY all_see ON valve RENAME TO few
owner: ALTER POLICY all_see ON valve TO ann
owner: DROP POLICY all_see ON valve
owner: DROP POLICY few ON valve
owner: DROP POLICY north ON valve
bob: SELECT count(*) FROM valve
owner: ALTER TABLE valve DISABLE ROW LEVEL SECURITY
bob: SELECT count(*) FROM valve
owner: DROP POLICY never_south ON valve
owner: DROP POLICY IF EXISTS never_south ON valve
owner: REVOKE ALL ON ALL TABLES IN SCHEMA public FROM bob, ann
bob: SELECT * FROM gauge
ann: SELECT * FROM gauge
owner: GRANT SELECT ON gauge TO PUBLIC
bob: SELECT site FROM gauge
owner: SELECT has_table_privilege('bob', 'gauge', 'SELECT'), has_table_privilege('bob', 'valve', 'SELECT'), has_table_privilege('bob', 'gauge', 'SELECT WITH GRANT OPTION')
owner: SELECT has_table_privilege('bob', 'gauge', 'FLY')
owner: REVOKE ALL ON gauge FROM PUBLIC
bob: SELECT site FROM gauge
owner: GRANT SELECT ON gauge TO ann WITH GRANT OPTION
owner: SELECT replace(replace(relacl::text, current_user, 'owner'), 'arwdDxt', 'r') FROM pg_class WHERE relname = 'gauge'
ann: GRANT SELECT ON gauge TO bob
ann: GRANT SELECT ON valve TO bob
owner: GRANT SELECT ON gauge TO PUBLIC WITH GRANT OPTION
bob: GRANT SELECT ON gauge TO ann
owner: SELECT replace(replace(relacl::text, current_user, 'owner'), 'arwdDxt', 'r') FROM pg_class WHERE relname = 'gauge'
owner: SELECT has_table_privilege('ann','gauge','SELECT WITH GRANT OPTION'), has_table_privilege('bob','gauge','SELECT WITH GRANT OPTION'), has_any_column_privilege('ann','gauge','SELECT WITH GRANT OPTION'), has_column_privilege('ann','gauge','site','SELECT WITH GRANT OPTION')
owner: REVOKE GRANT OPTION FOR SELECT ON gauge FROM ann
owner: REVOKE SELECT ON gauge FROM ann RESTRICT
ann: SELECT CASE WHEN grantor IN ('ann', 'bob') THEN grantor END, grantee, is_grantable FROM information_schema.role_table_grants WHERE grantee IN ('ann', 'bob') AND table_name = 'gauge' AND privilege_type = 'SELECT' ORDER BY 1, 2
owner: SELECT CASE WHEN grantor IN ('ann', 'bob') THEN grantor END, grantee, is_grantable FROM information_schema.role_table_grants WHERE grantee IN ('ann', 'bob') AND table_name = 'gauge' AND privilege_type = 'SELECT' ORDER BY 1, 2
owner: REVOKE GRANT OPTION FOR SELECT ON gauge FROM ann CASCADE
owner: SELECT replace(replace(relacl::text, current_user, 'owner'), 'arwdDxt', 'r') FROM pg_class WHERE relname = 'gauge'
ann: GRANT SELECT ON gauge TO bob
owner: GRANT SELECT (site, timestamp) ON gauge TO bob WITH GRANT OPTION
bob: GRANT SELECT (site) ON gauge TO ann WITH GRANT OPTION
bob: GRANT SELECT (timestamp) ON gauge TO ann
ann: GRANT SELECT (site) ON gauge TO bob WITH GRANT OPTION
owner: SELECT attname, replace(attacl::text, current_user, 'owner') FROM pg_attribute WHERE attrelid = 'gauge'::regclass AND attacl IS NOT NULL ORDER BY 1
owner: REVOKE SELECT (site) ON gauge FROM bob
owner: REVOKE SELECT (site) ON gauge FROM bob CASCADE
owner: SELECT attname, replace(attacl::text, current_user, 'owner') FROM pg_attribute WHERE attrelid = 'gauge'::regclass AND attacl IS NOT NULL ORDER BY 1
bob: GRANT SELECT (timestamp) ON gauge TO ann GRANTED BY ann
bob: GRANT SELECT (timestamp) ON gauge TO ann GRANTED BY bob
bob: GRANT SELECT (timestamp) ON gauge TO ann GRANTED BY CURRENT_USER
bob: REVOKE SELECT (timestamp) ON gauge FROM ann
bob: REVOKE SELECT ON gauge FROM ann
owner: REVOKE ALL ON gauge FROM ann, bob CASCADE
bob: GRANT ALL ON gauge TO ann
bob: SELECT current_user
`

// TestGrants gives users of one tenant other rights, and has them do the same on
// PostgreSQL, where they are granted at the start what they have here by default.
func TestGrants(t *testing.T) {
	t.Parallel()
	theirs := testdeps.OwnServer(t) // roles are all databases'
	dir := t.TempDir()
	i := start(t, dir)
	must(t, dir, "bob\n", "user", "add", "bob", "--tenant", "demo", "--password-stdin")
	must(t, dir, "ann\n", "user", "add", "ann", "--tenant", "demo", "--password-stdin")
	ours := i.connect(t, "demo", "grants")
	const tables = `CREATE TABLE valve (timestamp timestamptz, site text, price float8); CREATE TABLE gauge (timestamp timestamptz, site text)`
	for _, sql := range strings.Split(tables, ";") {
		ask(t, ours, sql)
	}
	var events []string
	for n, site := range []string{"north", "south", "east"} {
		events = append(events, fmt.Sprintf(`{"metrictype":"valve","timestamp":"2026-05-0%dT00:00:00Z","site":%q,"price":%d.5}`, n+1, site, n+1))
	}
	i.post(t, append(events, `{"metrictype":"gauge","timestamp":"2026-05-01T00:00:00Z","site":"north"}`))
	awaitRows(t, ours, "SELECT (SELECT count(*) FROM valve) + (SELECT count(*) FROM gauge)", "4")

	admin := dialURL(t, theirs)
	ask(t, admin, "CREATE DATABASE grants")
	ask(t, admin, "CREATE ROLE bob LOGIN; CREATE ROLE ann LOGIN")
	c := address(t, theirs)
	open := func(user string) *pgconn.PgConn {
		return dialURL(t, fmt.Sprintf("postgres://%s@%s:%d/grants?sslmode=disable", user, c.Host, c.Port))
	}
	they := open(c.User)
	ask(t, they, tables+`; INSERT INTO valve VALUES ('2026-05-01T00:00:00Z', 'north', 1.5), ('2026-05-02T00:00:00Z', 'south', 2.5), ('2026-05-03T00:00:00Z', 'east', 3.5);
		INSERT INTO gauge VALUES ('2026-05-01T00:00:00Z', 'north'); GRANT SELECT ON ALL TABLES IN SCHEMA public TO bob, ann`)

	here := map[string]*pgconn.PgConn{"owner": ours, "bob": i.connect(t, "bob", ""), "ann": i.connect(t, "ann", "")}
	there := map[string]*pgconn.PgConn{"owner": they, "bob": open("bob"), "ann": open("ann")}
	for step := range strings.Lines(grantSteps) {
		who, sql, ok := strings.Cut(strings.TrimSpace(step), ": ")
		if !ok {
			continue
		}
		for _, run := range []func(context.Context, *pgconn.PgConn, string) string{simply, extended} {
			got, want := run(t.Context(), here[who], sql), run(t.Context(), there[who], sql)
			if got != want {
				t.Errorf("%s\ngot  %s\nwant %s", step, got, want)
			}
			if strings.HasPrefix(want, "done") {
				break // a change is made once
			}
		}
	}
}

// TestObserve sees what a user may not know that has less than all of a metric: names
// that devices sent, and what tells of them.
func TestObserve(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := start(t, dir)
	must(t, dir, "bob\n", "user", "add", "bob", "--tenant", "demo", "--password-stdin")
	owner := i.connect(t, "demo", "")
	ask(t, owner, "CREATE TABLE valve (site text, price float8)")
	ask(t, owner, "SELECT fieldgate.add_alias('valve', 'price', 'cost')")
	i.post(t, []string{
		`{"metrictype":"valve","timestamp":"2026-05-01T00:00:00Z","site":"north","cost":1.5,"secret":"s1"}`,
		`{"metrictype":"loose","timestamp":"2026-05-01T00:00:00Z","hush":1}`,
	})
	awaitRows(t, owner, "SELECT (SELECT count(*) FROM valve) + (SELECT count(*) FROM loose)", "2")
	ask(t, owner, "CREATE VIEW all_of AS SELECT site, price FROM valve")
	ask(t, owner, "CREATE VIEW given AS SELECT site, price FROM valve")

	bob := i.connect(t, "bob", "")
	steps := []struct {
		// change is what the owner does first.
		change, sql, want string
	}{
		{"", "SELECT secret, cost, hush FROM valve, loose", "s1|1.5|1\n"},
		{"", "SELECT has_table_privilege('valve', 'observe')", "t\n"},
		{"", "SELECT count(*) FROM errors.stream", "0\n"},
		{"", "SELECT count(*) FROM all_of", "1\n"},
		{"GRANT SELECT ON valve TO bob", "SELECT secret FROM valve", "s1\n"},
		{"REVOKE observe ON valve FROM bob", "SELECT secret FROM valve", `42703 column "secret" does not exist`},
		{"", "SELECT cost FROM valve", `42703 column "cost" does not exist`},
		{"", "SELECT secre FROM valve", `42703 column "secre" does not exist`},
		{"", "SELECT price, _id IS NULL FROM valve", "1.5|f\n"},
		{"", "SELECT sent_name FROM fieldgate.observed_fields WHERE metric = 'valve'", ""},
		{"", "SELECT has_table_privilege('valve', 'observe'), has_table_privilege('valve', 'SELECT')", "f|t\n"},
		{"GRANT observe ON valve TO bob", "SELECT secret FROM valve", "s1\n"},
		{"REVOKE ALL ON loose FROM bob", "SELECT 1 FROM loose", "42501 permission denied for table loose"},
		{"", "SELECT attname FROM pg_attribute WHERE attrelid = 'loose'::regclass", "timestamp\n"},
		{"", "SELECT count(*) FROM errors.stream", "42501 permission denied for table stream"},
		{"GRANT SELECT ON loose TO bob", "SELECT hush FROM loose", `42703 column "hush" does not exist`},
		{"GRANT SELECT (site) ON valve TO bob", "SELECT price FROM valve", "1.5\n"},
		{"REVOKE ALL ON valve FROM bob", "SELECT 1 FROM all_of", "42501 permission denied for table valve"},
		{"GRANT SELECT (site) ON valve TO bob", "SELECT site FROM valve", "north\n"},
		{"", "SELECT _id FROM valve", "42501 permission denied for table valve"},
		{"", "SELECT site FROM all_of", "42501 permission denied for table valve"},
		{"GRANT SELECT ON given TO bob", "SELECT price FROM given", "1.5\n"},
		{"ALTER TABLE valve RENAME TO tap", "SELECT site FROM valve", "north\n"},
		{"", "SELECT price FROM tap", "42501 permission denied for table tap"},
		{"ALTER TABLE tap RENAME COLUMN site TO place", "SELECT place, site FROM tap", "north|north\n"},
		{"GRANT ALL ON tap TO bob", "SELECT secret FROM tap", "s1\n"},
		{"CREATE POLICY p ON tap FOR SELECT TO bob USING (price > 100)", "SELECT count(*) FROM tap", "0\n"},
		{"", "SELECT secret FROM tap", `42703 column "secret" does not exist`},
		{"", "SELECT count(*) FROM tap WHERE timestamp > '2026-01-01' AND 1 / (price - 1.5) > 0", "0\n"},
		{"", "EXPLAIN SELECT price FROM tap", "done EXPLAIN"},
		{"ALTER TABLE tap RENAME COLUMN price TO pay", "SELECT count(pay) FROM tap", "0\n"},
		{"ALTER TABLE tap ADD COLUMN extra text", "SELECT count(pay) FROM tap", "0\n"},
		{"DROP POLICY p ON tap", "SELECT count(*) FROM tap", "1\n"},
		{"DROP VIEW all_of", "SELECT site FROM given", "north\n"},
		{"DROP VIEW given", "SELECT site FROM given", `42P01 relation "given" does not exist`},
		{"SELECT fieldgate.drop_alias('tap', 'valve')", "SELECT count(*) FROM valve", "1\n"},
		{"CREATE TABLE loose (hush bigint)", "SELECT hush, has_table_privilege('loose', 'observe') FROM loose", "1|f\n"},
		{"DROP TABLE loose", "SELECT 1 FROM loose", `42P01 relation "loose" does not exist`},
	}
	for _, s := range steps {
		if s.change != "" {
			ask(t, owner, s.change)
		}
		if got := simply(t.Context(), bob, s.sql); got != s.want {
			t.Errorf("%s; %s\ngot  %s\nwant %s", s.change, s.sql, got, s.want)
		}
	}
	ask(t, owner, "CREATE POLICY q ON tap USING (tap.pay > 1 AND pay < 3)")
	ask(t, owner, "ALTER TABLE tap RENAME COLUMN pay TO \"odd pay\"")
	if got := ask(t, owner, "SELECT qual FROM pg_policies"); got != `(tap."odd pay" > 1 AND "odd pay" < 3)` {
		t.Errorf("policy after a rename %s", got)
	}
	if plan := ask(t, bob, "EXPLAIN SELECT count(*) FROM tap WHERE timestamp >= '2027-01-01'"); !strings.Contains(plan, "Time: 2027-01-01") || strings.Contains(plan, "n_cost") {
		t.Errorf("behind a policy bounds on time are lost, or sent names told:\n%s", plan)
	}
	wantCode(t, "dropping a column of a policy", errOf(owner.Exec(t.Context(), `ALTER TABLE tap DROP COLUMN "odd pay"`).ReadAll()), "2BP01")
	// Who has no grant option is warned, and nothing is granted.
	const rights = "SELECT relacl FROM pg_class WHERE relname = 'tap'"
	before := ask(t, owner, rights)
	ask(t, bob, "GRANT SELECT ON tap TO bob WITH GRANT OPTION")
	if after := ask(t, owner, rights); after != before {
		t.Errorf("a grant without a grant option made %s of %s", after, before)
	}
	wantCode(t, "GRANT INSERT", errOf(owner.Exec(t.Context(), "GRANT INSERT ON tap TO bob").ReadAll()), "0A000")
}

func errOf[T any](_ T, err error) error { return err }

// simply runs a text by the simple protocol and tells what came of it, a change as
// "done".
func simply(ctx context.Context, conn *pgconn.PgConn, sql string) string {
	results, err := conn.Exec(ctx, sql).ReadAll()
	if strings.HasPrefix(sql, "BEGIN") {
		_, _ = conn.Exec(ctx, "ROLLBACK").ReadAll()
	}
	if err != nil {
		return failure(err)
	}
	last := results[len(results)-1]
	return rowsText(last.CommandTag.String(), last.Rows)
}

// extended does so by the extended protocol, for what is one statement.
func extended(ctx context.Context, conn *pgconn.PgConn, sql string) string {
	if strings.Contains(sql, ";") || strings.HasPrefix(sql, "COPY") {
		return ""
	}
	r := conn.ExecParams(ctx, sql, nil, nil, nil, nil).Read()
	if r.Err != nil {
		return failure(r.Err)
	}
	return rowsText(r.CommandTag.String(), r.Rows)
}

func failure(err error) string {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return err.Error()
	}
	return pgErr.Code + " " + pgErr.Message
}

func rowsText(tag string, rows [][][]byte) string {
	if !strings.HasPrefix(tag, "SELECT") {
		return "done " + tag
	}
	var b strings.Builder
	for _, row := range rows {
		for n, v := range row {
			if n > 0 {
				b.WriteByte('|')
			}
			b.Write(v)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
