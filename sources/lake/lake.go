// Package lake holds compacted events: Parquet files sorted by time, and one
// manifest a dataset that lists them.
//
// A manifest is a small root, swapped by compare-and-swap, over immutable parts.
// Store reads manifests for queries (it implements sources.Lake) and commits
// changes for compaction; Writer and Read turn batches into files and back. When
// to compact or merge is for package compact; only Sweep deletes.
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
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

var _ sources.Lake = (*Store)(nil)

// ErrStale says that a commit was worked out from a version of the manifest that
// is no longer the newest, and that more than merges happened since: what it
// adds must be deduplicated again.
var ErrStale = errors.New("manifest changed since the commit was worked out")

// Config are the knobs of a Store.
type Config struct {
	// Bucket holds the objects. If it is objstore.Local, queries read its files
	// in place.
	Bucket objstore.Bucket
	// Exclusive says that no other process commits to the bucket, so that a
	// manifest once read stays known. The embedded default is.
	Exclusive bool
	// PartCache and FilterCache count manifest parts and identity filters kept
	// in memory. Defaults: 1,024 and 64.
	PartCache, FilterCache int
	// Grace is how long a file that no manifest lists any more stays readable.
	// It must exceed the longest statement. Default: 1 hour.
	Grace time.Duration
	Now   func() time.Time
	// Logger gets what a commit or a sweep could not tell its caller. Required.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.PartCache == 0 {
		c.PartCache = 1024
	}
	if c.FilterCache == 0 {
		c.FilterCache = 64
	}
	if c.Grace == 0 {
		c.Grace = time.Hour
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
	cfg     Config
	parts   *lru.Cache[string, *part]
	filters *lru.Cache[string, filter]

	mu    sync.Mutex
	known map[schema.Dataset]*Version // the newest version read or written
}

// New makes a Store.
func New(cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	parts, err := lru.New[string, *part](cfg.PartCache)
	if err != nil {
		return nil, fmt.Errorf("make part cache: %w", err)
	}
	filters, err := lru.New[string, filter](cfg.FilterCache)
	if err != nil {
		return nil, fmt.Errorf("make filter cache: %w", err)
	}
	return &Store{cfg: cfg, parts: parts, filters: filters, known: map[schema.Dataset]*Version{}}, nil
}

// Load implements sources.Lake.
func (s *Store) Load(ctx context.Context, ds schema.Dataset) (sources.Manifest, error) {
	return s.Version(ctx, ds)
}

// Version returns the newest version of a dataset's manifest.
func (s *Store) Version(ctx context.Context, ds schema.Dataset) (*Version, error) {
	if s.cfg.Exclusive {
		s.mu.Lock()
		v := s.known[ds]
		s.mu.Unlock()
		if v != nil {
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.known[v.dataset]; old != nil && old.root.Version > v.root.Version {
		return old
	}
	s.known[v.dataset] = v
	return v
}

// Datasets lists the datasets that have a manifest, of one tenant or, with "",
// of all.
func (s *Store) Datasets(ctx context.Context, tenant string) ([]schema.Dataset, error) {
	prefix := lakeFolder
	if tenant != "" {
		prefix = TenantPrefix(tenant)
	}
	var out []schema.Dataset
	for after := ""; ; {
		const page = 1000
		infos, err := s.cfg.Bucket.List(ctx, prefix, after, page)
		if err != nil {
			return nil, fmt.Errorf("list manifests: %w", err)
		}
		for _, info := range infos {
			after = info.Key
			if !strings.HasSuffix(info.Key, "/"+rootName) {
				continue
			}
			data, _, err := objstore.Read(ctx, s.cfg.Bucket, info.Key)
			if err != nil {
				return nil, fmt.Errorf("read manifest: %w", err)
			}
			r, err := decodeRoot(data)
			if err != nil {
				return nil, fmt.Errorf("manifest %s: %w", info.Key, err)
			}
			out = append(out, r.dataset())
		}
		if len(infos) < page {
			return out, nil
		}
	}
}
