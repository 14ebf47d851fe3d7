package dynamodb

import (
	"context"
	"fmt"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/nearline"
)

// batchRows are the rows of a batch that a read makes.
const batchRows = 10_000

const whyAbsent = "lake and nearline: the lake may hold rows of this time that nearline does not"

// pin is what one statement sees. A time is read once: what it had then stays.
type pin struct {
	tables *Tables
	read   map[schema.Dataset]*pinned
}

// pinned is what a statement has read of a dataset.
type pinned struct {
	key string
	// rows are those past the watermarks, and some others, of the times in done.
	rows []*readRow
	done []sources.Bounds
	// names of the tables that were read.
	names []string
}

// Pin implements sources.Nearline. Nothing is read: what a statement will want is
// known only by its scans. Rows stay for the grace that Config says.
func (t *Tables) Pin(ctx context.Context, datasets []schema.Dataset) (sources.Pin, error) {
	p := &pin{tables: t, read: make(map[schema.Dataset]*pinned, len(datasets))}
	for _, ds := range datasets {
		p.read[ds] = &pinned{key: datasetKey(&ds)}
	}
	return p, ctx.Err()
}

// Release implements sources.Pin.
func (p *pin) Release() {}

// Splits implements sources.Pin.
func (p *pin) Splits(ctx context.Context, ds schema.Dataset, past sources.Watermarks, filter sources.Filter) (sources.Recent, error) {
	d, ok := p.read[ds]
	if !ok {
		return sources.Recent{}, nil
	}
	for _, bounds := range without(filter.Bounds, d.done) {
		in, err := p.tables.look(ctx, d.key, bounds)
		if err != nil {
			return sources.Recent{}, err
		}
		r, err := p.tables.read(ctx, d.key, in, bounds, func(e *entry) bool { return e.isPast(past) })
		if err != nil {
			return sources.Recent{}, err
		}
		d.add(r, bounds)
	}
	// A row that came first and is in the lake decides over a later copy that is not,
	// so copies go before what is in the lake does.
	rows := unique(d.within(filter.Bounds))
	rows = slices.DeleteFunc(rows, func(r *readRow) bool { return covered(r, past) })
	splits, err := p.tables.splits(ctx, ds, rows, filter, p.tables.cfg.Known)
	return sources.Recent{Splits: splits, Tables: d.names, Why: "nearline past the watermarks"}, err
}

// add notes what was read of a time.
func (d *pinned) add(r *rowReader, bounds sources.Bounds) {
	d.rows = append(d.rows, r.rows...)
	d.done = append(d.done, bounds)
	for _, name := range r.names {
		if !slices.Contains(d.names, name) {
			d.names = append(d.names, name)
		}
	}
	slices.Sort(d.names)
}

// within lists the rows that were read of a time.
func (d *pinned) within(bounds sources.Bounds) []*readRow {
	out := make([]*readRow, 0, len(d.rows))
	for _, r := range d.rows {
		if bounds.Contains(r.event.Time) {
			out = append(out, r)
		}
	}
	return out
}

// without are the parts of a range that lie in none of the others.
func without(b sources.Bounds, others []sources.Bounds) []sources.Bounds {
	left := []sources.Bounds{b}
	for _, o := range others {
		var next []sources.Bounds
		for _, l := range left {
			if !l.Overlaps(o) {
				next = append(next, l)
				continue
			}
			if l.Min < o.Min {
				next = append(next, sources.Bounds{Min: l.Min, Max: o.Min - 1})
			}
			if l.Max > o.Max {
				next = append(next, sources.Bounds{Min: o.Max + 1, Max: l.Max})
			}
		}
		left = next
	}
	return slices.DeleteFunc(left, sources.Bounds.Empty)
}

// covered says that a row lies at or below the watermarks.
func covered(r *readRow, past sources.Watermarks) bool {
	return r.at.Seq.Compare(past[r.at.Shard]) <= 0
}

// splits makes batches of rows as they came, the newest batch first: so rows that a
// statement does not order are in the order that the embedded tail gives. known, if
// it is given, says which of them the lake may hold too.
func (t *Tables) splits(ctx context.Context, ds schema.Dataset, rows []*readRow, filter sources.Filter, known nearline.Known) ([]sources.Split, error) {
	slices.SortFunc(rows, func(a, b *readRow) int { return a.at.Compare(b.at) })
	var out []sources.Split
	var d rowDecoder
	var values []schema.Value // of one row after the other: a batch copies them
	for len(rows) > 0 {
		from := max(len(rows)-batchRows, 0)
		var b sources.Builder
		for _, r := range rows[from:] {
			e := r.event
			e.Values = values[:0]
			if err := d.decode(r.value, &e); err != nil {
				return nil, fmt.Errorf("row %s: %w", r.at, err)
			}
			values = e.Values
			b.Add(&e, r.at)
		}
		rows = rows[:from]
		split := &sources.BatchSplit{Batch: b.Batch()}
		var ok bool
		if split.Select, ok = nearline.Select(split.Batch, filter); !ok {
			continue
		}
		if known != nil {
			suspect, err := known.Suspect(ctx, ds, split.Batch.TS, split.Batch.IDs)
			if err != nil {
				return nil, fmt.Errorf("look for rows of %s in the lake: %w", ds.Metric, err)
			}
			for r, is := range suspect {
				if is {
					split.Suspect = append(split.Suspect, uint32(r))
				}
			}
		}
		out = append(out, sources.Split{Batch: split})
	}
	return out, nil
}

// Window implements sources.Pin. No row in it is suspect: the lake's row of the
// same identity would have a time that is absent here.
func (p *pin) Window(ctx context.Context, ds schema.Dataset, watermarks sources.Watermarks, filter sources.Filter) (sources.Recent, bool, error) {
	d, ok := p.read[ds]
	if !ok {
		return sources.Recent{}, false, nil
	}
	in, why, err := p.tables.mayAnswerAlone(ctx, &ds, d.key, watermarks, filter.Bounds)
	if err != nil || why != "" {
		return sources.Recent{Why: why}, false, err
	}
	r, err := p.tables.read(ctx, d.key, in, filter.Bounds, func(*entry) bool { return true })
	if err != nil {
		return sources.Recent{}, false, err
	}
	// What is late may have been let go of while it was read.
	if absent, _, err := p.tables.absent(ctx, d.key); err != nil || absent.Times.Overlaps(filter.Bounds) {
		return sources.Recent{Why: whyAbsent}, false, err
	}
	// Past the watermarks a time that was read before stays as it was then.
	names, rows := r.names, slices.Clone(r.rows)
	missing := without(filter.Bounds, d.done)
	r.rows = slices.DeleteFunc(r.rows, func(r *readRow) bool { return !inAny(missing, r.event.Time) })
	for _, bounds := range missing {
		d.add(r, bounds)
		r.rows, r.names = nil, nil
	}
	rows = slices.DeleteFunc(rows, func(r *readRow) bool { return !covered(r, watermarks) })
	for _, row := range d.within(filter.Bounds) {
		if !covered(row, watermarks) {
			rows = append(rows, row)
		}
	}
	rows = unique(rows)
	splits, err := p.tables.splits(ctx, ds, rows, filter, nil)
	return sources.Recent{Splits: splits, Tables: names, Why: "nearline alone: it holds all of this time, and few rows"}, true, err
}

func inAny(ranges []sources.Bounds, t int64) bool {
	return slices.ContainsFunc(ranges, func(b sources.Bounds) bool { return b.Contains(t) })
}

// mayAnswerAlone says why nearline cannot, or should not, answer alone over the
// bounds; "": it can. Then in is what its indexes say.
func (t *Tables) mayAnswerAlone(ctx context.Context, ds *schema.Dataset, key string, watermarks sources.Watermarks, bounds sources.Bounds) (in []found, why string, err error) {
	absent, version, err := t.absent(ctx, key)
	if err != nil {
		return nil, "", err
	}
	if version == 0 || absent.Times.Overlaps(bounds) {
		return nil, whyAbsent, nil
	}
	reached, err := t.reaches(ctx, ds, watermarks)
	if err != nil || !reached {
		return nil, "lake and nearline: the lake is ahead of nearline", err
	}
	if in, err = t.look(ctx, key, bounds); err != nil {
		return nil, "", err
	}
	order, known := t.weeks.all()
	for _, w := range order {
		if s := known[w].State; (s == weekDropping || s == weekDropped) && w.bounds().Overlaps(bounds) {
			return nil, fmt.Sprintf("lake and nearline: week %s is no longer in nearline", w), nil
		}
	}
	if rows := expected(in, bounds); rows > float64(t.cfg.AloneRows) {
		return nil, fmt.Sprintf("lake and nearline: about %.0f rows are read faster from files", rows), nil
	}
	return in, "", nil
}

// expected is about how many rows lie in the bounds.
func expected(in []found, bounds sources.Bounds) float64 {
	var n float64
	for i := range in {
		for _, e := range in[i].entries {
			all := in[i].place.entryBounds(e.hour)
			part := all.Intersect(bounds)
			n += float64(e.rows) * float64(part.Max-part.Min+1) / float64(all.Max-all.Min+1)
		}
	}
	return n
}
