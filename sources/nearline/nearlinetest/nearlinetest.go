// Package nearlinetest holds the conformance suite of nearline stores, and a
// Native in plain memory for tests of those that keep tables in an engine.
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

// Read gives all rows of a pin's splits of a dataset, by position. The tables are
// those of native, which is nil if the store has none.
func Read(t *testing.T, p sources.Pin, ds schema.Dataset, past sources.Watermarks, bounds sources.Bounds, native *Native) []nearline.Row {
	t.Helper()
	splits, err := p.Splits(ds, past, bounds)
	if err != nil {
		t.Fatalf("splits: %v", err)
	}
	var out []nearline.Row
	for _, s := range splits {
		switch {
		case s.Batch != nil:
			out = append(out, ReadBatch(s.Batch)...)
		case s.Table != nil:
			rows, err := native.Read(s.Table)
			if err != nil {
				t.Fatalf("read table: %v", err)
			}
			out = append(out, rows...)
		default:
			t.Fatalf("split %+v: neither a batch nor a table", s)
		}
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
