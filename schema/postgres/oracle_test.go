package postgres_test

import (
	"bufio"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

var (
	rewrite = flag.Bool("rewrite", false, "ask the server anew and store what it answers")
	live    = flag.Int("live", 1, "how many times the usual number of questions to ask the server without storing its answers")
)

// connect connects to the real PostgreSQL 15 that differential tests ask, or skips the test.
func connect(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), testdeps.Server(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

// A verdict is what PostgreSQL says to a question: an answer, or an SQLSTATE, a message and a hint.
type verdict struct{ question, answer string }

// verdictOf is an error's form in a verdict.
func verdictOf(err error) string {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return "not an answer: " + err.Error()
	}
	return errorVerdict(pgErr.Code, pgErr.Message)
}

func errorVerdict(code, message string) string { return "! " + code + " " + message }

// checkVerdicts compares our answers with those stored in testdata; with -rewrite it first stores what the server says.
func checkVerdicts(t *testing.T, file string, questions []string, ask func(*pgx.Conn, string) string, ours func(i int) string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *rewrite {
		conn := connect(t)
		var b strings.Builder
		for _, q := range questions {
			b.WriteString(escapeLine(q) + "\t" + escapeLine(ask(conn, q)) + "\n")
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stored := readVerdicts(t, path)
	if len(stored) != len(questions) {
		t.Fatalf("%s has %d verdicts for %d questions; run the test with -rewrite", path, len(stored), len(questions))
	}
	for i, v := range stored {
		if v.question != questions[i] {
			t.Fatalf("%s, line %d: %q where the test asks %q; run the test with -rewrite", path, i+1, v.question, questions[i])
		}
		if got := ours(i); got != v.answer {
			t.Errorf("%s\n\tours       %s\n\tPostgreSQL %s", v.question, got, v.answer)
		}
	}
}

// compareLive compares our answers with the server's, without storing anything.
func compareLive(t *testing.T, questions []string, ask func(*pgx.Conn, string) string, ours func(i int) string, same func(got, want string) bool) {
	t.Helper()
	conn := connect(t)
	for i, q := range questions {
		if want, got := ask(conn, q), ours(i); !same(got, want) {
			t.Errorf("%s\n\tours       %s\n\tPostgreSQL %s", q, got, want)
		}
	}
}

func readVerdicts(t *testing.T, path string) []verdict {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var all []verdict
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		q, a, ok := strings.Cut(lines.Text(), "\t")
		if !ok {
			t.Fatalf("%s: %q is no verdict", path, lines.Text())
		}
		all = append(all, verdict{unescapeLine(q), unescapeLine(a)})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func escapeLine(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(s)
}

func unescapeLine(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r").Replace(s)
}
