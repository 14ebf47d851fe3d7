package nearline

import (
	"encoding/binary"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// BenchmarkIdentities adds rows to a set of about 400,000, and lets go of the oldest
// quarter whenever that many have come.
func BenchmarkIdentities(b *testing.B) {
	const batch, quarter, rows = 1000, 100_000, 400_000
	var s identities
	batches := make([]Row, batch)
	at := make([]int, batch)
	for i := range at {
		at[i] = i
	}
	n := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		for i := range batches {
			n++
			var id schema.ID
			binary.BigEndian.PutUint64(id[:], n*0xd6e8feb86659fd93)
			batches[i] = Row{Event: schema.Event{Time: int64(n), ID: id, Hash: id}, Position: stream.Position{Seq: stream.SequenceOf(n / quarter)}}
		}
		s.warm(batches, at)
		for i := range batches {
			if s.add(&batches[i], false) != meetsNone {
				b.Fatal("a row is there twice")
			}
		}
		if n >= rows && n%quarter == 0 {
			s.release([]spans{{{first: stream.SequenceOf((n-rows)/quarter + 1), last: stream.SequenceOf(n / quarter)}}})
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/row")
	b.ReportMetric(float64(len(s.slots))/rows, "slots/row")
}
