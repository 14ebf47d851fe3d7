package nearline

import (
	"context"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// Trim lets go of a dataset's rows at or below the watermarks, which a manifest
// that anyone can load must hold already. Pins keep what they have. Batches and
// tables go whole; of one that the watermarks cut, the covered rows may stay for
// a later trim: readers leave them out by their positions. The error is of
// tables that could not be dropped yet; Run tries them again.
func (t *Tail) Trim(ctx context.Context, name schema.Dataset, past sources.Watermarks) error {
	d := t.find(name)
	if d == nil {
		return nil
	}
	freed, tables := d.trim(past)
	for _, f := range tables {
		t.doom(f)
	}
	t.memory.add(-freed)
	t.forget(d)
	if t.cfg.Native == nil || len(tables) == 0 {
		return nil
	}
	if err := t.dropTables(ctx); err != nil {
		return err
	}
	return t.measureTables(ctx)
}

// forget takes a dataset that holds nothing out of the tail.
func (t *Tail) forget(d *dataset) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.empty() && !d.gone {
		d.gone = true
		delete(t.datasets, d.name)
	}
}

// trim gives the bytes of Go memory let go of and the tables that left.
func (d *dataset) trim(past sources.Watermarks) (freed int64, gone []*table) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.bytes()
	if d.ids.trim(past) {
		d.trims++
	}
	d.trimSealed(past)
	d.trimOpen(past)
	gone = d.trimTables(past)
	return before - d.bytes(), gone
}

// bytes is what the dataset's rows and identities take in Go memory.
func (d *dataset) bytes() int64 {
	n := d.open.bytes + d.ids.bytes()
	for _, s := range d.sealed {
		n += s.bytes
	}
	return n
}

func (d *dataset) trimSealed(past sources.Watermarks) {
	var kept []*segment
	for _, s := range d.sealed {
		if !s.moving {
			s = s.trimmed(past)
		}
		if s != nil {
			kept = append(kept, s)
		}
	}
	d.sealed = kept
}

// trimOpen seals the open segment and goes on with what is left of it, so that a
// dataset with few rows does not keep the oldest as long as new ones come.
func (d *dataset) trimOpen(past sources.Watermarks) {
	switch d.open.spans.coverage(past) {
	case coveredAll:
		d.open = openSegment{}
	case coveredSome:
		s := d.segments()
		view := s[len(s)-1]
		if rest := view.rest(past); rest != nil {
			d.open = *rest
		}
	}
}

func (d *dataset) trimTables(past sources.Watermarks) (gone []*table) {
	var kept []*table
	for _, f := range d.tables {
		if f.busy || f.spans.coverage(past) != coveredAll {
			kept = append(kept, f)
			continue
		}
		gone = append(gone, f)
		if d.filling == f {
			d.filling = nil
		}
	}
	d.tables = kept
	return gone
}

// trimmed is the segment without its covered rows: nil if those are all, itself
// if they are less than half.
func (s *segment) trimmed(past sources.Watermarks) *segment {
	switch s.spans.coverage(past) {
	case coveredAll:
		return nil
	case coveredSome:
		if rest := s.rest(past); rest != nil {
			return rest.segment(rest.builder.Batch())
		}
	}
	return s
}

// rest copies the rows that are not covered into an open segment, or gives nil
// if they are more than half: then copying them would free too little.
func (s *segment) rest(past sources.Watermarks) *openSegment {
	left := 0
	for r := range s.batch.Positions {
		if !covered(&s.batch.Positions[r], past) {
			left++
		}
	}
	if left > s.batch.Rows/2 {
		return nil
	}
	suspect := make(map[uint32]bool, len(s.suspect))
	for _, r := range s.suspect {
		suspect[r] = true
	}
	out := &openSegment{}
	for r := range s.batch.Rows {
		if !covered(&s.batch.Positions[r], past) {
			row := Row{Event: s.batch.Event(r, schema.Dataset{}), Position: s.batch.Positions[r]}
			out.add(&row, suspect[uint32(r)])
		}
	}
	out.measure()
	return out
}
