package duckdb_test

import (
	"context"
	"errors"
	"testing"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/planner/duckdb"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources/nearline"
)

var _ nearline.Native = (*duckdb.Engine)(nil)

// TestNativeTables: rows keep their numbers over appends, a table that is dropped
// is read to the end by who reads it, and tenants have tables of their own.
func TestNativeTables(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	split := w.inTable(0, fields{"n": 0, "label": "a"}, fields{"n": 1})
	more := batch(2, fields{"n": 2, "label": "c"}, fields{"n": 3, "label": "d"})
	if err := w.engine.Append(t.Context(), weather, split.Table, 2, more); err != nil {
		t.Fatal(err)
	}
	split.To, split.Times.Max = 4, more.Times.Max
	w.want("SELECT n, label FROM weather ORDER BY n", "[0 a]", "[1 NULL]", "[2 c]", "[3 d]")
	split.From, split.Suspect = 1, []int64{3}
	w.want("SELECT n FROM weather ORDER BY n", "[1]", "[2]", "[3]")

	if bytes, err := w.engine.Bytes(t.Context()); err != nil || bytes <= 0 {
		t.Errorf("%d bytes, %v", bytes, err)
	}
	other := schema.Dataset{Tenant: "other", Metric: "weather"}
	if err := w.engine.Append(t.Context(), other, split.Table, 0, batch(0, fields{"n": 9})); err != nil {
		t.Errorf("another tenant's table of the same name: %v", err)
	}
	w.want("SELECT n FROM weather ORDER BY n", "[1]", "[2]", "[3]")

	rows, err := run(t.Context(), w.session, "SELECT n FROM weather")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.engine.Drop(t.Context(), weather, split.Table); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := collect(t.Context(), rows, func(c *planner.Chunk) { n += c.Rows }); err != nil || n != 3 {
		t.Errorf("a dropped table gave %d rows to its reader, %v", n, err)
	}
	if err := w.engine.Drop(t.Context(), weather, split.Table); err != nil {
		t.Errorf("dropping a table twice: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.engine.Append(ctx, weather, "late", 0, more); !errors.Is(err, context.Canceled) {
		t.Errorf("appending after the context ended: %v", err)
	}
}

// TestCloseTenant: a tenant that is gone leaves nothing; the name begins anew.
func TestCloseTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.inTable(0, fields{"n": 1})
	if err := errors.Join(w.engine.CloseTenant("t"), w.engine.CloseTenant("nobody")); err != nil {
		t.Fatal(err)
	}
	if bytes, err := w.engine.Bytes(t.Context()); err != nil || bytes != 0 {
		t.Errorf("%d bytes, %v", bytes, err)
	}
	w.recent = nil
	w.want("SELECT count(*) FROM weather", "[0]")
}
