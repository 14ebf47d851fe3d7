package record_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/avro/ocf"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

type placed struct {
	pos   stream.Position
	event schema.Event
}

// samplePlaced are two events a record.
func samplePlaced(tb testing.TB) []placed {
	var all []placed
	for i, e := range sampleEvents(tb) {
		seq := stream.SequenceOf(uint64(10 + i/2))
		if i >= 4 {
			seq = stream.Sequence{1, 2, 3} // as long as Kinesis has them
		}
		all = append(all, placed{stream.Position{Shard: 3, Seq: seq, Index: uint32(i % 2)}, e})
	}
	return all
}

func stagedObject(tb testing.TB, w *record.StagedWriter, all []placed) ([]byte, record.Summary) {
	tb.Helper()
	var s record.StagedEncoder
	for i := range all {
		s.Add(&all[i].event)
		if i+1 < len(all) && all[i+1].pos.Index > 0 {
			continue
		}
		if err := w.Add(all[i].pos.Shard, all[i].pos.Seq, s.Bytes()); err != nil {
			tb.Fatal(err)
		}
		s.Reset()
	}
	if w.Len() != int64(len(all)) {
		tb.Errorf("%d events, want %d", w.Len(), len(all))
	}
	object, summary, err := w.Finish()
	if err != nil {
		tb.Fatal(err)
	}
	return object, summary
}

func checkStaged(t *testing.T, object []byte, want []placed) record.Summary {
	t.Helper()
	r, err := record.NewStagedReader(bytes.NewReader(object))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 0
	err = r.Read(func(pos stream.Position, e *schema.Event) bool {
		if pos != want[n].pos || !equalEvents(e, &want[n].event) {
			t.Errorf("event %d at %s: %+v, want %+v", n, pos, e, want[n])
		}
		n++
		return n < len(want)
	})
	if err != nil || n != len(want) {
		t.Errorf("read %d of %d events: %v", n, len(want), err)
	}
	return r.Summary()
}

func TestStagedArchive(t *testing.T) {
	t.Parallel()
	w, err := record.NewStagedWriter()
	if err != nil {
		t.Fatal(err)
	}
	all := samplePlaced(t)
	object, summary := stagedObject(t, w, all)
	again, _ := stagedObject(t, w, all)
	if !bytes.Equal(object, again) {
		t.Error("the same events give other bytes")
	}
	if got := checkStaged(t, object, all); fmt.Sprint(got) != fmt.Sprint(summary) {
		t.Errorf("summary %+v, want %+v", got, summary)
	}
	checkStaged(t, goldenFile(t, "staged-2-text.avro", object), all)
	_, about, _ := bytes.Cut(object, []byte("fieldgate.summary"))
	if size, n := binary.Varint(about); size < 100 || !utf8.Valid(about[n:n+int(size)]) {
		t.Errorf("metadata that is no text: %q", about[n:n+int(size)])
	}
	earlier, err := os.ReadFile("testdata/golden/staged-2.avro") // with a summary in bytes
	if err != nil {
		t.Fatal(err)
	}
	if got := checkStaged(t, earlier, all); fmt.Sprint(got) != fmt.Sprint(summary) {
		t.Errorf("summary of an earlier object %+v, want %+v", got, summary)
	}
	if summary.Events != 6 || len(summary.Datasets) != 3 {
		t.Fatalf("summary %+v", summary)
	}
	first := summary.Datasets[0]
	if first.Dataset != all[0].event.Dataset || first.Events != 4 || first.Bytes < 200 ||
		first.MinTime != 0 || first.MaxTime != record.MaxTime || first.OldestReceivedAt != all[0].event.ReceivedAt {
		t.Errorf("summary of the first dataset %+v", first)
	}
	for n := range object {
		if r, err := record.NewStagedReader(bytes.NewReader(object[:n])); err == nil {
			if err = r.Read(func(stream.Position, *schema.Event) bool { return true }); err == nil {
				t.Errorf("the first %d of %d bytes read well", n, len(object))
			}
			r.Close()
		}
	}
}

// The first format had a record an event, with any index.
func TestStagedArchiveFirstFormat(t *testing.T) {
	t.Parallel()
	object, err := os.ReadFile("testdata/golden/staged-1.avro")
	if err != nil {
		t.Fatal(err)
	}
	all := samplePlaced(t)
	for i := range all {
		all[i].pos.Index = uint32(i)
	}
	if summary := checkStaged(t, object, all); summary.Events != 6 || len(summary.Datasets) != 3 {
		t.Errorf("summary %+v", summary)
	}
}

// A record of the first version that is still in the log is archived like others.
func TestStagedArchiveFirstVersion(t *testing.T) {
	t.Parallel()
	w, err := record.NewStagedWriter()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("testdata/golden/staged-1.bin")
	if err != nil {
		t.Fatal(err)
	}
	var want []placed
	for i, e := range sampleEvents(t) {
		want = append(want, placed{stream.Position{Shard: 1, Seq: stream.SequenceOf(7), Index: uint32(i)}, e})
	}
	if err := w.Add(1, stream.SequenceOf(7), data); err != nil {
		t.Fatal(err)
	}
	object, _, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	checkStaged(t, object, want)
}

// What is no staged record is refused, and the object goes on without it.
func TestStagedArchiveRefuses(t *testing.T) {
	t.Parallel()
	w, err := record.NewStagedWriter()
	if err != nil {
		t.Fatal(err)
	}
	var s record.StagedEncoder
	for _, e := range sampleEvents(t) {
		s.Add(&e)
	}
	for _, c := range []struct {
		data []byte
		want error
	}{{nil, record.ErrCorrupt}, {[]byte{9, 0}, record.ErrVersion}, {[]byte{1, 1}, record.ErrVersion}, {s.Bytes()[:30], record.ErrCorrupt}, {[]byte{1, 0, 5}, record.ErrCorrupt}} {
		if err := w.Add(0, stream.SequenceOf(1), c.data); !errors.Is(err, c.want) {
			t.Errorf("%x: %v, want %v", c.data, err, c.want)
		}
	}
	all := samplePlaced(t)
	object, _ := stagedObject(t, w, all)
	checkStaged(t, object, all)
}

func TestStagedArchiveEmpty(t *testing.T) {
	t.Parallel()
	w, err := record.NewStagedWriter()
	if err != nil {
		t.Fatal(err)
	}
	object, _, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	r, err := record.NewStagedReader(bytes.NewReader(object))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Read(func(stream.Position, *schema.Event) bool { t.Error("an event"); return false }); err != nil || r.Summary().Events != 0 {
		t.Errorf("read: %v, summary %+v", err, r.Summary())
	}
}

// Other Avro tools read the files too: here the library's own decoder, which goes by the schema in the header.
func TestStagedArchiveElsewhere(t *testing.T) {
	t.Parallel()
	w, err := record.NewStagedWriter()
	if err != nil {
		t.Fatal(err)
	}
	all := samplePlaced(t)
	object, _ := stagedObject(t, w, all)
	r, err := ocf.NewReader(bytes.NewReader(object))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	type list = []any
	type members = map[string]any
	for n := 0; n < len(all); {
		var got members
		if err := r.Decode(&got); err != nil {
			t.Fatal(err)
		}
		at := int64(0)
		for _, one := range got["events"].(list) {
			event, e := one.(members), &all[n].event
			at += event["ts"].(int64)
			dataset := got["datasets"].(list)[event["dataset"].(int32)].(members)
			if dataset["metric"] != e.Dataset.Metric || got["sequence"] != all[n].pos.Seq.String() || at != e.Time {
				t.Errorf("event %d: %v of %v at %d", n, event, dataset, at)
			}
			shape, values := got["shapes"].(list)[event["shape"].(int32)].(list), event["values"].(list)
			if len(shape) != len(e.Values) || len(values) != len(e.Values) {
				t.Fatalf("event %d: values %v of %v", n, values, shape)
			}
			for i, v := range e.Values {
				name := got["names"].(list)[shape[i].(int32)]
				if got, want := values[i], elsewhere(&v); name != v.Name || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("event %d: %s is %v, want %s, %v", n, name, got, v.Name, want)
				}
			}
			n++
		}
	}
	if err := r.Decode(new(members)); !errors.Is(err, io.EOF) {
		t.Errorf("after the last record: %v", err)
	}
}

// elsewhere is a value as the library decodes it.
func elsewhere(v *schema.Value) any {
	switch v.Kind {
	case schema.KindInt:
		return v.Int
	case schema.KindNumber:
		return v.Num
	case schema.KindBool:
		return v.Int != 0
	case schema.KindText:
		return string(v.Text)
	default:
		return map[string]any{"json": string(v.Text)}
	}
}

func TestStagedArchiveFull(t *testing.T) {
	t.Parallel()
	w, err := record.NewStagedWriter()
	if err != nil {
		t.Fatal(err)
	}
	name := bytes.Repeat([]byte("m"), record.MaxMetricBytes-6)
	events := 0
	add := func(count int) {
		var s record.StagedEncoder
		for range count {
			s.Add(&schema.Event{Dataset: schema.Dataset{Tenant: "acme", Metric: fmt.Sprintf("%s%06d", name, events)}})
			events++
		}
		if err := w.Add(0, stream.SequenceOf(uint64(events)), s.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	for !w.Full() {
		add(1)
	}
	add(500) // as many as the last record may bring
	_, summary, err := w.Finish()
	if err != nil || len(summary.Datasets) != events {
		t.Errorf("%d of %d datasets: %v", len(summary.Datasets), events, err)
	}
}

func TestRawArchive(t *testing.T) {
	t.Parallel()
	w, err := record.NewRawWriter()
	if err != nil {
		t.Fatal(err)
	}
	other := sampleRaw()
	other.Tenant, other.Namespace, other.Receipt = `"glo\bex"`, "again", "r\u2028"
	records := []*record.Raw{sampleRaw(), sampleRaw(), other}
	var object []byte
	for range 2 {
		for i, r := range records {
			w.Add(5, stream.Sequence{0, 7, uint64(i)}, r)
		}
		if w.Len() != 9 {
			t.Errorf("%d events, want 9", w.Len())
		}
		object = w.Finish()
	}
	for _, data := range [][]byte{object, goldenFile(t, "raw-1.ndjson.zst", object)} {
		r, err := record.NewRawReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for i, want := range records {
			shard, seq, got, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if shard != 5 || seq != (stream.Sequence{0, 7, uint64(i)}) || !reflect.DeepEqual(got, want) {
				t.Errorf("record %d at %d/%s: %+v, want %+v", i, shard, seq, got, want)
			}
		}
		if _, _, _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("after the last record: %v", err)
		}
	}
	r, err := record.NewRawReader(bytes.NewReader(object[:len(object)-5]))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for err == nil {
		_, _, _, err = r.Next()
	}
	if !errors.Is(err, record.ErrCorrupt) {
		t.Errorf("a cut object: %v, want ErrCorrupt", err)
	}
}

// An object of several frames reads as one, here and by any zstd; an event may be larger than a frame.
func TestRawArchiveFrames(t *testing.T) {
	t.Parallel()
	w, err := record.NewRawWriter()
	if err != nil {
		t.Fatal(err)
	}
	large := fmt.Appendf(nil, `{"text":%q}`, bytes.Repeat([]byte("x"), 1<<20-20))
	want := 0
	for seq := range 5 {
		r := record.Raw{Tenant: "acme", Events: plainEvents(1000)}
		if seq == 3 {
			r.Events = append(r.Events, large)
		}
		for i := range r.Events {
			r.Indexes = append(r.Indexes, uint32(i))
		}
		w.Add(0, stream.SequenceOf(uint64(seq)), &r)
		want += len(r.Events)
	}
	object := w.Finish()
	d, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	text, err := d.DecodeAll(object, nil)
	if err != nil || bytes.Count(text, []byte("\n")) != want {
		t.Errorf("%d lines, %v, want %d", bytes.Count(text, []byte("\n")), err, want)
	}
	r, err := record.NewRawReader(bytes.NewReader(object))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for seq := range 5 {
		_, at, raw, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range plainEvents(1000) {
			if !bytes.Equal(raw.Events[i], e) {
				t.Fatalf("event %d of record %d is %s", i, seq, raw.Events[i])
			}
		}
		if at != stream.SequenceOf(uint64(seq)) || seq == 3 && !bytes.Equal(raw.Events[1000], large) {
			t.Errorf("record %d at %s, with %d events", seq, at, len(raw.Events))
		}
	}
}

func TestObjectKey(t *testing.T) {
	t.Parallel()
	hour := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	object := record.Object{Stage: record.StageStaged, Hour: hour, Shard: 3, After: stream.SequenceOf(9), Through: stream.SequenceOf(10)}
	const want = "archive/staged/2026/11/23/10/00000000000000000003-0000000000000000000000000000000000000000000000000000000009" +
		"-0000000000000000000000000000000000000000000000000000000010.avro"
	if got := record.ObjectKey(object); got != want {
		t.Errorf("key %s\nwant %s", got, want)
	}
	later := object
	later.Hour = hour.Add(59*time.Minute + time.Second)
	if got := record.ObjectKey(later); got != want {
		t.Errorf("key within the hour %s\nwant %s", got, want)
	}
	widest := record.Object{
		Stage: record.StageRaw, Hour: hour, Shard: math.MaxUint64, After: stream.Sequence{1, 0, 0},
		Through: stream.Sequence{math.MaxUint64, math.MaxUint64, math.MaxUint64},
	}
	for _, o := range []record.Object{object, widest, {Stage: record.StageErrors, Hour: hour, Through: stream.SequenceOf(1)}} {
		got, err := record.ParseObjectKey(record.ObjectKey(o))
		if err != nil || got != o {
			t.Errorf("parsed %+v, %v, want %+v", got, err, o)
		}
	}
	inOrder := []string{
		record.ObjectKey(object),
		record.ObjectKey(record.Object{Stage: record.StageStaged, Hour: hour, Shard: 3, After: stream.SequenceOf(10), Through: stream.SequenceOf(200)}),
		record.ObjectKey(record.Object{Stage: record.StageStaged, Hour: hour, Shard: 20, After: stream.SequenceOf(1), Through: stream.SequenceOf(2)}),
		record.ObjectKey(record.Object{Stage: record.StageStaged, Hour: hour.Add(time.Hour), Shard: 0, Through: stream.SequenceOf(2)}),
	}
	if !slices.IsSorted(inOrder) {
		t.Errorf("keys out of order: %q", inOrder)
	}
	for _, key := range []string{
		"", "archive/", "archive/staged/2026/11/23/10", "archive/other" + want[len("archive/staged"):], want[:len(want)-1], want + "x", "x" + want,
		want[:len(want)-7] + "09.avro", "archive/staged/2026/13/23/10" + want[len("archive/staged/2026/11/23/10"):],
		"archive/staged/2026/11/23/10/3-9-10.avro",
	} {
		if got, err := record.ParseObjectKey(key); err == nil {
			t.Errorf("parsed %q as %+v", key, got)
		}
	}
}

func BenchmarkStagedArchive(b *testing.B) {
	events := stagedEvents(b, 1000)
	w, err := record.NewStagedWriter()
	if err != nil {
		b.Fatal(err)
	}
	var s record.StagedEncoder
	for i := range events {
		s.Add(&events[i])
	}
	fill := func() []byte {
		if err := w.Add(0, stream.SequenceOf(1), s.Bytes()); err != nil {
			b.Fatal(err)
		}
		object, _, err := w.Finish()
		if err != nil {
			b.Fatal(err)
		}
		return object
	}
	object := fill()
	rate := func(b *testing.B) {
		b.ReportMetric(float64(b.N)*float64(len(events))/b.Elapsed().Seconds(), "events/s")
		b.ReportMetric(float64(len(object))/float64(len(events)), "B/event")
	}
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			fill()
		}
		rate(b)
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, err := record.NewStagedReader(bytes.NewReader(object))
			if err != nil {
				b.Fatal(err)
			}
			if err := r.Read(func(stream.Position, *schema.Event) bool { return true }); err != nil {
				b.Fatal(err)
			}
			r.Close()
		}
		rate(b)
	})
	b.Run("read by library", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, err := ocf.NewReader(bytes.NewReader(object))
			if err != nil {
				b.Fatal(err)
			}
			var batch map[string]any
			if err := r.Decode(&batch); err != nil {
				b.Fatal(err)
			}
			if err := r.Close(); err != nil {
				b.Fatal(err)
			}
		}
		rate(b)
	})
}
