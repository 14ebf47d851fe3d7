package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// suite is a driver's own tests in one package.
type suite struct {
	name, module, version, pkg string
	// short ones run in every make test, the others by make suites.
	short bool
}

func driverSuites() []suite {
	const pgxModule, pqModule = "github.com/jackc/pgx/v5", "github.com/lib/pq"
	return []suite{
		{name: "pgxpool", module: pgxModule, pkg: "pgxpool", short: true},
		{name: "pgx", module: pgxModule, pkg: "."},
		{name: "pgconn", module: pgxModule, pkg: "pgconn"},
		{name: "pgtype", module: pgxModule, pkg: "pgtype"},
		{name: "stdlib", module: pgxModule, pkg: "stdlib"},
		{name: "pq", module: pqModule, version: "v1.10.9", pkg: "."},
	}
}

// suiteRetries is how often what fails runs again.
const suiteRetries = 3

// suiteShare is how much of what passes on PostgreSQL must pass here.
const suiteShare = 0.9

// TestDriverSuites runs drivers' own tests against Fieldgate and against a real
// PostgreSQL 15 as a user that may only read, and compares: what passes there passes
// here, but for the tests that testdata/suites lists with the reason. All but the
// shortest run only if FIELDGATE_SUITES is set (make suites).
//
// Many of these tests race with timers of milliseconds, some of them with each
// other, and fail on a busy machine whatever the server. So what fails runs again,
// by itself, and counts if it passes then; the log says which.
func TestDriverSuites(t *testing.T) {
	t.Parallel()
	// A server of its own: others' tests list the roles' settings.
	reference := readOnly(t, testdeps.OwnServer(t))
	i := start(t, t.TempDir())
	ours := "postgres://demo:demo@" + i.c.PGAddr + "/demo?sslmode=disable"
	passed, wanted := 0, 0
	for _, s := range driverSuites() {
		if !s.short && os.Getenv("FIELDGATE_SUITES") == "" {
			continue
		}
		binary, dir := s.build(t)
		theirs := s.run(t, binary, dir, reference, ".")
		mine := s.run(t, binary, dir, ours, ".")
		allowed := readAllowed(t, filepath.Join("testdata", "suites", s.name))
		failed := missing(theirs, mine, allowed)
		for again := 0; len(failed) > 0 && again < suiteRetries; again++ {
			for name := range s.run(t, binary, dir, ours, onlyTests(failed)) {
				if slices.Contains(failed, name) {
					t.Logf("%s: %s passes when it runs by itself", s.name, name)
				}
				mine[name] = true
			}
			failed = missing(theirs, mine, allowed)
		}
		for _, name := range failed {
			t.Errorf("%s: %s passes on PostgreSQL and fails here", s.name, name)
		}
		both := 0
		for name := range theirs {
			if mine[name] {
				both++
			}
		}
		t.Logf("%s: %d of the %d tests that pass on PostgreSQL pass here", s.name, both, len(theirs))
		passed, wanted = passed+both, wanted+len(theirs)
	}
	if share := float64(passed) / float64(wanted); wanted == 0 || share < suiteShare {
		t.Errorf("%d of %d tests pass: %.1f %%", passed, wanted, 100*share)
	} else {
		t.Logf("%d of %d tests pass: %.1f %%", passed, wanted, 100*share)
	}
}

// missing are the tests that pass there, not here, and are not allowed to fail.
func missing(theirs, mine map[string]bool, allowed []string) []string {
	var names []string
	for name := range theirs {
		may := slices.ContainsFunc(allowed, func(a string) bool { return name == a || strings.HasPrefix(name, a+"/") })
		if !mine[name] && !may {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// onlyTests is the pattern of the tests, or of those that the subtests belong to.
func onlyTests(names []string) string {
	whole := make([]string, len(names))
	for i, name := range names {
		whole[i], _, _ = strings.Cut(name, "/")
	}
	return "^(" + strings.Join(slices.Compact(whole), "|") + ")$"
}

// readOnly makes a user of the reference that may only read.
func readOnly(t *testing.T, dsn string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	for _, sql := range []string{
		"create role reader login password 'reader'",
		"alter role reader set default_transaction_read_only = on",
		"create database suites", "revoke all on database suites from public", "grant connect on database suites to reader",
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.User, u.Path = url.UserPassword("reader", "reader"), "/suites"
	return u.String()
}

// build compiles a suite out of a copy of its module.
func (s suite) build(t *testing.T) (binary, dir string) {
	t.Helper()
	source := s.source(t)
	dir = filepath.Join(t.TempDir(), "module")
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(t.TempDir(), s.name+".test")
	dir = filepath.Join(dir, s.pkg)
	s.command(t, dir, "go", "test", "-c", "-mod=mod", "-o", binary, ".")
	return binary, dir
}

// source is where the module cache has the suite's module.
func (s suite) source(t *testing.T) string {
	t.Helper()
	if s.version == "" {
		return strings.TrimSpace(s.command(t, ".", "go", "list", "-m", "-f", "{{.Dir}}", s.module))
	}
	// No dependency of ours: a module of its own asks for it.
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module suite\n\nrequire "+s.module+" "+s.version+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.command(t, dir, "go", "mod", "download", s.module)
	return strings.TrimSpace(s.command(t, dir, "go", "list", "-mod=mod", "-m", "-f", "{{.Dir}}", s.module))
}

func (s suite) command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %s %s: %v\n%s", s.name, name, strings.Join(args, " "), err, errs.String())
	}
	return string(out)
}

// run runs the tests of a suite that match a pattern against a server and returns
// those that pass.
func (s suite) run(t *testing.T, binary, dir, dsn, pattern string) map[string]bool {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	database := strings.TrimPrefix(u.Path, "/")
	cmd := exec.CommandContext(t.Context(), binary, "-test.v", "-test.timeout=4m", "-test.run", pattern)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(),
		fmt.Sprintf("PGX_TEST_DATABASE=host=%s port=%s user=%s password=%s dbname=%s sslmode=disable", host, port, u.User.Username(), password, database),
		"PGHOST="+host, "PGPORT="+port, "PGUSER="+u.User.Username(), "PGPASSWORD="+password, "PGDATABASE="+database, "PGSSLMODE=disable")
	var out bytes.Buffer
	cmd.Stdout = &out
	_ = cmd.Run() // which tests fail is read off
	return passes(&out)
}

// temporary are the parts of names of tests that differ from run to run.
var temporary = regexp.MustCompile(`/tmp/[^_' ]*`)

func passes(out *bytes.Buffer) map[string]bool {
	all := map[string]bool{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "--- PASS: "); ok {
			name, _, _ := strings.Cut(rest, " (")
			all[temporary.ReplaceAllString(name, "TMP")] = true
		}
	}
	return all
}

// readAllowed reads the tests that may fail: a name a line, then the reason.
func readAllowed(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if name, _, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(line, "#") {
			names = append(names, name)
		}
	}
	return names
}
