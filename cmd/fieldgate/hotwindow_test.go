package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// gauges makes events of 50 devices, a second apart, from number first on.
func gauges(start time.Time, first, n int) []string {
	lines := make([]string, n)
	for i := range lines {
		k := first + i
		lines[i] = fmt.Sprintf(`{"metrictype":"gauge","timestamp":%q,"_id":%d,"device":"d%d","level":%d}`,
			start.Add(time.Duration(k)*time.Second).Format(time.RFC3339), k, k%50, k%7)
	}
	return lines
}

// hotWindow is a server with gauges, asked over times of the hot window and over
// all times, which reads files.
type hotWindow struct {
	*instance
	start time.Time
}

// since counts the gauges of a device from number first on, as told by the plan
// and by all rows there are, which must agree.
func (h *hotWindow) since(t *testing.T, first int) (count, plan string) {
	t.Helper()
	at := h.start.Add(time.Duration(first) * time.Second).Format(time.RFC3339)
	const what = `count(*), coalesce(sum(level), 0)`
	sql := fmt.Sprintf(`select %s from gauge where device = 'd3' and timestamp >= '%s'`, what, at)
	count = h.query(t, sql)
	if all := h.query(t, fmt.Sprintf(`select %s from (select * from gauge limit 1000000) as g where device = 'd3' and timestamp >= '%s'`, what, at)); all != count {
		t.Errorf("from %d on: %s, among all rows %s", first, count, all)
	}
	return count, h.query(t, `explain `+sql)
}

// want finds the gauges of the device among those from number first up to another,
// and once more those of extra, in the window or not.
func (h *hotWindow) want(t *testing.T, first, to int, hot bool, extra ...int) {
	t.Helper()
	n, sum := len(extra), 0
	for _, k := range extra {
		sum += k % 7
	}
	for k := first; k < to; k++ {
		if k%50 == 3 {
			n++
			sum += k % 7
		}
	}
	count := fmt.Sprintf("%d|%d", n, sum)
	got, plan := h.since(t, first)
	if got != count {
		t.Errorf("from %d on: %s, want %s", first, got, count)
	}
	if is := strings.Contains(plan, "of the hot window"); is != hot || hot && !strings.Contains(plan, ": 0 of ") {
		t.Errorf("from %d on the hot window is read: %v, want %v\n%s", first, is, hot, plan)
	}
}

func (h *hotWindow) compact(t *testing.T) {
	t.Helper()
	h.query(t, `select fieldgate.compact()`)
}

// TestHotWindow: a statement whose time lies in what the tail holds opens no file,
// and finds each row once, with copies, conflicts and late events, over a restart.
func TestHotWindow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := &hotWindow{start(t, dir), time.Now().UTC().Add(-2 * time.Hour).Truncate(time.Second)}
	h.query(t, `create table gauge (device text, level integer)`)
	h.post(t, gauges(h.start, 0, 3000))
	h.eventually(t, `select count(*) from gauge`, "3000")
	h.compact(t)
	h.want(t, 2000, 3000, true)
	h.post(t, gauges(h.start, 2900, 200)) // 100 of them again
	h.post(t, []string{strings.Replace(gauges(h.start, 2953, 1)[0], `"level":6`, `"level":1000`, 1)})
	h.eventually(t, `select count(*) from gauge`, "3100")
	h.eventually(t, `select count(*) from errors.stream where kind = 'conflict'`, "1")
	h.want(t, 2000, 3100, true)
	h.compact(t)
	h.want(t, 2000, 3100, true)
	if plan := h.query(t, `explain select count(*) from gauge`); strings.Contains(plan, "hot window") {
		t.Errorf("a statement without a beginning reads the window:\n%s", plan)
	}

	h.close(t)
	h.instance = start(t, dir)
	h.want(t, 2000, 3100, false)
	h.post(t, gauges(h.start, 3100, 100))
	h.post(t, gauges(h.start, 1000, 200)) // copies of what the lake alone has
	late := strings.Replace(gauges(h.start, 2003, 1)[0], `"_id":2003`, `"_id":"late"`, 1)
	h.post(t, []string{late})
	h.eventually(t, `select count(*) from gauge`, "3201")
	h.want(t, 3100, 3200, true)
	h.want(t, 2000, 3200, false, 2003)
	h.compact(t)
	h.want(t, 3100, 3200, true)
	h.want(t, 2000, 3200, false, 2003)
	h.want(t, 1000, 3200, false, 2003)
}

// TestHotWindowGivesWay: with little memory the window goes, and no row with it.
func TestHotWindowGivesWay(t *testing.T) {
	t.Parallel()
	h := &hotWindow{start(t, t.TempDir(), func(c *config.Config) { c.Limits.TailMB = 4 }), time.Now().UTC().Add(-10 * time.Hour).Truncate(time.Second)}
	h.query(t, `create table gauge (device text, level integer)`)
	const step, steps = 5000, 7
	for n := range steps {
		h.post(t, gauges(h.start, n*step, step))
		h.eventually(t, `select count(*) from gauge`, itoa((n+1)*step))
		h.compact(t)
	}
	last := steps*step - step/10
	h.want(t, last, step*steps, true)
	h.want(t, 0, step*steps, false)
}

// scans asks over all gauges, often enough for them to be copied into a table, and
// wants the first n, each once.
func (h *hotWindow) scans(t *testing.T, n int, table bool) {
	t.Helper()
	sum := 0
	for k := range n {
		sum += k % 7
	}
	want := fmt.Sprintf("%d|%d|%d|%d", n, n, sum, min(n, 50))
	const sql = `select count(*), count(distinct _id), coalesce(sum(level), 0), count(distinct device) from gauge where timestamp > '2000-01-01'`
	for range 6 {
		if got := h.query(t, sql); got != want {
			t.Fatalf("%s:\n got %s\nwant %s", sql, got, want)
		}
	}
	if plan := h.query(t, `explain (verbose) `+sql); strings.Contains(plan, "FROM copy_") != table {
		t.Errorf("a table is read: %v, want %v\n%s", !table, table, plan)
	}
}

// TestHotWindowTables: many rows are scanned again and again, over compaction, what
// comes meanwhile, changes of the schema, a drop and a restart, of two tenants.
func TestHotWindowTables(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := &hotWindow{start(t, dir), time.Now().UTC().Add(-10 * time.Hour).Truncate(time.Second)}
	h.query(t, `create table gauge (device text, level integer)`)
	const first, all = 22_000, 34_000
	h.post(t, gauges(h.start, 0, first))
	h.eventually(t, `select count(*) from gauge`, itoa(first))
	h.scans(t, first, true)

	must(t, dir, "", "tenant", "add", "other")
	key, _ := addKey(t, dir, "--tenant", "other")
	must(t, dir, "secret\n", "user", "add", "ann", "--tenant", "other", "--owner", "--password-stdin")
	h.post(t, gauges(h.start, 0, 11_000), "X-Api-Key", key)
	conn, err := h.as(t.Context(), "ann", "secret", "other")
	if err != nil {
		t.Fatal(err)
	}
	for range 6 {
		awaitRows(t, conn, `select count(*) from gauge`, "11000")
		awaitRows(t, conn, `select count(distinct device) * 100 + max(level) from gauge`, "5006")
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}

	compacted := make(chan string)
	go func() {
		text, err := h.tryQuery(t, `select fieldgate.compact()`)
		compacted <- fmt.Sprint(text, err)
	}()
	h.post(t, gauges(h.start, first-500, all-first+500)) // 500 of them again
	for n := first; n < all; {
		text := h.query(t, `select count(*), count(distinct _id), sum(level) - sum(_id::bigint % 7) from gauge where timestamp > '2000-01-01'`)
		if _, err := fmt.Sscanf(text, "%d|", &n); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%d|%[1]d|0", n); n < first || text != want {
			t.Fatalf("amid compaction %s, want %s", text, want)
		}
	}
	t.Log(<-compacted)
	h.scans(t, all, true)
	h.post(t, []string{strings.Replace(gauges(h.start, all, 1)[0], `"level":`, `"level":"x","old":`, 1)})
	h.query(t, `alter table gauge drop column level`)
	h.query(t, `alter table gauge add column level text`)
	for range 6 {
		h.eventually(t, `select count(*), count(level), max(level), count(old) from gauge where timestamp > '2000-01-01'`, fmt.Sprintf("%d|%[1]d|x|1", all+1))
	}
	h.query(t, `drop table gauge`)
	h.query(t, `create table gauge (device text, level integer)`)
	h.scans(t, 0, false)
	h.post(t, gauges(h.start, 0, first))
	h.eventually(t, `select count(*) from gauge`, itoa(first))
	h.scans(t, first, true)
	h.close(t)
	h.instance = start(t, dir)
	h.scans(t, first, true)
}
