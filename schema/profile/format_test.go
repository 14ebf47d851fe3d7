package profile_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
)

// formats are what format 1 was written as over time; every later version reads
// them. The last is written today: it has sizes. See docs/format/keyvalue.md.
var formats = []string{"testdata/format1.tsv", "testdata/format1_sizes.tsv"}

// writeFormat makes the last file anew, when a member is added.
var writeFormat = flag.Bool("write-format", false, "write the last golden file anew")

// TestFormat reads what format 1 wrote, and writes the same as it does by now.
func TestFormat(t *testing.T) {
	t.Parallel()
	const want = "3; n i 3 3 -5..9007199254740993 2µs mean 3.0024e+15; t s 2 2 2026-01-01..dev-1 1µs; x n 2 2 0.5..1e+30 1µs; x j 1 1 .. 2µs mean 5e+29"
	kv := newKV(t)
	s := profile.New(kv, profile.Config{}).Shard(7)
	for i, values := range [][]schema.Value{
		{{Name: "n", Kind: 'i', Int: -5}, {Name: "t", Kind: 's', Text: []byte("dev-1")}, {Name: "x", Kind: 'n', Num: 0.5}},
		{{Name: "n", Kind: 'i', Int: 5}, {Name: "t", Kind: 's', Text: []byte("2026-01-01")}, {Name: "x", Kind: 'n', Num: 1e30}},
		{{Name: "n", Kind: 'i', Int: 1<<53 + 1}, {Name: "x", Kind: 'j', Text: []byte("[1]")}},
	} {
		e := reading("m", i)
		e.Values = values
		if err := s.Note(t.Context(), e, profile.Position{1, 2, uint64(i + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(t.Context(), profile.Position{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	items, err := kv.List(t.Context(), "profiles/", "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var written strings.Builder
	for _, item := range items {
		fmt.Fprintf(&written, "%s\t%s\n", item.Key, item.Value)
	}
	last := formats[len(formats)-1]
	if *writeFormat {
		if err := os.WriteFile(last, []byte(written.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, format := range formats {
		golden, err := os.ReadFile(format)
		if err != nil {
			t.Fatal(err)
		}
		if format == last && written.String() != string(golden) {
			t.Errorf("writes\n%s\n%s is\n%s", written.String(), format, golden)
		}
		old := newKV(t)
		for line := range strings.Lines(string(golden)) {
			key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			if _, err := old.Put(t.Context(), key, []byte(value), 0); err != nil {
				t.Fatal(err)
			}
		}
		profiles := profile.New(old, profile.Config{})
		if got := describe(t, profiles, "m"); got != want {
			t.Errorf("reads of %s\n%s\nwant\n%s", format, got, want)
		}
		summary, err := profiles.Summary(t.Context(), schema.Dataset{Tenant: "acme", Metric: "m"})
		if err != nil {
			t.Fatal(err)
		}
		failures, exact := summary.ByName()["n"].Kind(schema.KindInt).CastFailures(schema.Type{Name: "numeric", Precision: 3})
		if counted := format == last; exact != counted || counted && failures != 1 {
			t.Errorf("of %s, %d integers do not fit numeric(3), exactly: %v", format, failures, exact)
		}
	}
}
