package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// twinEvents are the rows of press on both sides of a twin.
var twinEvents = []struct{ event, row string }{
	{
		`{"timestamp":"2026-03-08T06:59:59.5Z","temperature":20.5,"ok":true,"label":"it's \"hot\"","price":12.5,"n":1,"when":"2026-03-08"}`,
		`'2026-03-08T06:59:59.5Z', 20.5, true, 'it''s "hot"', 12.5, 1, '2026-03-08'`,
	},
	{
		`{"timestamp":"2026-03-08T07:00:00Z","temperature":-0.1,"ok":false,"label":"é😀","price":0.05,"n":-2147483648}`,
		`'2026-03-08T07:00:00Z', -0.1, false, 'é😀', 0.05, -2147483648, null`,
	},
	{`{"timestamp":"2026-11-01T05:30:00.000001Z","temperature":1e21,"label":""}`, `'2026-11-01T05:30:00.000001Z', 1e21, null, '', null, null, null`},
}

// fillOurs sends the events here.
func (w *twin) fillOurs(t *testing.T) {
	t.Helper()
	key, _ := addKey(t, w.c.DataDir, "--tenant", twinName, "--scope", "ingest")
	for _, e := range twinEvents {
		status, a := w.send(t, "/v1/events/press", e.event, "X-Api-Key", key)
		if status != http.StatusOK || a.Accepted != 1 {
			t.Fatalf("post %s: %d %+v", e.event, status, a)
		}
	}
	awaitRows(t, dialURL(t, w.ours), `select count(*) from press`, fmt.Sprint(len(twinEvents)))
}

// fill sends the events here and inserts the rows there.
func (w *twin) fill(t *testing.T) {
	t.Helper()
	w.fillOurs(t)
	twinMu.Lock() // rows come once into the one PostgreSQL
	defer twinMu.Unlock()
	conn := dialURL(t, w.theirs)
	if string(w.exec(t, conn, `select count(*) from press`).Rows[0][0]) == "0" {
		for _, e := range twinEvents {
			w.exec(t, conn, `insert into press values (`+e.row+`)`)
		}
	}
}

// startFilledTwin starts a server and makes its twin in PostgreSQL, with rows.
func startFilledTwin(t *testing.T) *twin {
	t.Helper()
	w := startTwin(t)
	w.withPostgres(t)
	w.fill(t)
	return w
}

// same runs a client on both sides and wants the same words, but for the lines
// that differ by design.
func (w *twin) same(t *testing.T, client func(url string) *exec.Cmd, differs ...string) {
	t.Helper()
	got, want := runClient(t, client(w.ours)), runClient(t, client(w.theirs))
	ours, theirs := linesWithout(got, differs), linesWithout(want, differs)
	if slices.Equal(ours, theirs) {
		if len(ours) == 0 {
			t.Error("the client printed nothing")
		}
		return
	}
	for _, line := range theirs {
		if !slices.Contains(ours, line) {
			t.Errorf("PostgreSQL %s", line)
		}
	}
	for _, line := range ours {
		if !slices.Contains(theirs, line) {
			t.Errorf("here       %s", line)
		}
	}
	if !t.Failed() {
		t.Errorf("other order of lines:\n%s\nPostgreSQL:\n%s", got, want)
	}
}

func runClient(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}

// linesWithout are the lines of a text without those that contain one of the words.
func linesWithout(text string, without []string) []string {
	return slices.DeleteFunc(strings.Split(strings.TrimSpace(text), "\n"), func(line string) bool {
		return slices.ContainsFunc(without, func(word string) bool { return strings.Contains(line, word) })
	})
}

// address takes a connection string apart.
func address(t *testing.T, dsn string) *pgconn.Config {
	t.Helper()
	c, err := pgconn.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestPgJDBC calls every method of DatabaseMetaData, and reads with fetch sizes,
// in three time zones, and in binary.
func TestPgJDBC(t *testing.T) {
	t.Parallel()
	java, archive := testdeps.PgJDBC(t)
	w := startFilledTwin(t)
	program := func(name string, args ...string) func(string) *exec.Cmd {
		return func(dsn string) *exec.Cmd {
			c := address(t, dsn)
			at := fmt.Sprintf("jdbc:postgresql://%s:%d/%s?sslmode=disable", c.Host, c.Port, c.Database)
			all := append([]string{"-XX:TieredStopAtLevel=1", "-cp", archive, "testdata/clients/java/" + name + ".java", at, c.User, c.Password}, args...)
			return exec.CommandContext(t.Context(), java, all...)
		}
	}
	t.Run("metadata", func(t *testing.T) {
		w.same(t, program("Metadata", "press", "Odd Name.x", "empty_one"),
			// The address and the versions are the server's own; PostgreSQL lets an
			// owner write, and shows the names of other databases.
			"getURL", "getDatabaseProductVersion", "getConnection", "getCatalogs[] > ", "getTablePrivileges", "getColumnPrivileges")
	})
	t.Run("reading", func(t *testing.T) { w.same(t, program("Reading")) })
}

// TestPsycopg reads by psycopg 2 and 3, with server-side cursors, in binary, in a
// pipeline and by COPY.
func TestPsycopg(t *testing.T) {
	t.Parallel()
	python := testdeps.Python(t)
	w := startFilledTwin(t)
	w.same(t, func(dsn string) *exec.Cmd {
		return exec.CommandContext(t.Context(), python, "testdata/clients/python/read_rows.py", dsn)
	})
}

// TestSQLAlchemy looks at the tables by SQLAlchemy's inspector.
func TestSQLAlchemy(t *testing.T) {
	t.Parallel()
	python := testdeps.Python(t)
	w := startFilledTwin(t)
	w.same(t, func(dsn string) *exec.Cmd {
		dsn = strings.Replace(strings.TrimSuffix(dsn, "?sslmode=disable"), "postgres://", "postgresql://", 1)
		return exec.CommandContext(t.Context(), python, "testdata/clients/python/inspect_tables.py", dsn)
	})
}

// TestPsqlODBC asks by ODBC's catalog functions and reads, by whole results and by
// DECLARE and FETCH.
func TestPsqlODBC(t *testing.T) {
	t.Parallel()
	python, driver := testdeps.Python(t), testdeps.PsqlODBC(t)
	w := startFilledTwin(t)
	w.same(t, func(dsn string) *exec.Cmd {
		c := address(t, dsn)
		return exec.CommandContext(t.Context(), python, "testdata/clients/python/odbc.py", driver, c.Host, fmt.Sprint(c.Port), c.Database, c.User, c.Password)
	})
}

// TestNodePostgres reads by node-postgres, its pool and pg-cursor.
func TestNodePostgres(t *testing.T) {
	t.Parallel()
	node, modules := testdeps.NodePostgres(t)
	w := startFilledTwin(t)
	w.same(t, func(dsn string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), node, "testdata/clients/node/read.js", dsn)
		cmd.Env = append(os.Environ(), "NODE_PATH="+modules, "TZ=UTC")
		return cmd
	})
}

// TestPsqlAlike compares what psql lists with what it lists of PostgreSQL.
func TestPsqlAlike(t *testing.T) {
	t.Parallel()
	psql := testdeps.Psql(t)
	w := startFilledTwin(t)
	for _, command := range []string{
		`\l ` + twinName, `\dt`, `\dt public.*`, `\d`, `\d press`, `\d "Odd Name.x"`, `\d+ press`, `\d empty_one`, `\d errors.stream`,
		`\d fieldgate.lag`, `\dn`, `\df`, `\df pg_catalog.to_char`, `\du ` + twinName, `\dT`, `\dT pg_catalog.int4`, `\di`, `\dp`, `\dv fieldgate.*`,
		`\ds`, `\dm`, `\dE`, `\dD`, `\do pg_catalog.<->`, `\dx pgcrypto`, `\des`, `\dew`, `\dy`, `\dRp`, `\dRs`, `\dX`, `\drds nobody`, `\dC json`, `\dc x`,
		`\da pg_catalog.avg`, `\dA btree`, `\dF x`, `\copy (select * from press order by timestamp) to stdout`,
		`\copy (select * from press order by timestamp) to stdout with (format csv, header)`, `table press order by 1`,
	} {
		t.Run(command, func(t *testing.T) {
			w.same(t, func(dsn string) *exec.Cmd {
				return exec.CommandContext(t.Context(), psql, "-X", "-P", "pager=off", "-d", dsn, "-c", command)
			})
		})
	}
}

// TestPsqlSession compares what psql prints in a session of its own commands and of
// errors, line by line.
func TestPsqlSession(t *testing.T) {
	t.Parallel()
	psql := testdeps.Psql(t)
	w := startFilledTwin(t)
	w.same(t, func(dsn string) *exec.Cmd {
		return exec.CommandContext(t.Context(), psql, "-X", "-P", "pager=off", "-d", dsn, "-f", "testdata/clients/psql/session.psql")
	}, "You are connected to database")
}
