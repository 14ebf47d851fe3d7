package nearline

import (
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// Held gives the rows of a dataset that stand in (after, through] of a shard, in
// the order of their positions. Copies and conflicts that Write dropped are not
// among them, nor are compacted rows that were let go of. The batches are shared
// and stay valid.
func (t *Tail) Held(name schema.Dataset, shard stream.ShardID, after, through stream.Sequence) []sources.BatchSplit {
	d := t.find(name)
	if d == nil {
		return nil
	}
	var out []sources.BatchSplit
	for _, s := range d.held(shard, after, through) {
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
	return out
}

// held lists the segments that may have rows in a range of a shard, oldest first.
func (d *dataset) held(shard stream.ShardID, after, through stream.Sequence) (out []*segment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.segments() {
		if s.spans.overlaps(shard, after, through) {
			out = append(out, s)
		}
	}
	return out
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
