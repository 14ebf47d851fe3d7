package dynamodb_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/dynamodb"
	"github.com/fieldgate/fieldgate/sources/nearline"
	"github.com/fieldgate/fieldgate/sources/nearline/nearlinetest"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// clock is a clock that a test sets.
type clock struct{ micros atomic.Int64 }

func clockAt(text string) *clock {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	c := &clock{}
	c.micros.Store(at.UnixMicro())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// mark is a lake of which only the watermark of shard 0 is known.
type mark struct{ seq atomic.Uint64 }

func (m *mark) watermarks(context.Context, schema.Dataset) (sources.Watermarks, error) {
	return sources.Watermarks{0: stream.SequenceOf(m.seq.Load())}, nil
}

var gauge = schema.Dataset{Tenant: "acme", Metric: "gauge"}

// rowAt is row n of shard 0, of an event at a time.
func rowAt(n uint64, at time.Time) nearline.Row {
	return nearline.Row{Event: nearlinetest.Event(gauge, at.UnixMicro(), n, n), Position: nearlinetest.At(0, n, 0)}
}

func mustWrite(t *testing.T, s *store, rows ...nearline.Row) {
	t.Helper()
	if _, err := s.Write(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
}

// past reads the rows past a watermark within bounds, and which tables they are in.
func past(t *testing.T, s *store, seq uint64, bounds sources.Bounds) (n int, recent sources.Recent) {
	t.Helper()
	p, err := s.Pin(t.Context(), []schema.Dataset{gauge})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	recent, err = p.Splits(t.Context(), gauge, sources.Watermarks{0: stream.SequenceOf(seq)}, nearlinetest.Within(bounds))
	if err != nil {
		t.Fatal(err)
	}
	for _, split := range recent.Splits {
		for _, r := range nearlinetest.ReadBatch(split.Batch) {
			if bounds.Contains(r.Event.Time) {
				n++
			}
		}
	}
	return n, recent
}

// tablesOf lists the tables of a prefix.
func tablesOf(t *testing.T, c aws.Config, prefix string) (names []string) {
	t.Helper()
	in := &awsdynamodb.ListTablesInput{ExclusiveStartTableName: &prefix}
	for {
		out, err := awsdynamodb.NewFromConfig(c).ListTables(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range out.TableNames {
			if rest, ok := strings.CutPrefix(name, prefix+"-"); ok {
				names = append(names, rest)
			}
		}
		if in.ExclusiveStartTableName = out.LastEvaluatedTableName; in.ExclusiveStartTableName == nil {
			return names
		}
	}
}

// TestManyWeeks: rows of a thousand weeks, of 1970 and 2099, and at the borders of
// weeks and years are all found, by their own time and among all, in no more tables
// than the retention wants; and late ones go once the lake has had them.
func TestManyWeeks(t *testing.T) {
	t.Parallel()
	url := testdeps.Dynalite(t)
	now, lake := clockAt("2027-01-01T12:00:00Z"), &mark{}
	cfg := dynamodb.Config{AWS: awsConfig(t, url), Prefix: unique("weeks"), Now: now.now, Watermarks: lake.watermarks}
	s := openTables(t, cfg)
	var times []time.Time
	for w := range 1000 {
		times = append(times, now.now().AddDate(0, 0, -7*w))
	}
	for _, text := range []string{
		"1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2099-12-31T23:59:59Z", "2026-12-27T23:59:59Z", "2026-12-28T00:00:00Z",
		"2027-01-03T23:59:59Z", "2027-01-04T00:00:00Z", "2027-01-10T23:59:59Z", "2027-01-11T00:00:00Z",
	} {
		times = append(times, clockAt(text).now())
	}
	var rows []nearline.Row
	for i, at := range times {
		rows = append(rows, rowAt(uint64(i+1), at))
	}
	mustWrite(t, s, rows...)
	wanted := []string{"2026-W49", "2026-W50", "2026-W51", "2026-W52", "2026-W53", "2027-W01", "late", "nearline"}
	if names := tablesOf(t, cfg.AWS, cfg.Prefix); !slices.Equal(names, wanted) {
		t.Errorf("tables %q, want %q", names, wanted)
	}
	if n, _ := past(t, s, 0, sources.Unbounded()); n != len(rows) {
		t.Errorf("%d rows, want %d", n, len(rows))
	}
	for i := 0; i < len(times); i += 1 + i/20 {
		at := times[i].UnixMicro()
		if n, _ := past(t, s, 0, sources.Bounds{Min: at, Max: at}); n != 1 {
			t.Errorf("%d rows at %s, want 1", n, times[i])
		}
	}
	if _, recent := past(t, s, 0, sources.Bounds{Min: rows[0].Event.Time, Max: rows[0].Event.Time}); !slices.Equal(recent.Tables, []string{cfg.Prefix + "-2026-W53"}) {
		t.Errorf("the row of today is in %q", recent.Tables)
	}

	// The lake gets all but the last row. Late ones stay for the grace, then go.
	lake.seq.Store(uint64(len(rows) - 1))
	keeper := dynamodb.NewKeeper(s.Tables)
	late := sources.Bounds{Min: clockAt("2010-01-01T00:00:00Z").micros.Load(), Max: clockAt("2011-01-01T00:00:00Z").micros.Load()}
	for _, step := range []struct {
		after time.Duration
		left  bool
	}{{0, true}, {time.Hour, true}, {2 * time.Hour, false}} {
		now.advance(step.after)
		if err := keeper.Keep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n, _ := past(t, s, 0, late); n > 0 != step.left {
			t.Errorf("%v later there are %d late rows of 2010", step.after, n)
		}
	}
	if n, _ := past(t, s, uint64(len(rows)-1), sources.Unbounded()); n != 1 {
		t.Errorf("%d rows past the watermark, want 1", n)
	}
	p, err := s.Pin(t.Context(), []schema.Dataset{gauge})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	for _, c := range []struct {
		bounds sources.Bounds
		alone  bool
	}{{late, false}, {sources.Bounds{Min: rows[2].Event.Time, Max: rows[0].Event.Time}, true}} {
		recent, alone, err := p.Window(t.Context(), gauge, sources.Watermarks{0: stream.SequenceOf(5)}, nearlinetest.Within(c.bounds))
		if err != nil || alone != c.alone {
			t.Errorf("nearline answers alone: %v (%s), error %v; want %v", alone, recent.Why, err, c.alone)
		}
	}
}

// TestAgeOff follows a week from its closing to its end, while one statement began
// long before.
func TestAgeOff(t *testing.T) {
	t.Parallel()
	url := testdeps.Dynalite(t)
	now, lake := clockAt("2026-11-25T12:00:00Z"), &mark{}
	cfg := dynamodb.Config{AWS: awsConfig(t, url), Prefix: unique("age"), Now: now.now, Watermarks: lake.watermarks, Retention: 1}
	s := openTables(t, cfg)
	event := now.now()
	week := sources.Bounds{Min: event.Add(-time.Hour).UnixMicro(), Max: event.Add(time.Hour).UnixMicro()}
	mustWrite(t, s, rowAt(1, event))
	keeper := dynamodb.NewKeeper(s.Tables)
	stale := openTables(t, cfg) // another gateway, which knows the week as open
	step := func(to string, wantTable bool) {
		t.Helper()
		now.micros.Store(clockAt(to).micros.Load())
		if err := keeper.Keep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if has := slices.Contains(tablesOf(t, cfg.AWS, cfg.Prefix), "2026-W48"); has != wantTable {
			t.Errorf("at %s the week has a table: %v, want %v", to, has, wantTable)
		}
	}
	step("2026-12-06T00:00:00Z", true) // closed; it may be dropped on the 7th
	mustWrite(t, s, rowAt(2, event.Add(time.Minute)))
	if n, recent := past(t, s, 0, week); n != 2 || !slices.Equal(recent.Tables, []string{cfg.Prefix + "-2026-W48", cfg.Prefix + "-late"}) {
		t.Errorf("%d rows in %q, want 2 in the week's table and the late one", n, recent.Tables)
	}
	step("2026-12-08T00:00:00Z", true) // the lake does not have it
	lake.seq.Store(1)
	step("2026-12-08T10:00:00Z", true) // emptied just now
	step("2026-12-08T11:00:00Z", true) // the grace is not over
	p, err := stale.Pin(t.Context(), []schema.Dataset{gauge})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	step("2026-12-08T12:00:00Z", false)
	// A statement with a manifest from before would miss the row.
	if _, err := p.Splits(t.Context(), gauge, nil, nearlinetest.Within(week)); !errors.Is(err, sources.ErrMoved) {
		t.Errorf("reading a dropped week: error %v, want ErrMoved", err)
	}
	for name, gateway := range map[string]*store{"the gateway that found out": stale, "another": s} {
		if n, recent := past(t, gateway, 1, week); n != 1 || !slices.Equal(recent.Tables, []string{cfg.Prefix + "-late"}) {
			t.Errorf("%s: %d rows in %q, want the late one", name, n, recent.Tables)
		}
	}
	mustWrite(t, stale, rowAt(3, event))
	if n, _ := past(t, s, 1, week); n != 2 {
		t.Errorf("%d rows, want 2: one came after the week was dropped", n)
	}
}

// TestAgeOffOfAWeekNeverOpened: a week that was registered and whose table nobody opened,
// as where making tables was not allowed for long, is one of the tables no more when its
// time is over; that it was made all the same, by who died then, leaves none behind.
func TestAgeOffOfAWeekNeverOpened(t *testing.T) {
	t.Parallel()
	now, lake := clockAt("2026-11-25T12:00:00Z"), &mark{}
	cfg := dynamodb.Config{AWS: awsConfig(t, testdeps.Dynalite(t)), Prefix: unique("never"), Now: now.now, Watermarks: lake.watermarks, Retention: 1, MaxTables: 3}
	s := openTables(t, cfg)
	keeper := dynamodb.NewKeeper(s.Tables)
	later := now.now().AddDate(0, 0, 14)
	if err := keeper.Register(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	// All three tables that are allowed go; the registered one would be a fourth.
	now.micros.Store(later.AddDate(0, 0, 14).UnixMicro())
	for range 3 { // to find the weeks empty, to drop them after the grace, and to make new ones
		if err := keeper.Keep(t.Context()); err != nil {
			t.Fatal(err)
		}
		now.advance(3 * time.Hour)
	}
	if got, want := tablesOf(t, cfg.AWS, cfg.Prefix), []string{"2026-W51", "2026-W52", "2026-W53", "late", "nearline"}; !slices.Equal(got, want) {
		t.Errorf("tables %q, want %q", got, want)
	}
}

// TestAgeOffRacesQueries: while weeks are made, closed, emptied and dropped, every
// statement finds each row once, in nearline or the lake.
func TestAgeOffRacesQueries(t *testing.T) {
	t.Parallel()
	url := testdeps.Dynalite(t)
	now, lake := clockAt("2026-11-02T12:00:00Z"), &mark{}
	cfg := dynamodb.Config{
		AWS: awsConfig(t, url), Prefix: unique("race"), Now: now.now, Watermarks: lake.watermarks, Retention: 1, Grace: 24 * time.Hour,
	}
	s := openTables(t, cfg)
	keeper := dynamodb.NewKeeper(s.Tables)
	var written atomic.Uint64
	done := make(chan struct{})
	var moved atomic.Int32
	var group sync.WaitGroup
	for range 2 {
		reader := openTables(t, cfg)
		group.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				began, wanted := now.now(), written.Load()
				p, err := reader.Pin(t.Context(), []schema.Dataset{gauge})
				if err != nil {
					t.Error(err)
					return
				}
				marks := lake.seq.Load() // the manifest
				recent, err := p.Splits(t.Context(), gauge, sources.Watermarks{0: stream.SequenceOf(marks)}, nearlinetest.Within(sources.Unbounded()))
				p.Release()
				switch {
				case errors.Is(err, sources.ErrMoved):
					moved.Add(1)
					continue
				case err != nil:
					t.Error(err)
					return
				case now.now().Sub(began) >= cfg.Grace:
					continue // a statement that takes longer than any may
				}
				seen := map[uint64]int{}
				for _, split := range recent.Splits {
					for _, r := range nearlinetest.ReadBatch(split.Batch) {
						seen[r.Position.Seq[2]]++
					}
				}
				for n := marks + 1; n <= wanted; n++ {
					if seen[n] != 1 {
						t.Errorf("row %d was found %d times past watermark %d, of %d written", n, seen[n], marks, wanted)
						return
					}
				}
			}
		})
	}
	random := rand.New(rand.NewPCG(5, 5))
	var n uint64
	for range 60 {
		var rows []nearline.Row
		for range 1 + random.IntN(20) {
			n++
			rows = append(rows, rowAt(n, now.now().Add(-time.Duration(random.IntN(30*24))*time.Hour)))
		}
		mustWrite(t, s, rows...)
		written.Store(n)
		if random.IntN(3) == 0 {
			lake.seq.Store(n - uint64(random.IntN(5)))
		}
		now.advance(12 * time.Hour)
		if err := keeper.Keep(t.Context()); err != nil {
			t.Error(err)
		}
	}
	close(done)
	group.Wait()
	if names := tablesOf(t, cfg.AWS, cfg.Prefix); len(names) > 7 {
		t.Errorf("tables %q are left", names)
	}
	t.Logf("%d statements were planned again", moved.Load())
}

// TestWritesAmidFaults: every acknowledged row is found once, whatever happens to
// calls, and although a writer begins again now and then where it was.
func TestWritesAmidFaults(t *testing.T) {
	t.Parallel()
	proxy := faultproxy.Start(t, testdeps.Dynalite(t), nil)
	now := clockAt("2026-11-25T12:00:00Z")
	cfg := dynamodb.Config{AWS: awsConfig(t, proxy.URL), Prefix: unique("faults"), Now: now.now}
	s := openTables(t, cfg)
	proxy.Set(faultproxy.Random(3, faultproxy.Storm()))
	random := rand.New(rand.NewPCG(9, 9))
	const total = 1500
	for from := uint64(1); from <= total; {
		to := min(from+uint64(random.IntN(200)), total)
		var rows []nearline.Row
		for n := from; n <= to; n++ {
			rows = append(rows, rowAt(n, now.now().Add(-time.Duration(n)*time.Minute)))
		}
		if _, err := s.Write(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		from = to + 1
		if random.IntN(3) == 0 {
			from -= min(uint64(random.IntN(50)), to) // the checkpoint was behind
			s = openTables(t, cfg)
		}
	}
	if n, _ := past(t, s, 0, sources.Unbounded()); n != total {
		t.Errorf("%d rows amid faults, want %d", n, total)
	}
	proxy.Set(nil)
	if n, _ := past(t, s, 0, sources.Unbounded()); n != total {
		t.Errorf("%d rows, want %d", n, total)
	}
	for _, kind := range []faultproxy.Kind{faultproxy.Throttled, faultproxy.Partial, faultproxy.InternalError, faultproxy.CutAfter} {
		if proxy.Seen(kind) == 0 {
			t.Errorf("no fault of kind %d happened", kind)
		}
	}
}

// TestLargeRows: values too large for an item lie in the bucket, and go with their
// rows.
func TestLargeRows(t *testing.T) {
	t.Parallel()
	bucket, err := objstore.OpenDir(objstore.DirConfig{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	now, lake := clockAt("2026-11-25T12:00:00Z"), &mark{}
	cfg := dynamodb.Config{
		AWS: awsConfig(t, testdeps.Dynalite(t)), Prefix: unique("large"), Now: now.now, Bucket: bucket, Watermarks: lake.watermarks, Retention: 1,
	}
	s := openTables(t, cfg)
	large := func(n uint64, at time.Time) nearline.Row {
		r := rowAt(n, at)
		r.Event.Values = []schema.Value{{Name: "text", Kind: schema.KindText, Text: bytes.Repeat([]byte{'a' + byte(n)}, 400<<10)}}
		return r
	}
	rows := []nearline.Row{large(1, now.now()), rowAt(2, now.now()), large(3, now.now().AddDate(-1, 0, 0))}
	mustWrite(t, s, rows...)
	mustWrite(t, s, rows...)
	n, recent := past(t, s, 0, sources.Unbounded())
	if n != len(rows) {
		t.Fatalf("%d rows, want %d", n, len(rows))
	}
	for i, r := range nearlinetest.ReadBatch(recent.Splits[0].Batch) {
		if want := rows[i].Event.Values; len(r.Event.Values) != len(want) || len(want) > 0 && !bytes.Equal(r.Event.Values[0].Text, want[0].Text) {
			t.Errorf("row %s came back otherwise", r.Position)
		}
	}
	objects := func() int {
		infos, err := bucket.List(t.Context(), "nearline/", "", 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(infos)
	}
	if n := objects(); n != 2 {
		t.Errorf("%d objects, want 2", n)
	}
	lake.seq.Store(3)
	keeper := dynamodb.NewKeeper(s.Tables)
	for range 6 {
		if err := keeper.Keep(t.Context()); err != nil {
			t.Fatal(err)
		}
		now.advance(6 * 24 * time.Hour)
	}
	if n := objects(); n != 0 {
		t.Errorf("%d objects are left", n)
	}
}

// TestOwner: tables of another key-value store are refused.
func TestOwner(t *testing.T) {
	t.Parallel()
	cfg := dynamodb.Config{AWS: awsConfig(t, testdeps.Dynalite(t)), Prefix: unique("owner"), Owner: "one"}
	for range 2 {
		openTables(t, cfg)
	}
	cfg.Owner = "other"
	if _, err := dynamodb.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "another key-value store") {
		t.Errorf("error %v, want a refusal", err)
	}
}

// TestMistakes: what a Config cannot be.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for i, cfg := range []dynamodb.Config{{}, {Prefix: "p", Retention: -1}, {Prefix: "p", Retention: 255}, {Prefix: "p", Parallel: -1}} {
		if _, err := dynamodb.Open(t.Context(), cfg); err == nil {
			t.Errorf("mistake %d was taken", i)
		}
	}
}

// TestKeyOfTables: all tables that are made are encrypted by the key that is configured.
func TestKeyOfTables(t *testing.T) {
	t.Parallel()
	const key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	url, prefix := testdeps.Moto(t), unique("key")
	openTables(t, dynamodb.Config{AWS: awsConfig(t, url), Prefix: prefix, KMSKeyID: key, Retention: 1, Now: clockAt("2026-11-25T12:00:00Z").now})
	if _, err := dynamodb.OpenKV(t.Context(), dynamodb.KVConfig{AWS: awsConfig(t, url), Table: prefix + "-keyvalue", KMSKeyID: key}); err != nil {
		t.Fatal(err)
	}
	api := awsdynamodb.NewFromConfig(awsConfig(t, url))
	for _, name := range []string{"2026-W47", "2026-W48", "2026-W49", "late", "nearline", "keyvalue"} {
		out, err := api.DescribeTable(t.Context(), &awsdynamodb.DescribeTableInput{TableName: aws.String(prefix + "-" + name)})
		if err != nil {
			t.Fatal(err)
		}
		if sse := out.Table.SSEDescription; sse == nil || sse.SSEType != types.SSETypeKms || aws.ToString(sse.KMSMasterKeyArn) != key {
			t.Errorf("table %s is encrypted by %+v", name, sse)
		}
	}
}
