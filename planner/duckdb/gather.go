package duckdb

import (
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// gather makes one batch of a few rows selected out of several, with the columns
// that are asked for: then one thread reads them at once.
func gather(batches []*sources.BatchSplit, columns []string) []*sources.BatchSplit {
	rows := 0
	for _, b := range batches {
		if b.Select == nil {
			return batches
		}
		rows += len(b.Select)
	}
	if len(batches) < 2 || rows > vectorSize {
		return batches
	}
	var out sources.Builder
	for _, b := range batches {
		from := out.Len()
		for _, r := range b.Select {
			out.CopyRow(b.Batch, r)
		}
		for i := range b.Batch.Columns {
			if c := &b.Batch.Columns[i]; slices.Contains(columns, c.Name) {
				copyRows(out.At(out.Column(c.Sent, c.Kind)), from, c, b.Select)
			}
		}
	}
	return []*sources.BatchSplit{{Batch: out.Batch()}}
}

// copyRows sets rows of a column, from one on, to those selected of another.
func copyRows(to *sources.Column, from int, c *sources.Column, selected []uint32) {
	for i, r := range selected {
		if !c.IsValid(int(r)) {
			continue
		}
		switch c.Kind {
		case schema.KindInt, schema.KindBool:
			to.SetInt(from+i, c.Ints[r])
		case schema.KindNumber:
			to.SetNum(from+i, c.Nums[r])
		default:
			to.SetText(from+i, c.Text[c.Offsets[r]:c.Offsets[r+1]])
		}
	}
}
