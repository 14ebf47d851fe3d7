package schema

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	tenantsPrefix = "tenants/"
	schemaPrefix  = "schema/"

	// changeAttempts bounds how often Change starts anew when other processes
	// change the same schema.
	changeAttempts = 50
	// maxBackoff bounds the random wait before a new attempt.
	maxBackoff = 20 * time.Millisecond
	// versionAttempts bounds the search for a version number whose documents are
	// not there yet; writers that died leave some behind.
	versionAttempts = 1000

	pageSize = 500
)

// StoreConfig configures a Store.
type StoreConfig struct {
	// TTL is how long the current version is believed without asking the KV, and
	// so how long a change by another process may take to be seen. Default 5 s.
	TTL time.Duration
	// CacheSize is how many schema versions are kept in memory. Default 1,000.
	CacheSize int
	// CheckPattern says why a timestamp pattern cannot be read. Default: every
	// pattern is taken.
	CheckPattern func(pattern string) error
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

func (c StoreConfig) withDefaults() StoreConfig {
	if c.TTL == 0 {
		c.TTL = 5 * time.Second
	}
	if c.CacheSize == 0 {
		c.CacheSize = 1000
	}
	if c.CheckPattern == nil {
		c.CheckPattern = func(string) error { return nil }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c StoreConfig) validate() error {
	if c.TTL < 0 || c.CacheSize < 0 {
		return fmt.Errorf("schema store: negative TTL %v or cache size %d", c.TTL, c.CacheSize)
	}
	return nil
}

// Store keeps the tenants and every version of their schemas in a KV.
//
// A version is an immutable root document and one immutable document for each
// metric, shared by all versions that did not change it. What makes a version
// current is one compare-and-swap of the tenant's key, so a KV needs no
// transactions. Documents of a writer that died before the swap are never
// referred to.
type Store struct {
	kv  KV
	cfg StoreConfig
	// changes is held by the one change that this process makes at a time.
	changes gate

	heads     *headCache
	snapshots *lru.Cache[versionKey, *Snapshot]
	metrics   *lru.Cache[string, *Metric]
}

type versionKey struct {
	tenant  string
	version uint64
}

// NewStore returns a store over kv. It reads nothing yet.
func NewStore(kv KV, cfg StoreConfig) (*Store, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	heads, err := lru.New[string, head](cfg.CacheSize)
	if err != nil {
		return nil, fmt.Errorf("make cache of heads: %w", err)
	}
	snapshots, err := lru.New[versionKey, *Snapshot](cfg.CacheSize)
	if err != nil {
		return nil, fmt.Errorf("make cache of versions: %w", err)
	}
	metrics, err := lru.New[string, *Metric](16 * cfg.CacheSize)
	if err != nil {
		return nil, fmt.Errorf("make cache of metrics: %w", err)
	}
	return &Store{
		kv:        kv,
		cfg:       cfg,
		changes:   newGate(),
		heads:     &headCache{ttl: cfg.TTL, byTenant: heads},
		snapshots: snapshots,
		metrics:   metrics,
	}, nil
}

// AddTenant makes a tenant with an empty schema. ErrExists if there is one. A
// tenant that was dropped can be added again and sees nothing of its former
// events, because every name begins a new generation.
func (s *Store) AddTenant(ctx context.Context, name string) error {
	if err := CheckTenant(name); err != nil {
		return err
	}
	_, err := s.commitLoop(ctx, name, "", "add tenant", func(base *Snapshot) (*Draft, error) {
		if base != nil && !base.dropped {
			return nil, fmt.Errorf("tenant %q: %w", name, ErrExists)
		}
		if base == nil {
			base = &Snapshot{Tenant: name, nextMetric: 1}
		}
		d := s.newDraft(base)
		d.next.dropped = false
		d.settings, d.changed = true, true
		return d, nil
	})
	return err
}

// DropTenant ends a tenant: its schema, and the generation of every name. The
// versions stay readable by At, for records that are still under way. Keys and
// users of the tenant are for the caller to drop.
func (s *Store) DropTenant(ctx context.Context, name string) error {
	_, err := s.commitLoop(ctx, name, "", "drop tenant", func(base *Snapshot) (*Draft, error) {
		if base == nil || base.dropped {
			return nil, tenantNotFound(name)
		}
		d := s.newDraft(&Snapshot{Tenant: name, Version: base.Version, nextMetric: base.nextMetric})
		d.next.FirstGeneration = base.nextFirstGeneration()
		d.next.dropped = true
		d.settings, d.changed = true, true
		return d, nil
	})
	return err
}

// nextFirstGeneration is above the generation of every name of s.
func (s *Snapshot) nextFirstGeneration() uint32 {
	top := s.FirstGeneration
	for _, generations := range []map[string]uint32{s.Generations, s.topGenerations} {
		for _, g := range generations {
			top = max(top, g)
		}
	}
	return top + 1
}

// Tenants lists the tenants' names in order.
func (s *Store) Tenants(ctx context.Context) ([]string, error) {
	var names []string
	for after := ""; ; {
		items, err := s.kv.List(ctx, tenantsPrefix, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("list tenants: %w", err)
		}
		for _, item := range items {
			after = item.Key
			var doc headDocument
			if err := decodeDocument(item, &doc); err != nil {
				return nil, err
			}
			if !doc.Dropped {
				names = append(names, strings.TrimPrefix(item.Key, tenantsPrefix))
			}
		}
		if len(items) < pageSize {
			return names, nil
		}
	}
}

// HasTenant says whether there is a tenant of that name.
func (s *Store) HasTenant(ctx context.Context, name string) (bool, error) {
	_, err := s.Current(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Current returns the current version of a tenant's schema: the latest this
// process made, or any other made before the cache's TTL. ErrNotFound if there
// is no such tenant.
func (s *Store) Current(ctx context.Context, tenant string) (*Snapshot, error) {
	now := s.cfg.Now()
	snapshot, fresh := s.heads.get(tenant, now)
	if !fresh {
		_, read, err := s.readHead(ctx, tenant)
		if err != nil {
			return nil, err
		}
		if read == nil {
			return nil, tenantNotFound(tenant)
		}
		snapshot = s.heads.put(tenant, read, now)
	}
	if snapshot.dropped {
		return nil, tenantNotFound(tenant)
	}
	return snapshot, nil
}

// At returns one version of a tenant's schema. Every version that was ever
// current is kept. ErrNotFound if there was none of that number.
func (s *Store) At(ctx context.Context, tenant string, version uint64) (*Snapshot, error) {
	key := versionKey{tenant: tenant, version: version}
	if snapshot, ok := s.snapshots.Get(key); ok {
		return snapshot, nil
	}
	item, err := s.kv.Get(ctx, rootKey(tenant, version))
	if err != nil {
		return nil, fmt.Errorf("read version %d of tenant %q: %w", version, tenant, err)
	}
	var doc rootDocument
	if err := decodeDocument(item, &doc); err != nil {
		return nil, err
	}
	snapshot := doc.snapshot(tenant)
	for _, ref := range doc.Metrics {
		m, err := s.metric(ctx, tenant, ref)
		if err != nil {
			return nil, fmt.Errorf("read version %d of tenant %q: %w", version, tenant, err)
		}
		snapshot.Metrics = append(snapshot.Metrics, m)
	}
	snapshot.index()
	s.snapshots.Add(key, snapshot)
	return snapshot, nil
}

func (s *Store) metric(ctx context.Context, tenant string, ref metricReference) (*Metric, error) {
	key := metricKey(tenant, ref.ID, ref.Version)
	if m, ok := s.metrics.Get(key); ok {
		return m, nil
	}
	item, err := s.kv.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("metric %d: %w", ref.ID, err)
	}
	m, err := decodeMetric(item)
	if err != nil {
		return nil, err
	}
	s.metrics.Add(key, m)
	return m, nil
}

// Change makes the next version of a tenant's schema: edit declares it on a
// draft of the current one. If another process changed the schema meanwhile,
// edit is called again on a new draft. Who and what are kept with the version. A
// draft without a change makes no version. An error of edit is returned as it
// is, and nothing is changed.
func (s *Store) Change(ctx context.Context, tenant, who, what string, edit func(*Draft) error) (*Snapshot, error) {
	return s.commitLoop(ctx, tenant, who, what, func(base *Snapshot) (*Draft, error) {
		if base == nil || base.dropped {
			return nil, tenantNotFound(tenant)
		}
		d := s.newDraft(base)
		return d, edit(d)
	})
}

// commitLoop drafts on the current version (nil: the tenant never existed) and
// commits, until no other process comes between.
func (s *Store) commitLoop(ctx context.Context, tenant, who, what string, draft func(base *Snapshot) (*Draft, error)) (*Snapshot, error) {
	if err := s.changes.enter(ctx); err != nil {
		return nil, err
	}
	defer s.changes.leave()
	for range changeAttempts {
		headVersion, base, err := s.readHead(ctx, tenant)
		if err != nil {
			return nil, err
		}
		d, err := draft(base)
		if err != nil {
			return nil, err
		}
		if !d.changed {
			return s.heads.put(tenant, base, s.cfg.Now()), nil
		}
		d.next.Who, d.next.What, d.next.CreatedAt = who, what, s.cfg.Now().UTC().Truncate(time.Microsecond)
		next, err := s.commit(ctx, d, headVersion)
		if err == nil {
			return s.heads.put(tenant, next, s.cfg.Now()), nil
		}
		if !errors.Is(err, ErrConflict) {
			return nil, fmt.Errorf("change schema of tenant %q: %w", tenant, err)
		}
		if err := pause(ctx, rand.N(maxBackoff)); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("change schema of tenant %q: %w", tenant, ErrConflict)
}

// readHead reads which version is current, and that version; both are zero if
// the tenant never existed.
func (s *Store) readHead(ctx context.Context, tenant string) (headVersion uint64, current *Snapshot, err error) {
	item, err := s.kv.Get(ctx, tenantsPrefix+tenant)
	if errors.Is(err, ErrNotFound) {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read tenant %q: %w", tenant, err)
	}
	var doc headDocument
	if err := decodeDocument(item, &doc); err != nil {
		return 0, nil, err
	}
	current, err = s.At(ctx, tenant, doc.Version)
	return item.Version, current, err
}

// commit writes the draft's documents under the next free version number and
// makes them current if the tenant's key is still at headVersion. ErrConflict if
// it is not.
func (s *Store) commit(ctx context.Context, d *Draft, headVersion uint64) (*Snapshot, error) {
	tenant := d.base.Tenant
	for version := d.base.Version + 1; version <= d.base.Version+versionAttempts; version++ {
		next := d.seal(version)
		err := s.putDocuments(ctx, next)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return nil, err
		}
		data, err := encodeHead(next)
		if err != nil {
			return nil, fmt.Errorf("encode tenant %q: %w", tenant, err)
		}
		if _, err := s.kv.Put(ctx, tenantsPrefix+tenant, data, headVersion); err != nil && !s.isHead(ctx, tenant, version) {
			return nil, fmt.Errorf("make version %d current: %w", version, err)
		}
		s.snapshots.Add(versionKey{tenant: tenant, version: version}, next)
		return next, nil
	}
	return nil, fmt.Errorf("no free version after %d: %w", d.base.Version, ErrConflict)
}

// isHead says whether a version became current although the answer said
// otherwise or was lost. The number is ours alone, since we made its root.
func (s *Store) isHead(ctx context.Context, tenant string, version uint64) bool {
	item, err := s.kv.Get(ctx, tenantsPrefix+tenant)
	if err != nil {
		return false
	}
	var doc headDocument
	return decodeDocument(item, &doc) == nil && doc.Version == version
}

// putDocuments writes what version s does not share with earlier ones.
// ErrConflict if some of it is there already.
func (s *Store) putDocuments(ctx context.Context, next *Snapshot) error {
	for _, m := range next.Metrics {
		if m.Version != next.Version {
			continue
		}
		data, err := encodeMetric(m)
		if err != nil {
			return fmt.Errorf("encode %s: %w", whereMetric(m.Name), err)
		}
		if len(data) > maxDocument {
			return &Invalid{Where: whereMetric(m.Name), Reason: fmt.Sprintf("its declaration is larger than %d bytes", maxDocument)}
		}
		key := metricKey(next.Tenant, m.ID, m.Version)
		if _, err := s.kv.Put(ctx, key, data, 0); err != nil {
			return fmt.Errorf("write %s: %w", whereMetric(m.Name), err)
		}
	}
	data, err := encodeRoot(next)
	if err != nil {
		return fmt.Errorf("encode version %d: %w", next.Version, err)
	}
	if len(data) > maxDocument {
		return &Invalid{
			Where:  fmt.Sprintf("tenant %q", next.Tenant),
			Reason: fmt.Sprintf("its schema's list of metrics is larger than %d bytes", maxDocument),
		}
	}
	if _, err := s.kv.Put(ctx, rootKey(next.Tenant, next.Version), data, 0); err != nil {
		return fmt.Errorf("write version %d: %w", next.Version, err)
	}
	return nil
}

func rootKey(tenant string, version uint64) string {
	return schemaPrefix + tenant + "/versions/" + padded(version)
}

func metricKey(tenant string, id uint32, version uint64) string {
	return schemaPrefix + tenant + "/metrics/" + padded(uint64(id)) + "/" + padded(version)
}

// padded writes n with leading zeros, so that keys order as numbers do.
func padded(n uint64) string {
	const width = 20
	digits := strconv.FormatUint(n, 10)
	return strings.Repeat("0", width-len(digits)) + digits
}

func tenantNotFound(name string) error { return fmt.Errorf("tenant %q: %w", name, ErrNotFound) }

// head is what is known of a tenant's current version, as of a time.
type head struct {
	snapshot *Snapshot
	at       time.Time
}

// headCache keeps the current versions. Versions only rise, so a reader that was
// slow never hides what a change of this process put here.
type headCache struct {
	ttl time.Duration

	mu       sync.Mutex
	byTenant *lru.Cache[string, head]
}

func (c *headCache) get(tenant string, now time.Time) (*Snapshot, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.byTenant.Get(tenant)
	return h.snapshot, ok && now.Sub(h.at) < c.ttl
}

// put takes what was current at a time and returns the latest that is known.
func (c *headCache) put(tenant string, s *Snapshot, at time.Time) *Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h, ok := c.byTenant.Get(tenant); ok && h.snapshot.Version > s.Version {
		return h.snapshot
	}
	c.byTenant.Add(tenant, head{snapshot: s, at: at})
	return s
}
