package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
)

// movedClock is a clock that a test moves forward.
type movedClock struct{ fast atomic.Int64 }

func newClock(at time.Time) *movedClock {
	c := &movedClock{}
	c.fast.Store(int64(time.Until(at)))
	return c
}

func (c *movedClock) now() time.Time           { return time.Now().Add(time.Duration(c.fast.Load())) }
func (c *movedClock) advance(by time.Duration) { c.fast.Add(int64(by)) }

// borderTimes are times at which weeks, years and calendars meet, in an order of
// their own.
var borderTimes = []string{
	"1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "1970-01-04T23:59:59.999999Z", "1970-01-05T00:00:00Z",
	"2020-12-27T23:59:59.999999Z", "2020-12-28T00:00:00Z", "2020-12-31T23:59:59.999999Z", "2021-01-01T00:00:00Z",
	"2021-01-03T23:59:59.999999Z", "2021-01-04T00:00:00Z", // week 53 of 2020
	"2026-12-20T23:59:59.999999Z", "2026-12-21T00:00:00Z", "2026-12-27T23:59:59.999999Z", "2026-12-28T00:00:00Z",
	"2026-12-31T23:59:59.999999Z", "2027-01-01T00:00:00Z", "2027-01-03T23:59:59.999999Z", "2027-01-04T00:00:00Z", // of 2026
	"2027-01-10T23:59:59.999999Z", "2027-01-11T00:00:00Z", "2027-01-17T23:59:59.999999Z", "2027-01-18T00:00:00Z",
	"2099-12-27T23:59:59.999999Z", "2099-12-28T00:00:00Z", "2099-12-31T23:59:59.999999Z", "2100-01-01T00:00:00Z",
}

// postBorders posts an event of each time, and one of each of some weeks before one.
func postBorders(t *testing.T, i *instance, newest time.Time, weeks int) {
	t.Helper()
	var lines []string
	for n, at := range borderTimes {
		lines = append(lines, fmt.Sprintf(`{"metrictype":"border","timestamp":%q,"n":%d}`, at, n))
	}
	for n := range weeks {
		lines = append(lines, fmt.Sprintf(`{"metrictype":"weekly","timestamp":%q,"n":%d}`, newest.AddDate(0, 0, -7*n).Format(time.RFC3339), n))
	}
	i.post(t, lines)
}

// awaitBorders returns when all of these events are found. Each late week is a call
// to note it, and moto answers some ten calls a second on a busy machine.
func awaitBorders(t *testing.T, i *instance, weeks int) {
	t.Helper()
	want := itoa(len(borderTimes) + weeks)
	for got, deadline := "", time.Now().Add(visibleWithin); got != want; {
		now, err := i.tryQuery(t, `select (select count(*) from border) + (select count(*) from weekly)`)
		if err == nil && now != got {
			got, deadline = now, time.Now().Add(visibleWithin)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s events are found, want %s: %v", got, want, err)
		}
	}
}

// checkBorders holds that every event is found by its own time, on its own side of
// each border, and in its own week.
func checkBorders(t *testing.T, i *instance, weeks int, when string) {
	t.Helper()
	want := func(sql, rows string) {
		t.Helper()
		if got := i.query(t, sql); got != rows {
			t.Errorf("%s, %s:\n got %s\nwant %s", when, sql, got, rows)
		}
	}
	want(`select count(*), count(distinct n) from border`, fmt.Sprintf("%d|%[1]d", len(borderTimes)))
	want(`select count(*), count(distinct n), count(distinct date_trunc('week', timestamp)), min(n), max(n) from weekly`, fmt.Sprintf("%d|%[1]d|%[1]d|0|%d", weeks, weeks-1))
	for n, text := range borderTimes {
		want(fmt.Sprintf(`select n from border where timestamp = '%s'`, text), itoa(n))
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if midnight := at.Equal(at.Truncate(24 * time.Hour)); midnight && n > 0 {
			want(fmt.Sprintf(`select count(*) from border where timestamp < '%s'`, text), itoa(n))
			want(fmt.Sprintf(`select count(*) from border where timestamp >= '%s'`, text), itoa(len(borderTimes)-n))
		}
	}
	want(`select to_char(timestamp at time zone 'UTC', 'IYYY-IW'), count(*) from border where timestamp >= '2026-12-28' and timestamp < '2027-01-11' group by 1 order by 1`,
		"2026-53|4\n2027-01|2")
}

// weekTables are the weeks that have a table.
func weekTables(t *testing.T, c *config.Config) (weeks []string) {
	t.Helper()
	access, err := stores.AWSConfig(t.Context(), c.Nearline.Region, c.Nearline.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	pages := awsdynamodb.NewListTablesPaginator(awsdynamodb.NewFromConfig(access), &awsdynamodb.ListTablesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range page.TableNames {
			if week, ok := strings.CutPrefix(name, c.Nearline.Prefix+"-2"); ok {
				weeks = append(weeks, "2"+week)
			}
		}
	}
	slices.Sort(weeks)
	return weeks
}

// TestWeeks has events of all times come in, at New Year of a year with 53 weeks, and
// then moves the clock on for weeks, while events come in, statements run, tables are
// made slowly, closed, emptied and dropped: everything is always found once, in no
// more tables than are allowed.
func TestWeeks(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes minutes")
	}
	for _, server := range []struct {
		name  string
		start func(t testing.TB) string
		weeks int
	}{{"dynalite", testdeps.Dynalite, 1000}, {"moto", testdeps.Moto, 100 * tortureFactor(t)}} {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			testWeeks(t, server.start(t), server.weeks)
		})
	}
}

func testWeeks(t *testing.T, url string, weeks int) {
	const retention, most = 1, 4
	began := time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC)
	clock := newClock(began)
	// Making and dropping a table takes AWS several seconds.
	proxy := faultproxy.Start(t, url, func(r faultproxy.Request) faultproxy.Fault {
		if r.Operation == "CreateTable" || r.Operation == "DeleteTable" {
			return faultproxy.Fault{Kind: faultproxy.Late, Delay: 500 * time.Millisecond}
		}
		return faultproxy.Fault{}
	})
	i := start(t, t.TempDir(), onDynamoDBAt(t, proxy.URL), func(c *config.Config) {
		c.Nearline.RetentionWeeks, c.Nearline.MaxTables = retention, most
		c.Now, c.KeepEvery = clock.now, 50*time.Millisecond
	})
	postBorders(t, i, began, weeks)
	awaitBorders(t, i, weeks)
	checkBorders(t, i, weeks, "before compaction")
	if tables := weekTables(t, &i.c); !slices.Equal(tables, []string{"2026-W52", "2026-W53", "2027-W01"}) {
		t.Errorf("weeks with a table: %q", tables)
	}
	plan := i.query(t, `explain select * from border where timestamp >= '2026-12-31 23:30Z' and timestamp < '2027-01-01 00:30Z'`)
	if !strings.Contains(plan, "Nearline tables: "+i.c.Nearline.Prefix+"-2026-W53;") {
		t.Errorf("a plan of one hour of week 53:\n%s", plan)
	}
	i.query(t, `select fieldgate.compact()`)
	checkBorders(t, i, weeks, "compacted")
	// Rows of weeks without a table are let go of once the lake has had them for the
	// grace, and a statement of their time reads no table.
	const late = `where timestamp >= '1995-01-01' and timestamp < '2026-12-01'`
	deadline := time.Now().Add(visibleWithin)
	for plan = ""; !strings.Contains(plan, "Nearline tables: -"); <-time.After(500 * time.Millisecond) {
		clock.advance(time.Hour)
		if plan = i.query(t, `explain select n from weekly `+late); time.Now().After(deadline) {
			t.Fatalf("late rows are not let go of:\n%s", plan)
		}
	}
	checkBorders(t, i, weeks, "late rows let go of")

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var acked acknowledged
	var answers atomic.Int64
	var group sync.WaitGroup
	group.Go(func() {
		seen := map[string]bool{}
		for ctx.Err() == nil && !t.Failed() {
			at := clock.fast.Load()
			rows, err := i.tryQuery(t, `select n, count(*) from ageing group by n`)
			switch {
			case err != nil && (len(seen) > 0 || serverError(err) == nil || serverError(err).Code != "42P01"):
				if ctx.Err() == nil {
					t.Errorf("a statement while weeks go: %v", err)
				}
				return
			case err != nil || time.Duration(clock.fast.Load()-at) >= 2*time.Hour:
				continue // a statement that takes longer than any may
			}
			answers.Add(1)
			now := map[string]bool{}
			for line := range strings.SplitSeq(rows, "\n") {
				n, times, _ := strings.Cut(line, "|")
				if now[n] = true; times != "1" && n != "" {
					t.Errorf("event %s is found %s times", n, times)
				}
			}
			for n := range seen {
				if !now[n] {
					t.Errorf("event %s is no longer found", n)
				}
			}
			seen = now
		}
	})
	random := rand.New(rand.NewPCG(1, 1))
	n, made := 0, map[string]bool{}
	for step := range 32 {
		var body strings.Builder
		for range 20 {
			// Now, or up to three weeks ago.
			at := clock.now().Add(-time.Duration(random.IntN(21*24)*random.IntN(2)) * time.Hour)
			fmt.Fprintf(&body, `{"timestamp":%q,"n":%d}`+"\n", at.UTC().Format(time.RFC3339Nano), n)
			n++
		}
		if postBody(ctx, i.c, "ageing", body.String()) {
			acked.add(n-20, n)
		}
		if step%4 == 3 {
			i.query(t, `select fieldgate.compact()`)
		}
		// Two looks at the tables at least between two moves.
		<-time.After(150 * time.Millisecond)
		clock.advance(22 * time.Hour)
		tables := weekTables(t, &i.c)
		for _, w := range tables {
			made[w] = true
		}
		if len(tables) > most {
			t.Errorf("step %d: %d tables, of at most %d: %q", step, len(tables), most, tables)
		}
	}
	i.query(t, `select fieldgate.compact()`)
	stop()
	group.Wait()
	i.eventually(t, `select count(*), count(distinct n) from ageing`, fmt.Sprintf("%d|%[1]d", acked.count()))
	checkBorders(t, i, weeks, "weeks later")
	if answers.Load() == 0 || acked.count() != n {
		t.Errorf("%d statements answered, %d of %d events acknowledged", answers.Load(), acked.count(), n)
	}
	tables := weekTables(t, &i.c)
	t.Logf("%d statements, weeks with tables at some time: %d, now %q", answers.Load(), len(made), tables)
	if slices.Contains(tables, "2026-W53") || !slices.Contains(tables, isoWeek(clock.now())) {
		t.Errorf("at %s these weeks have a table: %q", clock.now(), tables)
	}
	// A week that is gone takes rows all the same.
	i.post(t, []string{fmt.Sprintf(`{"metrictype":"border","timestamp":"2026-12-31T12:00:00Z","n":%d}`, len(borderTimes))})
	i.eventually(t, `select n from border where timestamp >= '2026-12-31 11:00Z' and timestamp < '2026-12-31 13:00Z'`, strconv.Itoa(len(borderTimes)))
}

// TestWeeksByFile is the same without a moved clock: a program of its own, configured
// by a file, and begun again in between.
func TestWeeksByFile(t *testing.T) {
	t.Parallel()
	c := config.Default()
	onDynamoDB(t)(&c)
	c.Dev, c.DataDir, c.HTTPAddr, c.PGAddr = true, t.TempDir(), freeAddr(t), freeAddr(t)
	path := filepath.Join(t.TempDir(), "fieldgate.yaml")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := config.Print(file, &c); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	i, defaults, began := &instance{c: c}, config.Default(), time.Now().UTC()
	for round, when := range []string{"first", "begun again"} {
		p := begin(t, serveProcess(t, testBinary(t), &defaults, "--config", path))
		awaitHealthy(t, c.HTTPAddr, p.ended)
		if round == 0 {
			postBorders(t, i, began, 1000)
			awaitBorders(t, i, 1000)
		}
		checkBorders(t, i, 1000, when)
		i.query(t, `select fieldgate.compact()`)
		checkBorders(t, i, 1000, when+", compacted")
		p.end(syscall.SIGTERM)
		if !p.cmd.ProcessState.Success() {
			t.Errorf("the program ended with %s", p.cmd.ProcessState)
		}
	}
	most := c.Nearline.RetentionWeeks + 2
	if isoWeek(began) != isoWeek(time.Now().UTC()) {
		most++ // a week has begun meanwhile
	}
	if tables := weekTables(t, &c); len(tables) > most {
		t.Errorf("%d weeks have a table: %q", len(tables), tables)
	}
}
