package nearline

import (
	"slices"
	"sync"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// dataset is what the tail holds of one dataset.
type dataset struct {
	name schema.Dataset

	mu sync.Mutex
	// gone: it held nothing and left the tail; look the name up anew.
	gone bool
	// evictions counts how often rows and identities were let go.
	evictions uint64
	ids       identities
	open      openSegment
	sealed    []*segment // oldest first
	// past are the greatest watermarks that Trim was told: what lies at or below
	// them may be let go.
	past sources.Watermarks
	// absent are the times of which the lake may hold rows that are not here. It
	// is known once the lake was asked, before the first row.
	absent      sources.TimeSet
	absentKnown bool
}

// openSegment is the segment that takes new rows.
type openSegment struct {
	builder sources.Builder
	spans   spans
	suspect []uint32
	bytes   int64 // of builder, when last measured
	// view is what readers see; nil if rows came since it was made.
	view *segment
}

// insertion is a run of rows of one dataset, by index in what was written.
type insertion struct {
	rows []Row
	at   []int
	// suspect has an entry for each of at, or is nil.
	suspect []bool
	// held are the times of what the lake holds, if they were not known.
	held []sources.Bounds
	// outcomes is as long as rows.
	outcomes []Outcome
	// doubtful are those of at whose outcome depends on which event the lake holds.
	doubtful []int
}

// state counts the times that rows were let go, and says whether the lake was
// asked what it holds.
func (d *dataset) state() (epoch uint64, absentKnown bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.evictions, d.absentKnown
}

// insert stores the rows that are new, unless rows were let go since the epoch:
// one let go after Known was asked would be missed by both.
func (d *dataset) insert(epoch uint64, in *insertion, limits *limits) (done bool, bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone || d.evictions != epoch {
		return false, 0
	}
	if !d.absentKnown {
		d.absent.Add(in.held...)
		d.absentKnown = true
	}
	before := d.open.bytes + d.ids.bytes()
	var sealed int64
	d.ids.warm(in.rows, in.at)
	for i, n := range in.at {
		r := &in.rows[n]
		suspect := in.suspect != nil && in.suspect[i]
		switch d.ids.add(r, suspect) {
		case meetsNone:
		case meetsSame:
			in.outcomes[n] = Duplicate
			continue
		case meetsSuspect:
			in.doubtful = append(in.doubtful, n)
			continue
		default:
			in.outcomes[n] = Conflict
			continue
		}
		d.open.add(r, suspect)
		in.outcomes[n] = Stored
		if suspect {
			in.outcomes[n] = Suspect
		}
		if d.open.full(limits) {
			sealed += d.seal()
		}
	}
	d.open.measure()
	return true, sealed + d.open.bytes + d.ids.bytes() - before
}

// clear ends the suspicion of identities. first has, by index, the hashes of those
// that the lake holds.
func (d *dataset) clear(times []int64, ids []schema.ID, first map[int]schema.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range times {
		if hash, ok := first[i]; ok {
			d.ids.clear(times[i], &ids[i], &hash)
		} else {
			d.ids.clear(times[i], &ids[i], nil)
		}
	}
}

// seal ends the open segment, makes room for another like it, and gives the
// bytes of the one that ended.
func (d *dataset) seal() int64 {
	s := d.open.segment(d.open.builder.Batch())
	s.indexes = &indexes{}
	d.sealed = append(d.sealed, s)
	d.open = openSegment{}
	d.open.builder.Reserve(s.batch)
	return s.bytes
}

// segments lists all rows, for readers.
func (d *dataset) segments() []*segment {
	out := slices.Clone(d.sealed)
	if d.open.builder.Len() > 0 {
		out = append(out, d.openView())
	}
	return out
}

// openView is what the open segment holds now.
func (d *dataset) openView() *segment {
	if d.open.view == nil {
		d.open.view = d.open.segment(d.open.builder.View())
	}
	return d.open.view
}

// empty says that nothing is held.
func (d *dataset) empty() bool {
	return d.open.builder.Len() == 0 && len(d.sealed) == 0 && d.ids.used == 0
}

func (o *openSegment) add(r *Row, suspect bool) {
	if suspect {
		o.suspect = append(o.suspect, uint32(o.builder.Len()))
	}
	o.builder.Add(&r.Event, r.Position)
	o.spans.add(r.Position.Shard, r.Position.Seq)
	o.view = nil
}

// full says that the segment is to be sealed. Its bytes are looked at now and
// then only, because that takes a step for each column.
func (o *openSegment) full(limits *limits) bool {
	n := o.builder.Len()
	if n >= limits.batchRows {
		return true
	}
	return n%measureEvery == 0 && int64(o.builder.Bytes()) >= limits.batchBytes
}

func (o *openSegment) measure() { o.bytes = int64(o.builder.Bytes()) }

// segment makes the immutable form of what the open one holds, around its batch.
func (o *openSegment) segment(batch *sources.Batch) *segment {
	return &segment{
		batch:   batch,
		spans:   slices.Clone(o.spans),
		suspect: slices.Clip(o.suspect),
		bytes:   int64(batch.Bytes()),
	}
}
