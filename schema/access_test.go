package schema_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/schema"
)

const granted = uint32(16392)

func grant(role, grantor string, option bool, columns ...int) func(d *schema.Draft) error {
	return func(d *schema.Draft) error {
		p := schema.Privileges{Select: columns == nil, Columns: columns}
		return d.Grant(granted, schema.Granting{Privileges: p, Role: role, Grantor: grantor, Option: option})
	}
}

func revoke(role, grantor string, optionOnly, cascade bool, columns ...int) func(d *schema.Draft) error {
	return func(d *schema.Draft) error {
		p := schema.Privileges{Select: columns == nil, Columns: columns}
		return d.Revoke(granted, schema.Revoking{Privileges: p, Role: role, Grantor: grantor, OptionOnly: optionOnly, Cascade: cascade})
	}
}

// TestGrantOptions grants on and revokes, and looks at who may still do what.
func TestGrantOptions(t *testing.T) {
	t.Parallel()
	type edit = func(d *schema.Draft) error
	tests := []struct {
		name  string
		edits []edit
		err   error // of the last
		want  string
	}{
		{"granted on", []edit{grant("ann", "", true), grant("bob", "ann", false)}, nil, "ann r* bob r"},
		{
			"another's grant leaves what is there by default",
			[]edit{grant("ann", "", true), grant("bob", "ann", false), revoke("bob", "ann", false, false)},
			nil, "ann r* bob r",
		},
		{"dependent", []edit{grant("ann", "", true), grant("bob", "ann", false), revoke("ann", "", false, false)}, schema.ErrDependentGrants, ""},
		{"dependent option", []edit{grant("ann", "", true), grant("bob", "ann", false), revoke("ann", "", true, false)}, schema.ErrDependentGrants, ""},
		{
			"cascade", []edit{
				revoke("bob", "", false, false), revoke("carl", "", false, false), grant("ann", "", true), grant("bob", "ann", true), grant("carl", "bob", false),
				revoke("ann", "", true, true),
			}, nil, "ann r bob - carl -",
		},
		{
			"two ways", []edit{
				revoke("carl", "", false, false), grant("ann", "", true), grant("bob", "", true), grant("bob", "ann", true), grant("carl", "bob", false),
				revoke("bob", "ann", false, false),
			}, nil, "ann r* bob r* carl r",
		},
		{"circle", []edit{grant("ann", "", true), grant("bob", "ann", true), grant("ann", "bob", true)}, schema.ErrCircularGrant, ""},
		{"no circle without option", []edit{grant("ann", "", true), grant("bob", "ann", true), grant("ann", "bob", false)}, nil, "ann r* bob r*"},
		{"column", []edit{revoke("bob", "", false, false), grant("ann", "", true, 2, 3), grant("bob", "ann", false, 2)}, nil, "ann 2*3* bob 2"},
		{
			"column by the table's option stays", []edit{
				revoke("bob", "", false, false), grant("ann", "", true), grant("bob", "ann", false, 2), revoke("ann", "", false, false),
			}, nil, "ann - bob 2",
		},
		{
			"columns go with the table", []edit{grant("ann", "", true, 2), grant("ann", "", false), revoke("ann", "", false, false)}, nil, "ann -",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, s, _ := setup(t)
			for i, e := range test.edits {
				_, err := s.Change(t.Context(), "acme", "ann", "test", e)
				if last := i == len(test.edits)-1; last && test.err != nil {
					if !errors.Is(err, test.err) {
						t.Errorf("error %v, want %v", err, test.err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if got := rightsOf(current(t, s, "acme"), test.want); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// rightsOf prints the rights of the roles that a text names: r for all, numbers of
// columns, a star behind what may be granted on.
func rightsOf(s *schema.Snapshot, of string) string {
	words := strings.Fields(of)
	for i := 0; i < len(words); i += 2 {
		r := s.Rights(granted, words[i])
		text := ""
		if r.Select {
			text = "r"
			if r.Options.Select {
				text += "*"
			}
		}
		for _, c := range r.Columns {
			text += fmt.Sprint(c)
			if slices.Contains(r.Options.Columns, c) {
				text += "*"
			}
		}
		if text == "" {
			text = "-"
		}
		words[i+1] = text
	}
	return strings.Join(words, " ")
}

// format1Grants is what format 1 writes of grants by who is no owner.
const format1Grants = "testdata/format1-grants.tsv"

// TestFormatGrants writes the golden values of grants, and reads them.
func TestFormatGrants(t *testing.T) {
	t.Parallel()
	k, s, c := setup(t)
	change(t, s, "acme", grant("ann", "", true))
	change(t, s, "acme", grant("ann", "", true, 2))
	change(t, s, "acme", grant("bob", "ann", false, 3))
	change(t, s, "acme", func(d *schema.Draft) error {
		return d.Grant(granted, schema.Granting{Privileges: schema.Privileges{Observe: true}, Role: "bob", Option: true})
	})
	if *writeFormat {
		if err := os.WriteFile(format1Grants, []byte(k.dump(t)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(format1Grants)
	if err != nil {
		t.Fatal(err)
	}
	if got := k.dump(t); got != string(data) {
		t.Errorf("this version writes\n%s\nand not\n%s", got, data)
	}
	for _, member := range []string{"grantor", "select_option", "observe_option", "column_options"} {
		if !strings.Contains(string(data), `"`+member+`":`) {
			t.Errorf("no %s in %s", member, format1Grants)
		}
	}
	got, want := current(t, readFormat(t, c, format1Grants), "acme").Access, current(t, s, "acme").Access
	if a, b := whole(t, &schema.Snapshot{Access: got}), whole(t, &schema.Snapshot{Access: want}); a != b {
		t.Errorf("the golden rights read\n%s\ninstead of\n%s", a, b)
	}
	// What was written before there were options has none.
	older := current(t, readFormat(t, c, format1Views), "acme")
	if r := older.Rights(older.Access[0].OID, "reader"); !r.Select || !r.Options.None() {
		t.Errorf("%s gives the reader %+v", format1Views, r)
	}
}
