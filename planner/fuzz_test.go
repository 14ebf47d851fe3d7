package planner_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/planner"
)

// FuzzPlan parses, prepares and executes any text: it must end in a result or an
// error for the client, never in a panic.
func FuzzPlan(f *testing.F) {
	for _, name := range []string{"testdata/postgres/expressions", "testdata/postgres/errors", "testdata/plan/session", "testdata/plan/names", "testdata/plan/prune"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			f.Add(line)
		}
	}
	w := newWorld(f)
	run(f, w.session, `CREATE TABLE a (x integer, y text, temperature double precision, at timestamptz, n numeric(10,2), j jsonb);
		SELECT fieldgate.add_alias('a', 'temperature', 'temp_f', '(value - 32) * 5 / 9')`)
	w.observe(f, "a", "u:i v:s w:n k:b")
	w.observe(f, "loose", "mag:n place:s")
	f.Fuzz(func(t *testing.T, sql string) {
		s := w.open(t, "reader", false)
		statements, err := s.Parse(t.Context(), sql)
		check(t, err)
		for _, st := range statements {
			p, err := s.Prepare(t.Context(), st, nil)
			check(t, err)
			if err != nil {
				continue
			}
			params := make([]planner.Param, len(p.ParamTypes))
			for i := range params {
				params[i] = planner.Param{Null: i%2 == 1, Bytes: []byte("1")}
			}
			r, err := s.Execute(t.Context(), p, params)
			check(t, err)
			if err == nil && r.Rows != nil {
				check(t, r.Rows.Close())
			}
			if w.engine.plan != nil {
				_ = planner.Format(w.engine.plan.Query)
			}
		}
	})
}

// check refuses an error that is not meant for clients.
func check(t *testing.T, err error) {
	t.Helper()
	var e *planner.Error
	if err != nil && !errors.As(err, &e) {
		t.Fatalf("not for the client: %v", err)
	}
}
