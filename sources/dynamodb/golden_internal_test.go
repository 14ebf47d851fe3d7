package dynamodb

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

var rewrite = flag.Bool("rewrite", false, "write the golden file anew")

// goldenRows are rows with every kind, at the borders of what a value can be.
func goldenRows() []readRow {
	ds := schema.Dataset{Tenant: "acme", Metric: "power#meter", Generation: 3}
	id := func(n byte) (id schema.ID) { return schema.ID(bytes.Repeat([]byte{n}, len(id))) }
	return []readRow{
		{event: schema.Event{Dataset: ds, Time: 0, ReceivedAt: 0, ID: id(1), Hash: id(1)}},
		{
			event: schema.Event{Dataset: ds, Time: 1795132800000000, ReceivedAt: 1795132800120000, ID: id(2), Hash: id(3), Values: []schema.Value{
				{Name: "a", Kind: schema.KindInt, Int: math.MinInt64},
				{Name: "b", Kind: schema.KindNumber, Num: -0.5},
				{Name: "c.d", Kind: schema.KindBool, Int: 1},
				{Name: "größe", Kind: schema.KindText, Text: []byte("30 °C")},
				{Name: "list", Kind: schema.KindJSON, Text: []byte(`[1,"x"]`)},
				{Name: "none", Kind: schema.KindText, Text: []byte{}},
			}},
			at: stream.Position{Shard: 7, Seq: stream.Sequence{1, 2, math.MaxUint64}, Index: 499},
		},
		{
			event: schema.Event{Dataset: ds, Time: -62135596800000000, ReceivedAt: 1795132800000000, ID: id(255), Hash: id(255), Values: []schema.Value{
				{Name: "n", Kind: schema.KindInt, Int: 42},
			}},
			at: stream.Position{Shard: math.MaxUint64, Seq: stream.SequenceOf(1), Index: math.MaxUint32},
		},
	}
}

// TestGoldenRows holds keys and values of rows to what the first version wrote.
func TestGoldenRows(t *testing.T) {
	t.Parallel()
	path := filepath.Join("testdata", "rows1.tsv")
	var lines []string
	for _, r := range goldenRows() {
		key := datasetKey(&r.event.Dataset)
		lines = append(lines, fmt.Sprintf("%x\t%x\t%x\t%x\n", bucketPartition(key, bucketOf(&r.event.ID, 3)),
			rowKey(&r.event, &r.at), hourKey(hourOf(r.event.Time), r.at.Shard, 3), appendRow(nil, &r.event)))
	}
	text := strings.Join(lines, "")
	if *rewrite {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(golden) != text {
		t.Errorf("rows are written as\n%s\nwant\n%s", text, golden)
	}
	var d rowDecoder
	for i, want := range goldenRows() {
		fields := strings.Split(strings.Split(string(golden), "\n")[i], "\t")
		var got readRow
		got.event.Dataset = want.event.Dataset
		if err := parseRowKey(fromHex(t, fields[1]), &got.event, &got.at); err != nil {
			t.Fatal(err)
		}
		if err := d.decode(fromHex(t, fields[3]), &got.event); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("row %d is read as\n%+v\nwant\n%+v", i, got, want)
		}
		hour, shard, bits, err := parseHourKey(fromHex(t, fields[2]))
		if err != nil || hour != hourOf(want.event.Time) || shard != want.at.Shard || bits != 3 {
			t.Errorf("entry %d is read as hour %d of shard %d with %d bits, error %v", i, hour, shard, bits, err)
		}
	}
	ds := goldenRows()[0].event.Dataset
	ds.Namespace = "replay#1"
	if back, err := parseDatasetKey(datasetKey(&ds)); err != nil || back != ds {
		t.Errorf("dataset %+v is read as %+v, error %v", ds, back, err)
	}
}

func fromHex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDamagedRows: no prefix of a value, and no value with a byte more, is read.
func TestDamagedRows(t *testing.T) {
	t.Parallel()
	whole := appendRow(nil, &goldenRows()[1].event)
	for n := range len(whole) {
		var e schema.Event
		if err := new(rowDecoder).decode(whole[:n], &e); err == nil {
			t.Errorf("%d of %d bytes were read", n, len(whole))
		}
	}
	if err := new(rowDecoder).decode(append(whole, 0), &schema.Event{}); err == nil {
		t.Error("a byte too many was read")
	}
}

// FuzzRow: no value makes the decoder panic.
func FuzzRow(f *testing.F) {
	for _, r := range goldenRows() {
		f.Add(appendRow(nil, &r.event))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		var e schema.Event
		if err := new(rowDecoder).decode(value, &e); err == nil && len(e.Values) > len(value) {
			t.Errorf("%d values from %d bytes", len(e.Values), len(value))
		}
	})
}

// TestWeeks: every time lies in the ISO week that the standard library says.
func TestWeeks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		time string
		want string
	}{
		{"1969-12-28T23:59:59.999999Z", "1969-W52"},
		{"1969-12-29T00:00:00Z", "1970-W01"},
		{"1970-01-01T00:00:00Z", "1970-W01"},
		{"2020-12-31T23:59:59.999999Z", "2020-W53"},
		{"2021-01-03T23:59:59.999999Z", "2020-W53"},
		{"2021-01-04T00:00:00Z", "2021-W01"},
		{"2024-12-29T23:59:59.999999Z", "2024-W52"},
		{"2024-12-30T00:00:00Z", "2025-W01"},
		{"2026-11-22T23:59:59.999999Z", "2026-W47"},
		{"2026-11-23T00:00:00Z", "2026-W48"},
		{"2027-01-01T00:00:00Z", "2026-W53"},
		{"2099-12-31T23:59:59Z", "2099-W53"},
		{"0001-01-01T00:00:00Z", "0001-W01"},
	} {
		at := parse(t, c.time)
		w := weekOf(at)
		if w.String() != c.want {
			t.Errorf("%s is in week %s, want %s", c.time, w, c.want)
		}
		if !w.bounds().Contains(at) {
			t.Errorf("%s is not within the bounds of its week", c.time)
		}
		for _, p := range []place{{}, {isLate: true}} {
			if entry := p.entryBounds(p.hourOf(at)); !entry.Contains(at) || p.isLate && entry != w.bounds() {
				t.Errorf("%s is not within its entry, %v", c.time, entry)
			}
		}
	}
	if least, most := weekOf(math.MinInt64), weekOf(math.MaxInt64); least >= 0 || most <= 0 {
		t.Errorf("the least and the greatest time are in weeks %d and %d", least, most)
	}
}

// TestWithout takes ranges from ranges.
func TestWithout(t *testing.T) {
	t.Parallel()
	b := func(from, to int64) sources.Bounds { return sources.Bounds{Min: from, Max: to} }
	for _, c := range []struct {
		of     sources.Bounds
		others []sources.Bounds
		want   []sources.Bounds
	}{
		{b(1, 9), nil, []sources.Bounds{b(1, 9)}},
		{b(1, 9), []sources.Bounds{b(1, 9)}, []sources.Bounds{}},
		{b(1, 9), []sources.Bounds{b(3, 4), b(8, 20)}, []sources.Bounds{b(1, 2), b(5, 7)}},
		{b(1, 9), []sources.Bounds{b(0, 0), b(10, 12)}, []sources.Bounds{b(1, 9)}},
		{b(math.MinInt64, math.MaxInt64), []sources.Bounds{b(math.MinInt64, 5)}, []sources.Bounds{b(6, math.MaxInt64)}},
		{b(2, 1), nil, []sources.Bounds{}},
	} {
		if got := without(c.of, c.others); !slices.Equal(got, c.want) {
			t.Errorf("%v without %v is %v, want %v", c.of, c.others, got, c.want)
		}
	}
}
