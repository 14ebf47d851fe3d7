package sources_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

func TestPhysicalName(t *testing.T) {
	t.Parallel()
	tests := []struct {
		sent string
		kind schema.Kind
		want string
	}{
		{"temp_f", schema.KindNumber, "n_temp_f"},
		{"Temp", schema.KindInt, "i_$54emp"},
		{"geometry.type", schema.KindText, "s_geometry$2etype"},
		{"é", schema.KindJSON, "j_$c3$a9"},
		{"$", schema.KindBool, "b_$24"},
		{"", schema.KindText, "s_"},
	}
	for _, test := range tests {
		if got := sources.PhysicalName(test.sent, test.kind); got != test.want {
			t.Errorf("%q of kind %c is %s, want %s", test.sent, test.kind, got, test.want)
		}
	}
	for _, bad := range []string{"", "n", "x_a", "n_A", "n_$4", "n_$4g", "n_$61", "n_$4E", "na", "_ts"} {
		if sent, kind, err := sources.ParsePhysicalName(bad); err == nil {
			t.Errorf("%q was read as %q of kind %c", bad, sent, kind)
		}
	}
}

// FuzzPhysicalName holds that names come back, stand in what any engine reads,
// and stay apart where case is ignored; and that nothing else is read.
func FuzzPhysicalName(f *testing.F) {
	for _, seed := range []string{"temp", "Temp", "$54emp", "a.b", "_", "", "\xff\x00", "n_x", "ß", "ẞ"} {
		f.Add(seed, strings.ToLower(seed), uint8(len(seed)))
	}
	plain := regexp.MustCompile(`^[inbsj]_[a-z0-9_$]*$`)
	f.Fuzz(func(t *testing.T, a, b string, k uint8) {
		kind := schema.Kinds[int(k)%len(schema.Kinds)]
		name := sources.PhysicalName(a, kind)
		if !plain.MatchString(name) {
			t.Errorf("%q became %q", a, name)
		}
		sent, got, err := sources.ParsePhysicalName(name)
		if err != nil || sent != a || got != kind {
			t.Errorf("%q of kind %c came back as %q of kind %c, %v", a, kind, sent, got, err)
		}
		if a != b && strings.EqualFold(name, sources.PhysicalName(b, kind)) {
			t.Errorf("%q and %q share the name %q", a, b, name)
		}
		if sent, kind, err := sources.ParsePhysicalName(b); err == nil && sources.PhysicalName(sent, kind) != b {
			t.Errorf("%q was read as %q of kind %c, which is another name", b, sent, kind)
		}
	})
}
