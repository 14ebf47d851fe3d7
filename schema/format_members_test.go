package schema_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/schema"
)

// format1Members is what format 1 writes of the members that came after its first
// version: policies, former names, views, rules, access and generations.
const format1Members = "testdata/format1-members.tsv"

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
		return d.CreateView(schema.View{
			Name: "hot", Query: "select heat from press", Path: []string{"public"}, Comment: "the hot ones",
			Columns: []schema.ViewColumn{{Name: "h", Output: "heat", TypeOID: 25, Typmod: -1}},
		}, false)
	})
	press, ok := current(t, s, "acme").Metric("press")
	if !ok {
		t.Fatal("no metric press")
	}
	change(t, s, "acme", func(d *schema.Draft) error {
		d.Grant(schema.TableOID(press), "reader", schema.Privileges{Select: true})
		return nil
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
		if err := os.WriteFile(format1Members, []byte(k.dump(t)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(format1Members)
	if err != nil {
		t.Fatal(err)
	}
	if got := k.dump(t); got != string(data) {
		t.Errorf("this version writes\n%s\nand not\n%s", got, data)
	}
	for _, member := range []string{"reject_undeclared", "reject_missing_time", "former", "rules", "views", "access", "generations", "top_generations"} {
		if !strings.Contains(string(data), `"`+member+`":`) {
			t.Errorf("no %s in %s", member, format1Members)
		}
	}
	old := newKV(t)
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if _, err := old.Put(t.Context(), key, []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	got, want := current(t, newStore(t, old, c), "acme"), current(t, s, "acme")
	if a, b := whole(t, got), whole(t, want); a != b {
		t.Errorf("the golden schema reads\n%s\ninstead of\n%s", a, b)
	}
	// A table dropped again gets a generation that no earlier one had.
	change(t, newStore(t, old, c), "acme", func(d *schema.Draft) error { return d.DropMetric("gone") })
	change(t, s, "acme", func(d *schema.Draft) error { return d.DropMetric("gone") })
	got, want = current(t, newStore(t, old, c), "acme"), current(t, s, "acme")
	if got.Generations["gone"] != want.Generations["gone"] || got.Generations["gone"] < 2 {
		t.Errorf("dropped again, the table is of generation %d, want %d", got.Generations["gone"], want.Generations["gone"])
	}
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
