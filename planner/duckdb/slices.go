package duckdb

import (
	"cmp"
	"context"
	"slices"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// Where files are fetched before they are read, a plan that gives the first rows
// of a scan is run slice by slice of its times, the newest first, until it has its
// rows: it waits for no older files, and mostly fetches none.

// sliceGrowth is how many times as many files the next slice has.
const sliceGrowth = 4

// slicedRows are the rows of a plan that runs in slices.
type slicedRows struct {
	engine  *Engine
	plan    *planner.Plan
	scan    *planner.MetricScan
	slices  []sources.Bounds // that are still to run
	left    int64            // rows
	current planner.Rows     // nil between two slices
	closed  bool
}

// slice cuts a plan's times, if it is one that can be run in slices.
func (e *Engine) slice(plan *planner.Plan) (*slicedRows, bool) {
	if e.cfg.Files == nil {
		return nil, false
	}
	scan, limit, ok := plan.FirstRows()
	if !ok || limit == 0 {
		return nil, false
	}
	var files []*sources.FileSplit
	for _, d := range scan.Splits {
		for _, s := range d.Splits {
			switch {
			case s.File != nil:
				files = append(files, s.File)
			case len(s.Batch.Suspect) > 0:
				return nil, false // looked up in all files of their times
			}
		}
	}
	cuts := cutsOf(files, scan.Bounds)
	if len(cuts) == 0 {
		return nil, false
	}
	r := &slicedRows{engine: e, plan: plan, scan: scan, left: limit}
	to := scan.Bounds.Max
	for _, cut := range cuts {
		r.slices = append(r.slices, sources.Bounds{Min: cut + 1, Max: to})
		to = cut
	}
	r.slices = append(r.slices, sources.Bounds{Min: scan.Bounds.Min, Max: to})
	return r, true
}

// cutsOf are times between slices, latest first: before the newest file, so that
// recent rows alone come first; after about a row group of it; and then after more
// and more files. Files come newest first of each dataset.
func cutsOf(files []*sources.FileSplit, bounds sources.Bounds) []int64 {
	if len(files) == 0 {
		return nil
	}
	newest := slices.SortedFunc(slices.Values(files), func(a, b *sources.FileSplit) int { return cmp.Compare(b.Times.Max, a.Times.Max) })
	var cuts []int64
	add := func(t int64) {
		if t >= bounds.Min && t < bounds.Max && (len(cuts) == 0 || t < cuts[len(cuts)-1]) {
			cuts = append(cuts, t)
		}
	}
	first := newest[0]
	add(first.Times.Max)
	if first.Rows > 2*rowGroup {
		span := float64(first.Times.Max) - float64(first.Times.Min)
		add(first.Times.Max - int64(span*rowGroup/float64(first.Rows)))
	}
	for n := 1; n < len(newest); n *= sliceGrowth {
		add(newest[n].Times.Max)
	}
	return cuts
}

// rowGroup is how many rows of a file are read together; see package lake.
const rowGroup = 122_880

// Next implements planner.Rows.
func (r *slicedRows) Next(ctx context.Context) (*planner.Chunk, error) {
	for !r.closed && r.left > 0 {
		if r.current == nil {
			if len(r.slices) == 0 {
				break
			}
			if err := r.start(ctx); err != nil {
				return nil, err
			}
		}
		chunk, err := r.current.Next(ctx)
		if err != nil {
			return nil, err
		}
		if chunk != nil {
			r.left -= int64(chunk.Rows)
			return chunk, nil
		}
		if err := r.end(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// start runs the next slice. The plan is this run's own, so its scan can stand for
// the slice while the statement is printed.
func (r *slicedRows) start(ctx context.Context) error {
	bounds := r.slices[0]
	r.slices = r.slices[1:]
	all, allBounds := r.scan.Splits, r.scan.Bounds
	defer func() { r.scan.Splits, r.scan.Bounds = all, allBounds }()
	r.scan.Splits, r.scan.Bounds = within(all, bounds), bounds
	q := *r.plan.Query
	q.Offset = nil
	q.Limit = &planner.Const{T: planner.Type{OID: postgres.Int8OID, Typmod: -1}, Value: postgres.IntDatum(r.left)}
	rows, err := r.engine.run(ctx, r.plan, &q, &bounds)
	if err != nil {
		return err
	}
	r.current = rows
	return nil
}

// within leaves out files without a time in the bounds.
func within(all []planner.DatasetSplits, bounds sources.Bounds) []planner.DatasetSplits {
	out := make([]planner.DatasetSplits, len(all))
	for i, d := range all {
		out[i] = d
		out[i].Splits = nil
		for _, s := range d.Splits {
			if s.File == nil || s.File.Times.Overlaps(bounds) {
				out[i].Splits = append(out[i].Splits, s)
			}
		}
	}
	return out
}

func (r *slicedRows) end() error {
	if r.current == nil {
		return nil
	}
	err := r.current.Close()
	r.current = nil
	return err
}

// Close implements planner.Rows.
func (r *slicedRows) Close() error {
	r.closed = true
	return r.end()
}
