package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
)

// TestLargeEvents: events of nearly 1 MB lie in objects beside the log, and are
// found like others: at once, after a restart, after compaction, and after
// another restart; so is the error row of one that cannot be a row.
func TestLargeEvents(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := start(t, dir)
	const n = 5
	for k := range n {
		body := fmt.Sprintf(`{"metrictype":"trace","timestamp":"2026-03-01T00:0%d:00Z","n":%d,"text":"%d%s"}`, k, k, k, strings.Repeat("lörem ", 140_000))
		small := fmt.Sprintf(`{"metrictype":"trace","timestamp":"2026-03-01T01:0%d:00Z","n":%d,"text":"short"}`, k, 100+k)
		i.post(t, []string{small, body, small})
	}
	bad := fmt.Sprintf(`{"metrictype":"trace","_reserved":1,"text":"%s"}`, strings.Repeat("x", 1_000_000))
	if status, answer := i.request(t, http.MethodPost, "/v1/events", bad); status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	check := func(when string) {
		t.Helper()
		for _, q := range []struct{ sql, want string }{
			{`select count(*), sum(n) from trace`, "10|520"},
			{`select n, length(text), left(text, 4), octet_length(text) from trace where n < 100 order by n`, "0|840001|0lör|980001\n1|840001|1lör|980001\n2|840001|2lör|980001\n3|840001|3lör|980001\n4|840001|4lör|980001"},
			{`select kind, octet_length(event_bytes) from errors.stream`, fmt.Sprintf("malformed|%d", len(bad))},
		} {
			if got := i.query(t, q.sql); got != q.want {
				t.Errorf("%s, %s:\n got %s\nwant %s", when, q.sql, got, q.want)
			}
		}
	}
	i.eventually(t, `select count(*) from trace`, "10")
	i.eventually(t, `select count(*) from errors.stream`, "1")
	check("at once")
	for _, log := range []string{"staged", "errors"} {
		objects, err := filepath.Glob(filepath.Join(dir, stores.ObjectsFolder, "spill", log, "*", "*", "*", "*", "*"))
		if err != nil || len(objects) == 0 {
			t.Errorf("no record of the %s log lies in an object: %v", log, err)
		}
		for _, path := range objects {
			if info, err := os.Stat(path); err != nil || info.Size() <= 350<<10 {
				t.Errorf("%s: %v, %v", path, info, err)
			}
		}
	}
	i.close(t)
	i = start(t, dir)
	check("after a restart")
	i.query(t, `select fieldgate.compact()`)
	check("after compaction")
	i.close(t)
	i = start(t, dir)
	check("after compaction and a restart")
	if got := i.query(t, `select count(*) from fieldgate.files where metric = 'trace'`); got == "0" {
		t.Error("there are no files")
	}
}
