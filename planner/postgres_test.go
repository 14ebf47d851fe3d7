package planner_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/sources/pgcatalog"
)

// TestPostgres prepares the queries of testdata/postgres, one a line, and prints
// output names and types, or the error. The answers kept there are those of a real
// PostgreSQL 15: with FIELDGATE_POSTGRES set to its address the test asks it, and
// fails where it answers otherwise. A line that begins with "differs:" is one on
// which we refuse what it accepts.
func TestPostgres(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/postgres", func(t *testing.T, path string) {
		w := newWorld(t)
		pg := connectPostgres(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var b strings.Builder
			for line := range strings.Lines(d.Input) {
				line = strings.TrimSpace(line)
				sql, differs := strings.CutPrefix(line, "differs:")
				ours := w.describe(t, strings.TrimSpace(sql))
				if pg != nil {
					theirs := describePostgres(t, pg, strings.TrimSpace(sql))
					if (ours != theirs) != differs {
						t.Errorf("%s\n  ours:       %s  PostgreSQL: %s", line, ours, theirs)
					}
				}
				fmt.Fprintf(&b, "%s\n  %s", line, ours)
			}
			return b.String()
		})
	})
}

// TestClientQueries binds what clients ask of the catalog, captured from them, and
// compares the results' columns as TestPostgres does.
func TestClientQueries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	catalog, err := pgcatalog.New(pgcatalog.Config{
		Users: func(context.Context, string) ([]pgcatalog.User, error) { return nil, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.useCatalog(t, catalog)
	datadriven.RunTest(t, "testdata/catalog", func(t *testing.T, d *datadriven.TestData) string {
		var b strings.Builder
		pg := connectPostgres(t)
		for sql := range strings.SplitSeq(d.Input, "\n;\n") {
			ours := w.describe(t, sql)
			if pg != nil {
				if theirs := describePostgres(t, pg, sql); ours != theirs {
					t.Errorf("%s\n  ours:       %s  PostgreSQL: %s", sql, ours, theirs)
				}
			}
			b.WriteString(ours)
		}
		return b.String()
	})
}

// connectPostgres connects to the real server, if there is one to ask.
func connectPostgres(t *testing.T) *pgconn.PgConn {
	t.Helper()
	address := os.Getenv("FIELDGATE_POSTGRES")
	if address == "" {
		return nil
	}
	pg, err := pgconn.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pg.Close(context.WithoutCancel(t.Context())) }) // nobody asks it any more
	return pg
}

// describe is what a query returns, on one line.
func (w *world) describe(t *testing.T, sql string) string {
	t.Helper()
	p, text := w.bind(t, sql)
	if p == nil {
		first, _, _ := strings.Cut(text, "\n")
		return first + "\n"
	}
	var parts []string
	for i, oid := range p.ParamTypes {
		parts = append(parts, fmt.Sprintf("$%d %d", i+1, oid))
	}
	for _, c := range p.Columns {
		parts = append(parts, fmt.Sprintf("%s %d/%d", c.Name, c.T.OID, c.T.Typmod))
	}
	return strings.Join(parts, ", ") + "\n"
}

func describePostgres(t *testing.T, pg *pgconn.PgConn, sql string) string {
	t.Helper()
	d, err := pg.Prepare(t.Context(), "", sql, nil)
	var e *pgconn.PgError
	if errors.As(err, &e) {
		s := fmt.Sprintf("ERROR %s: %s", e.Code, e.Message)
		if e.Position > 0 {
			s += fmt.Sprintf(" (at %d)", e.Position)
		}
		return s + "\n"
	}
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for i, oid := range d.ParamOIDs {
		parts = append(parts, fmt.Sprintf("$%d %d", i+1, oid))
	}
	for _, f := range d.Fields {
		parts = append(parts, fmt.Sprintf("%s %d/%d", f.Name, f.DataTypeOID, f.TypeModifier))
	}
	return strings.Join(parts, ", ") + "\n"
}
