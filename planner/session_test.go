package planner_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// wantCode fails unless err is for the client, with the SQLSTATE.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *planner.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("error %v, want SQLSTATE %s", err, code)
	}
}

func (w *world) prepared(t *testing.T, sql string) *planner.Prepared {
	t.Helper()
	statements, err := w.session.Parse(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.session.Prepare(t.Context(), statements[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A parameter's value becomes a constant of the plan, and bounds it.
func TestParametersPrune(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run(t, w.session, "CREATE TABLE weather (station text)")
	p := w.prepared(t, "SELECT station FROM weather WHERE timestamp BETWEEN $1 AND $2 AND station = $3")
	binary := make([]byte, 8) // 2000-01-01, from which PostgreSQL counts
	for _, params := range [][]planner.Param{
		{{Bytes: []byte("2000-01-01")}, {Bytes: []byte("2000-01-02 00:00+00")}, {Bytes: []byte("a")}},
		{{Bytes: binary, Binary: true}, {Bytes: []byte("2000-01-02")}, {Null: true}},
	} {
		r, err := w.session.Execute(t.Context(), p, params)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Rows.Close(); err != nil {
			t.Fatal(err)
		}
		if got := planner.Format(w.engine.plan.Query); !strings.Contains(got, "from 2000-01-01 00:00:00+00 to 2000-01-02 00:00:00+00") {
			t.Errorf("plan is not bounded:\n%s", got)
		}
	}
	_, err := w.session.Execute(t.Context(), p, []planner.Param{{Bytes: []byte("nope")}, {}, {}})
	wantCode(t, err, pgerrcode.InvalidDatetimeFormat)
	_, err = w.session.Execute(t.Context(), p, nil)
	wantCode(t, err, pgerrcode.UndefinedParameter)
}

// A statement described before the schema changed is refused where it would
// return something else, and runs where it would not.
func TestSchemaChangesUnderPrepared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run(t, w.session, "CREATE TABLE weather (station text, temperature integer)")
	all, one := w.prepared(t, "SELECT * FROM weather"), w.prepared(t, "SELECT station FROM weather")
	run(t, w.session, "ALTER TABLE weather ADD COLUMN humidity integer")
	_, err := w.session.Execute(t.Context(), all, nil)
	wantCode(t, err, pgerrcode.FeatureNotSupported)
	r, err := w.session.Execute(t.Context(), one, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Rows.Close(); err != nil {
		t.Fatal(err)
	}
	run(t, w.session, "DROP TABLE weather")
	_, err = w.session.Execute(t.Context(), one, nil)
	wantCode(t, err, pgerrcode.UndefinedTable)
}

// The pins of a plan end with its rows, and when it does not come to rows.
func TestPinsAreReleased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run(t, w.session, "CREATE TABLE weather (station text)")
	r, err := w.session.Execute(t.Context(), w.prepared(t, "SELECT * FROM weather"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // twice is once
		if err := r.Rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	calls := strings.Join(w.engine.calls, " ")
	if strings.Count(calls, "release") != 1 || !strings.HasSuffix(calls, "release close") && !strings.Contains(calls, "close release") {
		t.Errorf("calls: %s", calls)
	}
}

// Texts that would nest without end are refused before the parser sees them, long
// flat ones are not.
func TestDepth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const n = 40_000
	for _, sql := range []string{
		"SELECT 1" + strings.Repeat("+1", n),
		"SELECT 1" + strings.Repeat("::int", n),
		"SELECT " + strings.Repeat("- ", n) + "1",
		"SELECT " + strings.Repeat("(", n) + "1" + strings.Repeat(")", n),
		"SELECT 1" + strings.Repeat(" UNION SELECT 1, 2", n),
		"SELECT 1 FROM a" + strings.Repeat(" JOIN b ON x AND y", n),
		"SELECT 1" + strings.Repeat(" + CASE WHEN a THEN b END", n),
		"SELECT 1" + strings.Repeat(" + f(t.end, 1)", n),
		"SELECT " + strings.Repeat("CASE WHEN 1 THEN ", n),
		strings.Repeat("SELECT (", n),
	} {
		_, err := w.session.Parse(t.Context(), sql)
		wantCode(t, err, pgerrcode.StatementTooComplex)
	}
	for _, sql := range []string{
		"SELECT 1 IN (1" + strings.Repeat(", 1", n) + ")",
		"SELECT true" + strings.Repeat(" AND now() > 'x'", n/10),
		"SELECT CASE 1" + strings.Repeat(" WHEN 1 + 1 THEN 1", n/10) + " END",
		strings.Repeat("SELECT 1 + 1;", n/10),
	} {
		if _, err := w.session.Parse(t.Context(), sql); err != nil {
			t.Errorf("%.40s…: %v", sql, err)
		}
	}
}

// What startup parameters and options say are the session's defaults.
func TestStartup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := planner.Identity{Tenant: "demo", User: "demo"}
	s, err := w.planner.NewSession(id, []planner.Setting{
		{Name: "TimeZone", Value: "Asia/Tokyo"},
		{Name: "extra_float_digits", Value: "2"},
		{Name: "search_path", Value: "a b"},
		{Name: "TimeZone", Value: "Europe/Berlin"},
		{Name: "application_name", Value: strings.Repeat("x", 62) + "é"},
	}, planner.Client{PID: 1})
	if err != nil {
		t.Fatal(err)
	}
	if notices := s.TakeNotices(); len(notices) != 1 || notices[0].Code != pgerrcode.NameTooLong || s.Setting("application_name") != strings.Repeat("x", 62) {
		t.Errorf("application_name is %q; notices: %v", s.Setting("application_name"), notices)
	}
	run(t, s, "SET TimeZone = UTC")
	if changed := s.TakeChanged(); len(changed) != 1 || changed[0] != (planner.Setting{Name: "TimeZone", Value: "UTC"}) {
		t.Errorf("changed: %v", changed)
	}
	run(t, s, "RESET TimeZone")
	for name, want := range map[string]string{"timezone": "Europe/Berlin", "extra_float_digits": "2", "search_path": "a b"} {
		if got := s.Setting(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if n := len(s.Reported()); n != 13 {
		t.Errorf("%d settings are reported, want 13", n)
	}
	_, err = w.planner.NewSession(id, []planner.Setting{{Name: "nope", Value: "1"}}, planner.Client{PID: 1})
	wantCode(t, err, pgerrcode.UndefinedObject)
}

// Statements of one message are one transaction: its time stands still, and an
// error undoes its settings.
func TestImplicitTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.session.BeginImplicit()
	run(t, w.session, "SET LOCAL TimeZone = 'Asia/Tokyo'; SET application_name = 'x'")
	if got := w.session.Setting("TimeZone"); got != "Asia/Tokyo" {
		t.Errorf("TimeZone = %q within", got)
	}
	w.session.EndImplicit(false)
	if zone, name := w.session.Setting("TimeZone"), w.session.Setting("application_name"); zone != "UTC" || name != "" {
		t.Errorf("TimeZone %q, application_name %q after", zone, name)
	}
}

// A plain column of a metric says which it is.
func TestColumnsSayTheirTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run(t, w.session, "CREATE TABLE weather (station text)")
	columns := w.prepared(t, "SELECT timestamp, station, station || 'x', _id FROM weather").Columns
	for i, want := range []int16{1, 2, 0, 0} {
		c := columns[i]
		if c.Attribute != want || (c.TableOID != 0) != (want != 0) {
			t.Errorf("%s: table %d attribute %d, want attribute %d", c.Name, c.TableOID, c.Attribute, want)
		}
	}
	if columns[1].Size() != -1 || columns[0].Size() != 8 || columns[1].T.OID != postgres.TextOID {
		t.Errorf("sizes %d and %d", columns[0].Size(), columns[1].Size())
	}
}

// Run does at once what Prepare and Execute do in turn.
func TestRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run(t, w.session, "CREATE TABLE weather (station text)")
	start := func(sql string) error {
		t.Helper()
		statements, err := w.session.Parse(t.Context(), sql)
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.session.Run(t.Context(), statements[0])
		if err == nil && r.Rows != nil {
			err = r.Rows.Close()
		}
		return err
	}
	w.engine.calls = nil
	if err := start("SELECT station FROM weather WHERE timestamp > now()"); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(w.engine.calls, ", "), "pin 1, load weather, files weather, splits weather, run, close, release"; got != want {
		t.Errorf("calls %s, want %s", got, want)
	}
	if got := planner.Format(w.engine.plan.Query); !strings.Contains(got, "from 2026-11-22 10:30:00.000001+00") {
		t.Errorf("now() bounds nothing:\n%s", got)
	}
	wantCode(t, start("SELECT $1"), pgerrcode.UndefinedParameter)
	wantCode(t, start("EXPLAIN SELECT $1::text"), pgerrcode.UndefinedParameter)
	wantCode(t, start("SELECT fieldgate.add_alias('weather', $1)"), pgerrcode.UndefinedParameter)
	for _, sql := range []string{"BEGIN", "SELECT 1", "SHOW TimeZone"} {
		if err := start(sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	wantCode(t, start("SELECT nothing"), pgerrcode.UndefinedColumn)
	wantCode(t, start("SELECT 1"), pgerrcode.InFailedSQLTransaction)
	if got := w.session.Status(); got != 'E' {
		t.Errorf("status %c after an error in a block", got)
	}
}
