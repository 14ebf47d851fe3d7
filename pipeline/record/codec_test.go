package record_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/schema"
)

var golden = flag.Bool("golden", false, "write the golden files of the present version")

// goldenFile is the content of testdata/golden/name, which with -golden is data from now on.
func goldenFile(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *golden {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func sampleRaw() *record.Raw {
	return &record.Raw{
		Tenant: "acme", SchemaVersion: 300, ArrivedAt: 1_790_000_000_123_456, Receipt: "01J9ZC4Q6Y", Metric: "thermostat", Namespace: "",
		Events:  [][]byte{[]byte(`{"a":1}`), []byte("{\n \"b\": \"é\"\n}"), []byte(`{"c": [1.0, {"x":null}]}`)},
		Indexes: []uint32{0, 2, 499},
	}
}

func TestRaw(t *testing.T) {
	t.Parallel()
	want := sampleRaw()
	data := record.AppendRaw([]byte("before"), want)[len("before"):]
	if !bytes.Equal(data, goldenFile(t, "raw-1.bin", data)) {
		t.Error("the bytes are not those of version 1")
	}
	into := record.Raw{Tenant: "other", Namespace: "n", Events: make([][]byte, 7), Indexes: make([]uint32, 7)}
	for range 2 {
		if err := record.DecodeRaw(data, &into); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(&into, want) {
			t.Errorf("decoded %+v, want %+v", into, *want)
		}
	}
	for n := range data {
		if err := record.DecodeRaw(data[:n], &into); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("the first %d bytes: %v, want ErrCorrupt", n, err)
		}
	}
	if err := record.DecodeRaw(append([]byte{2}, data[1:]...), &into); !errors.Is(err, record.ErrVersion) {
		t.Errorf("version 2: %v, want ErrVersion", err)
	}
}

// sampleEvents are events of several datasets and shapes with every kind of value.
func sampleEvents(tb testing.TB) []schema.Event {
	tb.Helper()
	var events []schema.Event
	for i, c := range []struct {
		dataset schema.Dataset
		time    int64
		event   string
	}{
		{schema.Dataset{Tenant: "acme", Metric: "thermostat"}, 1_790_000_000_000_000, `{"a":1,"b":-1.5,"c":true,"d":"é","e":[1,2]}`},
		{schema.Dataset{Tenant: "acme", Metric: "thermostat"}, 1_790_000_000_000_001, `{"a":-9223372036854775808,"b":0.5,"c":false,"d":"","e":[]}`},
		{schema.Dataset{Tenant: "acme", Metric: "thermostat", Generation: 3}, 1_789_999_999_999_999, `{"a":9223372036854775807}`},
		{schema.Dataset{Tenant: "globex", Namespace: "again", Metric: "m"}, record.MinTime, `{"_id":"own","a":"text","f":-0.0}`},
		{schema.Dataset{Tenant: "acme", Metric: "thermostat"}, record.MaxTime, `{}`},
		{schema.Dataset{Tenant: "acme", Metric: "thermostat"}, 0, `{"a":2,"b":1.5,"c":true,"d":"x","e":{}}`},
	} {
		values := flattened(tb, c.event)
		id, hash := record.Identify(values, true, "", 0)
		events = append(events, schema.Event{
			Dataset: c.dataset, Time: c.time, ReceivedAt: 1_790_000_000_000_000 + int64(i), ID: id, Hash: hash, Values: values,
		})
	}
	return events
}

func equalEvents(a, b *schema.Event) bool {
	if a.Dataset != b.Dataset || a.Time != b.Time || a.ReceivedAt != b.ReceivedAt || a.ID != b.ID || a.Hash != b.Hash || len(a.Values) != len(b.Values) {
		return false
	}
	for i := range a.Values {
		v, w := &a.Values[i], &b.Values[i]
		if v.Name != w.Name || v.Kind != w.Kind || v.Int != w.Int || math.Float64bits(v.Num) != math.Float64bits(w.Num) || !bytes.Equal(v.Text, w.Text) {
			return false
		}
	}
	return true
}

func TestStaged(t *testing.T) {
	t.Parallel()
	events := sampleEvents(t)
	var s record.StagedEncoder
	var data []byte
	for range 2 {
		s.Reset()
		for i := range events {
			s.Add(&events[i])
		}
		data = s.Bytes()
		if s.Len() != len(events) || s.Size() < len(data)*8/10 || s.Size() > len(data)*2 {
			t.Errorf("%d events of about %d bytes, want %d of %d", s.Len(), s.Size(), len(events), len(data))
		}
	}
	if !bytes.Equal(data, goldenFile(t, "staged-2.bin", data)) {
		t.Error("the bytes are not those of version 2")
	}
	first, err := os.ReadFile("testdata/golden/staged-1.bin")
	if err != nil {
		t.Fatal(err)
	}
	var d record.StagedDecoder
	for _, data := range [][]byte{data, first, first, data} {
		n := 0
		err := d.Decode(data, func(index uint32, e *schema.Event) bool {
			if int(index) != n || !equalEvents(e, &events[n]) {
				t.Errorf("event %d is number %d: %+v, want %+v", n, index, e, events[n])
			}
			n++
			return true
		})
		if err != nil || n != len(events) {
			t.Fatalf("decoded %d of %d events: %v", n, len(events), err)
		}
	}
	n := 0
	if err := d.Decode(data, func(uint32, *schema.Event) bool { n++; return n < 3 }); err != nil || n != 3 {
		t.Errorf("stopped after %d events: %v, want after 3", n, err)
	}
	for _, data := range [][]byte{data, first} {
		for n := range data {
			err := record.DecodeStaged(data[:n], func(uint32, *schema.Event) bool { return true })
			if !errors.Is(err, record.ErrCorrupt) {
				t.Errorf("the first %d bytes of version %d: %v, want ErrCorrupt", n, data[0], err)
			}
		}
	}
	for _, head := range [][]byte{{3, 0}, {1, 1}, {2, 1}} {
		err := record.DecodeStaged(append(head, data[2:]...), func(uint32, *schema.Event) bool { return true })
		if !errors.Is(err, record.ErrVersion) {
			t.Errorf("head %v: %v, want ErrVersion", head, err)
		}
	}
}

// A record of many shapes, such as 500 devices that send different things.
func TestStagedShapes(t *testing.T) {
	t.Parallel()
	var s record.StagedEncoder
	var events []schema.Event
	for i := range 500 {
		events = append(events, schema.Event{
			Dataset: schema.Dataset{Tenant: "acme", Metric: fmt.Sprint("m", i%7)}, Time: int64(i),
			Values: flattened(t, fmt.Sprintf(`{"a%d":1,"b%d":"x","c":%d}`, i, i%50, i)),
		})
		s.Add(&events[i])
	}
	n := 0
	err := record.DecodeStaged(s.Bytes(), func(_ uint32, e *schema.Event) bool {
		if !equalEvents(e, &events[n]) {
			t.Errorf("event %d: %+v, want %+v", n, e, events[n])
		}
		n++
		return true
	})
	if err != nil || n != len(events) {
		t.Errorf("decoded %d of %d events: %v", n, len(events), err)
	}
}

func TestAppendEvent(t *testing.T) {
	t.Parallel()
	const event = `{"_id":"x","a":{"b":1,"c":-1.5},"d":[1.0,"\u001f"],"e":{},"f":"\"\\\né","g":false,"h":20.0,"i":1e300,"j":-0.0,"k":1e-7,"l":5e20}`
	const want = `{"_id":"x","a.b":1,"a.c":-1.5,"d":[1.0,"\u001f"],"e":{},"f":"\"\\\né","g":false,"h":20.0,"i":1e+300,"j":-0.0,"k":1e-07,"l":500000000000000000000.0}`
	values := flattened(t, event)
	text := record.AppendEvent(nil, values)
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if again := flattened(t, string(text)); printed(again) != printed(values) {
		t.Errorf("flattened again:\n%swant\n%s", printed(again), printed(values))
	}
}

func TestNewError(t *testing.T) {
	t.Parallel()
	failure := record.Failure{
		Dataset: schema.ErrorDataset("acme"), Stage: "raw", Kind: record.KindMalformed, Reason: "metric missing", Event: []byte(`{"a":1}`),
		Receipt: "01J9ZC4Q6Y", Index: 7, ReceivedAt: 1_790_000_000_000_000, HandledAt: 1_790_000_001_000_001,
	}
	row := record.NewError(&failure)
	if row.Dataset != schema.ErrorDataset("acme") || row.Time != failure.ReceivedAt || row.ReceivedAt != failure.ReceivedAt {
		t.Errorf("row %+v", row)
	}
	const want = `event s "{\"a\":1}"
event_bytes s "eyJhIjoxfQ=="
handled_at s "2026-09-21T14:13:21.000001Z"
index i 7
kind s "malformed"
reason s "metric missing"
receipt s "01J9ZC4Q6Y"
stage s "raw"
`
	if got := printed(row.Values); got != want {
		t.Errorf("values\n%swant\n%s", got, want)
	}
	if row.ID.String() != "2723aa401394d7d652ff21c3f273b82e" {
		t.Errorf("id %s is not that of the first version", row.ID)
	}
	again := failure
	again.HandledAt++
	again.Reason = "worded otherwise"
	if second := record.NewError(&again); second.ID != row.ID || second.Hash != row.Hash {
		t.Error("the second handling gives another row")
	}
	for name, change := range map[string]func(*record.Failure){
		"index":   func(f *record.Failure) { f.Index++ },
		"receipt": func(f *record.Failure) { f.Receipt = "other" },
		"stage":   func(f *record.Failure) { f.Stage = "batch" },
		"kind":    func(f *record.Failure) { f.Kind = record.KindCommit },
		"metric":  func(f *record.Failure) { f.Metric = "m" },
		"event":   func(f *record.Failure) { f.Event = []byte(`{"a":2}`) },
	} {
		other := failure
		change(&other)
		if record.NewError(&other).ID == row.ID {
			t.Errorf("another %s gives the same row", name)
		}
	}
	bare := record.NewError(&record.Failure{Dataset: schema.ErrorDataset("acme"), Stage: "staging", Kind: record.KindConflict, Event: []byte("\xff"), Metric: "m"})
	const wantBare = `event_bytes s "/w=="
handled_at s "1970-01-01T00:00:00.000000Z"
kind s "conflict"
metric s "m"
reason s ""
stage s "staging"
`
	if got := printed(bare.Values); got != wantBare {
		t.Errorf("values\n%swant\n%s", got, wantBare)
	}
}

func TestCheckPattern(t *testing.T) {
	t.Parallel()
	for _, known := range []string{
		"RFC3339", "ISO_DATE_TIME", "ISO_OFFSET_DATE_TIME", "ISO_ZONED_DATE_TIME", "ISO_INSTANT", "RFC_1123_DATE_TIME",
		"UNIX_S", "UNIX_MS", "UNIX_US", "UNIX_NS", "uuuu-MM-dd HH:mm:ss.SSS zzz",
	} {
		if err := record.CheckPattern(known); err != nil {
			t.Errorf("%s: %v", known, err)
		}
	}
	for _, unknown := range []string{"", "rfc3339", "HH:mm"} {
		if err := record.CheckPattern(unknown); err == nil {
			t.Errorf("%q is taken for a pattern", unknown)
		}
	}
}
