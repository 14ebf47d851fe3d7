// Package nearlinetest holds the conformance suite of nearline stores.
package nearlinetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/nearline"
)

// Store is what the suite tests: a nearline store from both sides.
type Store interface {
	nearline.Tables
	sources.Nearline
}

// Event makes an event of a dataset whose id and hash follow from the numbers.
func Event(ds schema.Dataset, time int64, id, body uint64, values ...schema.Value) schema.Event {
	e := schema.Event{Dataset: ds, Time: time, ReceivedAt: time + 1, Values: values}
	for i := range 8 {
		e.ID[i], e.ID[15-i] = byte(id>>(8*i)), byte(id>>(8*i))*3
		e.Hash[i] = byte(body >> (8 * i))
	}
	return e
}

// At is a position in a shard.
func At(shard stream.ShardID, seq uint64, index uint32) stream.Position {
	return stream.Position{Shard: shard, Seq: stream.SequenceOf(seq), Index: index}
}

// ReadBatch gives the rows of a split of a batch, those that are suspect included.
func ReadBatch(s *sources.BatchSplit) []nearline.Row {
	var out []nearline.Row
	for r := range s.Batch.Rows {
		if s.Select == nil || contains(s.Select, uint32(r)) {
			out = append(out, rowOf(s.Batch, r))
		}
	}
	return out
}

func rowOf(b *sources.Batch, r int) nearline.Row {
	return nearline.Row{Event: b.Event(r, schema.Dataset{}), Position: b.Positions[r]}
}

// Read gives all rows of a pin's splits of a dataset, by position.
func Read(t *testing.T, p sources.Pin, ds schema.Dataset, past sources.Watermarks, filter sources.Filter) []nearline.Row {
	t.Helper()
	recent, err := p.Splits(t.Context(), ds, past, filter)
	if err != nil {
		t.Fatalf("splits: %v", err)
	}
	return rowsOf(t, recent.Splits)
}

// ReadWindow gives likewise the rows of the hot window, if it is complete.
func ReadWindow(t *testing.T, p sources.Pin, ds schema.Dataset, watermarks sources.Watermarks, filter sources.Filter) (rows []nearline.Row, complete bool) {
	t.Helper()
	recent, complete, err := p.Window(t.Context(), ds, watermarks, filter)
	if err != nil {
		t.Fatalf("window: %v", err)
	}
	return rowsOf(t, recent.Splits), complete
}

// Within is the filter of bounds alone.
func Within(bounds sources.Bounds) sources.Filter { return sources.Filter{Bounds: bounds} }

func rowsOf(t *testing.T, splits []sources.Split) []nearline.Row {
	t.Helper()
	var out []nearline.Row
	for _, s := range splits {
		if s.Batch == nil {
			t.Fatalf("split %+v is no batch", s)
		}
		out = append(out, ReadBatch(s.Batch)...)
	}
	slices.SortFunc(out, func(a, b nearline.Row) int { return a.Position.Compare(b.Position) })
	return out
}

// Describe prints a row in one line.
func Describe(r *nearline.Row) string {
	out := fmt.Sprintf("%s t=%d", r.Position, r.Event.Time)
	for _, v := range r.Event.Values {
		switch v.Kind {
		case schema.KindInt, schema.KindBool:
			out += fmt.Sprintf(" %s:%c=%d", v.Name, v.Kind, v.Int)
		case schema.KindNumber:
			out += fmt.Sprintf(" %s:%c=%g", v.Name, v.Kind, v.Num)
		default:
			out += fmt.Sprintf(" %s:%c=%q", v.Name, v.Kind, v.Text)
		}
	}
	return out
}

func contains(sorted []uint32, r uint32) bool {
	_, found := slices.BinarySearch(sorted, r)
	return found
}
