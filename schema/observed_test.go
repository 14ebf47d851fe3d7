package schema_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/schema"
)

func newObserved(t *testing.T, k schema.KV, s *schema.Store, c *clock, change ...func(*schema.ObservedConfig)) *schema.Observed {
	t.Helper()
	cfg := schema.ObservedConfig{Schemas: s, Now: c.Now}
	for _, f := range change {
		f(&cfg)
	}
	o, err := schema.NewObserved(k, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// event makes an event of a metric from names with a kind, as "i:count".
func event(ds schema.Dataset, at time.Time, fields ...string) *schema.Event {
	e := &schema.Event{Dataset: ds, ReceivedAt: at.UnixMicro()}
	for _, f := range fields {
		e.Values = append(e.Values, schema.Value{Kind: schema.Kind(f[0]), Name: f[2:]})
	}
	return e
}

func describeFields(t *testing.T, o *schema.Observed, ds schema.Dataset) string {
	t.Helper()
	fields, err := o.Fields(t.Context(), ds)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i, f := range fields {
		if f.Order != i {
			t.Errorf("field %d has order %d", i, f.Order)
		}
		kinds := ""
		for _, k := range f.Kinds {
			kinds += string(k)
		}
		fmt.Fprintf(&b, "%s %s %s; ", f.Sent, f.Type, kinds)
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func describeMetrics(t *testing.T, o *schema.Observed, tenant string) string {
	t.Helper()
	metrics, err := o.Metrics(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(metrics, func(a, b schema.ObservedMetric) int { return strings.Compare(a.Sent, b.Sent) })
	var b strings.Builder
	for _, m := range metrics {
		fmt.Fprintf(&b, "%s %d %s-%s; ", m.Sent, m.Events, m.FirstSeen.Format("15:04:05"), m.LastSeen.Format("15:04:05"))
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func flush(t *testing.T, o *schema.Observed) {
	t.Helper()
	if err := o.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestObservedTypes follows design section 5: the first value decides, and only
// bigint becomes double precision.
func TestObservedTypes(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	for i, test := range []struct{ kinds, want string }{
		{"i", "bigint i"},
		{"n", "double precision n"},
		{"b", "boolean b"},
		{"s", "text s"},
		{"j", "jsonb j"},
		{"in", "double precision in"},
		{"ni", "double precision in"},
		{"is", "bigint is"},
		{"isn", "double precision ins"},
		{"si", "text is"},
		{"bin", "boolean inb"},
		{"jsbni", "jsonb inbsj"},
	} {
		for _, how := range []string{"in one process", "flushed each time", "by two processes"} {
			o := newObserved(t, k, s, c)
			ds := schema.Dataset{Tenant: "acme", Metric: fmt.Sprint("m", i, how)}
			for _, kind := range test.kinds {
				o.Note(event(ds, c.Now(), string(kind)+":x"))
				if how != "in one process" {
					flush(t, o)
				}
				if how == "by two processes" {
					o = newObserved(t, k, s, c)
				}
			}
			if got := describeFields(t, o, ds); got != "x "+test.want {
				t.Errorf("kinds %s %s: %s, want x %s", test.kinds, how, got, test.want)
			}
		}
	}
}

func TestObservedAcrossRestart(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	o := newObserved(t, k, s, c)
	start := c.Now()
	quakes, theirs := schema.Dataset{Tenant: "acme", Metric: "quakes"}, schema.Dataset{Tenant: "globex", Metric: "quakes"}
	o.Note(event(quakes, start, "n:mag", "s:place"))
	o.Note(event(quakes, start.Add(2*time.Second), "i:depth", "n:mag"))
	o.Note(event(quakes, start.Add(time.Second), "b:felt"))
	o.Note(event(schema.Dataset{Tenant: "acme", Metric: "bare"}, start))
	o.Note(event(theirs, start, "s:secret"))
	o.Note(event(schema.Dataset{Tenant: "acme", Metric: "copied", Namespace: "replay"}, start, "i:x"))
	const wantFields = "mag double precision n; place text s; depth bigint i; felt boolean b"
	const wantMetrics = "bare 1 12:00:00-12:00:00; quakes 3 12:00:00-12:00:02"
	check := func(when string, o *schema.Observed) {
		if got := describeFields(t, o, quakes); got != wantFields {
			t.Errorf("%s: fields %s, want %s", when, got, wantFields)
		}
		if got := describeMetrics(t, o, "acme"); got != wantMetrics {
			t.Errorf("%s: metrics %s, want %s", when, got, wantMetrics)
		}
		if got := describeFields(t, o, theirs); got != "secret text s" {
			t.Errorf("%s: globex's fields %s", when, got)
		}
		if got := describeMetrics(t, o, "globex"); got != "quakes 1 12:00:00-12:00:00" {
			t.Errorf("%s: globex's metrics %s", when, got)
		}
		if got := describeFields(t, o, schema.Dataset{Tenant: "acme", Metric: "never sent"}); got != "" {
			t.Errorf("%s: fields of a metric that was not sent: %s", when, got)
		}
	}
	check("before the flush", o)
	flush(t, o)
	check("after the flush", o)
	check("after a restart", newObserved(t, k, s, c))

	// What is known costs no write.
	o = newObserved(t, k, s, c)
	o.Note(event(quakes, start, "n:mag"))
	flush(t, o)
	before := k.putsDone()
	for range 100 {
		o.Note(event(quakes, start, "n:mag", "s:place"))
		flush(t, o)
	}
	if n := k.putsDone() - before; n != 0 {
		t.Errorf("%d writes for nothing new", n)
	}
}

// TestObservedGenerations drops a metric: the name is unseen until it is sent again.
func TestObservedGenerations(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	o := newObserved(t, k, s, c)
	note := func(field string) {
		o.Note(event(current(t, s, "acme").Dataset("m"), c.Now(), field))
		flush(t, o)
	}
	note("i:old")
	change(t, s, "acme", func(d *schema.Draft) error { return d.EndGeneration("m") })
	if got := describeMetrics(t, o, "acme"); got != "" {
		t.Errorf("after the drop: %s", got)
	}
	note("s:new")
	for _, o := range []*schema.Observed{o, newObserved(t, k, s, c)} {
		if got := describeMetrics(t, o, "acme"); got != "m 1 12:00:00-12:00:00" {
			t.Errorf("sent again: %s", got)
		}
		if got := describeFields(t, o, current(t, s, "acme").Dataset("m")); got != "new text s" {
			t.Errorf("fields when sent again: %s", got)
		}
	}
}

// TestObservedProcesses has several processes observe one dataset.
func TestObservedProcesses(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	const processes, rounds, names = 3, 10, 400
	ds := schema.Dataset{Tenant: "acme", Metric: "m"}
	var group sync.WaitGroup
	for p := range processes {
		o := newObserved(t, k, s, c)
		group.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(p)))
			for range rounds {
				for range 40 {
					o.Note(event(ds, c.Now(), fmt.Sprintf("i:%0100d", random.IntN(names)), fmt.Sprintf("n:only%d", p)))
				}
				if err := o.Flush(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	fresh := newObserved(t, k, s, c)
	fields, err := fresh.Fields(t.Context(), ds)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for p := range processes {
		random := rand.New(rand.NewPCG(1, uint64(p)))
		for range rounds * 40 {
			want[fmt.Sprintf("%0100d", random.IntN(names))] = true
		}
		want[fmt.Sprint("only", p)] = true
	}
	got := map[string]bool{}
	for _, f := range fields {
		if got[f.Sent] {
			t.Errorf("%s is there twice", f.Sent)
		}
		got[f.Sent] = true
	}
	if len(got) != len(want) {
		t.Errorf("%d names, want %d", len(got), len(want))
	}
}

// TestObservedOtherProcess sees what another process noted after the TTL.
func TestObservedOtherProcess(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	o, other := newObserved(t, k, s, c), newObserved(t, k, s, c)
	ds := schema.Dataset{Tenant: "acme", Metric: "m"}
	o.Note(event(ds, c.Now(), "i:a"))
	flush(t, o)
	describeFields(t, other, ds)
	describeMetrics(t, other, "acme")
	o.Note(event(ds, c.Now(), "i:b"))
	o.Note(event(schema.Dataset{Tenant: "acme", Metric: "n"}, c.Now(), "i:b"))
	flush(t, o)
	c.advance(4 * time.Second)
	if got := describeFields(t, other, ds); got != "a bigint i" {
		t.Errorf("after 4 s: %s", got)
	}
	c.advance(time.Second)
	if got := describeFields(t, other, ds); got != "a bigint i; b bigint i" {
		t.Errorf("after 5 s: %s", got)
	}
	if got := describeMetrics(t, other, "acme"); got != "m 2 12:00:00-12:00:00; n 1 12:00:00-12:00:00" {
		t.Errorf("after 5 s: %s", got)
	}
}

// tornList is a KV of which one List of fields has the first chunk as it was before
// another process wrote it and the next one. No KV lists many values of one moment.
type tornList struct {
	schema.KV
	before schema.Item
}

func (k *tornList) List(ctx context.Context, prefix, after string, limit int) ([]schema.Item, error) {
	items, err := k.KV.List(ctx, prefix, after, limit)
	for i := range items {
		if items[i].Key == k.before.Key {
			items[i], k.before = k.before, schema.Item{}
		}
	}
	return items, err
}

// TestObservedTornRead has a process read chunks of names of two moments, and note a
// name that is in the newer first one. Nobody stumbles over what it writes then.
func TestObservedTornRead(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	ds := schema.Dataset{Tenant: "acme", Metric: "m"}
	names := func(o *schema.Observed, from, to int) {
		for n := from; n < to; n++ {
			o.Note(event(ds, c.Now(), fmt.Sprintf("i:%0200d", n)))
		}
		flush(t, o)
	}
	const first, all, late = 50, 150, 60
	names(newObserved(t, k, s, c), 0, first)
	chunks, err := k.List(t.Context(), "observed/acme/fields/", "", 10)
	if err != nil || len(chunks) != 1 {
		t.Fatalf("%d chunks: %v", len(chunks), err)
	}
	names(newObserved(t, k, s, c), first, all)
	if after, err := k.List(t.Context(), "observed/acme/fields/", "", 10); err != nil || len(after) < 2 {
		t.Fatalf("%d chunks: %v", len(after), err)
	}
	names(newObserved(t, &tornList{KV: k, before: chunks[0]}, s, c), late, late+1)
	o := newObserved(t, k, s, c)
	o.Note(event(ds, c.Now(), fmt.Sprintf("s:%0200d", late)))
	flush(t, o)
	fields, err := newObserved(t, k, s, c).Fields(t.Context(), ds)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range fields {
		seen[f.Sent] = true
	}
	if len(seen) != all || len(fields) != all {
		t.Errorf("%d fields of %d names, want %d", len(fields), len(seen), all)
	}
}

// TestObservedHas knows at once of a metric that another process noted, and lists it then.
func TestObservedHas(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	o, other := newObserved(t, k, s, c), newObserved(t, k, s, c)
	ds := schema.Dataset{Tenant: "acme", Metric: "m"}
	has := func(want bool) {
		t.Helper()
		if got, err := other.Has(t.Context(), ds); got != want || err != nil {
			t.Errorf("the metric is known: %v, %v, want %v", got, err, want)
		}
	}
	if got := describeMetrics(t, other, "acme"); got != "" {
		t.Errorf("metrics %s, want none", got)
	}
	has(false)
	o.Note(event(ds, c.Now(), "i:a"))
	flush(t, o)
	if got := describeMetrics(t, other, "acme"); got != "" {
		t.Errorf("within the TTL the list has %s", got)
	}
	has(true)
	if got := describeMetrics(t, other, "acme"); got != "m 1 12:00:00-12:00:00" {
		t.Errorf("metrics %s", got)
	}
	ds.Generation++
	has(false)
}

// TestObservedFailure keeps what could not be written until it can.
func TestObservedFailure(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	for _, where := range []string{"/fields/", "/datasets/"} {
		ds := schema.Dataset{Tenant: "acme", Metric: "m" + where}
		o := newObserved(t, k, s, c)
		o.Note(event(ds, c.Now(), "i:a"))
		for name, hooks := range map[string][2]func(string) error{
			"refused": {func(key string) error { return failAt(key, where) }, nil},
			"lost":    {nil, func(key string) error { return failAt(key, where) }},
		} {
			k.hooks(hooks[0], hooks[1])
			if err := o.Flush(t.Context()); !errors.Is(err, errDown) {
				t.Errorf("%s at %s: %v", name, where, err)
			}
			k.hooks(nil, nil)
		}
		flush(t, o)
		if got := describeFields(t, newObserved(t, k, s, c), ds); got != "a bigint i" {
			t.Errorf("after a failure at %s: %s", where, got)
		}
	}
}

func failAt(key, where string) error {
	if strings.Contains(key, where) {
		return errDown
	}
	return nil
}

func TestObservedLimits(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	o := newObserved(t, k, s, c, func(cfg *schema.ObservedConfig) { cfg.MaxFields = 3 })
	ds := schema.Dataset{Tenant: "acme", Metric: strings.Repeat("🌡/", 300)}
	for i := range 10 {
		o.Note(event(ds, c.Now(), fmt.Sprintf("i:f%d", i)))
	}
	o.Note(event(ds, c.Now(), "s:f1", "s:g"))
	flush(t, o)
	const want = "f0 bigint i; f1 bigint is; f2 bigint i"
	for _, o := range []*schema.Observed{o, newObserved(t, k, s, c)} {
		if got := describeFields(t, o, ds); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got := describeMetrics(t, o, "acme"); !strings.Contains(got, " 11 ") {
			t.Errorf("metrics %s", got)
		}
	}
	// Many and long names need several documents.
	big := newObserved(t, k, s, c)
	ds.Metric = "big"
	var names []string
	for i := range 2000 {
		names = append(names, fmt.Sprintf("i:%s%04d", strings.Repeat("\x01", 900), i)) // six times as long in JSON
	}
	big.Note(event(ds, c.Now(), names...))
	flush(t, big)
	fields, err := newObserved(t, k, s, c).Fields(t.Context(), ds)
	if err != nil || len(fields) != len(names) || fields[1999].Sent != names[1999][2:] {
		t.Errorf("%d fields of 1.8 MB, %v", len(fields), err)
	}
}

// TestObservedRun writes counts when it ends.
func TestObservedRun(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	written := make(chan struct{}, 100)
	k.hooks(nil, func(key string) error {
		if strings.Contains(key, "/datasets/") {
			written <- struct{}{}
		}
		return nil
	})
	o := newObserved(t, k, s, c, func(cfg *schema.ObservedConfig) { cfg.Interval = time.Millisecond })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	ds := schema.Dataset{Tenant: "acme", Metric: "m"}
	for range 3 {
		o.Note(event(ds, c.Now(), "i:a"))
		<-written
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	late := newObserved(t, k, s, c)
	ended = make(chan error, 1)
	ctx, cancel = context.WithCancel(t.Context())
	go func() { ended <- late.Run(ctx) }()
	for range 4 {
		late.Note(event(ds, c.Now().Add(time.Minute), "i:a"))
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if got := describeMetrics(t, newObserved(t, k, s, c), "acme"); got != "m 7 12:00:00-12:01:00" {
		t.Errorf("after the restart: %s", got)
	}
}

// TestNoteCosts nothing but time for what is known.
func TestNoteCosts(t *testing.T) {
	k, s, c := setup(t)
	o := newObserved(t, k, s, c)
	e := event(schema.Dataset{Tenant: "acme", Metric: "m"}, c.Now(), "i:a", "n:b", "s:c", "b:d", "j:e")
	o.Note(e)
	if n := testing.AllocsPerRun(1000, func() { o.Note(e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestNoteRace notes one dataset from many goroutines while others read and flush.
func TestNoteRace(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	o := newObserved(t, k, s, c)
	ds := schema.Dataset{Tenant: "acme", Metric: "m"}
	const writers, events = 4, 300
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range events {
				o.Note(event(ds, c.Now(), fmt.Sprintf("i:f%d", i%100), fmt.Sprintf("n:f%d", (i+w)%100)))
				if i%50 == 0 {
					if err := o.Flush(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
		group.Go(func() {
			for range 50 {
				fields, err := o.Fields(t.Context(), ds)
				if err != nil {
					t.Error(err)
				}
				for i, f := range fields {
					if f.Order != i || len(f.Kinds) == 0 {
						t.Errorf("field %d: %v", i, f)
					}
				}
			}
		})
	}
	group.Wait()
	flush(t, o)
	if got := describeMetrics(t, o, "acme"); got != fmt.Sprintf("m %d 12:00:00-12:00:00", writers*events) {
		t.Errorf("metrics %s", got)
	}
	fields, err := newObserved(t, k, s, c).Fields(t.Context(), ds)
	if err != nil || len(fields) != 100 {
		t.Errorf("%d fields, %v", len(fields), err)
	}
	for _, f := range fields {
		if f.Type.Name != "double precision" || len(f.Kinds) != 2 {
			t.Errorf("%v", f)
		}
	}
}

func TestAdmit(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	limit := func(cfg *schema.ObservedConfig) { cfg.MaxUndeclared = 3 }
	o := newObserved(t, k, s, c, limit)
	admit := func(o *schema.Observed, tenant, metrics string) string {
		var in []string
		for _, m := range strings.Fields(metrics) {
			if o.Admit(t.Context(), tenant, m) {
				in = append(in, m)
			}
		}
		return strings.Join(in, " ")
	}
	if got := admit(o, "acme", "a b c d a e b"); got != "a b c a b" {
		t.Errorf("admitted %s", got)
	}
	if o.Admit(t.Context(), "globex", strings.Repeat("x", 1025)) {
		t.Error("a name of 1,025 bytes is admitted")
	}
	if got := admit(o, "globex", "d e f g"); got != "d e f" {
		t.Errorf("globex's: %s", got)
	}
	if got := admit(newObserved(t, k, s, c, limit), "acme", "d c b a"); got != "c b a" {
		t.Errorf("after a restart: %s", got)
	}
	// Declared metrics and dropped ones leave their places.
	change(t, s, "acme", create("a"))
	if got := admit(o, "acme", "d e c"); got != "d c" {
		t.Errorf("after a was declared: %s", got)
	}
	change(t, s, "acme", func(d *schema.Draft) error { return d.EndGeneration("b") })
	if got := admit(o, "acme", "e f"); got != "e" {
		t.Errorf("after b was dropped: %s", got)
	}
	if got := admit(newObserved(t, k, s, c, limit), "acme", "f b e d c"); got != "e d c" {
		t.Errorf("after both and a restart: %s", got)
	}
}

// TestAdmitRace admits from several processes at a time, never too many.
func TestAdmitRace(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	const limit, metrics = 10, 15
	var mu sync.Mutex
	admitted := map[string]bool{}
	var group sync.WaitGroup
	for p := range 3 {
		o := newObserved(t, k, s, c, func(cfg *schema.ObservedConfig) { cfg.MaxUndeclared = limit })
		group.Go(func() {
			for i := range metrics {
				name := fmt.Sprint("m", (i+5*p)%metrics)
				if o.Admit(t.Context(), "acme", name) {
					mu.Lock()
					admitted[name] = true
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	if len(admitted) > limit || len(admitted) < limit-3 {
		t.Errorf("%d admitted, the limit is %d", len(admitted), limit)
	}
}

// TestAdmitWaits for a store that is down, and no longer than its context.
func TestAdmitWaits(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	o := newObserved(t, k, s, c)
	ctx, cancel := context.WithCancel(t.Context())
	tries := 0
	k.hooks(func(string) error {
		if tries++; tries == 2 {
			cancel()
		}
		return errDown
	}, nil)
	if !o.Admit(ctx, "acme", "m") || tries != 2 {
		t.Errorf("after %d tries the metric is refused", tries)
	}
	k.hooks(nil, nil)
	if strings.Contains(k.dump(t), "undeclared") {
		t.Error("it was admitted all the same")
	}
}

func TestObservedConfig(t *testing.T) {
	t.Parallel()
	k, s, _ := setup(t)
	for name, cfg := range map[string]schema.ObservedConfig{
		"no schemas":        {},
		"negative interval": {Schemas: s, Interval: -1},
		"negative limit":    {Schemas: s, MaxFields: -1},
	} {
		if _, err := schema.NewObserved(k, cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func BenchmarkNote(b *testing.B) {
	db := memoryKV{}
	s, err := schema.NewStore(db, schema.StoreConfig{})
	if err != nil {
		b.Fatal(err)
	}
	o, err := schema.NewObserved(db, schema.ObservedConfig{Schemas: s})
	if err != nil {
		b.Fatal(err)
	}
	var fields []string
	for i := range 15 {
		fields = append(fields, fmt.Sprintf("n:field_%d", i))
	}
	e := event(schema.Dataset{Tenant: "acme", Metric: "weather"}, time.Unix(0, 0), fields...)
	o.Note(e)
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			o.Note(e)
		}
	})
}

// memoryKV is for what reads and writes nothing.
type memoryKV struct{ schema.KV }
