package planner_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/sources/pgcatalog"
)

// wholeCatalog is pg_catalog as it is served, with one user.
func wholeCatalog(t testing.TB) *pgcatalog.Catalog {
	t.Helper()
	catalog, err := pgcatalog.New(pgcatalog.Config{Users: func(context.Context, string) ([]pgcatalog.User, error) {
		return []pgcatalog.User{{Name: "demo", Owner: true}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return catalog
}

// Identifiers of objects keep their numbers and get names beside them, qualified
// where the search path does not find the object.
func TestObjectTexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run(t, w.session, `CREATE TABLE weather (station text); CREATE TABLE "Select" (station text); CREATE TABLE pg_class (station text)`)
	snapshot, err := w.schemas.Current(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	oids := []int64{0, 1259, 77}
	for _, m := range snapshot.Metrics {
		oids = append(oids, int64(16384+8*m.ID))
	}
	for _, c := range []struct{ name, path, sql, want string }{
		{"relations", "public", "SELECT 1::regclass AS n", "n=- n=pg_class n=77 n=weather n=\"Select\" n=public.pg_class "},
		{"a path without public", "errors", "SELECT 1::regclass AS n", "n=- n=pg_class n=77 n=public.weather n=public.\"Select\" n=public.pg_class "},
		{"public first", "public, pg_catalog", "SELECT 1::regclass AS n", "n=- n=pg_catalog.pg_class n=77 n=weather n=\"Select\" n=pg_class "},
		{"namespaces", "public", "SELECT 1::regnamespace AS n", "n=- n=1259 n=77 n=16392 n=16400 n=16408 "},
		{"arrays", "public", "SELECT ARRAY[1::regclass] AS n", "n=- n=pg_class n=77 n=weather n=\"Select\" n=public.pg_class "},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, w.session, "SET search_path = "+c.path)
			numbers := planner.Vector{Int64s: oids}
			if c.name == "arrays" {
				numbers = planner.Vector{Lists: &planner.ListVector{Elems: numbers}}
			}
			w.engine.rows = &planner.Chunk{Rows: len(oids), Columns: []planner.Vector{numbers}}
			r, err := w.session.Execute(t.Context(), w.prepared(t, c.sql), nil)
			if err != nil {
				t.Fatal(err)
			}
			chunk, err := r.Rows.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			v := chunk.Columns[0]
			if v.Lists != nil {
				v = v.Lists.Elems
			}
			got := ""
			for i, text := range v.Bytes {
				if v.Int64s[i] != oids[i] {
					t.Errorf("number %d became %d", oids[i], v.Int64s[i])
				}
				got += "n=" + string(text) + " "
			}
			if got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
			if err := r.Rows.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Schemas and roles are found by name, and only whole.
func TestObjectNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := run(t, w.session, "SELECT 'pg_catalog'::regnamespace, 'demo'::regrole"); got != "SELECT [I]\n" {
		t.Error(got)
	}
	if got, want := planner.Format(w.engine.plan.Query), "regnamespace regnamespace = '11'::regnamespace"; !strings.Contains(got, want) {
		t.Errorf("%s\nlacks %s", got, want)
	}
	for sql, code := range map[string]string{
		"SELECT 'nope'::regnamespace": pgerrcode.InvalidSchemaName,
		"SELECT 'nope'::regrole":      pgerrcode.UndefinedObject,
		"SELECT 'a.b'::regrole":       pgerrcode.InvalidName,
	} {
		if got := run(t, w.session, sql); !strings.HasPrefix(got, "ERROR "+code) {
			t.Errorf("%s: %s", sql, got)
		}
	}
}
