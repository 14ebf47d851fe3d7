package duckdb

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// setting is the value of a setting on a connection.
func setting(t *testing.T, c *connection, name string) string {
	t.Helper()
	var result bindings.Result
	defer bindings.DestroyResult(&result)
	sql := "SELECT CAST(current_setting(" + quoteString(name) + ") AS VARCHAR)"
	if bindings.Query(c.conn, sql, &result) == bindings.StateError {
		t.Fatalf("%s: %s", sql, bindings.ResultError(&result))
	}
	chunk := bindings.FetchChunk(result)
	defer bindings.DestroyDataChunk(&chunk)
	texts := values[text](bindings.DataChunkGetVector(chunk, 0), 1)
	return string(texts[0].bytes())
}

func newInstance(t *testing.T) (*instance, Config) {
	t.Helper()
	cfg := Config{Directories: func(string) []string { return nil }, TempDirectory: t.TempDir(), Threads: 3}.withDefaults()
	in, err := openInstance(cfg, "t", 1<<28)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.close(); err != nil {
			t.Error(err)
		}
	})
	return in, cfg
}

// TestSettings: every connection of an instance has its settings, and not only the
// one that made them.
func TestSettings(t *testing.T) {
	t.Setenv("TZ", "America/New_York")
	in, cfg := newInstance(t)
	for i := range 3 {
		c, err := in.acquire()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { in.release(c) })
		for name, want := range map[string]string{
			"TimeZone": "UTC", "threads": "3", "preserve_insertion_order": "false", "default_null_order": "NULLS_LAST_ON_ASC_FIRST_ON_DESC",
			"parquet_metadata_cache": "true", "enable_external_file_cache": "false", "late_materialization_max_rows": fmt.Sprint(lateRows(cfg)),
			"enable_progress_bar": "false", "enable_external_access": "false", "lock_configuration": "true",
		} {
			if got := setting(t, c, name); got != want {
				t.Errorf("connection %d has %s %s, want %s", i+1, name, got, want)
			}
		}
	}
}

// TestAbandoned: who has left many statements to end on their own waits with the
// next until one has, or until that is stopped.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var in instance
		ends := make([]func(), maxAbandoned)
		for i := range ends {
			if err := in.admit(t.Context()); err != nil {
				t.Fatal(err)
			}
			ends[i] = in.abandon()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := in.admit(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("admitted beside %d abandoned ones: %v", maxAbandoned, err)
		}
		admitted := make(chan error, 1)
		go func() { admitted <- in.admit(t.Context()) }()
		synctest.Wait()
		select {
		case err := <-admitted:
			t.Errorf("admitted before one has ended: %v", err)
		default:
		}
		ends[3]()
		if err := <-admitted; err != nil {
			t.Error(err)
		}
	})
}
