package lake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// Commit is a change to a manifest, worked out from one version of it.
type Commit struct {
	// ID is unique. Whoever is left without an answer commits the same again and
	// learns whether it stands. "" lets Commit choose one.
	ID string
	// Add are files already written, Remove those that leave the manifest.
	Add, Remove []*File
	// From and To move watermarks: every staged record of the dataset in
	// (From, To] is in the files. A shard's From must be the watermark it has.
	From, To sources.Watermarks
	// Merge says that Add holds the very rows of Remove.
	Merge bool
	// Fence is the turn of the lease under which c was worked out; 0: no other
	// process commits. A manifest that was written under a later turn refuses c: its
	// committer was taken for dead, and another goes on in its place.
	Fence uint64
}

// Commit makes the next version of base's manifest. ErrStale: base is no longer
// the newest and what happened since was more than merges, or a merge took a
// file that c removes, or the manifest is fenced; work it out again.
func (s *Store) Commit(ctx context.Context, base *Version, c Commit) (*Version, error) {
	if c.ID == "" {
		c.ID = uniqueName()
	}
	current := base
	for {
		if current.root.hasCommit(c.ID) {
			return current, nil
		}
		if err := s.checkAge(c); err != nil {
			return nil, err
		}
		if current != base && !current.root.onlyMergesSince(base.root.Version) {
			return nil, fmt.Errorf("commit to %s: %w", base.dataset.Metric, ErrStale)
		}
		next, err := s.apply(ctx, current, c)
		if err != nil {
			return nil, err
		}
		data, err := encodeRoot(next)
		if err != nil {
			return nil, err
		}
		etag, putErr := s.cfg.Bucket.PutIf(ctx, rootKey(base.dataset), data, current.etag)
		if putErr == nil {
			return s.remember(&Version{store: s, dataset: base.dataset, root: next, etag: etag}), nil
		}
		// Refused or unknown: what stands is what the manifest says.
		read, err := s.reload(ctx, base.dataset)
		switch {
		case err != nil:
			s.known.remove(base.dataset) // it may have a newer one now
			return nil, errors.Join(fmt.Errorf("commit to %s: %w", base.dataset.Metric, putErr), err)
		case read.root.Version == current.root.Version && !errors.Is(putErr, objstore.ErrPrecondition):
			return nil, fmt.Errorf("commit to %s: %w", base.dataset.Metric, putErr)
		}
		current = read
	}
}

// checkAge abandons a commit so slow that the sweeper might soon take its files
// for orphans.
func (s *Store) checkAge(c Commit) error {
	for _, f := range c.Add {
		if age := s.cfg.Now().Sub(f.CreatedAt); age > s.cfg.Grace/2 {
			return fmt.Errorf("commit of %s, written %v ago, over half the grace of %v: %w", f.Key, age.Round(time.Second), s.cfg.Grace, ErrStale)
		}
	}
	return nil
}

// apply works out the root after c, and writes the parts it needs.
func (s *Store) apply(ctx context.Context, v *Version, c Commit) (*root, error) {
	next := v.root.clone()
	if err := next.raise(c.Fence, v.dataset); err != nil {
		return nil, err
	}
	for shard, to := range c.To {
		if at := next.Watermarks[shard]; at.Compare(c.From[shard]) != 0 {
			return nil, fmt.Errorf("commit to %s: shard %d stands at %s, not at %s: %w", v.dataset.Metric, shard, at, c.From[shard], ErrStale)
		}
		next.Watermarks[shard] = to
	}
	if err := s.removeFiles(ctx, next, v.dataset, c.Remove); err != nil {
		return nil, err
	}
	if err := s.addFiles(ctx, next, v.dataset, c.Add); err != nil {
		return nil, err
	}
	if !c.Merge && len(c.To) == 0 {
		// No watermark moves, so no staged record brought these rows.
		for _, f := range c.Add {
			next.Unstaged.Add(f.Times)
		}
	}
	next.note(c.ID, c.Merge)
	return next, nil
}

// removeFiles rewrites the parts that list the files.
func (s *Store) removeFiles(ctx context.Context, r *root, ds schema.Dataset, files []*File) error {
	if len(files) == 0 {
		return nil
	}
	gone := make(map[string]bool, len(files))
	for _, f := range files {
		gone[f.Key] = true
	}
	now := s.cfg.Now().UTC()
	var kept []partRef
	for _, ref := range r.Parts {
		p, err := s.part(ctx, ref.Key)
		if err != nil {
			return err
		}
		var rest []*File
		for _, f := range p.files {
			if !gone[f.Key] {
				rest = append(rest, f)
				continue
			}
			delete(gone, f.Key)
			r.Removed = append(r.Removed, removed{Key: f.Key, At: now}, removed{Key: f.filterKey(), At: now})
		}
		if len(rest) == len(p.files) {
			kept = append(kept, ref)
			continue
		}
		r.Removed = append(r.Removed, removed{Key: ref.Key, At: now})
		if len(rest) > 0 {
			ref, err := s.writePart(ctx, ds, rest)
			if err != nil {
				return err
			}
			kept = append(kept, ref)
		}
	}
	if len(gone) > 0 {
		return fmt.Errorf("remove %d files that the manifest no longer lists: %w", len(gone), ErrStale)
	}
	r.Parts = kept
	return nil
}

// addFiles fills up the last part and makes further ones.
func (s *Store) addFiles(ctx context.Context, r *root, ds schema.Dataset, files []*File) error {
	files = slices.Clone(files)
	for len(files) > 0 {
		var old []*File
		if n := len(r.Parts); n > 0 && r.Parts[n-1].Files < maxPartFiles {
			p, err := s.part(ctx, r.Parts[n-1].Key)
			if err != nil {
				return err
			}
			old = p.files
			r.Removed = append(r.Removed, removed{Key: r.Parts[n-1].Key, At: s.cfg.Now().UTC()})
			r.Parts = r.Parts[:n-1]
		}
		n := min(len(files), maxPartFiles-len(old))
		ref, err := s.writePart(ctx, ds, append(slices.Clone(old), files[:n]...))
		if err != nil {
			return err
		}
		r.Parts = append(r.Parts, ref)
		files = files[n:]
	}
	return nil
}

func (s *Store) writePart(ctx context.Context, ds schema.Dataset, files []*File) (partRef, error) {
	ref := partRef{Key: prefix(ds) + partPrefix + uniqueName() + partSuffix, Files: len(files)}
	for i, f := range files {
		ref.Rows += f.Rows
		ref.Bytes += f.Bytes
		if i == 0 {
			ref.MinTime, ref.MaxTime = f.Times.Min, f.Times.Max
		}
		ref.MinTime, ref.MaxTime = min(ref.MinTime, f.Times.Min), max(ref.MaxTime, f.Times.Max)
	}
	data, err := encodePart(files)
	if err != nil {
		return partRef{}, err
	}
	if _, err := s.cfg.Bucket.PutIf(ctx, ref.Key, s.pack.EncodeAll(data, nil), ""); err != nil {
		return partRef{}, fmt.Errorf("write manifest part: %w", err)
	}
	if _, err := s.keepPart(ref.Key, files); err != nil {
		return partRef{}, err
	}
	return ref, nil
}
