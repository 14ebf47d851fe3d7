package lake

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

var _ sources.Manifest = (*Version)(nil)

// Version is one version of a dataset's manifest. It never changes.
type Version struct {
	store   *Store
	dataset schema.Dataset
	root    *root
	etag    objstore.ETag
}

// part is a part as read: its files, newest first, and what a plan reads of each.
type part struct {
	files  []*File
	splits []*sources.FileSplit
}

// memory is about what a part takes. Column lists are shared.
func (p *part) memory() int {
	const file, stats = 600, 64
	n := 0
	for _, f := range p.files {
		n += file + stats*len(f.Stats)
	}
	return n
}

// memory is about what a version takes, without its parts.
func (v *Version) memory() int {
	const version, entry = 500, 100
	return version + entry*(len(v.root.Parts)+len(v.root.Commits)+len(v.root.Removed)+len(v.root.Watermarks))
}

// Dataset is whose manifest it is.
func (v *Version) Dataset() schema.Dataset { return v.dataset }

// Version counts the commits; 0 is the empty manifest.
func (v *Version) Version() uint64 { return v.root.Version }

// Watermarks implements sources.Manifest. The caller owns the result.
func (v *Version) Watermarks() sources.Watermarks { return maps.Clone(v.root.Watermarks) }

// Watermark is that of one shard.
func (v *Version) Watermark(shard stream.ShardID) stream.Sequence { return v.root.Watermarks[shard] }

// Totals sums up the files.
func (v *Version) Totals() (files int, rows, bytes int64) {
	for _, p := range v.root.Parts {
		files += p.Files
		rows += p.Rows
		bytes += p.Bytes
	}
	return files, rows, bytes
}

// Files implements sources.Manifest.
func (v *Version) Files(ctx context.Context, bounds sources.Bounds) (splits []*sources.FileSplit, known int, err error) {
	err = v.eachPart(ctx, bounds, func(p *part) {
		for _, f := range p.splits {
			if f.Times.Overlaps(bounds) {
				splits = append(splits, f)
			}
		}
	})
	newest := func(a, b *sources.FileSplit) int {
		return cmp.Or(cmp.Compare(b.Times.Max, a.Times.Max), cmp.Compare(a.Path, b.Path))
	}
	if !slices.IsSortedFunc(splits, newest) {
		slices.SortFunc(splits, newest)
	}
	return splits, v.FilesKnown(), err
}

// FilesKnown implements sources.Manifest.
func (v *Version) FilesKnown() int {
	files, _, _ := v.Totals()
	return files
}

// Unstaged implements sources.Manifest.
func (v *Version) Unstaged(bounds sources.Bounds) bool { return v.root.Unstaged.Overlaps(bounds) }

// List returns the files whose time range overlaps the bounds, newest first.
func (v *Version) List(ctx context.Context, bounds sources.Bounds) ([]*File, error) {
	var files []*File
	err := v.eachPart(ctx, bounds, func(p *part) {
		for _, f := range p.files {
			if f.Times.Overlaps(bounds) {
				files = append(files, f)
			}
		}
	})
	slices.SortFunc(files, newestFirst)
	return files, err
}

func newestFirst(a, b *File) int {
	return cmp.Or(cmp.Compare(b.Times.Max, a.Times.Max), cmp.Compare(a.Key, b.Key))
}

// eachPart calls visit with every part that may hold times in the bounds, the one
// with the newest first.
func (v *Version) eachPart(ctx context.Context, bounds sources.Bounds, visit func(*part)) error {
	refs := slices.SortedStableFunc(slices.Values(v.root.Parts), func(a, b partRef) int { return cmp.Compare(b.MaxTime, a.MaxTime) })
	parts := make([]*part, len(refs))
	// Those that are not in memory are decoded by all processors.
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, ref := range refs {
		if !(sources.Bounds{Min: ref.MinTime, Max: ref.MaxTime}).Overlaps(bounds) {
			continue
		}
		if p, ok := v.store.parts.get(ref.Key); ok {
			parts[i] = p
			continue
		}
		g.Go(func() (err error) {
			parts[i], err = v.store.part(ctx, ref.Key)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, p := range parts {
		if p != nil {
			visit(p)
		}
	}
	return nil
}

// part reads a part, or finds it in the cache: parts never change.
func (s *Store) part(ctx context.Context, key string) (*part, error) {
	if p, ok := s.parts.get(key); ok {
		return p, nil
	}
	packed, _, err := objstore.Read(ctx, s.cfg.Bucket, key)
	if err != nil {
		return nil, fmt.Errorf("read manifest part: %w", err)
	}
	data, err := s.unpack.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("manifest part %s: %w", key, err)
	}
	files, err := decodePart(data, s.share)
	if err != nil {
		return nil, fmt.Errorf("manifest part %s: %w", key, err)
	}
	return s.keepPart(key, files)
}

// share gives for a list of columns the one that another part has already, so that
// readers tell equal lists by where they lie.
func (s *Store) share(columns []string) []string {
	return s.columns.update(strings.Join(columns, " "), func(known []string, ok bool) []string {
		if ok {
			return known
		}
		return columns
	})
}

func (s *Store) keepPart(key string, files []*File) (*part, error) {
	slices.SortFunc(files, newestFirst)
	p := &part{files: files, splits: make([]*sources.FileSplit, 0, len(files))}
	for _, f := range files {
		path := f.Key
		if s.cfg.Path != nil {
			var err error
			if path, err = s.cfg.Path(f.Key); err != nil {
				return nil, fmt.Errorf("path of %s: %w", f.Key, err)
			}
		}
		p.splits = append(p.splits, &sources.FileSplit{
			Path: path, Key: f.Key, Bytes: f.Bytes, Rows: f.Rows, Times: f.Times, Columns: f.Columns, Stats: f.Stats, More: f.More, Full: f.Full,
			Zeros: s.share(f.mayHaveZeros()),
		})
	}
	s.parts.put(key, p)
	return p, nil
}
