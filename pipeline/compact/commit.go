package compact

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
)

const (
	// batchRows and batchBytes end a batch of a group. Columns are as long as their
	// batch, so short ones keep many names that few events have from taking memory.
	batchRows  = 32 << 10
	batchBytes = 8 << 20
	// measureRows and measureBytes are how often a growing batch is measured.
	measureRows  = 256
	measureBytes = 64 << 10
	// sortBytes is what sorting and looking up take a row.
	sortBytes = 64
)

// group gathers one dataset's rows.
type group struct {
	batches []*sources.Batch
	// selected has, for each of batches, the rows that are the group's; nil: all.
	selected [][]uint32
	builder  sources.Builder
	bytes    int // of all rows, as measured last and estimated since
	// guessed is how much of bytes is estimated, in how many rows, and measured
	// how much the builder had when it was measured.
	guessed, rows, measured int
}

// add takes an event and says by how much the group has grown.
func (g *group) add(e *schema.Event, at stream.Position) (grown int) {
	before := g.bytes
	g.builder.Add(e, at)
	guess := eventBytes(e)
	g.bytes += guess
	g.guessed += guess
	g.rows++
	if g.rows >= measureRows || g.guessed >= measureBytes {
		now := g.builder.Bytes() + sortBytes*g.builder.Len()
		g.bytes += now - g.measured - g.guessed
		g.measured, g.guessed, g.rows = now, 0, 0
		if g.builder.Len() >= batchRows || now >= batchBytes {
			g.seal()
		}
	}
	return g.bytes - before
}

// seal ends the batch and begins another.
func (g *group) seal() {
	if g.builder.Len() == 0 {
		return
	}
	b := g.builder.Batch()
	g.batches, g.selected = append(g.batches, b), append(g.selected, nil)
	if b.Rows >= batchRows {
		g.builder.Reserve(b)
	}
	g.measured, g.guessed, g.rows = 0, 0, 0
}

// hold takes rows that another holds, after all that were added before.
func (g *group) hold(rows []sources.BatchSplit) (grown int) {
	before := g.bytes
	g.seal()
	for i := range rows {
		g.batches, g.selected = append(g.batches, rows[i].Batch), append(g.selected, rows[i].Select)
		g.bytes += sortBytes * len(rows[i].Select)
	}
	return g.bytes - before
}

// eventBytes is about what an event takes in a builder.
func eventBytes(e *schema.Event) int {
	const fixed, value = 88 + sortBytes, 9
	n := fixed + value*len(e.Values)
	for i := range e.Values {
		n += len(e.Values[i].Text)
	}
	return n
}

// flush commits the largest groups until the rest takes no more than the limit;
// with a limit of 0 all of them, and the watermarks of datasets that were passed
// without new rows.
func (p *pass) flush(ctx context.Context, limit int) error {
	largest := slices.SortedFunc(maps.Keys(p.groups), func(a, b schema.Dataset) int {
		return cmp.Compare(p.groups[b].bytes, p.groups[a].bytes)
	})
	for _, ds := range largest {
		if limit > 0 && p.bytes <= limit {
			return nil
		}
		g := p.groups[ds]
		delete(p.groups, ds)
		p.bytes -= g.bytes
		if err := p.commit(ctx, ds, g); err != nil {
			if err = p.fail(ctx, ds, err); err != nil {
				return err
			}
		}
	}
	if limit > 0 {
		return nil
	}
	for ds := range p.passed {
		if err := p.commit(ctx, ds, &group{}); err != nil {
			if err = p.fail(ctx, ds, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// commit writes one dataset's new rows and moves its watermarks to where each
// shard was read.
func (p *pass) commit(ctx context.Context, ds schema.Dataset, g *group) error {
	v := p.versions[ds]
	from, to := v.Watermarks(), sources.Watermarks{}
	for shard, at := range p.done {
		if at.Compare(from[shard]) > 0 {
			to[shard] = at
		}
	}
	g.seal()
	if len(to) == 0 && len(g.batches) == 0 {
		return nil
	}
	order, duplicates, err := p.newRows(ctx, v, g)
	if err != nil {
		return err
	}
	var files []*lake.File
	if len(order) > 0 {
		declared, err := p.declared(ctx, ds)
		if err != nil {
			return err
		}
		if files, err = p.cfg.Lake.Write(ctx, ds, g.batches, order, declared); err != nil {
			return err
		}
	}
	next, err := p.cfg.Lake.Commit(ctx, v, lake.Commit{Add: files, From: from, To: to, Fence: p.shared.turn(ds)})
	if err != nil {
		return err
	}
	p.versions[ds] = next
	if len(files) > 0 {
		p.touched[ds] = true
	}
	if p.cfg.Events.Compacted != nil && len(order)+duplicates > 0 {
		p.cfg.Events.Compacted(ds, len(order), duplicates, len(files))
	}
	if p.cfg.Tail != nil {
		if err := p.cfg.Tail.Trim(ctx, ds, next.Watermarks()); err != nil {
			p.errs = append(p.errs, fmt.Errorf("trim %s in the tail: %w", ds.Metric, err))
		}
	}
	return nil
}

// declared are the sent names that declared fields of the dataset read.
func (c *Compactor) declared(ctx context.Context, ds schema.Dataset) (map[string]bool, error) {
	if c.cfg.Declared == nil {
		return nil, nil
	}
	names, err := c.cfg.Declared(ctx, ds)
	if err != nil {
		return nil, fmt.Errorf("read declared names: %w", err)
	}
	return names, nil
}

// newRows lists the rows whose identity the lake does not hold yet, each identity
// once, in the order of a file. Of several events of one identity the one in the
// lake or else the earliest in the log stands, and what differs from it is a
// conflict.
func (p *pass) newRows(ctx context.Context, v *lake.Version, g *group) (order []lake.Row, duplicates int, err error) {
	batches := g.batches
	all := lake.Order(batches, g.selected)
	if len(all) == 0 {
		return nil, 0, nil
	}
	order = make([]lake.Row, 0, len(all))
	sought := lake.Identities{Times: make([]int64, 0, len(all)), IDs: make([]schema.ID, 0, len(all))}
	var again []repeat
	for _, r := range all {
		b := batches[r.Batch]
		ts, id := b.TS[r.Row], b.IDs[r.Row]
		if n := len(order); n > 0 && sought.Times[n-1] == ts && sought.IDs[n-1] == id {
			again = append(again, repeat{r, n - 1})
			continue
		}
		order = append(order, r)
		sought.Times, sought.IDs = append(sought.Times, ts), append(sought.IDs, id)
	}
	known := map[int]schema.ID{} // the lake's hashes, by index in order
	if err := v.Known(ctx, sought, func(i int, hash schema.ID) { known[i] = hash }); err != nil {
		return nil, 0, err
	}
	for i := range known {
		again = append(again, repeat{order[i], i})
	}
	if err := p.refuse(ctx, v.Dataset(), batches, order, known, again); err != nil {
		return nil, 0, err
	}
	if len(known) > 0 {
		kept := order[:0]
		for i, r := range order {
			if _, ok := known[i]; !ok {
				kept = append(kept, r)
			}
		}
		order = kept
	}
	return order, len(again), nil
}

// repeat is a row whose identity is taken: by the lake, or by an earlier row, the
// one at that index of the order.
type repeat struct {
	row   lake.Row
	first int
}

// refuse notes the conflicts among the repeats, in the order of the log.
func (p *pass) refuse(ctx context.Context, ds schema.Dataset, batches []*sources.Batch, order []lake.Row, known map[int]schema.ID, again []repeat) error {
	if p.cfg.Conflict == nil {
		return nil
	}
	slices.SortFunc(again, func(x, y repeat) int {
		return cmp.Or(cmp.Compare(x.row.Batch, y.row.Batch), cmp.Compare(x.row.Row, y.row.Row))
	})
	for _, a := range again {
		stands, ok := known[a.first]
		if !ok {
			first := order[a.first]
			stands = batches[first.Batch].Hashes[first.Row]
		}
		b := batches[a.row.Batch]
		if b.Hashes[a.row.Row] == stands {
			continue
		}
		e := b.Event(int(a.row.Row), ds)
		if err := p.cfg.Conflict(ctx, &e, b.Positions[a.row.Row]); err != nil {
			return fmt.Errorf("note conflict: %w", err)
		}
	}
	return nil
}
