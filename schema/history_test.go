package schema_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/schema"
)

func historyText(t *testing.T, s *schema.Store) string {
	t.Helper()
	versions, err := s.History(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, v := range versions {
		fmt.Fprintf(&b, "%d<%d %s ", v.Version, v.Previous, v.What)
	}
	return strings.TrimSpace(b.String())
}

// TestRestore undoes changes, a dropped metric among them, and does so from a store
// that has nothing in memory.
func TestRestore(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	text := schema.Type{Name: "text"}
	change(t, s, "acme", func(d *schema.Draft) error {
		return d.CreateMetric(schema.Metric{Name: "m", Aliases: []string{"mm"}, Fields: []schema.Field{{Name: "a", Type: text}}})
	})
	change(t, s, "acme", create("kept"))
	restore := func(version uint64) *schema.Snapshot {
		t.Helper()
		s = newStore(t, k, c)
		old, err := s.Earlier(t.Context(), "acme", version)
		if err != nil {
			t.Fatal(err)
		}
		return change(t, s, "acme", func(d *schema.Draft) error { return d.Restore(old) })
	}
	want := describe(current(t, s, "acme"))
	change(t, s, "acme", func(d *schema.Draft) error { return d.RenameField("m", "a", "b") })
	change(t, s, "acme", func(d *schema.Draft) error { return d.AddField("m", schema.Field{Name: "c", Type: text}) })
	change(t, s, "acme", func(d *schema.Draft) error { return d.SetMetricKeys([]string{"k"}) })
	change(t, s, "acme", func(d *schema.Draft) error { return d.SetRejectUndeclared(true) })
	change(t, s, "acme", func(d *schema.Draft) error { return d.DropMetric("m") })
	change(t, s, "acme", create("m"))
	change(t, s, "acme", create("other"))

	got := restore(3)
	if got.Version != 11 || got.Previous != 10 {
		t.Errorf("version %d after %d", got.Version, got.Previous)
	}
	declared := func(text string) string {
		_, text, _ = strings.Cut(text, "\n")
		return strings.NewReplacer("of version 2", "", "of version 3", "", "of version 11", "").Replace(text)
	}
	if got := describe(got); declared(got) != declared(want) {
		t.Errorf("restored\n%s\nwant\n%s", got, want)
	}
	if again := restore(11); again.Version != 11 {
		t.Errorf("what is there already makes version %d", again.Version)
	}
	// Numbers that were used stay used.
	s = newStore(t, k, c)
	next := change(t, s, "acme", func(d *schema.Draft) error {
		if err := d.DropMetric("m"); err != nil {
			return err
		}
		return d.CreateMetric(schema.Metric{Name: "new"})
	})
	if g := next.Dataset("m").Generation; g != 2 {
		t.Errorf("a drop after a restored one ends in generation %d, want 2", g)
	}
	if m, _ := next.Metric("new"); m.ID != 5 {
		t.Errorf("the new metric has number %d, want 5", m.ID)
	}
	if got := historyText(t, s); !strings.HasPrefix(got, "12<11 test 11<10 test 10<9 test") || !strings.HasSuffix(got, "2<1 test 1<0 add tenant") {
		t.Errorf("history %s", got)
	}

	// A tenant that was dropped takes its history along.
	if err := s.DropTenant(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if err := s.AddTenant(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if got := historyText(t, s); got != "14<0 add tenant" {
		t.Errorf("history of the new tenant: %s", got)
	}
	if _, err := s.Earlier(t.Context(), "acme", 3); !errors.Is(err, schema.ErrNotFound) {
		t.Errorf("a version of the former tenant: %v", err)
	}
}

// TestFormerName of a field that was renamed stays its name until another field
// takes it, or the source is removed.
func TestFormerName(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	text := schema.Type{Name: "text"}
	change(t, s, "acme", func(d *schema.Draft) error {
		return d.CreateMetric(schema.Metric{Name: "m", Fields: []schema.Field{{Name: "a", Type: text, Sources: []schema.Source{{Name: "a", Convert: "upper(value)"}}}}})
	})
	change(t, s, "acme", func(d *schema.Draft) error { return d.RenameField("m", "a", "b") })
	change(t, s, "acme", func(d *schema.Draft) error { return d.RenameField("m", "b", "c") })
	former := func() string {
		m, _ := current(t, newStore(t, k, c), "acme").Metric("m")
		return fmt.Sprint(m.Fields[0].Name, m.Fields[0].Former)
	}
	if got := former(); got != "c[a b]" {
		t.Errorf("after two renames %s", got)
	}
	change(t, s, "acme", func(d *schema.Draft) error { return d.DropSource("m", "c", "b") })
	change(t, s, "acme", func(d *schema.Draft) error { return d.RenameField("m", "c", "a") })
	if got := former(); got != "a[c]" {
		t.Errorf("after it has its first name again %s", got)
	}
}
