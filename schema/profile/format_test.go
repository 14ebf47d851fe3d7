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

// format1 is what format 1 writes; every later version reads it. See
// docs/format/keyvalue.md.
const format1 = "testdata/format1.tsv"

// writeFormat makes the file anew, when a format is added.
var writeFormat = flag.Bool("write-format", false, "write "+format1)

// TestFormat reads what format 1 wrote, and writes the same.
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
	if *writeFormat {
		if err := os.WriteFile(format1, []byte(written.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(format1)
	if err != nil {
		t.Fatal(err)
	}
	if written.String() != string(golden) {
		t.Errorf("writes\n%s\nformat 1 is\n%s", written.String(), golden)
	}
	old := newKV(t)
	for line := range strings.Lines(string(golden)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if _, err := old.Put(t.Context(), key, []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	got := describe(t, profile.New(old, profile.Config{}), "m")
	if got != want {
		t.Errorf("reads\n%s\nwant\n%s", got, want)
	}
}
