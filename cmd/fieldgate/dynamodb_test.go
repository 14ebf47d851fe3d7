package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
)

// onDynamoDB has a server keep its recent events and key-value pairs in tables of
// dynalite that no other test has.
func onDynamoDB(t *testing.T) func(*config.Config) {
	t.Helper()
	return onDynamoDBAt(t, testdeps.Dynalite(t))
}

// onDynamoDBAt is onDynamoDB with the server at url.
func onDynamoDBAt(t *testing.T, url string) func(*config.Config) {
	t.Helper()
	prefix := "t" + strings.ToLower(rand.Text())
	return func(c *config.Config) {
		c.Nearline.Kind, c.Nearline.Prefix, c.Nearline.Endpoint = config.DynamoDB, prefix, url
		c.KeyValue.Kind, c.KeyValue.Prefix, c.KeyValue.Endpoint = config.DynamoDB, prefix, url
	}
}

// midweek has a server's clock, which it gives too, begin at noon of a Wednesday, so
// that no week begins amid a test, on whichever day it runs.
func midweek(adjust func(*config.Config)) (*movedClock, func(*config.Config)) {
	clock := newClock(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC))
	return clock, func(c *config.Config) {
		adjust(c)
		c.Now = clock.now
	}
}

// TestQuickStartOnDynamoDB is TestQuickStart with recent events and key-value
// pairs on DynamoDB.
func TestQuickStartOnDynamoDB(t *testing.T) {
	t.Parallel()
	c := config.Default()
	onDynamoDB(t)(&c)
	testQuickStart(t, environment(&c)...)
}

// TestEarthquakesOnDynamoDB is TestEarthquakes likewise. Its events are of 2018,
// so they are late ones.
func TestEarthquakesOnDynamoDB(t *testing.T) {
	t.Parallel()
	testEarthquakes(t, t.TempDir(), onDynamoDB(t))
}

// TestConflictsOnDynamoDB is TestConflicts likewise, in fewer ways.
func TestConflictsOnDynamoDB(t *testing.T) {
	t.Parallel()
	adjust := onDynamoDB(t)
	type pass = []func(t *testing.T, i *instance, adjust ...func(*config.Config)) *instance
	testConflicts(t, conflictGap{"nothing", nil}, conflictGap{"compaction, restart", pass{compactInstance, restartInstance}}, adjust)
}

// TestChoiceOfSource: which tables a statement reads, by its time, and why.
func TestChoiceOfSource(t *testing.T) {
	t.Parallel()
	clock, adjust := midweek(onDynamoDB(t))
	i := start(t, t.TempDir(), adjust)
	now := clock.now().UTC().Truncate(time.Second)
	old := now.AddDate(-3, 0, 0)
	i.post(t, gauges(now.Add(-2*time.Minute), 0, 100))
	i.eventually(t, `select count(*) from gauge`, "100")
	table := i.c.Nearline.Prefix + "-" + isoWeek(now)
	at := func(when time.Time) string { return "'" + when.Format(time.RFC3339) + "'" }
	check := func(when, where, count string, wanted ...string) {
		t.Helper()
		if got := i.query(t, `select count(*) from gauge `+where); got != count {
			t.Errorf("%s, %s: %s rows, want %s", when, where, got, count)
		}
		// How far nearline is written is noted once a second.
		var plan string
		missing := wanted
		for deadline := time.Now().Add(visibleWithin); len(missing) > 0 && time.Now().Before(deadline); {
			plan = i.query(t, `explain select count(*) from gauge `+where)
			missing = slices.DeleteFunc(slices.Clone(wanted), func(want string) bool { return strings.Contains(plan, want) })
		}
		if len(missing) > 0 {
			t.Errorf("%s, %s: the plan lacks %q:\n%s", when, where, missing, plan)
		}
	}
	lastHour := fmt.Sprintf(`where timestamp >= %s and timestamp < %s`, at(now.Add(-time.Hour)), at(now.Add(time.Hour)))
	longAgo := fmt.Sprintf(`where timestamp >= %s and timestamp < %s`, at(old), at(old.Add(time.Hour)))
	const alone, none = "; nearline alone", "Nearline tables: -;"
	recent := "Nearline tables: " + table
	check("before compaction", lastHour, "100", ": 0 of 0 files read", recent+alone)
	check("before compaction", longAgo, "0", none)
	i.query(t, `select fieldgate.compact()`)
	check("after compaction", lastHour, "100", ": 0 of 1 files read", recent+alone)
	check("after compaction", longAgo, "0", none)
	check("after compaction, all times", ``, "100", ": 1 of 1 files read", none)
	// What came late is in the lake alone once it is let go of, and is found.
	i.post(t, gauges(old, 500, 10))
	i.eventually(t, `select count(*) from gauge`, "110")
	check("late rows", longAgo, "10", "Nearline tables: "+i.c.Nearline.Prefix+"-late")
	i.query(t, `select fieldgate.compact()`)
	i.eventually(t, `select count(*) from gauge `+longAgo, "10")
	check("after both", ``, "110")
}

func isoWeek(at time.Time) string {
	year, week := at.ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, week)
}

// TestCapacityOfServer has a server whose tables have a fixed capacity start again with
// one that follows, and write more than that.
func TestCapacityOfServer(t *testing.T) {
	t.Parallel()
	clock, adjust := midweek(onDynamoDB(t))
	scaling := config.ScalingNone
	provisioned := func(c *config.Config) {
		adjust(c)
		c.Nearline.Capacity, c.Nearline.Scaling, c.Nearline.WriteUnits, c.ScaleEvery = config.CapacityProvisioned, scaling, 1, 5*time.Second
	}
	dir := t.TempDir()
	i := start(t, dir, provisioned)
	access, err := stores.AWSConfig(t.Context(), i.c.Nearline.Region, i.c.Nearline.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	client := awsdynamodb.NewFromConfig(access)
	units := func() int64 {
		t.Helper()
		table := i.c.Nearline.Prefix + "-" + isoWeek(clock.now().UTC())
		out, err := client.DescribeTable(t.Context(), &awsdynamodb.DescribeTableInput{TableName: &table})
		if err != nil {
			t.Fatal(err)
		}
		return *out.Table.ProvisionedThroughput.WriteCapacityUnits
	}
	if n := units(); n != 1 {
		t.Fatalf("the table has %d write units, want 1", n)
	}
	scaling = config.ScalingAuto
	i = restartInstance(t, i, provisioned)
	i.post(t, gauges(clock.now().UTC().Add(-2*time.Minute), 0, 400))
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); units() == 1 && time.Now().Before(deadline); {
		<-tick.C
	}
	if n := units(); n < 10 {
		t.Errorf("the table has %d write units after 400 events", n)
	}
}

// TestNearlineUnreachable: a statement does not answer from the lake alone when
// recent events cannot be read.
func TestNearlineUnreachable(t *testing.T) {
	t.Parallel()
	clock, adjust := midweek(onDynamoDB(t))
	dir := t.TempDir()
	i := start(t, dir, adjust)
	i.post(t, gauges(clock.now(), 0, 10))
	i.eventually(t, `select count(*) from gauge`, "10")
	i.query(t, `select fieldgate.compact()`)
	dropTable(t, &i.c, isoWeek(clock.now().UTC()))
	_, err := i.tryQuery(t, `select count(*) from gauge where timestamp >= '2026-11-25 11:00Z'`)
	if err == nil || !strings.Contains(err.Error(), "58030") {
		t.Errorf("error %v, want 58030", err)
	}
}

// TestStoresUnreachable says to statements and to who connects that a store does not
// answer, and serves both again when it does.
func TestStoresUnreachable(t *testing.T) {
	t.Parallel()
	tables, objects := faultproxy.Start(t, testdeps.Dynalite(t), nil), faultproxy.Start(t, testdeps.VersityGW(t), nil)
	keyValue, bucket := onDynamoDBAt(t, tables.URL), onS3(t)
	i := start(t, t.TempDir(), keyValue, bucket, func(c *config.Config) {
		c.Nearline.Kind, c.Objects.Endpoint = config.Embedded, objects.URL
	})
	i.post(t, gauges(time.Now(), 0, 10))
	const count = `select count(*) from gauge`
	i.eventually(t, count, "10")
	i.query(t, `select fieldgate.compact()`)
	conn := i.dial(t)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	statement := func() error {
		_, err := conn.Exec(t.Context(), count).ReadAll()
		return err
	}
	connecting := func() error {
		other, err := pgconn.Connect(t.Context(), "postgres://demo:demo@"+i.c.PGAddr+"/demo?sslmode=disable")
		if err == nil {
			_ = other.Close(t.Context())
		}
		return err
	}
	down := func(faultproxy.Request) faultproxy.Fault { return faultproxy.Fault{Kind: faultproxy.CutBefore} }
	for _, test := range []struct {
		store         *faultproxy.Proxy
		do            func() error
		code, message string
	}{
		{objects, statement, pgerrcode.IOError, "compacted events"}, // the files, or the list of them
		{tables, statement, pgerrcode.IOError, "cannot be read"},    // the schema, or what devices sent, whichever is asked for first
		{tables, connecting, pgerrcode.CannotConnectNow, "users cannot be looked up at the moment"},
	} {
		test.store.Set(down)
		err := test.do()
		for deadline := time.Now().Add(visibleWithin); err == nil && time.Now().Before(deadline); {
			err = test.do() // what is known for some seconds serves until then
		}
		if e := serverError(err); e == nil || e.Code != test.code || !strings.Contains(e.Message, test.message) {
			t.Errorf("%v, want %s with %q", err, test.code, test.message)
		}
		test.store.Set(nil)
		if err := test.do(); err != nil {
			t.Errorf("once the store answers again: %v", err)
		}
	}
}

// dropTable deletes the table of a week behind the server's back.
func dropTable(t *testing.T, c *config.Config, week string) {
	t.Helper()
	access, err := stores.AWSConfig(t.Context(), c.Nearline.Region, c.Nearline.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	name := c.Nearline.Prefix + "-" + week
	client := awsdynamodb.NewFromConfig(access)
	if _, err := client.DeleteTable(t.Context(), &awsdynamodb.DeleteTableInput{TableName: &name}); err != nil {
		t.Fatal(err)
	}
	gone := awsdynamodb.NewTableNotExistsWaiter(client, func(o *awsdynamodb.TableNotExistsWaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := gone.Wait(t.Context(), &awsdynamodb.DescribeTableInput{TableName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
}

// call is a call of DynamoDB, as the proxy saw it.
type call struct{ operation, table, keys string }

// TestCallsOfAStatement counts, at a proxy, what statements ask of nearline: one over
// an hour reads that week's table alone, by key conditions; one of old data none. One
// that cannot read all of it fails, wherever that begins.
func TestCallsOfAStatement(t *testing.T) {
	t.Parallel()
	clock, adjust := midweek(onDynamoDB(t))
	var mu sync.Mutex
	var calls []call
	var failAfter atomic.Int64 // calls of rows, then the rest fails
	failAfter.Store(math.MaxInt64)
	var prefix string
	isRows := func(c call) bool {
		return strings.HasPrefix(c.table, prefix+"-") && !strings.HasSuffix(c.table, "-nearline")
	}
	i := start(t, t.TempDir(), adjust, func(c *config.Config) {
		prefix = c.Nearline.Prefix
		c.Nearline.Endpoint = faultproxy.Start(t, c.Nearline.Endpoint, func(r faultproxy.Request) faultproxy.Fault {
			var body struct{ TableName, KeyConditionExpression string }
			_ = json.Unmarshal(r.Body, &body) // a batch names no table
			c := call{r.Operation, body.TableName, body.KeyConditionExpression}
			mu.Lock()
			calls = append(calls, c)
			mu.Unlock()
			if r.Operation == "Query" && isRows(c) && failAfter.Add(-1) < 0 {
				return faultproxy.Fault{Kind: faultproxy.InternalError}
			}
			return faultproxy.Fault{}
		}).URL
	})
	now := clock.now().UTC().Truncate(time.Second)
	weekAgo, old := now.AddDate(0, 0, -7), now.AddDate(-3, 0, 0)
	i.post(t, gauges(now.Add(-2*time.Minute), 0, 100))
	i.post(t, gauges(weekAgo, 100, 100))
	i.eventually(t, `select count(*) from gauge`, "200")
	around := func(at time.Time) string {
		return fmt.Sprintf(`from gauge where timestamp >= '%s' and timestamp < '%s'`, at.Add(-30*time.Minute).Format(time.RFC3339), at.Add(30*time.Minute).Format(time.RFC3339))
	}
	for _, tt := range []struct {
		of     time.Time
		rows   string
		tables []string
	}{{now, "100", []string{prefix + "-" + isoWeek(now)}}, {weekAgo, "100", []string{prefix + "-" + isoWeek(weekAgo)}}, {old, "0", nil}} {
		// What stages and statements before it have asked for is not counted. Duties
		// are a minute apart, and ask for what no statement does.
		mu.Lock()
		calls = nil
		mu.Unlock()
		rows := i.query(t, `select count(*) `+around(tt.of))
		mu.Lock()
		seen := slices.Clone(calls)
		mu.Unlock()
		var tables []string
		for _, c := range seen {
			if c.operation == "Scan" || c.operation == "Query" && c.keys == "" {
				t.Errorf("%s: not by key conditions: %+v", tt.of, c)
			}
			if isRows(c) && !slices.Contains(tables, c.table) {
				tables = append(tables, c.table)
			}
		}
		if rows != tt.rows || !slices.Equal(tables, tt.tables) {
			t.Errorf("%s: %s rows from tables %q, want %s from %q", tt.of, rows, tables, tt.rows, tt.tables)
		}
		said := "Nearline tables: -;"
		if len(tt.tables) > 0 {
			said = "Nearline tables: " + tt.tables[0] + ";"
		}
		if plan := i.query(t, `explain select count(*) `+around(tt.of)); !strings.Contains(plan, said) {
			t.Errorf("%s: the plan lacks %q:\n%s", tt.of, said, plan)
		}
	}
	failAfter.Store(1)
	_, err := i.tryQuery(t, `select * from gauge`)
	if failed := serverError(err); failed == nil || failed.Code != pgerrcode.IOError {
		t.Errorf("nearline fails amid a statement: %v, want 58030", err)
	}
	failAfter.Store(math.MaxInt64)
	if rows := i.query(t, `select count(*) from gauge`); rows != "200" {
		t.Errorf("%s rows once nearline answers again, want 200", rows)
	}
}
