package planner_test

import (
	"context"
	"errors"
	"testing"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/pgcatalog"
)

// errDown is what a store answers that is not there.
var errDown = errors.New("connection refused")

// lakeDown is a lake whose store does not answer.
type lakeDown struct{}

func (lakeDown) Load(context.Context, schema.Dataset) (sources.Manifest, error) { return nil, errDown }

// TestUnreadable tells statements what cannot be read while a store does not answer, with
// the cause for the log alone.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.observe(t, "weather", "temp:n")
	catalog, err := pgcatalog.New(pgcatalog.Config{
		Users: func(context.Context, string) ([]pgcatalog.User, error) {
			return []pgcatalog.User{{Name: "demo", Owner: true}}, nil
		},
		Lags: func(context.Context, string) ([]pgcatalog.Lag, error) { return nil, errDown },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.planner, err = planner.New(planner.Config{
		Schemas: w.schemas, Observed: w.observed, Engine: w.engine, Nearline: w.engine, Lake: lakeDown{}, Catalog: catalog,
	})
	if err != nil {
		t.Fatal(err)
	}
	s := w.open(t, "demo", true)
	for sql, what := range map[string]string{
		`SELECT count(*) FROM weather`:         "the list of compacted events' files",
		`SELECT stage FROM fieldgate.lag`:      "the state of the system",
		`SELECT 1 FROM fieldgate.lag, weather`: "the state of the system",
	} {
		want := "ERROR 58030: " + what + " cannot be read\n  HINT: The store may not answer at the moment: try again. The server's log has the cause.\n"
		if got := run(t, s, sql); got != want {
			t.Errorf("%s:\n got %s\nwant %s", sql, got, want)
		}
	}
}
