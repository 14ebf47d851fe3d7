package schema_test

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/schema"
)

// format1 is what format 1 writes; every later version reads it. See
// docs/format/keyvalue.md.
const format1 = "testdata/format1.tsv"

// writeFormat makes the file anew, when a format is added. Its name differs from
// datadriven's -rewrite, so that no golden value is rewritten by accident.
var writeFormat = flag.Bool("write-format", false, "write "+format1)

// writeGolden makes what the golden file holds.
func writeGolden(t *testing.T, k *kv, s *schema.Store, c *clock) {
	t.Helper()
	number, err := schema.ParseType("numeric(10,2)")
	if err != nil {
		t.Fatal(err)
	}
	change(t, s, "acme", func(d *schema.Draft) error {
		if err := d.SetMetricKeys([]string{"type"}); err != nil {
			return err
		}
		if err := d.SetTimestampAliases("", []string{"time"}); err != nil {
			return err
		}
		if err := d.SetTimestampPatterns("", []string{"UNIX_MS"}); err != nil {
			return err
		}
		return d.CreateMetric(schema.Metric{
			Name: "thermostat", Aliases: []string{"thermo"}, TimestampAliases: []string{"at"}, TimestampPatterns: []string{"RFC3339"}, Comment: "warms",
			Fields: []schema.Field{
				{Name: "temperature", Type: number, Comment: "in °C", Sources: []schema.Source{{Name: "temp_f", Convert: "(value - 32) * 5 / 9"}}},
				{Name: "label", Type: schema.Type{Name: "text"}},
			},
		})
	})
	c.advance(time.Second)
	change(t, s, "acme", func(d *schema.Draft) error { return d.DropField("thermostat", "label") })
	change(t, s, "acme", create("hygrometer"))
	change(t, s, "acme", func(d *schema.Draft) error { return d.DropMetric("hygrometer") })
	if err := s.DropTenant(t.Context(), "globex"); err != nil {
		t.Fatal(err)
	}
	o := newObserved(t, k, s, c)
	o.Note(event(schema.Dataset{Tenant: "acme", Metric: "thermostat"}, c.Now(), "i:temp_f", "s:label"))
	o.Note(event(schema.Dataset{Tenant: "acme", Metric: "thermostat"}, c.Now().Add(time.Second), "n:temp_f", "b:on", "j:tags"))
	o.Note(event(schema.Dataset{Tenant: "acme", Namespace: "replay/1", Metric: "Wet & dry", Generation: 2}, c.Now()))
	flush(t, o)
	if !o.Admit(t.Context(), "acme", "Wet & dry") {
		t.Fatal("not admitted")
	}
}

// TestFormat writes the golden values, and reads them.
func TestFormat(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	writeGolden(t, k, s, c)
	if *writeFormat {
		if err := os.WriteFile(format1, []byte(k.dump(t)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(format1)
	if err != nil {
		t.Fatal(err)
	}
	if got := k.dump(t); got != string(data) {
		t.Errorf("this version writes\n%s\nand not\n%s", got, data)
	}

	old := newKV(t)
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if _, err := old.Put(t.Context(), key, []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	read := newStore(t, old, c)
	if got, want := describe(current(t, read, "acme")), describe(current(t, s, "acme")); got != want {
		t.Errorf("the golden schema reads\n%sinstead of\n%s", got, want)
	}
	if has, err := read.HasTenant(t.Context(), "globex"); has || err != nil {
		t.Errorf("the dropped tenant is there: %v", err)
	}
	for version := uint64(1); version <= 5; version++ {
		if _, err := read.At(t.Context(), "acme", version); err != nil {
			t.Errorf("version %d: %v", version, err)
		}
	}
	o := newObserved(t, old, read, c, func(cfg *schema.ObservedConfig) { cfg.MaxUndeclared = 1 })
	ds := schema.Dataset{Tenant: "acme", Metric: "thermostat"}
	if got := describeFields(t, o, ds); got != "temp_f double precision in; label text s; on boolean b; tags jsonb j" {
		t.Errorf("golden fields %s", got)
	}
	if got := describeMetrics(t, o, "acme"); got != "thermostat 2 12:00:01-12:00:02" {
		t.Errorf("golden metrics %s", got)
	}
	if !o.Admit(t.Context(), "acme", "Wet & dry") || o.Admit(t.Context(), "acme", "another") {
		t.Error("the golden place is not taken by its metric")
	}
}

// TestLaterFormats refuses what a later version wrote.
func TestLaterFormats(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	writeGolden(t, k, s, c)
	ctx := t.Context()
	tests := map[string]func(s *schema.Store, o *schema.Observed) error{
		"tenants/acme": func(s *schema.Store, _ *schema.Observed) error {
			_, err := s.Current(ctx, "acme")
			return err
		},
		"schema/acme/versions/": func(s *schema.Store, _ *schema.Observed) error {
			_, err := s.Current(ctx, "acme")
			return err
		},
		"schema/acme/metrics/": func(s *schema.Store, _ *schema.Observed) error {
			_, err := s.Current(ctx, "acme")
			return err
		},
		"observed/acme/datasets/": func(_ *schema.Store, o *schema.Observed) error {
			_, err := o.Metrics(ctx, "acme")
			return err
		},
		"observed/acme/fields/": func(_ *schema.Store, o *schema.Observed) error {
			_, err := o.Fields(ctx, schema.Dataset{Tenant: "acme", Metric: "thermostat"})
			return err
		},
	}
	for prefix, read := range tests {
		for name, replace := range map[string][2]string{
			"a later format": {`{"format":1`, `{"format":2`},
			"no JSON":        {`{"format":1`, `{"format"`},
		} {
			later := newKV(t)
			items, err := k.List(ctx, "", "", 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range items {
				value := string(item.Value)
				if strings.HasPrefix(item.Key, prefix) {
					value = strings.Replace(value, replace[0], replace[1], 1)
				}
				if _, err := later.Put(ctx, item.Key, []byte(value), 0); err != nil {
					t.Fatal(err)
				}
			}
			s := newStore(t, later, c)
			if err := read(s, newObserved(t, later, s, c)); err == nil || errors.Is(err, schema.ErrNotFound) {
				t.Errorf("%s at %s: %v", name, prefix, err)
			}
		}
	}
}
