package compact

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
)

// mergeFiles is how many small files are merged at least; fewer would rewrite the
// same rows too often.
const mergeFiles = 8

// mergeSmall merges the small files of datasets that just got new ones.
func (c *Compactor) mergeSmall(ctx context.Context, datasets []schema.Dataset) error {
	var errs []error
	for _, ds := range datasets {
		for merged := true; merged; {
			var err error
			merged, err = c.mergeOnce(ctx, ds)
			if errors.Is(err, lake.ErrStale) {
				break // another merge was faster; what is left is for the next pass
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("merge files of %s: %w", ds.Metric, err))
			}
			if ctx.Err() != nil || len(errs) > maxFailures {
				return errors.Join(errs...)
			}
		}
	}
	return errors.Join(errs...)
}

// mergeOnce replaces small files, neighbours in time, by one. It says whether
// there were any to merge.
func (c *Compactor) mergeOnce(ctx context.Context, ds schema.Dataset) (bool, error) {
	v, err := c.cfg.Lake.Version(ctx, ds)
	if err != nil {
		return false, err
	}
	files, err := v.List(ctx, sources.Unbounded())
	if err != nil {
		return false, err
	}
	old := choose(files, int64(c.cfg.MergeBytes))
	if len(old) == 0 {
		return false, nil
	}
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
	merged, err := c.cfg.Lake.Write(ctx, ds, batches, lake.Order(batches), declared)
	if err != nil {
		return false, err
	}
	if _, err := c.cfg.Lake.Commit(ctx, v, lake.Commit{Add: merged, Remove: old, Merge: true}); err != nil {
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
		for small < len(files) && files[small].Memory < most/2 && files[small].Rows < lake.MaxFileRows/2 {
			small++
		}
		if taken := smallest(files[:small], most); len(taken) > 0 {
			return taken
		}
		files = files[min(small+1, len(files)):]
	}
	return nil
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
		if (done || n+1 >= mergeFiles) && f.Memory <= others {
			taken = n + 1
		}
	}
	return files[:taken]
}
