// Package testdeps lets a test ask for a program that Go does not bring: psql,
// a PostgreSQL server. A test without its program is skipped by name, and the
// names are listed when `make test` ends; under CI=true that is a failure,
// unless the installation itself failed and said so.
package testdeps

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// postgresBin is where Debian puts the server's programs.
const postgresBin = "/usr/lib/postgresql/15/bin"

// Psql returns the path of psql, or skips the test.
func Psql(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("psql")
	if err == nil {
		// Debian's psql is a wrapper that outlives the program it looks for.
		err = exec.CommandContext(t.Context(), path, "--version").Run()
	}
	if err != nil {
		missing(t, "psql")
	}
	return path
}

// Java returns the path of java, which can run a source file, or skips the test.
func Java(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("java")
	if err == nil {
		_, err = exec.LookPath("javac") // comes with what compiles a source file
	}
	if err != nil {
		missing(t, "java")
	}
	return path
}

// Helm returns the path of helm, or skips the test.
func Helm(t testing.TB) string {
	t.Helper()
	path := inBin("helm")
	if _, err := os.Stat(path); err != nil {
		missing(t, "helm")
	}
	return path
}

// Curl says that curl can be run, or skips the test.
func Curl(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		missing(t, "curl")
	}
}

// Postgres returns the folder of PostgreSQL 15's server programs, or skips the
// test.
func Postgres(t testing.TB) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(postgresBin, "postgres")); err != nil {
		missing(t, "postgres")
	}
	return postgresBin
}

// Regress returns the folder with the SQL of PostgreSQL 15's own regression
// tests, or skips the test.
func Regress(t testing.TB) string {
	t.Helper()
	dir := inBin("regress", "sql")
	if _, err := os.Stat(dir); err != nil {
		missing(t, "regress")
	}
	return dir
}

// inBin returns the path of a file in the repository's bin, which is absent
// where a test runs without its sources.
func inBin(name ...string) string {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return ""
	}
	return filepath.Join(append([]string{filepath.Dir(here), "..", "..", "bin"}, name...)...)
}

// missing skips the test for want of a program, or fails it where CI should have
// it.
func missing(t testing.TB, name string) {
	t.Helper()
	if os.Getenv("CI") == "true" && !installFailed(name) {
		t.Fatalf("%s is missing under CI=true: make test-deps installs it", name)
	}
	if list := os.Getenv("FIELDGATE_SKIPPED"); list != "" {
		f, err := os.OpenFile(list, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatalf("note the skipped test: %v", err)
		}
		if _, err := fmt.Fprintf(f, "%s: %s\n", name, t.Name()); err != nil {
			t.Fatalf("note the skipped test: %v", err)
		}
		if err := f.Close(); err != nil {
			t.Fatalf("note the skipped test: %v", err)
		}
	}
	t.Skipf("%s is missing: make test-deps installs it", name)
}

// installFailed says that make test-deps tried to install the program in vain.
func installFailed(name string) bool {
	f, err := os.Open(inBin("testdeps-failed"))
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	for s := bufio.NewScanner(f); s.Scan(); {
		if s.Text() == name {
			return true
		}
	}
	return false
}
