package compact

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
)

const (
	// mergeFiles is how many small files are merged at least; fewer would rewrite
	// the same rows too often.
	mergeFiles = 8

	// Merges take processor and memory from what is waiting to be compacted, can be
	// done at any time, and rewrite a row less often the more files they take. So
	// while memory is short, or a dataset gets files, and for mergeAfter then, its
	// merges wait until it has maxUnmerged small files.
	mergeAfter  = 30 * time.Second
	maxUnmerged = 64
)

// merge merges the small files of the datasets that got new ones. Lazily, those
// wait that got some of late, and all if memory was short of late.
func (c *Compactor) merge(ctx context.Context, lazily bool) error {
	var errs []error
	since := c.cfg.Now().Add(-mergeAfter)
	others, err := c.shared.begin(ctx)
	if err != nil {
		return err
	}
	for ds, got := range c.unmerged {
		mine, err := c.shared.take(ctx, ds, others)
		if err == nil && !mine {
			continue
		}
		if err == nil {
			err = c.mergeSmall(ctx, ds, lazily && (got.After(since) || c.pressed.After(since)))
		}
		if ctx.Err() != nil {
			return errors.Join(append(errs, err)...)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("merge files of %s: %w", ds.Metric, err))
		}
		if len(errs) > maxFailures {
			break
		}
	}
	return errors.Join(errs...)
}

// mergeSmall merges the small files of a dataset until there are none to merge; if
// it may wait, not before there are too many.
func (c *Compactor) mergeSmall(ctx context.Context, ds schema.Dataset, mayWait bool) error {
	for {
		v, err := c.cfg.Lake.Version(ctx, ds)
		if err != nil {
			return err
		}
		files, err := v.List(ctx, sources.Unbounded())
		if err != nil {
			return err
		}
		if mayWait && countSmall(files, int64(c.cfg.MergeBytes)) < maxUnmerged {
			return nil
		}
		merged, err := c.mergeOnce(ctx, v, files)
		if errors.Is(err, lake.ErrStale) {
			return nil // another merge was faster; what is left is for the next pass
		}
		if err != nil {
			return err
		}
		if !merged {
			delete(c.unmerged, ds)
			return nil
		}
	}
}

// mergeOnce replaces small files, neighbours in time, by one. It says whether
// there were any to merge.
func (c *Compactor) mergeOnce(ctx context.Context, v *lake.Version, files []*lake.File) (bool, error) {
	old := choose(files, int64(c.cfg.MergeBytes))
	if len(old) == 0 {
		return false, nil
	}
	ds := v.Dataset()
	var batches []*sources.Batch
	for _, f := range old {
		read, err := c.cfg.Lake.Read(ctx, f)
		if err != nil {
			return false, err
		}
		batches = append(batches, read...)
	}
	declared, err := c.declared(ctx, ds)
	if err != nil {
		return false, err
	}
	merged, err := c.cfg.Lake.Write(ctx, ds, batches, lake.Order(batches, nil), declared)
	if err != nil {
		return false, err
	}
	if _, err := c.cfg.Lake.Commit(ctx, v, lake.Commit{Add: merged, Remove: old, Merge: true, Fence: c.shared.turn(ds)}); err != nil {
		return false, err
	}
	if c.cfg.Events.Merged != nil {
		c.cfg.Events.Merged(ds, len(old), len(merged))
	}
	return len(merged) < len(old), nil
}

// choose takes files to merge, or none. A file of at least half of what a merge
// may make is done, and parts its neighbours in time; between two such files the
// smallest are taken.
func choose(files []*lake.File, most int64) []*lake.File {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b *lake.File) int {
		return cmp.Or(cmp.Compare(a.Times.Min, b.Times.Min), cmp.Compare(a.Key, b.Key))
	})
	for len(files) > 0 {
		small := 0
		for small < len(files) && isSmall(files[small], most) {
			small++
		}
		if taken := smallest(files[:small], most); len(taken) > 0 {
			return taken
		}
		files = files[min(small+1, len(files)):]
	}
	return nil
}

// isSmall says that a file, with those that have the other rows of its time, is
// less than half of what a merge may make.
func isSmall(f *lake.File, most int64) bool {
	pieces := int64(max(1, f.Pieces))
	return f.Memory*pieces < most/2 && f.Rows*pieces < lake.MaxFileRows/2
}

func countSmall(files []*lake.File, most int64) int {
	n := 0
	for _, f := range files {
		if isSmall(f, most) {
			n++
		}
	}
	return n
}

// smallest takes as many of the files as a merge may hold, from the smallest on,
// with the largest no larger than the others together: so a row is rewritten only
// when what it lies in doubles. Fewer than mergeFiles are taken only if that makes
// a file that is done.
func smallest(files []*lake.File, most int64) []*lake.File {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b *lake.File) int {
		return cmp.Or(cmp.Compare(a.Memory, b.Memory), cmp.Compare(a.Times.Min, b.Times.Min), cmp.Compare(a.Key, b.Key))
	})
	var memory, rows int64
	taken := 0
	for n, f := range files {
		others := memory
		memory += f.Memory
		rows += f.Rows
		if memory > most || rows > lake.MaxFileRows {
			break
		}
		done := memory >= most/2 || rows >= lake.MaxFileRows/2
		// Of the others, those that have the other rows of its time are rewritten
		// with it.
		if (done || n+1 >= mergeFiles) && f.Memory*int64(2*max(1, f.Pieces)-1) <= others {
			taken = n + 1
		}
	}
	return files[:taken]
}
