package nearline_test

import (
	"fmt"
	"testing"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/nearline"
	"github.com/fieldgate/fieldgate/sources/nearline/nearlinetest"
)

// BenchmarkWrite writes 2,000 rows of ten fields and four datasets an op; the
// tail is trimmed as it fills.
func BenchmarkWrite(b *testing.B) {
	tail, err := nearline.NewTail(nearline.Config{})
	if err != nil {
		b.Fatal(err)
	}
	values := make([]schema.Value, 10)
	for i := range values {
		values[i] = schema.Value{Name: fmt.Sprint("field_", i), Kind: schema.KindNumber, Num: 20.5}
		if i%2 == 0 {
			values[i] = schema.Value{Name: fmt.Sprint("field_", i), Kind: schema.KindText, Text: []byte("some text, not long")}
		}
	}
	rows := make([]nearline.Row, 2000)
	id := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		for i := range rows {
			id++
			e := nearlinetest.Event(dataset(fmt.Sprint("m", i/500)), int64(id), id, id, values...)
			rows[i] = nearline.Row{Event: e, Position: nearlinetest.At(0, id, 0)}
		}
		if _, err := tail.Write(b.Context(), rows); err != nil {
			b.Fatal(err)
		}
		select {
		case <-tail.Pressure():
			for _, ds := range tail.Datasets() {
				if err := tail.Trim(b.Context(), ds, sources.Watermarks{0: rows[len(rows)-1].Position.Seq}); err != nil {
					b.Fatal(err)
				}
			}
		default:
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/row")
}
