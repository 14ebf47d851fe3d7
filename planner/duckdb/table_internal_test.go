package duckdb

import (
	"testing"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// TestPrintingTables: every signature of the tables is one of PostgreSQL's, and
// every function of ours has a signature that DuckDB can be told.
func TestPrintingTables(t *testing.T) {
	t.Parallel()
	for _, signature := range printings().unknown {
		t.Errorf("PostgreSQL has no %s", signature)
	}
	all, err := functions()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range all {
		key := f.name + " " + join(nil)
		for _, a := range f.args {
			key += "," + a
		}
		if seen[key] {
			t.Errorf("function %s twice", key)
		}
		seen[key] = true
		if typeNumber(f.returns) == bindings.TypeInvalid && f.returns[len(f.returns)-1] != ']' {
			t.Errorf("function %s returns %s", f.name, f.returns)
		}
	}
}

// TestLocked: what an instance may not do, even if a statement were to ask it.
func TestLocked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := Config{Directories: func(string) []string { return []string{dir} }, TempDirectory: t.TempDir()}.withDefaults()
	in, err := openInstance(cfg, "t", 1<<28)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := in.close(); err != nil {
			t.Error(err)
		}
	}()
	c, err := in.acquire()
	if err != nil {
		t.Fatal(err)
	}
	defer in.release(c)
	for _, sql := range []string{
		"SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM glob('/etc/*')", "SELECT * FROM read_text('/etc/hostname')",
		"COPY (SELECT 1) TO '/tmp/fieldgate-escape'", "ATTACH '/tmp/fieldgate-escape.db'", "INSTALL httpfs", "LOAD httpfs",
		"SET enable_external_access = true", "SET threads = 64", "SET lock_configuration = false", "SET allowed_directories = ['/']",
		"SET temp_directory = '/tmp'", "SET max_temp_directory_size = '1TB'",
	} {
		if err := c.exec(sql); err == nil {
			t.Errorf("%s is allowed", sql)
		}
	}
	if err := in.setMemory(1 << 27); err != nil {
		t.Errorf("the engine itself cannot change a share of memory: %v", err)
	}
}
