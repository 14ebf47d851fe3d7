package kinesis

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

var rewrite = flag.Bool("rewrite", false, "write golden files anew")

const golden = "testdata/aggregated-1.bin"

// goldenEntries are what the golden file holds.
var goldenEntries = []stream.Entry{
	{Hash: 1, Data: []byte("one")},
	{Hash: 0x8000000000000000, Data: []byte("two")},
	{Hash: 1, Data: nil},
	{Hash: 1, Data: []byte(magic)},
}

func TestGoldenAggregated(t *testing.T) {
	t.Parallel()
	got := appendAggregated(nil, goldenEntries)
	if *rewrite {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("entries are written as\n%s, want\n%s", hex.Dump(got), hex.Dump(want))
	}
	parts, err := parse(want)
	if err != nil || len(parts) != len(goldenEntries) {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	for i, e := range goldenEntries {
		if !bytes.Equal(parts[i].data, e.Data) || parts[i].hashKey != hashKey(e.Hash) {
			t.Errorf("part %d: %q at %s, want %q at %s", i, parts[i].data, parts[i].hashKey, e.Data, hashKey(e.Hash))
		}
	}
}

// foreign is a record as a producer of another make writes it, made by hand from
// the format's description: two partition keys, one explicit hash key, records
// with tags, with and without an explicit hash key, and a field that is not
// described.
func foreign(t *testing.T) []byte {
	t.Helper()
	text := strings.NewReplacer(" ", "", "\n", "", "\t", "").Replace(`
		f3899ac2
		0a 01 61  0a 01 62
		12 02 3432
		1a 08  08 00  10 00  1a 02 6869
		1a 10  08 01  1a 00  22 0a 0a 03 6b6579 12 03 76616c
		78 05
		`)
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	// The MD5 of the message, by md5sum.
	sum, err := hex.DecodeString("d8f136b40b889f7a6d66a9ff1ba528bf")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, sum...)
}

func TestParseForeign(t *testing.T) {
	t.Parallel()
	parts, err := parse(foreign(t))
	if err != nil || len(parts) != 2 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	// The MD5 of "b", by md5sum.
	const hashOfB = "92eb5ffee6ae2fec3ad71c777531578f"
	if string(parts[0].data) != "hi" || parts[0].hashKey.String() != "42" {
		t.Errorf("first part: %q at %s", parts[0].data, parts[0].hashKey)
	}
	if key := hex.EncodeToString(parts[1].hashKey.AppendBinary(nil)[8:]); len(parts[1].data) != 0 || key != hashOfB {
		t.Errorf("second part: %q at %s, want nothing at %s", parts[1].data, key, hashOfB)
	}
}

// TestNotAggregated holds that what only looks like the format is an entry itself.
func TestNotAggregated(t *testing.T) {
	t.Parallel()
	whole := foreign(t)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-1] ^= 1
	for name, data := range map[string][]byte{
		"nothing":       nil,
		"magic alone":   []byte(magic),
		"cut":           whole[:len(whole)-1],
		"flipped":       flipped,
		"another magic": append([]byte{0}, whole[1:]...),
	} {
		if _, err := parse(data); !errors.Is(err, errNotAggregated) {
			t.Errorf("%s: %v, want errNotAggregated", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(appendAggregated(nil, goldenEntries))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		parts, err := parse(data)
		if err != nil {
			return
		}
		for _, p := range parts {
			if len(p.data) > len(data) {
				t.Fatal("a part is longer than the whole")
			}
		}
	})
}

func TestSequence(t *testing.T) {
	t.Parallel()
	const number = "73590338271490256608559692538361571095921575989136588898"
	one, err := sequenceOf(number, 0)
	if err != nil {
		t.Fatal(err)
	}
	last, err := sequenceOf(number, maxEntries-1)
	if err != nil {
		t.Fatal(err)
	}
	next, err := sequenceOf("73590338271490256608559692538361571095921575989136588899", 0)
	if err != nil {
		t.Fatal(err)
	}
	if one.Compare(last) >= 0 || last.Compare(next) >= 0 {
		t.Errorf("%s, %s and %s do not rise", one, last, next)
	}
	if numberOf(last) != number || indexOf(last) != 63 || record(last) != one || past(one) != last {
		t.Errorf("%s is record %s, place %d", last, numberOf(last), indexOf(last))
	}
	if _, err := sequenceOf("98079714615416886934934209737619787751599303819750539264", 0); err == nil {
		t.Error("a number of 187 bits was taken")
	}
}
