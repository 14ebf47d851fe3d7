package nearline

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// evictShare is the part of the high-water mark that is let go of at once, so
// that what an eviction costs is spread over many writes.
const evictShare = 4

// Trim tells the tail that a manifest which anyone can load holds a dataset's
// rows at or below the watermarks. From then on they are the hot window: they
// stay while there is room, and statements that read the lake leave them out by
// their positions.
func (t *Tail) Trim(_ context.Context, name schema.Dataset, past sources.Watermarks) error {
	if d := t.find(name); d != nil {
		d.cover(past)
	}
	t.settle()
	return nil
}

func (d *dataset) cover(past sources.Watermarks) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.past == nil {
		d.past = sources.Watermarks{}
	}
	for shard, seq := range past {
		if seq.Compare(d.past[shard]) > 0 {
			d.past[shard] = seq
		}
	}
}

// settle lets go of copies that nobody reads, of the oldest compacted rows and then
// of all copies, once more is held than the high-water mark, and asks for compaction
// if that is not enough.
func (t *Tail) settle() {
	if t.memory.over() < 0 {
		return
	}
	t.settling.Lock()
	defer t.settling.Unlock()
	t.dropCopies(idleCopies)
	t.evict()
	if t.memory.over() < 0 {
		return
	}
	t.dropCopies(0)
	if t.memory.over() >= 0 {
		t.memory.signal()
	}
}

// idleCopies is how long copies stay that no statement reads.
const idleCopies = 5 * time.Minute

// dropCopies lets go of the copies that were not read for so long.
func (t *Tail) dropCopies(unread time.Duration) {
	if t.copies != nil {
		t.copies.Drop(unread)
	}
}

// evict lets go of the oldest compacted rows while more is held than the high-water
// mark.
func (t *Tail) evict() {
	for _, evict := range []func(int64){t.evictSegments, t.evictParts} {
		if over := t.memory.over(); over >= 0 {
			evict(over + t.cfg.HighWaterBytes/evictShare)
		}
	}
}

// Reserve implements sources.Room. Compacted rows make way for copies, others do not.
func (t *Tail) Reserve(bytes int64) bool {
	t.settling.Lock()
	defer t.settling.Unlock()
	if !t.memory.mayCopy(bytes) {
		return false
	}
	t.memory.addCopies(bytes)
	t.evict()
	if t.memory.over() >= 0 {
		t.memory.addCopies(-bytes)
		return false
	}
	return true
}

// Count implements sources.Room.
func (t *Tail) Count(bytes int64) { t.memory.addCopies(bytes) }

// candidate is a segment that may be let go.
type candidate struct {
	dataset *dataset
	segment *segment
	age     int64
}

// evictSegments lets go of whole segments, oldest first, until it has freed the
// bytes or there are none.
func (t *Tail) evictSegments(bytes int64) {
	var all []candidate
	for _, d := range t.all() {
		all = d.candidates(all)
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.age, b.age) })
	chosen := map[*dataset][]*segment{}
	for _, c := range all {
		if bytes <= 0 {
			break
		}
		bytes -= c.segment.bytes
		chosen[c.dataset] = append(chosen[c.dataset], c.segment)
	}
	for d, segments := range chosen {
		t.memory.add(-d.evict(segments))
		t.tellCopies(d, segments)
		t.forget(d)
	}
}

// tellCopies says that segments of a dataset have left the tail.
func (t *Tail) tellCopies(d *dataset, gone []*segment) {
	if t.copies == nil || len(gone) == 0 {
		return
	}
	batches := make([]*sources.Batch, len(gone))
	for i, s := range gone {
		batches[i] = s.batch
	}
	t.copies.Forget(d.name, batches)
}

// candidates appends the segments that are wholly in the lake.
func (d *dataset) candidates(all []candidate) []candidate {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.past == nil {
		return all
	}
	for _, s := range d.sealed {
		if s.spans.coverage(d.past) == coveredAll {
			all = append(all, candidate{d, s, s.age()})
		}
	}
	if d.open.spans.coverage(d.past) == coveredAll {
		s := d.openView()
		all = append(all, candidate{d, s, s.age()})
	}
	return all
}

// evict lets go of the segments and gives what they took.
func (d *dataset) evict(segments []*segment) (freed int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.bytes()
	d.sealed = slices.DeleteFunc(slices.Clone(d.sealed), func(s *segment) bool {
		if !slices.Contains(segments, s) {
			return false
		}
		freed += s.indexes.drop()
		d.lose(slices.Clone(s.batch.TS))
		return true
	})
	if d.open.view != nil && slices.Contains(segments, d.open.view) {
		d.lose(slices.Clone(d.open.view.batch.TS))
		d.open = openSegment{}
	}
	d.release()
	return freed + before - d.bytes()
}

// evictParts lets go of compacted rows in segments that hold others too, until it
// has freed the bytes or there are none.
func (t *Tail) evictParts(bytes int64) {
	for _, d := range t.all() {
		if bytes <= 0 {
			return
		}
		freed, replaced := d.evictParts()
		t.memory.add(-freed)
		t.tellCopies(d, replaced)
		bytes -= freed
	}
}

// evictParts replaces segments by what of them is not in the lake.
func (d *dataset) evictParts() (freed int64, replaced []*segment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.past == nil {
		return 0, nil
	}
	before, evictions := d.bytes(), d.evictions
	kept := make([]*segment, 0, len(d.sealed))
	for _, s := range d.sealed {
		if s.spans.coverage(d.past) == coveredSome {
			if rest, gone := s.rest(d.past); rest != nil {
				freed += s.indexes.drop()
				replaced = append(replaced, s)
				s = rest.segment(rest.builder.Batch())
				s.indexes = &indexes{}
				d.lose(gone)
			}
		}
		kept = append(kept, s)
	}
	d.sealed = kept
	if d.open.spans.coverage(d.past) == coveredSome {
		if rest, gone := d.openView().rest(d.past); rest != nil {
			d.open = *rest
			d.lose(gone)
		}
	}
	if d.evictions == evictions {
		return 0, nil
	}
	d.release()
	return freed + before - d.bytes(), replaced
}

// lose notes that rows of these times are in the lake alone from now on.
func (d *dataset) lose(times []int64) {
	d.absent.Add(sources.TimesOf(times)...)
	d.evictions++
}

// release lets go of identities none of whose rows is held any more.
func (d *dataset) release() {
	held := make([]spans, 0, len(d.sealed)+1)
	for _, s := range d.sealed {
		held = append(held, s.spans)
	}
	d.ids.release(append(held, d.open.spans))
}

// bytes is what the dataset's rows and identities take, without indexes.
func (d *dataset) bytes() int64 {
	n := d.open.bytes + d.ids.bytes()
	for _, s := range d.sealed {
		n += s.bytes
	}
	return n
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

// all lists the datasets, in no order.
func (t *Tail) all() []*dataset {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Collect(maps.Values(t.datasets))
}
