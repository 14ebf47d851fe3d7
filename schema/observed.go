package schema

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// flushers is how many datasets are written at a time, so that a KV can join
	// their commits.
	flushers = 16
	// finalFlush bounds the last flush of a Run that was told to end.
	finalFlush = 10 * time.Second
)

// ObservedConfig configures an Observed.
type ObservedConfig struct {
	// Schemas says which sent names are declared and which generation of a name
	// is current. Required.
	Schemas *Store
	// Interval is how often Run writes counts and what else is new. Default 10 s.
	Interval time.Duration
	// TTL is how long what other processes saw may go unnoticed. Default 5 s.
	TTL time.Duration
	// MaxFields is how many sent names are kept of a dataset; further ones are
	// stored and can be declared, but are not listed. Default 10,000.
	MaxFields int
	// MaxUndeclared is how many undeclared metrics Admit lets a tenant have.
	// Default 1,000.
	MaxUndeclared int
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Logger takes what Run and Admit cannot return. Default: none.
	Logger *slog.Logger
}

func (c ObservedConfig) withDefaults() ObservedConfig {
	if c.Interval == 0 {
		c.Interval = 10 * time.Second
	}
	if c.TTL == 0 {
		c.TTL = 5 * time.Second
	}
	if c.MaxFields == 0 {
		c.MaxFields = 10_000
	}
	if c.MaxUndeclared == 0 {
		c.MaxUndeclared = 1000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c ObservedConfig) validate() error {
	if c.Schemas == nil {
		return errors.New("observed: no schema store")
	}
	if c.Interval < 0 || c.TTL < 0 || c.MaxFields < 0 || c.MaxUndeclared < 0 {
		return errors.New("observed: negative setting")
	}
	return nil
}

// ObservedField is one name that devices sent in the events of a dataset.
type ObservedField struct {
	Sent string
	// Type is how the name reads undeclared: bigint, double precision, boolean,
	// text or jsonb. The first value decides; later only bigint becomes double
	// precision.
	Type Type
	// Kinds are those that were sent, in the order of Kinds.
	Kinds     []Kind
	FirstSeen time.Time
	// Order counts the dataset's names from 0, the first seen first.
	Order int
}

// ObservedMetric is one metric name that devices sent.
type ObservedMetric struct {
	Sent string
	// Events counts sightings: a record that is read again after a crash counts
	// again.
	Events int64
	// FirstSeen and LastSeen are arrival times.
	FirstSeen, LastSeen time.Time
}

// Observed is what devices were seen to send: metric names, field names and
// kinds of values by dataset. Names and kinds are durable after Flush; counts
// are written by Run.
//
// Several processes may observe one dataset: each merges what the others wrote,
// stored names first.
type Observed struct {
	kv  KV
	cfg ObservedConfig
	// tenants is replaced whole; mu is held by who replaces it.
	tenants atomic.Pointer[map[string]*observedTenant]
	mu      sync.Mutex
	// news counts new names and kinds; flushed is the count up to which they are
	// durable, and is changed within flushing.
	news     atomic.Uint64
	flushed  atomic.Uint64
	flushing gate
}

// observedTenant holds the datasets of one tenant.
type observedTenant struct {
	name string
	// datasets is replaced whole; mu is held by who replaces it.
	datasets atomic.Pointer[map[Dataset]*observedDataset]
	mu       sync.Mutex
	// admission is replaced whole within admitting.
	admission atomic.Pointer[admission]
	admitting gate
	// listedAt is when the datasets were last listed from the KV; it is used
	// within listing.
	listedAt time.Time
	listing  gate
}

// NewObserved returns what was observed as kv has it. It reads nothing yet.
func NewObserved(kv KV, cfg ObservedConfig) (*Observed, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	o := &Observed{kv: kv, cfg: cfg, flushing: newGate()}
	o.tenants.Store(&map[string]*observedTenant{})
	return o, nil
}

// Run writes what is new from time to time and once more when ctx ends.
func (o *Observed) Run(ctx context.Context) error {
	ticker := time.NewTicker(o.cfg.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := o.FlushAll(ctx); err != nil && ctx.Err() == nil {
				o.cfg.Logger.Warn("what was observed is not written yet", "err", err)
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), finalFlush)
			defer cancel()
			return o.FlushAll(last)
		}
	}
}

// Note records the names and kinds of an event. It takes no lock and allocates
// nothing if all of them were noted before. It keeps nothing of e.
func (o *Observed) Note(e *Event) {
	d := o.dataset(e.Dataset)
	d.count(e.ReceivedAt)
	if d.seenLike(e.Values) {
		return
	}
	known := d.seen.Load()
	set := d.fields.Load()
	for i := 0; known && i < len(e.Values); i++ {
		known = !set.lacks(&e.Values[i])
	}
	if !known {
		d.learn(e, o.cfg.MaxFields, &o.news)
	}
	d.rememberShape(e.Values)
}

// Flush makes every name and kind noted before the call durable. It costs
// nothing if none is new. A stage calls it before it moves its checkpoint past
// the events it noted.
func (o *Observed) Flush(ctx context.Context) error {
	if o.news.Load() == o.flushed.Load() {
		return nil
	}
	if err := o.flushing.enter(ctx); err != nil {
		return err
	}
	defer o.flushing.leave()
	upTo := o.news.Load()
	if upTo == o.flushed.Load() {
		return nil
	}
	if err := o.flushWhere(ctx, (*observedDataset).hasNews); err != nil {
		return err
	}
	o.flushed.Store(upTo)
	return nil
}

// FlushAll is Flush, and makes durable how often all was seen as well.
func (o *Observed) FlushAll(ctx context.Context) error {
	if err := o.flushing.enter(ctx); err != nil {
		return err
	}
	defer o.flushing.leave()
	upTo := o.news.Load()
	if err := o.flushWhere(ctx, (*observedDataset).isDirty); err != nil {
		return err
	}
	o.flushed.Store(upTo)
	return nil
}

func (o *Observed) flushWhere(ctx context.Context, where func(*observedDataset) bool) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(flushers)
	for _, t := range *o.tenants.Load() {
		for _, d := range *t.datasets.Load() {
			if where(d) {
				group.Go(func() error { return d.flush(ctx, o.kv, o.cfg.Now()) })
			}
		}
	}
	return group.Wait()
}

// Fields lists the names seen in a dataset, first seen first. The list is not to
// be written to.
func (o *Observed) Fields(ctx context.Context, ds Dataset) ([]ObservedField, error) {
	d := o.dataset(ds)
	if err := d.refresh(ctx, o.kv, o.cfg.Now(), o.cfg.TTL); err != nil {
		return nil, err
	}
	return d.fields.Load().list, nil
}

// Metrics lists the metric names that a tenant's devices sent since the name was
// last dropped, in no order.
func (o *Observed) Metrics(ctx context.Context, tenant string) ([]ObservedMetric, error) {
	snapshot, err := o.cfg.Schemas.Current(ctx, tenant)
	if err != nil {
		return nil, err
	}
	t := o.tenant(tenant)
	if err := o.list(ctx, t); err != nil {
		return nil, err
	}
	var out []ObservedMetric
	for ds, d := range *t.datasets.Load() {
		if ds != snapshot.Dataset(ds.Metric) {
			continue
		}
		if m, seen := d.metric(); seen {
			out = append(out, m)
		}
	}
	return out, nil
}

// Has says whether devices sent a dataset's metric, as the KV has it now: what other
// processes saw may otherwise go unnoticed for the TTL.
func (o *Observed) Has(ctx context.Context, ds Dataset) (bool, error) {
	item, err := o.kv.Get(ctx, newObservedDataset(ds).countsKey())
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for metric %q among those that were sent: %w", ds.Metric, err)
	}
	var doc datasetDocument
	if err := decodeDocument(item, &doc); err != nil {
		return false, err
	}
	o.dataset(ds).takeCounts(item.Version, &doc)
	return true, nil
}

// tenant finds or makes the state of a tenant.
func (o *Observed) tenant(name string) *observedTenant {
	if t, ok := (*o.tenants.Load())[name]; ok {
		return t
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	old := *o.tenants.Load()
	if t, ok := old[name]; ok {
		return t
	}
	t := &observedTenant{name: name, admitting: newGate(), listing: newGate()}
	t.datasets.Store(&map[Dataset]*observedDataset{})
	t.admission.Store(&admission{})
	next := maps.Clone(old)
	next[name] = t
	o.tenants.Store(&next)
	return t
}

// dataset finds or makes the state of a dataset.
func (o *Observed) dataset(ds Dataset) *observedDataset {
	t := o.tenant(ds.Tenant)
	if d, ok := (*t.datasets.Load())[ds]; ok {
		return d
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	old := *t.datasets.Load()
	if d, ok := old[ds]; ok {
		return d
	}
	d := newObservedDataset(ds)
	next := maps.Clone(old)
	next[d.name] = d
	t.datasets.Store(&next)
	return d
}

// list takes over the datasets that the KV knows, if that was not done lately.
func (o *Observed) list(ctx context.Context, t *observedTenant) error {
	if err := t.listing.enter(ctx); err != nil {
		return err
	}
	defer t.listing.leave()
	now := o.cfg.Now()
	if !t.listedAt.IsZero() && now.Sub(t.listedAt) < o.cfg.TTL {
		return nil
	}
	prefix := observedPrefix + t.name + datasetsFolder
	for after := ""; ; {
		items, err := o.kv.List(ctx, prefix, after, pageSize)
		if err != nil {
			return fmt.Errorf("list observed metrics of tenant %q: %w", t.name, err)
		}
		for _, item := range items {
			after = item.Key
			var doc datasetDocument
			if err := decodeDocument(item, &doc); err != nil {
				return err
			}
			o.dataset(doc.dataset(t.name)).takeCounts(item.Version, &doc)
		}
		if len(items) < pageSize {
			t.listedAt = now
			return nil
		}
	}
}
