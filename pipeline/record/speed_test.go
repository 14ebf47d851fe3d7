package record_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// plainEvents are events as devices send them, of about 300 bytes and twelve fields.
func plainEvents(n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	events := make([][]byte, n)
	for i := range events {
		events[i] = fmt.Appendf(nil, `{"metrictype":"thermostat","timestamp":%d,"device":"dev-%06d","temp":%.2f,"humidity":%.1f,"battery":%d,`+
			`"online":true,"firmware":"v4.12.%d","site":"building-%02d/floor-%d/room-%03d","rssi":-%d,"mode":"cooling","error":null,`+
			`"geo":{"lat":%.5f,"lon":%.5f},"note":"periodic report of the quarter hour"}`,
			1_790_000_000_000+int64(i)*10, r.IntN(1000), 15+10*r.Float64(), 40+20*r.Float64(), r.IntN(100),
			r.IntN(9), r.IntN(20), r.IntN(9), r.IntN(400), 40+r.IntN(50), 40+r.Float64(), -100+r.Float64())
	}
	return events
}

func plainSnapshot() *schema.Snapshot { return &schema.Snapshot{Tenant: "acme", Version: 3} }

func BenchmarkSplit(b *testing.B) {
	body := bytes.Join(plainEvents(100), []byte("\n"))
	var s record.Splitter
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Split(body, record.StreamingLimits()); err != nil || len(s.Events) != 100 {
			b.Fatal(err, len(s.Events))
		}
	}
}

func BenchmarkFlatten(b *testing.B) {
	events := plainEvents(100)
	var f record.Flattener
	var values []schema.Value
	b.SetBytes(int64(len(events[0])))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		var err error
		if values, err = f.Flatten(values[:0], events[i%100]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIdentify(b *testing.B) {
	values, err := record.Flatten(nil, plainEvents(1)[0])
	if err != nil {
		b.Fatal(err)
	}
	var d record.Identifier
	b.ReportAllocs()
	for b.Loop() {
		d.Identify(values, true, "r", 0)
	}
}

func BenchmarkBind(b *testing.B) {
	values, err := record.Flatten(nil, plainEvents(1)[0])
	if err != nil {
		b.Fatal(err)
	}
	binder := record.NewBinder(plainSnapshot())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := binder.Bind(values, "", 0); err != nil {
			b.Fatal(err)
		}
	}
}

func stagedEvents(tb testing.TB, n int) []schema.Event {
	binder := record.NewBinder(plainSnapshot())
	events := make([]schema.Event, n)
	var f record.Flattener // one for all, so that they share their names
	for i, text := range plainEvents(n) {
		values, err := f.Flatten(nil, text)
		if err != nil {
			tb.Fatal(err)
		}
		bound, err := binder.Bind(values, "", 0)
		if err != nil {
			tb.Fatal(err)
		}
		id, hash := record.Identify(values, bound.OwnTime, "r", uint32(i))
		events[i] = schema.Event{Dataset: bound.Dataset, Time: bound.Time, ReceivedAt: 1_790_000_000_000_000, ID: id, Hash: hash, Values: values}
	}
	return events
}

func BenchmarkStagedEncode(b *testing.B) {
	events := stagedEvents(b, 100)
	var s record.StagedEncoder
	b.ReportAllocs()
	for b.Loop() {
		s.Reset()
		for i := range events {
			s.Add(&events[i])
		}
		s.Bytes()
	}
	b.ReportMetric(float64(b.N)*100/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkStagedDecode(b *testing.B) {
	events := stagedEvents(b, 100)
	var s record.StagedEncoder
	for i := range events {
		s.Add(&events[i])
	}
	data := s.Bytes()
	var d record.StagedDecoder
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode(data, func(uint32, *schema.Event) bool { return true }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*100/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(len(data))/100, "B/event")
}

func BenchmarkRawArchive(b *testing.B) {
	w, err := record.NewRawWriter()
	if err != nil {
		b.Fatal(err)
	}
	const perRecord = 100
	events := plainEvents(20_000)
	indexes := make([]uint32, perRecord)
	for i := range indexes {
		indexes[i] = uint32(i)
	}
	var object []byte
	b.ReportAllocs()
	for b.Loop() {
		for i := 0; i < len(events); i += perRecord {
			r := record.Raw{
				Tenant: "acme", SchemaVersion: 3, ArrivedAt: 1_790_000_000_000_000 + int64(i), Receipt: fmt.Sprint("receipt-", i),
				Events: events[i : i+perRecord], Indexes: indexes,
			}
			w.Add(0, stream.SequenceOf(uint64(i+1)), &r)
		}
		object = w.Finish()
	}
	b.ReportMetric(float64(b.N)*float64(len(events))/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(len(object))/float64(len(events)), "B/event")
}
