package duckdb_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/planner/duckdb"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/bolt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newEngine returns an engine that reads files of directory.
func newEngine(t testing.TB, directory string) *duckdb.Engine {
	t.Helper()
	return newEngineOf(t, directory, nil, nil)
}

func newEngineOf(t testing.TB, directory string, files sources.Files, log *slog.Logger) *duckdb.Engine {
	t.Helper()
	e, err := duckdb.New(duckdb.Config{
		Directories:   func(string) []string { return []string{directory} },
		TempDirectory: t.TempDir(),
		Files:         files,
		Logger:        log,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// newSession returns a session of tenant "t" on the engine.
func newSession(t testing.TB, e *duckdb.Engine, settings map[string]string) *planner.Session {
	t.Helper()
	kv, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "kv")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kv.Close() }) // its file goes with the directory
	schemas, err := schema.NewStore(kv, schema.StoreConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if err := schemas.AddTenant(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	observed, err := schema.NewObserved(kv, schema.ObservedConfig{Schemas: schemas})
	if err != nil {
		t.Fatal(err)
	}
	p, err := planner.New(planner.Config{Schemas: schemas, Observed: observed, Engine: e})
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.NewSession(planner.Identity{Tenant: "t", User: "u", Owner: true}, startup(settings), planner.Client{PID: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// answer is a result as text: the types of the columns and the rows.
type answer struct {
	types []postgres.OID
	rows  [][]string
}

const null = "NULL"

// ask runs one statement without parameters.
func ask(ctx context.Context, s *planner.Session, sql string) (*answer, error) {
	statements, err := s.Parse(ctx, sql)
	if err != nil {
		return nil, err
	}
	prepared, err := s.Prepare(ctx, statements[0], nil)
	if err != nil {
		return nil, err
	}
	result, err := s.Execute(ctx, prepared, nil)
	if err != nil {
		return nil, err
	}
	env := postgres.DefaultEnv()
	if env.Zone, err = postgres.LoadZone(s.Setting("TimeZone")); err != nil {
		return nil, err
	}
	a := &answer{}
	for _, c := range result.Columns {
		a.types = append(a.types, c.T.OID)
	}
	if result.Rows == nil {
		return a, nil
	}
	err = collect(ctx, result.Rows, func(c *planner.Chunk) {
		for r := range c.Rows {
			row := make([]string, len(c.Columns))
			for i := range c.Columns {
				row[i] = textOf(&c.Columns[i], r, env)
			}
			a.rows = append(a.rows, row)
		}
	})
	return a, err
}

// collect reads rows to their end and closes them.
func collect(ctx context.Context, rows planner.Rows, visit func(c *planner.Chunk)) error {
	for {
		c, err := rows.Next(ctx)
		if err != nil {
			_ = rows.Close() // the first error counts
			return err
		}
		if c == nil {
			return rows.Close()
		}
		visit(c)
	}
}

// textOf prints a value as PostgreSQL does.
func textOf(v *planner.Vector, r int, env postgres.Env) string {
	d := datumOf(v, r)
	if d.Kind == postgres.NullKind {
		return null
	}
	return string(postgres.AppendText(nil, v.T.OID, d, env))
}

func datumOf(v *planner.Vector, r int) postgres.Datum {
	switch {
	case v.IsNull(r):
		return postgres.Datum{}
	case v.Bytes != nil && (v.T.OID == postgres.RecordOID || postgres.ElemOf(v.T.OID) != 0):
		return planner.KeptDatum(v.T.OID, v.Bytes[r])
	case v.Lists != nil:
		a := &postgres.Array{Elem: postgres.ElemOf(v.T.OID)}
		for i := range int(v.Lists.Lengths[r]) {
			a.Items = append(a.Items, datumOf(&v.Lists.Elems, int(v.Lists.Offsets[r])+i))
		}
		if len(a.Items) > 0 {
			a.Dims = []postgres.Dimension{{Len: len(a.Items), Lower: 1}}
		}
		return postgres.Datum{Kind: postgres.ArrayKind, Array: a}
	case v.Bools != nil:
		return postgres.BoolDatum(v.Bools[r])
	case v.Int16s != nil:
		return postgres.IntDatum(int64(v.Int16s[r]))
	case v.Int32s != nil && v.T.OID == postgres.DateOID:
		return postgres.Datum{Kind: postgres.DateKind, Int: int64(v.Int32s[r])}
	case v.Int32s != nil:
		return postgres.IntDatum(int64(v.Int32s[r]))
	case v.Int64s != nil:
		return longDatum(v.T.OID, v.Int64s[r])
	case v.Float32s != nil:
		return postgres.FloatDatum(float64(v.Float32s[r]))
	case v.Float64s != nil:
		return postgres.FloatDatum(v.Float64s[r])
	case v.Intervals != nil:
		i := v.Intervals[r]
		return postgres.Datum{Kind: postgres.IntervalKind, Months: i.Months, Days: i.Days, Int: i.Micros}
	case v.UUIDs != nil:
		return postgres.Datum{Kind: postgres.UUIDKind, Str: string(v.UUIDs[r][:])}
	case v.Numerics != nil:
		n := v.Numerics[r]
		return postgres.Datum{Kind: postgres.NumericKind, Str: string(postgres.AppendNumeric(nil, n.Hi, n.Lo, int(n.Scale)))}
	case v.T.OID == postgres.ByteaOID:
		return postgres.Datum{Kind: postgres.BytesKind, Str: string(v.Bytes[r])}
	}
	return postgres.TextDatum(string(v.Bytes[r]))
}

func longDatum(oid postgres.OID, n int64) postgres.Datum {
	switch oid {
	case postgres.TimestampOID, postgres.TimestampTZOID:
		return postgres.TimestampDatum(n)
	case postgres.TimeOID:
		return postgres.Datum{Kind: postgres.TimeKind, Int: n}
	}
	if oid == postgres.RegtypeOID {
		return postgres.TextDatum(postgres.OID(n).String())
	}
	return postgres.IntDatum(n)
}

// startup are settings as a startup message brings them.
func startup(settings map[string]string) []planner.Setting {
	out := make([]planner.Setting, 0, len(settings))
	for name, value := range settings {
		out = append(out, planner.Setting{Name: name, Value: value})
	}
	return out
}
