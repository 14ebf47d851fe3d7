package schema_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/schema"
)

// The files have what format 1 writes of the members that came after its first
// version: of policies, former names, views, rules, access and generations, and then
// with what views mean and what their columns are called, and rules to a metric.
const (
	format1Members = "testdata/format1-members.tsv"
	format1Views   = "testdata/format1-views.tsv"
)

// writeMembers makes what the golden file of later members holds.
func writeMembers(t *testing.T, s *schema.Store, c *clock) {
	t.Helper()
	text := schema.Type{Name: "text"}
	change(t, s, "acme", func(d *schema.Draft) error {
		for _, m := range []schema.Metric{
			{Name: "press", Fields: []schema.Field{{Name: "temp", Type: text}, {Name: "site", Type: text}}},
			{Name: "gone"},
		} {
			if err := d.CreateMetric(m); err != nil {
				return err
			}
		}
		return d.SetRejectUndeclared(true)
	})
	c.advance(time.Second)
	change(t, s, "acme", func(d *schema.Draft) error {
		if err := d.RenameField("press", "temp", "heat"); err != nil {
			return err
		}
		if err := d.SetRejectMissingTime("press", true); err != nil {
			return err
		}
		if err := d.SetRule(schema.Rule{Metric: "press", Sent: "fault"}); err != nil {
			return err
		}
		if err := d.SetRule(schema.Rule{Metric: "press", Sent: "speed", To: "gone"}); err != nil {
			return err
		}
		err := d.CreateView(schema.View{
			Name: "hot", Query: "select heat from press", Path: []string{"public"}, Comment: "the hot ones",
			Relations: map[string]uint32{"press": 16392},
			Columns:   []schema.ViewColumn{{Name: "h", Output: "heat", TypeOID: 25, Typmod: -1}},
		}, false)
		if err != nil {
			return err
		}
		return errors.Join(d.RenameViewColumn("hot", "h", "hh"), d.CommentViewColumn("hot", "hh", "heat"))
	})
	press, ok := current(t, s, "acme").Metric("press")
	if !ok {
		t.Fatal("no metric press")
	}
	change(t, s, "acme", func(d *schema.Draft) error {
		return d.Grant(schema.TableOID(press), schema.Granting{Role: "reader", Privileges: schema.Privileges{Select: true}})
	})
	before := current(t, s, "acme").Version
	change(t, s, "acme", func(d *schema.Draft) error { return d.DropMetric("gone") })
	old, err := s.At(t.Context(), "acme", before)
	if err != nil {
		t.Fatal(err)
	}
	change(t, s, "acme", func(d *schema.Draft) error { return d.Restore(old) })
}

// TestFormatMembers writes the golden values of later members, and reads them.
func TestFormatMembers(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	writeMembers(t, s, c)
	if *writeFormat {
		if err := os.WriteFile(format1Views, []byte(k.dump(t)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(format1Views)
	if err != nil {
		t.Fatal(err)
	}
	if got := k.dump(t); got != string(data) {
		t.Errorf("this version writes\n%s\nand not\n%s", got, data)
	}
	for _, member := range []string{
		"reject_undeclared", "reject_missing_time", "former", "rules", "to", "views", "relations", "access", "generations", "top_generations",
	} {
		if !strings.Contains(string(data), `"`+member+`":`) {
			t.Errorf("no %s in %s", member, format1Views)
		}
	}
	want := current(t, s, "acme")
	got := readFormat(t, c, format1Views)
	if a, b := whole(t, current(t, got, "acme")), whole(t, want); a != b {
		t.Errorf("the golden schema reads\n%s\ninstead of\n%s", a, b)
	}
	older := readFormat(t, c, format1Members)
	snapshot := *current(t, older, "acme")
	if v := snapshot.Views[0]; v.Version != 0 || v.Relations != nil || v.Columns[0].Name != "h" || len(snapshot.Rules) != 1 {
		t.Errorf("%s has view %+v, rules %+v", format1Members, v, snapshot.Rules)
	}
	snapshot.Views, snapshot.Rules, snapshot.SettingsVersion = want.Views, want.Rules, want.SettingsVersion
	if a, b := whole(t, &snapshot), whole(t, want); a != b {
		t.Errorf("the golden schema of %s reads\n%s\ninstead of\n%s", format1Members, a, b)
	}
	// A table dropped again gets a generation that no earlier one had.
	for _, store := range []*schema.Store{s, got, older} {
		change(t, store, "acme", func(d *schema.Draft) error { return d.DropMetric("gone") })
		if generation := current(t, store, "acme").Generations["gone"]; generation != 2 {
			t.Errorf("dropped again, the table is of generation %d, want 2", generation)
		}
	}
}

// readFormat opens what a golden file has.
func readFormat(t *testing.T, c *clock, file string) *schema.Store {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	kv := newKV(t)
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if _, err := kv.Put(t.Context(), key, []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	return newStore(t, kv, c)
}

// whole is a snapshot's exported content.
func whole(t *testing.T, s *schema.Snapshot) string {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
