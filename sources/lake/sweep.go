package lake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// Sweep deletes a dataset's objects that no manifest has listed for the grace:
// those that left it, and those that a commit wrote and never listed. Nothing
// else deletes in the lake. It returns how many objects it deleted.
//
// turn is that of the dataset's lease, 0 where no other process commits. Before
// anything is deleted the manifest is fenced with it: a committer that was paused
// for the grace, and whose files go here, can then list them no more. ErrStale: the
// lease is another's by now, who may list what looks like an orphan here.
func (s *Store) Sweep(ctx context.Context, ds schema.Dataset, turn uint64) (int, error) {
	v, err := s.reload(ctx, ds)
	if err != nil {
		return 0, err
	}
	dead, err := s.unlisted(ctx, v)
	if err == nil && len(dead) > 0 && turn > 0 && turn != v.root.Fence {
		if v, err = s.Commit(ctx, v, Commit{Fence: turn}); err == nil {
			dead, err = s.unlisted(ctx, v)
		}
	}
	if err != nil {
		return 0, err
	}
	for deleted, key := range dead {
		if err := s.cfg.Bucket.Delete(ctx, key); err != nil {
			return deleted, fmt.Errorf("sweep %s: %w", key, err)
		}
		s.filters.remove(key)
		s.parts.remove(key)
	}
	return len(dead), s.forgetRemoved(ctx, v)
}

// unlisted are the keys of objects that no manifest has listed for the grace.
func (s *Store) unlisted(ctx context.Context, v *Version) (dead []string, err error) {
	limit := s.cfg.Now().Add(-s.cfg.Grace)
	live := map[string]bool{rootKey(v.dataset): true}
	files, err := v.List(ctx, sources.Unbounded())
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		live[f.Key], live[f.filterKey()] = true, true
	}
	for _, p := range v.root.Parts {
		live[p.Key] = true
	}
	// What left the manifest less than the grace ago may be older than that.
	for _, r := range v.root.Removed {
		if r.At.After(limit) {
			live[r.Key] = true
		}
	}
	for after := ""; ; {
		const page = 1000
		infos, err := s.cfg.Bucket.List(ctx, prefix(v.dataset), after, page)
		if err != nil {
			return nil, fmt.Errorf("list objects to sweep: %w", err)
		}
		for _, info := range infos {
			after = info.Key
			if !live[info.Key] && !info.Modified.After(limit) && sweepable(info.Key) {
				dead = append(dead, info.Key)
			}
		}
		if len(infos) < page {
			return dead, nil
		}
	}
}

// sweepable says that the key is of an object this package wrote.
func sweepable(key string) bool {
	name := key[len(folderOf(key)):]
	return strings.HasPrefix(name, dataPrefix) || strings.HasPrefix(name, partPrefix)
}

// forgetRemoved drops swept objects from the root once they are many. The commit
// is a merge of nothing: it moves no row and no watermark.
func (s *Store) forgetRemoved(ctx context.Context, v *Version) error {
	limit := s.cfg.Now().Add(-s.cfg.Grace)
	const many = 64
	stale := 0
	for _, r := range v.root.Removed {
		if !r.At.After(limit) {
			stale++
		}
	}
	if stale < many {
		return nil
	}
	next := v.root.clone()
	next.Removed = slices.DeleteFunc(next.Removed, func(r removed) bool { return !r.At.After(limit) })
	next.note(uniqueName(), true)
	data, err := encodeRoot(next)
	if err != nil {
		return err
	}
	etag, err := s.cfg.Bucket.PutIf(ctx, rootKey(v.dataset), data, v.etag)
	switch {
	case err == nil:
		s.remember(&Version{store: s, dataset: v.dataset, root: next, etag: etag})
		return nil
	case errors.Is(err, objstore.ErrPrecondition):
		return nil // a commit was faster; the next sweep does it
	}
	s.known.remove(v.dataset) // what has no answer may stand
	return fmt.Errorf("forget swept objects: %w", err)
}
