package nearline

import (
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// Held gives the rows of a dataset that stand in (after, through] of a shard, in
// the order of their positions, as long as all that the tail has of them lies in
// Go memory; false if some may have moved into a table. Copies and conflicts that
// Write dropped are not among them. The batches are shared and stay valid.
func (t *Tail) Held(name schema.Dataset, shard stream.ShardID, after, through stream.Sequence) ([]sources.BatchSplit, bool) {
	d := t.find(name)
	if d == nil {
		return nil, true
	}
	segments, ok := d.held(shard, after, through)
	if !ok {
		return nil, false
	}
	var out []sources.BatchSplit
	for _, s := range segments {
		split := sources.BatchSplit{Batch: s.batch, Suspect: s.suspect}
		for r := range s.batch.Positions {
			at := &s.batch.Positions[r]
			if at.Shard == shard && at.Seq.Compare(after) > 0 && at.Seq.Compare(through) <= 0 {
				split.Select = append(split.Select, uint32(r))
			}
		}
		if len(split.Select) > 0 {
			out = append(out, split)
		}
	}
	return out, true
}

// held lists the segments that may have rows in a range of a shard, oldest first;
// false if a table may have some too.
func (d *dataset) held(shard stream.ShardID, after, through stream.Sequence) (out []*segment, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.tables {
		if f.spans.overlaps(shard, after, through) {
			return nil, false
		}
	}
	for _, s := range d.segments() {
		if s.spans.overlaps(shard, after, through) {
			out = append(out, s)
		}
	}
	return out, true
}

// overlaps says that some of the rows may stand in (after, through] of a shard.
func (s spans) overlaps(shard stream.ShardID, after, through stream.Sequence) bool {
	for i := range s {
		if p := &s[i]; p.shard == shard {
			return p.last.Compare(after) > 0 && p.first.Compare(through) <= 0
		}
	}
	return false
}
