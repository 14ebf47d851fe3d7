package main

import (
	"context"
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

var (
	regressLong    = flag.Bool("regress.long", false, "say of each statement of the regression files that is not answered as PostgreSQL does what the two say")
	regressRewrite = flag.Bool("regress.rewrite", false, "store the verdicts on the statements of the regression files anew")
)

// regressFiles are the files of PostgreSQL's own regression tests whose
// statements are compared.
var regressFiles = []string{
	"boolean", "case", "char", "varchar", "text", "strings", "name", "int2", "int4", "int8", "float4", "float8", "numeric",
	"date", "time", "timetz", "timestamp", "timestamptz", "interval", "horology", "regex", "arrays", "json", "random",
	"aggregates", "groupingsets", "window", "union", "with", "subselect", "select", "select_distinct", "select_having", "join", "limit",
	"jsonb", "jsonpath", "jsonb_jsonpath", "rangetypes", "multirangetypes", "bit",
}

// TestRegress runs the SELECT, VALUES and WITH statements that read no table of
// PostgreSQL 15's own regression files on a real PostgreSQL and on a whole
// server of ours, and compares values (in order where the statement has one),
// column names, type OIDs and SQLSTATEs.
//
// The statements are fetched by deploy/testdeps/regress. What is committed, in
// testdata/regress, is the verdict on each by the hash of its text, with a
// written reason for each that is not "same". A verdict that no longer holds
// fails the test (but "unstable": rows that tie, and that each server gives in an
// order of its own); a statement without one (of another minor version) only if it
// is answered differently without an error.
//
// One file, with what the two say to each statement that is not the same:
//
//	make regress FILE=numeric
//
// The same, and store the verdicts (reasons are kept; write one where there is
// "?"):
//
//	go test ./cmd/fieldgate -run '^TestRegress$/^numeric$' -v -regress.long -regress.rewrite
func TestRegress(t *testing.T) {
	t.Parallel()
	dir := testdeps.Regress(t)
	server, err := pgconn.ParseConfig(testdeps.Server(t))
	if err != nil {
		t.Fatal(err)
	}
	own, err := pgconn.ParseConfig("postgres://demo:demo@" + start(t, t.TempDir()).c.PGAddr + "/demo?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	total := &regressCounts{}
	for _, name := range regressFiles {
		t.Run(name, func(t *testing.T) {
			f := &regressFile{real: dialRegress(t, server), own: dialRegress(t, own), verdicts: readVerdicts(t, name), refusals: map[string]*regressAnswer{}}
			for _, s := range regressStatements(t, filepath.Join(dir, name+".sql")) {
				f.run(t, s)
			}
			f.finish(t, name)
			total.add(f.counts)
		})
	}
	t.Logf("all files: %s", total)
}

// dialRegress connects with the settings that the regression files are written
// for (those of pg_regress).
func dialRegress(t *testing.T, c *pgconn.Config) *pgconn.PgConn {
	t.Helper()
	c = c.Copy()
	for name, value := range map[string]string{"TimeZone": "PST8PDT", "DateStyle": "Postgres, MDY", "IntervalStyle": "postgres_verbose", "statement_timeout": "60s"} {
		c.RuntimeParams[name] = value
	}
	conn, err := pgconn.ConnectConfig(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) }) // the test is over
	return conn
}

// regressFile is the comparison of one file.
type regressFile struct {
	// refusals are our answers to settings that PostgreSQL took and we did not,
	// by name: what follows is refused with them.
	refusals  map[string]*regressAnswer
	real, own *pgconn.PgConn
	verdicts  *verdicts
	counts    regressCounts
}

// run compares one statement, or has both obey a setting.
func (f *regressFile) run(t *testing.T, s regressStatement) {
	t.Helper()
	if s.setting {
		f.set(t, s)
		return
	}
	want := askRegress(t, f.real, s.sql)
	var got *regressAnswer
	var v string
	for _, got = range f.refusals {
		v = verdictRefused
	}
	if got == nil {
		got = askRegress(t, f.own, s.sql)
		v = judge(got, want, s.ordered)
	}
	if v == verdictDifferent && want.err == nil {
		if again := askRegress(t, f.real, s.sql); !again.sameRows(want, s.ordered) && got.sameShape(want) {
			v = verdictSame // PostgreSQL itself answers otherwise each time
		}
	}
	if f.verdicts.unstable(s) {
		v = verdictUnstable
	}
	f.counts.count(v, got, want)
	if v != verdictSame && *regressLong {
		t.Logf("%s %s\n%s\n--- PostgreSQL\n%s--- ours\n%s", s.hash, v, s.sql, want, got)
	}
	if v == verdictSame && *regressLong && got.err != nil && got.message() != want.message() {
		t.Logf("%s same, but for the message\n%s\n--- PostgreSQL\n%s--- ours\n%s", s.hash, s.sql, want.message(), got.message())
	}
	f.verdicts.hold(t, s, v, *regressRewrite)
}

// set has both servers obey a setting.
func (f *regressFile) set(t *testing.T, s regressStatement) {
	t.Helper()
	name := strings.ToLower(regressSetting.FindStringSubmatch(s.sql)[1])
	if askRegress(t, f.real, s.sql).err != nil {
		return
	}
	delete(f.refusals, name)
	if a := askRegress(t, f.own, s.sql); a.err != nil {
		f.refusals[name] = a
	}
}

func (f *regressFile) finish(t *testing.T, name string) {
	t.Helper()
	t.Logf("%s: %s", name, f.counts)
	if *regressRewrite {
		f.verdicts.write(t, f.counts)
		return
	}
	f.verdicts.complete(t)
}

// answerTo is what a server says to a statement.
type regressAnswer struct {
	names []string
	types []uint32
	rows  []string // values of a row joined by bars
	err   *pgconn.PgError
}

// String prints the answer as the long form shows it.
func (a *regressAnswer) String() string {
	if a.err != nil {
		return a.message()
	}
	var b strings.Builder
	b.WriteString(a.heading() + "\n")
	for i, r := range a.rows {
		if i == regressShown {
			b.WriteString("…\n")
			break
		}
		b.WriteString(r + "\n")
	}
	return b.String()
}
