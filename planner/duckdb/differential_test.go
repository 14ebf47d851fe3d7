package duckdb_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/planner/duckdb"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// TestDifferential compares answers with those of a real PostgreSQL 15: the
// types, the text of every value, and the SQLSTATE.
//
// The files in testdata/differential have one command a query:
//
//	same     the answer is PostgreSQL's
//	refused  PostgreSQL answers and this engine refuses with 0A000
//
// The answer written down is always PostgreSQL's. It came from the server that
// FIELDGATE_TEST_POSTGRES names; with that set, the test asks it again.
func TestDifferential(t *testing.T) {
	t.Parallel()
	server := connect(t)
	datadriven.Walk(t, "testdata/differential", func(t *testing.T, path string) {
		c := &comparison{engine: newEngine(t, t.TempDir()), server: server}
		datadriven.RunTest(t, path, c.run)
		for _, f := range c.failures {
			t.Error(f)
		}
	})
}

func connect(t *testing.T) *pgx.Conn {
	dsn := os.Getenv("FIELDGATE_TEST_POSTGRES")
	if dsn == "" {
		return nil
	}
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.WithoutCancel(t.Context())) }) // the test is over
	return c
}

// comparison goes through one file. Failures are kept, so that one does not hide
// the next.
type comparison struct {
	engine   *duckdb.Engine
	server   *pgx.Conn // nil: the answers written down count
	failures []string
}

func (c *comparison) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	expected := d.Expected
	settings := map[string]string{}
	if d.HasArg("zone") {
		var zone string
		d.ScanArgs(t, "zone", &zone)
		settings["TimeZone"] = zone
	}
	if c.server != nil {
		expected = askServer(t, c.server, d.Input, settings["TimeZone"])
	}
	got := askEngine(t, c.engine, d.Input, settings)
	refused := strings.HasPrefix(got, pgerrcode.FeatureNotSupported)
	if refused && expected == pgerrcode.FeatureNotSupported+"\n" {
		got = expected // PostgreSQL refuses too
	}
	switch {
	case d.Cmd == "refused" && got == expected:
		c.failures = append(c.failures, fmt.Sprintf("%s: no longer refused: %s", d.Pos, d.Input))
	case d.Cmd == "refused" && refused, got == expected:
	default:
		c.failures = append(c.failures, fmt.Sprintf("%s: %s\nPostgreSQL:\n%sthis engine:\n%s", d.Pos, d.Input, expected, got))
	}
	return expected
}

// askEngine prints types and rows, or SQLSTATE and, for a refusal, message.
func askEngine(t *testing.T, e *duckdb.Engine, sql string, settings map[string]string) string {
	t.Helper()
	a, err := ask(t.Context(), newSession(t, e, settings), sql)
	if err != nil {
		var ours *planner.Error
		if !errors.As(err, &ours) {
			t.Fatalf("%s: %v", sql, err)
		}
		switch ours.Code {
		case pgerrcode.FeatureNotSupported:
			return ours.Code + " " + ours.Message + "\n"
		case pgerrcode.InternalError:
			return fmt.Sprintf("%s %s: %v\n", ours.Code, ours.Message, ours.Err)
		}
		return ours.Code + "\n"
	}
	return render(a)
}

func render(a *answer) string {
	var out strings.Builder
	for i, o := range a.types {
		if i > 0 {
			out.WriteByte('|')
		}
		out.WriteString(o.String())
	}
	out.WriteByte('\n')
	for _, row := range a.rows {
		out.WriteString(strings.ReplaceAll(strings.Join(row, "|"), "\n", `\n`) + "\n")
	}
	return out.String()
}

func askServer(t *testing.T, server *pgx.Conn, sql, zone string) string {
	t.Helper()
	if zone == "" {
		zone = "UTC"
	}
	if _, err := server.Exec(t.Context(), "SELECT set_config('TimeZone', $1, false)", zone); err != nil {
		t.Fatal(err)
	}
	reader := server.PgConn().ExecParams(t.Context(), sql, nil, nil, nil, nil)
	a := &answer{}
	for reader.NextRow() {
		row := make([]string, len(reader.Values()))
		for i, v := range reader.Values() {
			row[i] = null
			if v != nil {
				row[i] = string(v)
			}
		}
		a.rows = append(a.rows, row)
	}
	fields := reader.FieldDescriptions()
	if _, err := reader.Close(); err != nil {
		var e *pgconn.PgError
		if !errors.As(err, &e) {
			t.Fatalf("%s: %v", sql, err)
		}
		return e.Code + "\n"
	}
	for _, f := range fields {
		a.types = append(a.types, postgres.OID(f.DataTypeOID))
	}
	return render(a)
}
