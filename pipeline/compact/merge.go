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

const (
	// smallFile is under what size a file is worth merging: half of the least
	// size that files are meant to have.
	smallFile = 32 << 20
	// mergeFiles is how many small files are merged at least; fewer would rewrite
	// the same rows too often.
	mergeFiles = 8
	// mergeRows bounds the rows of a merge, which are all in memory.
	mergeRows = 2_000_000
)

// mergeSmall merges the small files of datasets that just got new ones.
func (c *Compactor) mergeSmall(ctx context.Context, datasets []schema.Dataset) error {
	for _, ds := range datasets {
		for {
			merged, err := c.mergeOnce(ctx, ds)
			if errors.Is(err, lake.ErrStale) {
				break // another merge was faster; what is left is for the next pass
			}
			if err != nil {
				return fmt.Errorf("merge files of %s: %w", ds.Metric, err)
			}
			if !merged {
				break
			}
		}
	}
	return nil
}

// mergeOnce replaces a run of small files, neighbours in time, by one or few. It
// says whether there was a run to merge.
func (c *Compactor) mergeOnce(ctx context.Context, ds schema.Dataset) (bool, error) {
	v, err := c.cfg.Lake.Version(ctx, ds)
	if err != nil {
		return false, err
	}
	files, err := v.List(ctx, sources.Unbounded())
	if err != nil {
		return false, err
	}
	old := choose(files)
	if len(old) < mergeFiles {
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
	var declared map[string]bool
	if c.cfg.Declared != nil {
		if declared, err = c.cfg.Declared(ctx, ds); err != nil {
			return false, fmt.Errorf("read declared names: %w", err)
		}
	}
	merged, err := c.cfg.Lake.Write(ctx, ds, batches, mergedOrder(batches), declared)
	if err != nil {
		return false, err
	}
	if _, err := c.cfg.Lake.Commit(ctx, v, lake.Commit{Add: merged, Remove: old, Merge: true}); err != nil {
		return false, err
	}
	if c.cfg.Events.Merged != nil {
		c.cfg.Events.Merged(ds, len(old), len(merged))
	}
	return true, nil
}

// choose takes small files from the oldest on, as many as a merge may hold.
func choose(files []*lake.File) []*lake.File {
	small := slices.DeleteFunc(slices.Clone(files), func(f *lake.File) bool { return f.Bytes >= smallFile })
	slices.SortFunc(small, func(a, b *lake.File) int {
		return cmp.Or(cmp.Compare(a.Times.Min, b.Times.Min), cmp.Compare(a.Key, b.Key))
	})
	rows := int64(0)
	for i, f := range small {
		rows += f.Rows
		if rows > mergeRows {
			return small[:i]
		}
	}
	return small
}

// mergedOrder is the order of all rows by time.
func mergedOrder(batches []*sources.Batch) []lake.Row {
	var order []lake.Row
	for b, batch := range batches {
		for r := range batch.Rows {
			order = append(order, lake.Row{Batch: uint32(b), Row: uint32(r)})
		}
	}
	slices.SortFunc(order, func(x, y lake.Row) int {
		a, b := batches[x.Batch], batches[y.Batch]
		return cmp.Or(cmp.Compare(a.TS[x.Row], b.TS[y.Row]), a.IDs[x.Row].Compare(b.IDs[y.Row]))
	})
	return order
}
