package lake

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// Row is a row of a list of batches.
type Row struct {
	Batch, Row uint32
}

// timedRow is a row with its time, counted from the earliest.
type timedRow struct {
	time uint64
	row  Row
}

// digitBits is how much of the time one pass of the radix sort looks at.
const digitBits = 11

// Order lists the rows of the batches by time, then id; equal ones stand in the
// order of the batches. This is the order of a file. selected has, by batch, the
// rows that count, in rising order, or nil if all do; it may itself be nil.
func Order(batches []*sources.Batch, selected [][]uint32) []Row {
	rows, spread, sorted := timedRows(batches, selected)
	if !sorted {
		rows = radixSort(rows, bits.Len64(spread))
	}
	order := make([]Row, len(rows))
	for from := 0; from < len(rows); {
		to := from + 1
		for to < len(rows) && rows[to].time == rows[from].time {
			to++
		}
		for i := from; i < to; i++ {
			order[i] = rows[i].row
		}
		if to-from > 1 {
			slices.SortStableFunc(order[from:to], func(x, y Row) int {
				return compareIDs(&batches[x.Batch].IDs[x.Row], &batches[y.Batch].IDs[y.Row])
			})
		}
		from = to
	}
	return order
}

// timedRows lists the rows as they stand, with the greatest that their times may
// be.
func timedRows(batches []*sources.Batch, selected [][]uint32) (rows []timedRow, spread uint64, sorted bool) {
	count := 0
	times := sources.Bounds{}
	for _, b := range batches {
		if b.Rows == 0 {
			continue
		}
		if count == 0 {
			times = b.Times
		}
		times = sources.Bounds{Min: min(times.Min, b.Times.Min), Max: max(times.Max, b.Times.Max)}
		count += b.Rows
	}
	rows = make([]timedRow, 0, count)
	sorted = true
	var last uint64
	for n, b := range batches {
		add := func(r uint32) {
			// The difference of two int64 fits 64 bits without sign.
			since := uint64(b.TS[r]) - uint64(times.Min)
			sorted = sorted && since >= last
			last = since
			rows = append(rows, timedRow{since, Row{uint32(n), r}})
		}
		if selected != nil && selected[n] != nil {
			for _, r := range selected[n] {
				add(r)
			}
			continue
		}
		for r := range b.TS {
			add(uint32(r))
		}
	}
	return rows, uint64(times.Max) - uint64(times.Min), sorted
}

// radixSort sorts by the lowest bits of the time, and is stable.
func radixSort(rows []timedRow, width int) []timedRow {
	other := make([]timedRow, len(rows))
	for shift := 0; shift < width; shift += digitBits {
		var starts [1 << digitBits]uint32
		for i := range rows {
			starts[rows[i].time>>shift&(1<<digitBits-1)]++
		}
		sum := uint32(0)
		for d, n := range starts {
			starts[d] = sum
			sum += n
		}
		for i := range rows {
			d := rows[i].time >> shift & (1<<digitBits - 1)
			other[starts[d]] = rows[i]
			starts[d]++
		}
		rows, other = other, rows
	}
	return rows
}

// compareIDs orders as schema.ID.Compare does, by words.
func compareIDs(a, b *schema.ID) int {
	return cmp.Or(
		cmp.Compare(binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(b[:8])),
		cmp.Compare(binary.BigEndian.Uint64(a[8:]), binary.BigEndian.Uint64(b[8:])),
	)
}
