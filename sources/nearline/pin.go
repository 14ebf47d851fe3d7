package nearline

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// pin is what one statement sees of the tail.
type pin struct {
	tail     *Tail
	datasets map[schema.Dataset]view
	released atomic.Bool
}

// view is what a pin holds of one dataset.
type view struct {
	segments []*segment
	tables   []tableView
}

// tableView is a table as it was when pinned. Its slices only grow meanwhile.
type tableView struct {
	table   *table
	rows    int64
	times   sources.Bounds
	spans   spans
	suspect []int64
}

// Pin implements sources.Nearline.
func (t *Tail) Pin(_ context.Context, datasets []schema.Dataset) (sources.Pin, error) {
	p := &pin{tail: t, datasets: make(map[schema.Dataset]view, len(datasets))}
	for _, name := range datasets {
		if _, twice := p.datasets[name]; twice {
			continue
		}
		if d := t.find(name); d != nil {
			p.datasets[name] = d.pin()
		}
	}
	return p, nil
}

// pin takes what readers see now. A batch moves into a table under the same
// lock, so its rows are in one of them.
func (d *dataset) pin() view {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := view{segments: d.segments()}
	for _, f := range d.tables {
		if f.rows == 0 {
			continue
		}
		f.pins.Add(1)
		v.tables = append(v.tables, tableView{f, f.rows, f.times, slices.Clone(f.spans), slices.Clip(f.suspect)})
	}
	return v
}

// Splits implements sources.Pin.
func (p *pin) Splits(name schema.Dataset, past sources.Watermarks, bounds sources.Bounds) ([]sources.Split, error) {
	v := p.datasets[name]
	var out []sources.Split
	for _, s := range v.segments {
		if s.batch.Times.Overlaps(bounds) {
			out = appendBatch(out, s, past)
		}
	}
	for i := range v.tables {
		f := &v.tables[i]
		cover := f.spans.coverage(past)
		if !f.times.Overlaps(bounds) || cover == coveredAll {
			continue
		}
		split := &sources.TableSplit{
			Table: f.table.name, To: f.rows, Times: f.times, Columns: f.table.names, Suspect: f.suspect,
		}
		if cover == coveredSome {
			split.Past = past
		}
		out = append(out, sources.Split{Table: split})
	}
	return out, nil
}

// appendBatch appends the split of the segment's rows past the watermarks, if
// there are any.
func appendBatch(out []sources.Split, s *segment, past sources.Watermarks) []sources.Split {
	split := &sources.BatchSplit{Batch: s.batch, Suspect: s.suspect}
	switch s.spans.coverage(past) {
	case coveredAll:
		return out
	case coveredSome:
		for r := range s.batch.Rows {
			if !covered(&s.batch.Positions[r], past) {
				split.Select = append(split.Select, uint32(r))
			}
		}
		if len(split.Select) == 0 {
			return out
		}
	}
	return append(out, sources.Split{Batch: split})
}

// Release implements sources.Pin. A second one does nothing.
func (p *pin) Release() {
	if p.released.Swap(true) {
		return
	}
	last := false
	for _, v := range p.datasets {
		for i := range v.tables {
			last = v.tables[i].table.pins.Add(-1) == 0 || last
		}
	}
	if last {
		p.tail.poke()
	}
}
