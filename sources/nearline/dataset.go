package nearline

import (
	"slices"
	"sync"
	"time"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// dataset is what the tail holds of one dataset.
type dataset struct {
	name schema.Dataset

	mu sync.Mutex
	// gone: it held nothing and left the tail; look the name up anew.
	gone bool
	// trims counts how often identities were let go.
	trims  uint64
	ids    identities
	open   openSegment
	sealed []*segment // oldest first
	tables []*table   // oldest first
	// filling is the one of tables that takes further rows, or nil.
	filling *table
}

// segment is a run of rows in Go memory. Readers share it, nobody changes it.
type segment struct {
	batch   *sources.Batch
	spans   spans
	suspect []uint32
	bytes   int64
	// since is when the segment was made.
	since time.Time
	// moving: on its way into a table. It stays until it has arrived. Guarded by
	// the dataset's lock.
	moving bool
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
	// outcomes is as long as rows.
	outcomes []Outcome
}

// epoch counts the times that identities were let go.
func (d *dataset) epoch() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.trims
}

// insert stores the rows that are new, unless identities were let go since the
// epoch: a row let go after Known was asked would be missed by both.
func (d *dataset) insert(epoch uint64, in *insertion, limits *limits) (done bool, bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone || d.trims != epoch {
		return false, 0
	}
	before := d.open.bytes + d.ids.bytes()
	var sealed int64
	for i, n := range in.at {
		r := &in.rows[n]
		if found, same := d.ids.add(r); found {
			in.outcomes[n] = Duplicate
			if !same {
				in.outcomes[n] = Conflict
			}
			continue
		}
		d.open.add(r, in.suspect != nil && in.suspect[i])
		in.outcomes[n] = Stored
		if d.open.full(limits) {
			sealed += d.seal()
		}
	}
	d.open.measure()
	return true, sealed + d.open.bytes + d.ids.bytes() - before
}

// seal ends the open segment, makes room for another like it, and gives the
// bytes of the one that ended.
func (d *dataset) seal() int64 {
	s := d.open.segment(d.open.builder.Batch())
	d.sealed = append(d.sealed, s)
	d.open = openSegment{}
	d.open.builder.Reserve(s.batch)
	return s.bytes
}

// rows counts the rows in Go memory.
func (d *dataset) rows() int {
	n := d.open.builder.Len()
	for _, s := range d.sealed {
		n += s.batch.Rows
	}
	return n
}

// segments lists what lies in Go memory, for readers.
func (d *dataset) segments() []*segment {
	out := slices.Clone(d.sealed)
	if d.open.builder.Len() > 0 {
		if d.open.view == nil {
			d.open.view = d.open.segment(d.open.builder.View())
		}
		out = append(out, d.open.view)
	}
	return out
}

// empty says that nothing is held, nor on its way.
func (d *dataset) empty() bool {
	return d.open.builder.Len() == 0 && len(d.sealed) == 0 && len(d.tables) == 0 && d.ids.used == 0
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
		since:   time.Now(),
	}
}
