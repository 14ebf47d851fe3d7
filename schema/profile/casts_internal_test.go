package profile

import (
	"testing"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// TestCasts compares what is decided by shapes and characters with what the types'
// own readers say.
func TestCasts(t *testing.T) {
	t.Parallel()
	texts := []string{
		"", " ", "1", " 12 ", "-5", "+7", "1.5", "1e3", ".5", "5.", "1e400", "1e-400", "32768", "2147483648", "9223372036854775808", "NaN", "nan",
		"Infinity", "-inf", "inf", "infinity", "1_000", "0x10", "abc", "t", "true", "TRUE", "yes", "y", "off", "on", "o", "of", "no", "tr", "1f",
		"2024-01-01", "2024-02-30", "2024-01-01 10:00", "2024-01-01T10:00:00Z", "2024-01-01T10:00:00.123456+02:00", "2024-01-31T10:00:00Z",
		"2024-02-30T10:00:00Z", "2024-13-01T10:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T10:00:61Z", "2024-01-01 10:00:00-05:30",
		"2024-01-01T10:00:00+25:00", "2024-01-01T10:00:00.", "2024-01-01T10:00:00X", "0000-01-01T00:00:00Z", "10:00", "10:00:00", "now", "today",
		"epoch", "allballs", "Jan 8 1999", "January 8, 1999", "19990108", "1 day", "P1D", "PT5M", "3 days 04:05:06", "1-2", "1:2:3",
		"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11",
		"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A1", "QUJD", "QUI=", "QQ==", "QQ", `\x4142`, `\x4`, "{}", `{"a":1}`, "[1,2]", `"x"`, "null", "nul", "tru",
		"sensor-12", "dev_1", "ok", "error 5", "21.5 C", "21,5", "2024", "20240101T000000", "12/31/2024", "31/12/2024", "1e3e3", "--1", "é", "4.9e-324",
	}
	env := postgres.DefaultEnv()
	cache := newCastCache()
	for _, text := range append(texts, texts...) {
		want := castSet(0)
		for i, name := range castTypes {
			if name != "bytea" && castsTo(name, text, env) {
				want |= 1 << i
			}
		}
		if isBytes(text) {
			want |= castBytea
		}
		v := schema.Value{Kind: schema.KindText, Text: []byte(text)}
		if got := cache.castsOf(v.Text, hashOf(&v)).set; got != want {
			t.Errorf("%q casts to %v, want %v", text, names(got), names(want))
		}
	}
}

// TestNoText counts texts with U+0000 as read by nothing, and among no bounds.
func TestNoText(t *testing.T) {
	t.Parallel()
	texts := newCastCache()
	note := func(k *kind, list ...string) {
		for _, text := range list {
			k.note(&schema.Value{Kind: schema.KindText, Text: []byte(text)}, 1, texts)
		}
	}
	readable, both, none := &kind{kind: schema.KindText}, &kind{kind: schema.KindText}, &kind{kind: schema.KindText}
	note(readable, "m", "n")
	note(none, "\x00", "7\x00", "7\x00")
	note(both, "a\x00b", "5", "z\x00", "4")
	both.merge(none)
	readable.merge(none)
	for _, test := range []struct {
		k             *kind
		low, high     string
		failed, whole int64
	}{{readable, "m", "n", 3, 5}, {both, "4", "5", 5, 5}, {none, "", "", 3, 3}} {
		stored := test.k.document()
		var restored name
		if err := restored.restoreKind(&stored); err != nil {
			t.Fatal(err)
		}
		for _, k := range []*kind{test.k, restored.kindOf(schema.KindText)} {
			if low, high := k.text(); low != test.low || high != test.high || k.edges.texts != (low != "") {
				t.Errorf("%q to %q (%v), want %q to %q", low, high, k.edges.texts, test.low, test.high)
			}
			counted := &Kind{Kind: k.kind, Events: k.events, casts: k.casts, sizes: k.sizes}
			for name, want := range map[string]int64{"text": test.failed, "varchar": test.failed, "integer": test.whole} {
				if n, exact := counted.CastFailures(schema.Type{Name: name}); n != want || !exact {
					t.Errorf("%s: %d of %d fail (%v), want %d", name, n, k.events, exact, want)
				}
			}
		}
	}
}

func names(set castSet) (out []string) {
	for i, name := range castTypes {
		if set&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// TestCastsOfNumbers has the edges of types.
func TestCastsOfNumbers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		v    schema.Value
		lost string
	}{
		{schema.Value{Kind: schema.KindInt, Int: -32768}, ""},
		{schema.Value{Kind: schema.KindInt, Int: 32768}, "smallint"},
		{schema.Value{Kind: schema.KindInt, Int: 2147483648}, "smallint integer"},
		{schema.Value{Kind: schema.KindNumber, Num: 32767.4}, ""},
		{schema.Value{Kind: schema.KindNumber, Num: 32767.5}, "smallint"},
		{schema.Value{Kind: schema.KindNumber, Num: -32768.5}, ""},
		{schema.Value{Kind: schema.KindNumber, Num: 2147483647.5}, "smallint integer"},
		{schema.Value{Kind: schema.KindNumber, Num: 1 << 63}, "smallint integer bigint"},
		{schema.Value{Kind: schema.KindNumber, Num: 1e39}, "smallint integer bigint real"},
		{schema.Value{Kind: schema.KindNumber, Num: 1e-50}, "real"},
	}
	for _, test := range tests {
		got := castsOf(&test.v, 0, nil).set
		lost := ""
		for _, name := range names(anyNumber &^ got) {
			if lost != "" {
				lost += " "
			}
			lost += name
		}
		if lost != test.lost {
			t.Errorf("%+v does not cast to %q, want %q", test.v, lost, test.lost)
		}
	}
}
