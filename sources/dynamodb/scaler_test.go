package dynamodb_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
	"github.com/fieldgate/fieldgate/pipeline/tally"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources/bolt"
	"github.com/fieldgate/fieldgate/sources/dynamodb"
)

// capacityTest are tables that several processes use and one scales, by a clock that the
// test sets: in a time that comes after all that the servers say of their tables.
type capacityTest struct {
	t      *testing.T
	api    *awsdynamodb.Client
	cfg    dynamodb.Config
	clock  *clock
	kv     schema.KV
	log    bytes.Buffer
	rows   uint64
	writer *store
	report *tally.Reporter
	scaler *dynamodb.Scaler
}

func newCapacityTest(t *testing.T, url string, throughput *dynamodb.Throughput, dryRun bool) *capacityTest {
	t.Helper()
	c := &capacityTest{t: t, clock: clockAt("2099-11-25T12:00:00Z"), api: awsdynamodb.NewFromConfig(awsConfig(t, url))}
	db, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "kv.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	c.kv = db
	c.cfg = dynamodb.Config{
		AWS: awsConfig(t, url), Prefix: unique("cap"), Retention: 1, Throughput: throughput, Now: c.clock.now,
		Logger: slog.New(slog.NewTextHandler(&c.log, nil)),
	}
	c.open(dryRun)
	return c
}

// open is a process that uses the tables, and one that scales them, that start anew.
func (c *capacityTest) open(dryRun bool) {
	c.t.Helper()
	c.writer = openTables(c.t, c.cfg)
	if t := c.cfg.Throughput; t != nil && !t.Fixed {
		c.report = c.writer.NewReporter(c.kv)
	}
	var err error
	if c.scaler, err = dynamodb.NewScaler(dynamodb.ScalerConfig{Tables: c.writer.Tables, KV: c.kv, DryRun: dryRun}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *capacityTest) table(week string) string { return c.cfg.Prefix + "-" + week }

// write writes rows of the clock's time.
func (c *capacityTest) write(n int) {
	c.t.Helper()
	for range n {
		c.rows++
		mustWrite(c.t, c.writer, rowAt(c.rows, c.clock.now()))
	}
}

// look has the process tell and the scaler look some time later, and waits until the
// tables are ready.
func (c *capacityTest) look(later time.Duration) {
	c.t.Helper()
	c.clock.advance(later)
	if c.report != nil {
		if err := c.report.Report(c.t.Context()); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := c.scaler.Look(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	for _, week := range []string{"2099-W47", "2099-W48", "2099-W49", "2099-W50"} {
		for c.describe(week).TableStatus == types.TableStatusUpdating {
		}
	}
}

// settle passes the time after which a table's capacity is lowered, or set for the first
// time. Meanwhile so many rows are written a minute.
func (c *capacityTest) settle(rows int) {
	c.t.Helper()
	for range 21 { // a process that died is forgotten after 3
		c.write(rows)
		c.look(time.Minute)
	}
}

func (c *capacityTest) describe(week string) types.TableDescription {
	c.t.Helper()
	name := c.table(week)
	out, err := c.api.DescribeTable(c.t.Context(), &awsdynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return types.TableDescription{}
	}
	return *out.Table
}

// capacity is that of a table: read/write, or on demand.
func (c *capacityTest) capacity(week string) string {
	c.t.Helper()
	d := c.describe(week)
	if d.BillingModeSummary != nil && d.BillingModeSummary.BillingMode == types.BillingModePayPerRequest {
		return "on demand"
	}
	return fmt.Sprintf("%d/%d", *d.ProvisionedThroughput.ReadCapacityUnits, *d.ProvisionedThroughput.WriteCapacityUnits)
}

func (c *capacityTest) writeUnits(week string) int64 {
	c.t.Helper()
	return *c.describe(week).ProvisionedThroughput.WriteCapacityUnits
}

func (c *capacityTest) want(when string, tables ...string) {
	c.t.Helper()
	for i := 0; i < len(tables); i += 2 {
		if got := c.capacity(tables[i]); got != tables[i+1] {
			c.t.Errorf("%s: table of %s is %s, want %s; the log says\n%s", when, tables[i], got, tables[i+1], &c.log)
		}
	}
}

// TestCapacityFollows has a week's table go from on demand to what is written, and over
// the end of its week: the next one begins with its capacity, and it goes on demand.
func TestCapacityFollows(t *testing.T) {
	onServers(t, func(t *testing.T, url string) {
		c := newCapacityTest(t, url, &dynamodb.Throughput{Read: dynamodb.Units{Least: 2}, Write: dynamodb.Units{Least: 3}, Target: 0.01}, false)
		const other = "on demand"
		c.want("at first", "2099-W47", other, "2099-W48", other, "2099-W49", other, "late", other, "nearline", other)
		c.look(time.Minute)
		c.want("while it is not known what is consumed", "2099-W48", other)
		// A row and its index entry are about two units of writes, so 0.4 a second at 1 %.
		// The servers count a little otherwise.
		c.settle(12)
		first := c.writeUnits("2099-W48")
		if first < 20 || first > 60 {
			t.Errorf("%d write units after a quarter of an hour", first)
		}
		c.want("after a quarter of an hour", "2099-W47", other, "2099-W49", other, "late", other, "nearline", other)
		if !strings.Contains(c.log.String(), "changing the capacity of a table") {
			t.Errorf("the log says\n%s", &c.log)
		}
		c.write(40)
		c.look(time.Minute)
		if second := c.writeUnits("2099-W48"); second < 3*first || second > 4*first {
			t.Errorf("%d write units when more is written, after %d", second, first)
		}
		busy := c.capacity("2099-W48")

		// Another process scales on.
		c.open(false)
		c.clock.micros.Store(clockAt("2099-11-29T23:01:00Z").micros.Load())
		c.look(0)
		c.want("an hour before the next week", "2099-W48", busy, "2099-W49", busy)
		c.settle(0)
		c.want("when nothing was written for long", "2099-W48", "2/3", "2099-W49", "2/3")
		c.clock.micros.Store(clockAt("2099-11-30T00:01:00Z").micros.Load())
		c.settle(0)
		c.want("in the next week", "2099-W48", other, "2099-W49", "2/3")

		// A table that is missing in its own week begins with what the last one has.
		c.clock.micros.Store(clockAt("2099-12-07T00:01:00Z").micros.Load())
		c.open(false)
		c.want("two weeks later", "2099-W50", "2/3")

		// On demand again.
		c.cfg.Throughput, c.report = nil, nil
		c.open(false)
		c.look(0)
		c.want("configured on demand", "2099-W49", other, "2099-W50", other)
	})
}

// TestCapacityDryRun says what would be done and does nothing; with fixed capacity tables
// are made so, and stay.
func TestCapacityDryRun(t *testing.T) {
	t.Parallel()
	c := newCapacityTest(t, testdeps.Dynalite(t), &dynamodb.Throughput{}, true)
	c.look(time.Minute)
	if !strings.Contains(c.log.String(), "dry run: the capacity of a table would stay") {
		t.Errorf("the log says\n%s", &c.log)
	}
	c.settle(0)
	if want := `msg="dry run: the capacity of a table would change" table=` + c.table("2099-W48") + ` processes=1 to="1 read and 1 write units a second" reason="on demand it takes`; !strings.Contains(c.log.String(), want) {
		t.Errorf("the log lacks %s:\n%s", want, &c.log)
	}
	lines := strings.Count(c.log.String(), "\n")
	c.look(time.Minute)
	if n := strings.Count(c.log.String(), "\n"); n != lines {
		t.Errorf("it says the same again:\n%s", &c.log)
	}
	c.want("after a dry run", "2099-W48", "on demand")

	fixed := newCapacityTest(t, testdeps.Dynalite(t), &dynamodb.Throughput{Read: dynamodb.Units{Least: 7}, Write: dynamodb.Units{Least: 9}, Fixed: true}, false)
	fixed.want("fixed", "2099-W47", "7/9", "2099-W48", "7/9", "2099-W49", "7/9", "late", "on demand")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := fixed.scaler.Run(ctx); err != nil {
		t.Error(err)
	}
}

// TestCapacityWhenRefused doubles the capacity of a table that refuses writes at the next
// look, whichever process they are of, and is told of limits by DynamoDB.
func TestCapacityWhenRefused(t *testing.T) {
	t.Parallel()
	var fault atomic.Pointer[faultproxy.Fault]
	p := faultproxy.Start(t, testdeps.Dynalite(t), func(r faultproxy.Request) faultproxy.Fault {
		if f := fault.Load(); f != nil && r.Operation == "BatchWriteItem" {
			fault.Store(nil)
			return *f
		}
		return faultproxy.Fault{}
	})
	c := newCapacityTest(t, p.URL, &dynamodb.Throughput{Write: dynamodb.Units{Least: 20}}, false)
	c.look(time.Minute)
	c.settle(1)
	c.want("at first", "2099-W48", "1/20")
	for n, f := range []faultproxy.Fault{{Kind: faultproxy.Partial, Share: 1}, {Kind: faultproxy.Throttled}} {
		fault.Store(&f)
		c.write(1)
		// A process that cannot tell keeps tables from being lowered, not from being raised.
		if err := c.writer.NewReporter(c.kv).Report(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.look(time.Minute)
		c.want("after a write was refused", "2099-W48", fmt.Sprintf("1/%d", 40<<n))
	}
}

// TestCapacityLimits: what a quota of AWS does not allow is told once, and asked for again
// a little later.
func TestCapacityLimits(t *testing.T) {
	t.Parallel()
	asked := 0
	p := faultproxy.Start(t, testdeps.Dynalite(t), func(r faultproxy.Request) faultproxy.Fault {
		if r.Operation != "UpdateTable" {
			return faultproxy.Fault{}
		}
		if asked++; asked > 2 {
			return faultproxy.Fault{}
		}
		return faultproxy.Fault{Kind: faultproxy.LimitExceeded}
	})
	c := newCapacityTest(t, p.URL, &dynamodb.Throughput{}, false)
	c.look(time.Minute)
	c.settle(0)
	c.look(10 * time.Minute)
	if n := strings.Count(c.log.String(), "a quota of AWS keeps a table from its capacity"); n != 1 || asked != 3 {
		t.Errorf("%d calls, and the log says\n%s", asked, &c.log)
	}
	c.want("when the quota allows it", "2099-W48", "1/1")
}

// TestCapacityAmidFaults: a connection that breaks, or an answer that says nothing of the
// change, is not left to the next look.
func TestCapacityAmidFaults(t *testing.T) {
	t.Parallel()
	faults := []faultproxy.Kind{faultproxy.CutBefore, faultproxy.InternalError, faultproxy.CutBefore}
	p := faultproxy.Start(t, testdeps.Dynalite(t), func(r faultproxy.Request) (f faultproxy.Fault) {
		if r.Operation == "UpdateTable" && len(faults) > 0 {
			f.Kind, faults = faults[0], faults[1:]
		}
		return f
	})
	c := newCapacityTest(t, p.URL, &dynamodb.Throughput{}, false)
	c.look(time.Minute)
	c.settle(0)
	c.want("after the first change", "2099-W48", "1/1")
	if len(faults) > 0 {
		t.Errorf("%d faults were not met", len(faults))
	}
}
