// Package lake holds compacted events: Parquet files sorted by time, and one
// manifest a dataset that lists them.
//
// A manifest is a small root, swapped by compare-and-swap, over immutable parts.
// Store reads manifests for queries (it implements sources.Lake) and commits
// changes for compaction; Write and Read turn batches into files and back; Known
// and Suspect find events that it has already. When to compact or merge is for
// package compact; only Sweep and Drop delete.
//
// The bytes of root, part, filter and file are described in
// docs/format/lake.md.
package lake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

var _ sources.Lake = (*Store)(nil)

// ErrStale says that a commit was worked out from a version of the manifest that
// is no longer the newest, and that more than merges happened since: what it
// adds must be deduplicated again.
var ErrStale = errors.New("manifest changed since the commit was worked out")

// clockSkew is by how much the clocks of two machines may differ.
const clockSkew = time.Hour

// Config are the knobs of a Store.
type Config struct {
	// Bucket holds the objects.
	Bucket objstore.Bucket
	// Path says where queries find an object as a file of this machine: in the
	// bucket's own directory, or in a cache. Default: that of Bucket if it is
	// objstore.Local.
	Path func(key string) (string, error)
	// Exclusive says that no other process commits to the bucket, so that a
	// manifest once read stays known. The embedded default is.
	Exclusive bool
	// ManifestCache and FilterCache bound what of manifests and of identity
	// filters is kept in memory, in bytes. Defaults: 128 MB and 64 MB.
	ManifestCache, FilterCache int
	// Grace is how long a file that no manifest lists any more stays readable.
	// It must exceed the longest statement. Default: 1 hour, and 2 unless Exclusive:
	// clocks of machines may differ by one.
	Grace time.Duration
	Now   func() time.Time
	// Logger gets what a commit or a sweep could not tell its caller. Required.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if local, ok := c.Bucket.(objstore.Local); ok && c.Path == nil {
		c.Path = local.Path
	}
	if c.ManifestCache == 0 {
		c.ManifestCache = 128 << 20
	}
	if c.FilterCache == 0 {
		c.FilterCache = 64 << 20
	}
	if c.Grace == 0 {
		c.Grace = time.Hour
		if !c.Exclusive {
			c.Grace += clockSkew
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Bucket == nil:
		return errors.New("lake: no bucket")
	case c.Logger == nil:
		return errors.New("lake: no logger")
	case c.Grace < time.Second:
		return fmt.Errorf("lake: grace of %v is under a second", c.Grace)
	}
	return nil
}

// Store is the lake of one bucket.
type Store struct {
	cfg   Config
	parts *cache[string, *part]
	// columns are the lists of columns of those parts, by their names.
	columns *cache[string, []string]
	filters *cache[string, filter]
	// known has the newest versions read or written.
	known *cache[schema.Dataset, *Version]
	// pack and unpack are for parts, and for many goroutines.
	pack   *zstd.Encoder
	unpack *zstd.Decoder
}

// New makes a Store.
func New(cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg}
	var err error
	if s.pack, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true)); err != nil {
		return nil, fmt.Errorf("make zstd encoder: %w", err)
	}
	if s.unpack, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0)); err != nil {
		return nil, fmt.Errorf("make zstd decoder: %w", err)
	}
	if s.parts, err = newCache[string](cfg.ManifestCache, (*part).memory); err != nil {
		return nil, err
	}
	if s.columns, err = newCache[string](cfg.ManifestCache/4, func(columns []string) int { return listEntry + listColumn*len(columns) }); err != nil {
		return nil, err
	}
	if s.known, err = newCache[schema.Dataset](cfg.ManifestCache/4, (*Version).memory); err != nil {
		return nil, err
	}
	if s.filters, err = newCache[string](cfg.FilterCache, func(f filter) int { return len(f) }); err != nil {
		return nil, err
	}
	return s, nil
}

// Load implements sources.Lake.
func (s *Store) Load(ctx context.Context, ds schema.Dataset) (sources.Manifest, error) {
	return s.Version(ctx, ds)
}

// Version returns the newest version of a dataset's manifest.
func (s *Store) Version(ctx context.Context, ds schema.Dataset) (*Version, error) {
	if s.cfg.Exclusive {
		if v, ok := s.known.get(ds); ok {
			return v, nil
		}
	}
	return s.reload(ctx, ds)
}

// reload reads the root anew.
func (s *Store) reload(ctx context.Context, ds schema.Dataset) (*Version, error) {
	data, info, err := objstore.Read(ctx, s.cfg.Bucket, rootKey(ds))
	var v *Version
	switch {
	case errors.Is(err, objstore.ErrNotFound):
		v = &Version{store: s, dataset: ds, root: newRoot(ds)}
	case err != nil:
		return nil, fmt.Errorf("read manifest of %s: %w", ds.Metric, err)
	default:
		r, err := decodeRoot(data)
		if err != nil {
			return nil, fmt.Errorf("manifest %s: %w", rootKey(ds), err)
		}
		v = &Version{store: s, dataset: ds, root: r, etag: info.ETag}
	}
	return s.remember(v), nil
}

// remember keeps v unless a newer version is known, and returns the newer.
func (s *Store) remember(v *Version) *Version {
	return s.known.update(v.dataset, func(old *Version, ok bool) *Version {
		if ok && old.root.Version > v.root.Version {
			return old
		}
		return v
	})
}

// Datasets lists the datasets that have a manifest, of one tenant or, with "",
// of all. The error tells of manifests that cannot be read; the others are
// listed all the same.
func (s *Store) Datasets(ctx context.Context, tenant string) ([]schema.Dataset, error) {
	under := lakeFolder
	if tenant != "" {
		under = TenantPrefix(tenant)
	}
	var out []schema.Dataset
	var errs []error
	for after := ""; ; {
		const page = 1000
		infos, err := s.cfg.Bucket.List(ctx, under, after, page)
		if err != nil {
			return out, errors.Join(append(errs, fmt.Errorf("list manifests: %w", err))...)
		}
		for _, info := range infos {
			after = info.Key
			if !strings.HasSuffix(info.Key, "/"+rootName) {
				continue
			}
			ds, err := s.datasetOf(ctx, info.Key)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			out = append(out, ds)
		}
		if len(infos) < page {
			return out, errors.Join(errs...)
		}
		// The root is the last of its folder; of a folder of many files the others
		// need not be listed.
		if root := folderOf(after) + rootName; after < root {
			after = root[:len(root)-1]
		}
	}
}

func (s *Store) datasetOf(ctx context.Context, rootKey string) (schema.Dataset, error) {
	data, _, err := objstore.Read(ctx, s.cfg.Bucket, rootKey)
	if err != nil {
		return schema.Dataset{}, fmt.Errorf("read manifest: %w", err)
	}
	r, err := decodeRoot(data)
	if err != nil {
		return schema.Dataset{}, fmt.Errorf("manifest %s: %w", rootKey, err)
	}
	return r.dataset(), nil
}

// What a list of columns takes in memory, and a column of it with its name.
const listEntry, listColumn = 100, 64
