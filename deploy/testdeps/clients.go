package testdeps

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The clients that `make test-deps` puts into bin/clients, at versions that
// deploy/testdeps/install pins.

// PgJDBC returns the path of java and that of pgjdbc's archive, or skips the test.
func PgJDBC(t testing.TB) (java, archive string) {
	t.Helper()
	java = Java(t)
	found, err := filepath.Glob(inBin("clients", "postgresql-*.jar"))
	if err != nil || len(found) == 0 {
		missing(t, "pgjdbc")
	}
	return java, found[0]
}

// Python returns the path of a python that has psycopg 2 and 3, SQLAlchemy and
// pyodbc, or skips the test.
func Python(t testing.TB) string {
	t.Helper()
	path := inBin("clients", "python", "bin", "python")
	if err := exec.CommandContext(t.Context(), path, "-c", "import psycopg2, psycopg, sqlalchemy, pyodbc").Run(); err != nil {
		missing(t, "psycopg")
	}
	return path
}

// odbcDrivers are where Debian puts psqlODBC, by architecture.
const odbcDrivers = "/usr/lib/*/odbc/psqlodbcw.so"

// PsqlODBC returns the path of psqlODBC's driver, or skips the test.
func PsqlODBC(t testing.TB) string {
	t.Helper()
	found, err := filepath.Glob(odbcDrivers)
	if err != nil || len(found) == 0 {
		missing(t, "psqlodbc")
	}
	return found[0]
}

// NodePostgres returns the path of node and the folder of its modules, which have
// pg and pg-cursor, or skips the test.
func NodePostgres(t testing.TB) (node, modules string) {
	t.Helper()
	modules = inBin("clients", "node_modules")
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(modules, "pg-cursor"))
	}
	if err != nil {
		missing(t, "node-postgres")
	}
	return node, modules
}

// SQLSmith returns the path of sqlsmith, or skips the test.
func SQLSmith(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("sqlsmith")
	if err != nil {
		missing(t, "sqlsmith")
	}
	return path
}

// PgBouncer returns the path of pgbouncer, or skips the test.
func PgBouncer(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		path = "/usr/sbin/pgbouncer" // not in everybody's PATH
		_, err = os.Stat(path)
	}
	if err != nil {
		missing(t, "pgbouncer")
	}
	return path
}
