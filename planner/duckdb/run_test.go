package duckdb_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/planner/duckdb"
)

// start runs a statement and returns its rows.
func run(ctx context.Context, s *planner.Session, sql string) (planner.Rows, error) {
	statements, err := s.Parse(ctx, sql)
	if err != nil {
		return nil, err
	}
	p, err := s.Prepare(ctx, statements[0], nil)
	if err != nil {
		return nil, err
	}
	r, err := s.Execute(ctx, p, nil)
	if err != nil {
		return nil, err
	}
	return r.Rows, nil
}

const manyRows = "SELECT g, g * 2, 'row ' || g FROM generate_series(1, 3000000) g"

// endless joins so much that nobody waits for it.
const endless = "SELECT count(*) FROM generate_series(1, 200000) a, generate_series(1, 200000) b WHERE (a + b) % 7 = 3"

func TestRowsStream(t *testing.T) {
	t.Parallel()
	s := newSession(t, newEngine(t, t.TempDir()), nil)
	rows, err := run(t.Context(), s, manyRows)
	if err != nil {
		t.Fatal(err)
	}
	var n, sum int64
	err = collect(t.Context(), rows, func(c *planner.Chunk) {
		n += int64(c.Rows)
		for _, v := range c.Columns[0].Int32s {
			sum += int64(v)
		}
	})
	if err != nil || n != 3_000_000 || sum != 3_000_000*3_000_001/2 {
		t.Errorf("%d rows, sum %d, %v", n, sum, err)
	}
}

// TestCloseEarly: rows that are not read to their end free their connection.
func TestCloseEarly(t *testing.T) {
	t.Parallel()
	s := newSession(t, newEngine(t, t.TempDir()), nil)
	for range 20 {
		rows, err := run(t.Context(), s, manyRows)
		if err != nil {
			t.Fatal(err)
		}
		c, err := rows.Next(t.Context())
		if err != nil || c.Rows == 0 {
			t.Fatal(c, err)
		}
		if err := errors.Join(rows.Close(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		if c, err := rows.Next(t.Context()); c != nil || err != nil {
			t.Errorf("rows after Close: %v, %v", c, err)
		}
	}
}

// TestCancel: a statement ends with its context, while it starts and while it
// streams, and leaves the engine usable.
func TestCancel(t *testing.T) {
	t.Parallel()
	s := newSession(t, newEngine(t, t.TempDir()), nil)
	for _, after := range []time.Duration{0, time.Millisecond, 30 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		_, err := ask(ctx, s, endless)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %v: %v", after, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	rows, err := run(ctx, s, manyRows)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rows.Next(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	for err == nil {
		var c *planner.Chunk
		if c, err = rows.Next(ctx); c == nil && err == nil {
			t.Fatal("all rows came after the cancel")
		}
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled rows: %v", err)
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	if a, err := ask(t.Context(), s, "SELECT 1"); err != nil || a.rows[0][0] != "1" {
		t.Errorf("after cancels: %v, %v", a, err)
	}
}

// TestCancelPlanning: a statement that the engine is still planning, which nothing
// interrupts, leaves its client waiting no longer than one that runs.
func TestCancelPlanning(t *testing.T) {
	t.Parallel()
	const n = 500 // two seconds and more
	sql := "SELECT " + strings.Repeat("lower(", n) + "g::text" + strings.Repeat(")", n) + " FROM generate_series(1, 2) g"
	var late time.Duration
	// On a machine that is busy enough an answer may well take its time.
	for range 5 {
		s := newSession(t, newEngine(t, t.TempDir()), nil)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err := ask(ctx, s, sql)
		deadline, _ := ctx.Deadline()
		late = time.Since(deadline)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if late < time.Second {
			return
		}
	}
	t.Errorf("it always returns more than a second after the deadline, at last %v", late)
}

func codeOf(t *testing.T, err error) string {
	t.Helper()
	var e *planner.Error
	if !errors.As(err, &e) {
		t.Fatalf("no error of the planner's: %v", err)
	}
	return e.Code
}

// TestLimits: who asks for more memory or temporary space than there is gets an
// error, and the engine goes on.
func TestLimits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		memory, temp int64
		sql, code    string
	}{
		"memory": {100 << 20, 1 << 30, "SELECT cardinality(array_agg(repeat('x', 100) || g)) FROM generate_series(1, 3000000) g", pgerrcode.OutOfMemory},
		"disk":   {60 << 20, 20 << 20, "SELECT count(*) FROM (SELECT DISTINCT md5(g::text) || md5((g + 1)::text) FROM generate_series(1, 4000000) g) x", pgerrcode.ConfigurationLimitExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := duckdb.New(duckdb.Config{
				Directories:   func(string) []string { return nil },
				TempDirectory: t.TempDir(), MemoryBytes: test.memory, TempBytes: test.temp,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			}()
			s := newSession(t, e, nil)
			_, err = ask(t.Context(), s, test.sql)
			if code := codeOf(t, err); code != test.code {
				t.Errorf("%s: %v", code, errors.Unwrap(err))
			}
			if _, err := ask(t.Context(), s, "SELECT 1"); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestErrorAmidRows: an error behind the first rows comes with Next.
func TestErrorAmidRows(t *testing.T) {
	t.Parallel()
	s := newSession(t, newEngine(t, t.TempDir()), nil)
	_, err := ask(t.Context(), s, "SELECT 1 / (g - 900000) FROM generate_series(1, 1000000) g")
	if code := codeOf(t, err); code != pgerrcode.DivisionByZero {
		t.Errorf("%s: %v", code, err)
	}
}

// TestTooManyElements: a series of more values than an array can have, whose
// ends are not constants, is the statement's fault.
func TestTooManyElements(t *testing.T) {
	t.Parallel()
	s := newSession(t, newEngine(t, t.TempDir()), nil)
	_, err := ask(t.Context(), s, "SELECT count(*) FROM generate_series(1, 1e12::bigint)")
	if code := codeOf(t, err); code != pgerrcode.ProgramLimitExceeded {
		t.Errorf("%s: %v", code, err)
	}
}

// TestDeepExpression: what nests deeper than the engine follows is refused, and
// the connection goes on.
func TestDeepExpression(t *testing.T) {
	t.Parallel()
	s := newSession(t, newEngine(t, t.TempDir()), nil)
	for _, sql := range []string{
		"SELECT " + strings.Repeat("1.5 + ", 1100) + "1",
		"SELECT " + strings.Repeat("abs(", 1100) + "1" + strings.Repeat(")", 1100),
		"SELECT " + strings.Repeat("CASE WHEN g > 1 THEN g ELSE ", 1500) + "g" + strings.Repeat(" END", 1500) + " FROM generate_series(1, 2) g",
		"SELECT count(*) FROM (" + strings.Repeat("SELECT * FROM (", 800) + "SELECT 1 AS x" + strings.Repeat(") AS a", 800) + ") AS b",
	} {
		_, err := ask(t.Context(), s, sql)
		if code := codeOf(t, err); code != pgerrcode.StatementTooComplex {
			t.Errorf("%.40s…: %s: %v", sql, code, err)
		}
	}
	if _, err := ask(t.Context(), s, "SELECT "+strings.Repeat("abs(", 400)+"1"+strings.Repeat(")", 400)); err != nil {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if _, err := duckdb.New(duckdb.Config{}); err == nil {
		t.Error("a config without directories is taken")
	}
	if _, err := duckdb.New(duckdb.Config{Directories: func(string) []string { return nil }, TempDirectory: "x", Threads: -1}); err == nil {
		t.Error("a negative number of threads is taken")
	}
}

// TestClosed: a closed engine refuses, and closing waits for what runs.
func TestClosed(t *testing.T) {
	t.Parallel()
	e := newEngine(t, t.TempDir())
	s := newSession(t, e, nil)
	rows, err := run(t.Context(), s, manyRows)
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- e.Close() }()
	if err := collect(t.Context(), rows, func(*planner.Chunk) {}); err != nil {
		t.Error(err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if _, err := ask(t.Context(), s, "SELECT 1"); err == nil {
		t.Error("a closed engine runs a query")
	}
}
