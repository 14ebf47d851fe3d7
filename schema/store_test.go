package schema_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/schema"
)

func create(name string) func(d *schema.Draft) error {
	return func(d *schema.Draft) error { return d.CreateMetric(schema.Metric{Name: name}) }
}

func metricNames(s *schema.Snapshot) string {
	var names []string
	for _, m := range s.Metrics {
		names = append(names, m.Name)
	}
	return strings.Join(names, " ")
}

func TestTenants(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	ctx := t.Context()
	other := newStore(t, k, c)
	tenants := func() string {
		names, err := other.Tenants(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(names, " ")
	}
	if got := tenants(); got != "acme globex" {
		t.Errorf("tenants %s", got)
	}
	if err := s.AddTenant(ctx, "acme"); !errors.Is(err, schema.ErrExists) {
		t.Errorf("second acme: %v", err)
	}
	for _, name := range []string{"", "-a", "_a", "A", "a b", "a/b", "a.b", "é", strings.Repeat("a", 64)} {
		var invalid *schema.Invalid
		if err := s.AddTenant(ctx, name); !errors.As(err, &invalid) {
			t.Errorf("tenant %q: %v", name, err)
		}
	}
	for _, name := range []string{"0", "a-b_c", strings.Repeat("z", 63)} {
		if err := s.AddTenant(ctx, name); err != nil {
			t.Errorf("tenant %q: %v", name, err)
		}
		if err := s.DropTenant(ctx, name); err != nil {
			t.Errorf("drop tenant %q: %v", name, err)
		}
	}
	_, err := s.Current(ctx, "nobody")
	_, err2 := s.Change(ctx, "nobody", "ann", "x", create("m"))
	for _, err := range []error{err, err2, s.DropTenant(ctx, "nobody")} {
		if !errors.Is(err, schema.ErrNotFound) {
			t.Errorf("a tenant that is not there: %v", err)
		}
	}
	if has, err := s.HasTenant(ctx, "nobody"); has || err != nil {
		t.Errorf("has nobody: %t, %v", has, err)
	}
	if has, err := other.HasTenant(ctx, "acme"); !has || err != nil {
		t.Errorf("has acme: %t, %v", has, err)
	}

	change(t, s, "globex", create("theirs"))
	change(t, s, "acme", create("mine"))
	kept := change(t, s, "acme", func(d *schema.Draft) error { return d.DropMetric("mine") })
	if err := s.DropTenant(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	if has, err := s.HasTenant(ctx, "acme"); has || err != nil {
		t.Errorf("has acme after its drop: %t, %v", has, err)
	}
	if has, err := other.HasTenant(ctx, "acme"); !has || err != nil {
		t.Errorf("another process at once: %t, %v", has, err)
	}
	c.advance(5 * time.Second)
	if has, err := other.HasTenant(ctx, "acme"); has || err != nil {
		t.Errorf("another process after 5 s: %t, %v", has, err)
	}
	if got := tenants(); got != "globex" {
		t.Errorf("tenants %s", got)
	}
	if old, err := s.At(ctx, "acme", kept.Version); err != nil || old.Dataset("mine").Generation != 1 {
		t.Errorf("a dropped tenant's version: %v, %v", old, err)
	}
	if err := s.AddTenant(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	again := current(t, s, "acme")
	if again.Version <= kept.Version || len(again.Metrics) != 0 {
		t.Errorf("added again: %s", describe(again))
	}
	for _, name := range []string{"mine", "never dropped"} {
		if g := again.Dataset(name).Generation; g <= 1 {
			t.Errorf("%s of a tenant added again is in generation %d", name, g)
		}
	}
	if ds := again.ErrorDataset(); ds.Generation == 0 || ds.Tenant != "acme" || ds.Namespace != schema.NamespaceErrors {
		t.Errorf("error rows of a tenant added again: %v", ds)
	}
	if ds := current(t, s, "globex").ErrorDataset(); ds != schema.ErrorDataset("globex") {
		t.Errorf("error rows of globex: %v", ds)
	}
	m := change(t, s, "acme", create("mine")).Metrics[0]
	if m.ID <= 1 {
		t.Errorf("the ID %d of a dropped tenant's metric is used again", m.ID)
	}
	if got := metricNames(current(t, s, "globex")); got != "theirs" {
		t.Errorf("globex has %s", got)
	}
}

// TestVersions reads every version again, from a process that made none.
func TestVersions(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	want := map[uint64]string{}
	for i := range 20 {
		name := fmt.Sprint("m", i)
		snapshot := change(t, s, "acme", func(d *schema.Draft) error {
			if i%3 == 2 {
				if err := d.RenameMetric("m0", "m0"+name); err == nil {
					return nil
				}
			}
			return create(name)(d)
		})
		want[snapshot.Version] = describe(snapshot)
		c.advance(time.Second)
	}
	if len(want) != 20 {
		t.Fatalf("%d versions of 20 changes", len(want))
	}
	other := newStore(t, k, c)
	for version, text := range want {
		snapshot, err := other.At(t.Context(), "acme", version)
		if err != nil {
			t.Fatal(err)
		}
		if got := describe(snapshot); got != text {
			t.Errorf("version %d reads\n%sit was made as\n%s", version, got, text)
		}
		if age := c.Now().Sub(snapshot.CreatedAt); age <= 0 || age > 20*time.Second {
			t.Errorf("version %d was made %v ago", version, age)
		}
	}
	for _, version := range []uint64{0, 1000} {
		if _, err := other.At(t.Context(), "acme", version); !errors.Is(err, schema.ErrNotFound) {
			t.Errorf("version %d: %v", version, err)
		}
	}
	if _, err := other.At(t.Context(), "globex", 5); !errors.Is(err, schema.ErrNotFound) {
		t.Errorf("globex's version 5: %v", err)
	}
}

// TestUnchangedMetricsAreShared writes only what changed.
func TestUnchangedMetricsAreShared(t *testing.T) {
	t.Parallel()
	k, s, _ := setup(t)
	change(t, s, "acme", func(d *schema.Draft) error {
		for i := range 50 {
			if err := create(fmt.Sprint("m", i))(d); err != nil {
				return err
			}
		}
		return nil
	})
	before := k.putsDone()
	snapshot := change(t, s, "acme", func(d *schema.Draft) error { return d.AddMetricAlias("m7", "x") })
	if n := k.putsDone() - before; n != 3 {
		t.Errorf("a change of one metric of 50 made %d writes, want metric, root and head", n)
	}
	for _, m := range snapshot.Metrics {
		if changed := m.Version == snapshot.Version; changed != (m.Name == "m7") {
			t.Errorf("%s is of version %d", m.Name, m.Version)
		}
	}
	if m, ok := snapshot.MetricOfSent("x"); !ok || m.Name != "m7" {
		t.Errorf("alias x leads to %v", m)
	}
	if _, ok := snapshot.Metric("x"); ok {
		t.Error("alias x is taken for a name")
	}
	settled := current(t, s, "acme").SettingsVersion
	if next := change(t, s, "acme", func(d *schema.Draft) error { return d.SetMetricKeys([]string{"k"}) }); next.SettingsVersion != next.Version || settled == next.Version {
		t.Errorf("settings of version %d, then %d of %d", settled, next.SettingsVersion, next.Version)
	}
}

// TestProcesses changes one schema from several stores over one KV at a time.
func TestProcesses(t *testing.T) {
	t.Parallel()
	k, first, c := setup(t)
	const processes, changes = 4, 8
	stores := []*schema.Store{first}
	for range processes - 1 {
		stores = append(stores, newStore(t, k, c))
	}
	var group sync.WaitGroup
	for p, s := range stores {
		for i := range changes {
			group.Go(func() {
				name := fmt.Sprintf("m%d_%d", p, i)
				snapshot, err := s.Change(t.Context(), "acme", "ann", "race", create(name))
				if err != nil {
					t.Error(err)
					return
				}
				// The change is seen at once by this process.
				if _, ok := current(t, s, "acme").Metric(name); !ok {
					t.Errorf("%s is not in version %d", name, snapshot.Version)
				}
			})
		}
	}
	group.Wait()
	c.advance(5 * time.Second)
	for p, s := range stores {
		snapshot := current(t, s, "acme")
		if len(snapshot.Metrics) != processes*changes {
			t.Errorf("process %d sees %d metrics, want %d", p, len(snapshot.Metrics), processes*changes)
		}
		ids := map[uint32]bool{}
		for _, m := range snapshot.Metrics {
			ids[m.ID] = true
		}
		if len(ids) != len(snapshot.Metrics) {
			t.Errorf("process %d sees %d IDs of %d metrics", p, len(ids), len(snapshot.Metrics))
		}
		length := 0
		for v := snapshot.Version; v != 0; length++ {
			at, err := s.At(t.Context(), "acme", v)
			if err != nil {
				t.Fatal(err)
			}
			v = at.Previous
		}
		if length != processes*changes+1 {
			t.Errorf("process %d: %d versions lead to the current one, want %d", p, length, processes*changes+1)
		}
	}
}

// TestTTL sees another process's change after the TTL and not much before.
func TestTTL(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	other := newStore(t, k, c)
	current(t, other, "acme")
	change(t, s, "acme", create("m"))
	c.advance(4999 * time.Millisecond)
	if got := metricNames(current(t, other, "acme")); got != "" {
		t.Errorf("after 4.999 s: %q", got)
	}
	c.advance(time.Millisecond)
	if got := metricNames(current(t, other, "acme")); got != "m" {
		t.Errorf("after 5 s: %q", got)
	}
	// A change starts from what is stored, not from what is cached.
	change(t, s, "acme", create("n"))
	if _, err := other.Change(t.Context(), "acme", "bob", "x", create("n")); !errors.Is(err, schema.ErrExists) {
		t.Errorf("a change on a stale cache: %v", err)
	}
}

// TestCrash dies at each write of a change and tries again in a new process.
func TestCrash(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"before metric", "before root", "before head"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			k, s, c := setup(t)
			change(t, s, "acme", create("old"))
			k.hooks(func(key string) error {
				at := map[string]string{"before metric": "/metrics/", "before root": "/versions/", "before head": "tenants/"}[where]
				if strings.Contains(key, at) {
					return errDown
				}
				return nil
			}, nil)
			if _, err := s.Change(t.Context(), "acme", "ann", "x", create("new")); !errors.Is(err, errDown) {
				t.Fatalf("error %v", err)
			}
			if got := metricNames(current(t, s, "acme")); got != "old" {
				t.Errorf("after the failed change: %s", got)
			}
			k.hooks(nil, nil)
			s = newStore(t, k, c)
			if got := metricNames(current(t, s, "acme")); got != "old" {
				t.Errorf("after the restart: %s", got)
			}
			change(t, s, "acme", create("other"))
			snapshot := change(t, s, "acme", create("new"))
			if got := metricNames(snapshot); got != "old other new" {
				t.Errorf("after trying again: %s", got)
			}
			reread, err := newStore(t, k, c).At(t.Context(), "acme", snapshot.Version)
			if err != nil || describe(reread) != describe(snapshot) {
				t.Errorf("read back: %v", err)
			}
		})
	}
}

// TestLostAnswer makes a change whose last write happened and was not answered.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	for _, err := range []error{errDown, schema.ErrConflict} {
		lost := false
		k.hooks(nil, func(key string) error {
			if strings.HasPrefix(key, "tenants/") && !lost {
				lost = true
				return err
			}
			return nil
		})
		name := fmt.Sprintf("after %v", err)
		snapshot, changeErr := s.Change(t.Context(), "acme", "ann", "x", create(name))
		if changeErr != nil || !lost {
			t.Fatalf("answer lost %t: %v", lost, changeErr)
		}
		if _, ok := snapshot.Metric(name); !ok {
			t.Errorf("%s is not in the version", name)
		}
		if got := metricNames(current(t, newStore(t, k, c), "acme")); got != metricNames(snapshot) {
			t.Errorf("stored %s, returned %s", got, metricNames(snapshot))
		}
	}
}

func TestChangeStops(t *testing.T) {
	t.Parallel()
	k, s, _ := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Change(ctx, "acme", "ann", "x", create("m")); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
	want := errors.New("no")
	if _, err := s.Change(t.Context(), "acme", "ann", "x", func(*schema.Draft) error { return want }); err != want { //nolint:errorlint // returned as it is
		t.Errorf("error %v", err)
	}
	// Another process is always quicker.
	k.hooks(func(key string) error {
		if strings.HasPrefix(key, "tenants/") {
			return schema.ErrConflict
		}
		return nil
	}, nil)
	tries := 0
	_, err := s.Change(t.Context(), "acme", "ann", "x", func(d *schema.Draft) error {
		tries++
		return create("m")(d)
	})
	if !errors.Is(err, schema.ErrConflict) || tries < 10 {
		t.Errorf("after %d tries: %v", tries, err)
	}
}

// TestImmutable changes every list that a snapshot gives to a draft.
func TestImmutable(t *testing.T) {
	t.Parallel()
	_, s, _ := setup(t)
	before := change(t, s, "acme", func(d *schema.Draft) error {
		err := d.CreateMetric(schema.Metric{
			Name: "m", Aliases: []string{"a", "b"}, TimestampAliases: []string{"t", "u"}, TimestampPatterns: []string{"p", "q"},
			Fields: []schema.Field{{Name: "f", Type: schema.Type{Name: "text"}, Sources: []schema.Source{{Name: "g"}, {Name: "h"}}}},
		})
		return errors.Join(err, d.SetMetricKeys([]string{"k", "l"}))
	})
	text := describe(before)
	change(t, s, "acme", func(d *schema.Draft) error {
		return errors.Join(
			d.SetMetricKeys([]string{"x"}),
			d.RenameMetric("m", "a"),
			d.SetTimestampAliases("a", []string{"x"}),
			d.SetTimestampPatterns("a", []string{"x"}),
			d.RenameField("a", "f", "h"),
			d.AddField("a", schema.Field{Name: "new", Type: schema.Type{Name: "text"}}),
			d.AddSource("a", "h", schema.Source{Name: "i"}),
			d.DropField("a", "h"),
			d.DropMetric("a"),
		)
	})
	if got := describe(before); got != text {
		t.Errorf("a snapshot changed from\n%sto\n%s", text, got)
	}
}

func TestLookups(t *testing.T) {
	t.Parallel()
	// A snapshot that no store made has no index.
	bare := &schema.Snapshot{Tenant: "acme", Metrics: []*schema.Metric{
		{Name: "m", Aliases: []string{"a"}, Fields: []schema.Field{{Name: "f", Sources: []schema.Source{{Name: "f"}, {Name: "g"}}}}},
	}, Generations: map[string]uint32{"a": 3}}
	m, ok := bare.MetricOfSent("a")
	if !ok || m.Name != "m" {
		t.Fatalf("metric of a: %v", m)
	}
	if f, ok := m.FieldOfSource("g"); !ok || f.Name != "f" {
		t.Errorf("field of g: %v", f)
	}
	if _, ok := m.Field("g"); ok {
		t.Error("source g is taken for a field")
	}
	want := []schema.Dataset{{Tenant: "acme", Metric: "m"}, {Tenant: "acme", Metric: "a", Generation: 3}}
	if got := bare.Datasets(m); !slices.Equal(got, want) {
		t.Errorf("datasets %v", got)
	}
}

func TestCheckPattern(t *testing.T) {
	t.Parallel()
	k, c := newKV(t), newClock()
	s, err := schema.NewStore(k, schema.StoreConfig{Now: c.Now, CheckPattern: func(p string) error {
		if p != "RFC3339" {
			return errors.New("unknown")
		}
		return nil
	}})
	if err == nil {
		err = s.AddTenant(t.Context(), "acme")
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(d *schema.Draft, pattern string) error{
		"tenant": func(d *schema.Draft, p string) error { return d.SetTimestampPatterns("", []string{p}) },
		"create": func(d *schema.Draft, p string) error {
			return d.CreateMetric(schema.Metric{Name: "m", TimestampPatterns: []string{p}})
		},
		"metric": func(d *schema.Draft, p string) error {
			return errors.Join(create("n")(d), d.SetTimestampPatterns("n", []string{p}))
		},
	} {
		_, err := s.Change(t.Context(), "acme", "ann", "x", func(d *schema.Draft) error { return edit(d, "nonsense") })
		var invalid *schema.Invalid
		if !errors.As(err, &invalid) || !strings.Contains(invalid.Reason, `"nonsense": unknown`) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Change(t.Context(), "acme", "ann", "x", func(d *schema.Draft) error { return edit(d, "RFC3339") }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStoreConfig(t *testing.T) {
	t.Parallel()
	for _, cfg := range []schema.StoreConfig{{TTL: -1}, {CacheSize: -1}} {
		if _, err := schema.NewStore(newKV(t), cfg); err == nil {
			t.Errorf("%v: accepted", cfg)
		}
	}
}
