package suggest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
)

// Config configures an Advisor. The first three are required.
type Config struct {
	Schemas  *schema.Store
	Observed *schema.Observed
	Profiles *profile.Profiles
	// Interval is how often Run looks for something to suggest. Default 10 s.
	Interval time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Logger takes what Run cannot return. Default: none.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Interval == 0 {
		c.Interval = 10 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	if c.Schemas == nil || c.Observed == nil || c.Profiles == nil {
		return errors.New("suggest: schemas, observed names or profiles are missing")
	}
	return nil
}

// maxSuggestions is how many suggestions a tenant has at most, answered ones
// included.
const maxSuggestions = 10_000

// Advisor makes suggestions and keeps what was answered. It is safe for
// concurrent use.
type Advisor struct {
	kv  schema.KV
	cfg Config

	mu      sync.Mutex // guards tenants
	tenants map[string]*advised
}

// advised is what is known of a tenant. mu is held while its suggestions are
// looked for.
type advised struct {
	mu sync.Mutex
	// tables has what was proposed of each table, and on what grounds.
	tables map[string]*considered
	missed missed
	stamp  stamp
	// proposed are the proposals of the last look, by what they are about.
	proposed map[identity]*proposal
}

// considered is a table's proposals while nothing changes.
type considered struct {
	stamp     stamp
	table     *table
	proposals map[identity]*proposal
	// casts has each source's counts at the last look.
	casts map[string]castCounts
}

// stamp tells whether anything changed.
type stamp struct {
	version uint64
	events  int64
}

// New returns an Advisor. It reads nothing yet.
func New(kv schema.KV, cfg Config) (*Advisor, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Advisor{kv: kv, cfg: cfg, tenants: map[string]*advised{}}, nil
}

// Run looks for something to suggest to every tenant from time to time, until ctx
// ends.
func (a *Advisor) Run(ctx context.Context) error {
	ticker := time.NewTicker(a.cfg.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := a.lookAll(ctx); err != nil && ctx.Err() == nil {
			a.cfg.Logger.Warn("look for suggestions", "err", err)
		}
	}
}

func (a *Advisor) lookAll(ctx context.Context) error {
	tenants, err := a.cfg.Schemas.Tenants(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, tenant := range tenants {
		if _, err := a.List(ctx, tenant); err != nil && !errors.Is(err, schema.ErrNotFound) {
			errs = append(errs, fmt.Errorf("tenant %q: %w", tenant, err))
		}
	}
	return errors.Join(errs...)
}

func (a *Advisor) tenant(name string) *advised {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tenants[name]
	if t == nil {
		t = &advised{tables: map[string]*considered{}}
		a.tenants[name] = t
	}
	return t
}

// List gives the suggestions that are not answered, by number.
func (a *Advisor) List(ctx context.Context, tenant string) ([]Suggestion, error) {
	docs, err := a.look(ctx, tenant)
	if err != nil {
		return nil, err
	}
	out := make([]Suggestion, 0, len(docs))
	for _, d := range docs {
		out = append(out, d.suggestion())
	}
	return out, nil
}

// look makes suggestions of what was seen since the last look, and gives those
// that are open and still hold, by number.
func (a *Advisor) look(ctx context.Context, tenant string) ([]*document, error) {
	t := a.tenant(tenant)
	t.mu.Lock()
	defer t.mu.Unlock()
	snapshot, err := a.cfg.Schemas.Current(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if err := a.consider(ctx, t, snapshot); err != nil {
		return nil, err
	}
	docs, err := a.documents(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if docs, err = a.record(ctx, tenant, t, docs); err != nil {
		return nil, err
	}
	var out []*document
	for _, d := range docs {
		if d.State == stateOpen && t.proposed[d.About] != nil {
			out = append(out, d)
		}
	}
	return out, nil
}

// documents reads all suggestions of a tenant, by number.
func (a *Advisor) documents(ctx context.Context, tenant string) ([]*document, error) {
	var out []*document
	prefix := folder(tenant)
	for after := ""; ; {
		items, err := a.kv.List(ctx, prefix, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("read suggestions of tenant %q: %w", tenant, err)
		}
		for _, item := range items {
			after = item.Key
			d, err := decode(item, prefix)
			if err != nil {
				return nil, err
			}
			out = append(out, d)
		}
		if len(items) < pageSize {
			return out, nil
		}
	}
}

// record writes what is proposed and not stored yet, in an order that does not
// depend on chance, and what says something else now. What was answered stays.
func (a *Advisor) record(ctx context.Context, tenant string, t *advised, docs []*document) ([]*document, error) {
	known := make(map[identity]*document, len(docs))
	next := int64(1)
	for _, d := range docs {
		known[d.About] = d
		next = max(next, d.number+1)
	}
	about := make([]identity, 0, len(t.proposed))
	for id := range t.proposed {
		about = append(about, id)
	}
	slices.SortFunc(about, compareIdentities)
	for _, id := range about {
		p := t.proposed[id]
		d := known[id]
		if d != nil && d.State != stateOpen {
			continue
		}
		if d == nil {
			if len(docs) >= maxSuggestions {
				continue
			}
			d = &document{Format: documentFormat, About: id, CreatedAt: a.cfg.Now().UTC().Truncate(time.Microsecond), number: next, Notified: p.quiet}
			known[id] = d
			docs = append(docs, d)
			next++
		}
		evidence, err := json.Marshal(p.Evidence)
		if err != nil {
			return nil, fmt.Errorf("write evidence: %w", err)
		}
		if !d.take(p, evidence) {
			continue
		}
		err = a.put(ctx, tenant, d)
		if errors.Is(err, schema.ErrConflict) {
			break // another process is at it; the next look reads what it wrote
		}
		if err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(docs, func(d *document) bool { return d.version == 0 }), nil
}

func compareIdentities(a, b identity) int {
	return cmp.Or(cmp.Compare(a.Metric, b.Metric), cmp.Compare(classOrder(a.Class), classOrder(b.Class)), cmp.Compare(a.Sent, b.Sent),
		cmp.Compare(a.Value, b.Value), cmp.Compare(a.Generation, b.Generation))
}

func classOrder(class string) int {
	return slices.Index([]string{classMetric, className, classType, classCasts, classMissing}, class)
}

func (a *Advisor) put(ctx context.Context, tenant string, d *document) error {
	value, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode suggestion: %w", err)
	}
	version, err := a.kv.Put(ctx, key(tenant, d.number), value, d.version)
	if err != nil {
		return fmt.Errorf("write suggestion %d of tenant %q: %w", d.number, tenant, err)
	}
	d.version = version
	return nil
}

// Find gives a suggestion that is not answered. The error may wrap ErrNotFound or
// ErrAnswered.
func (a *Advisor) Find(ctx context.Context, tenant string, number int64) (Suggestion, error) {
	d, err := a.find(ctx, tenant, number)
	if err != nil {
		return Suggestion{}, err
	}
	return d.suggestion(), nil
}

func (a *Advisor) find(ctx context.Context, tenant string, number int64) (*document, error) {
	if number < 1 {
		return nil, fmt.Errorf("suggestion %d: %w", number, ErrNotFound)
	}
	item, err := a.kv.Get(ctx, key(tenant, number))
	if errors.Is(err, schema.ErrNotFound) {
		return nil, fmt.Errorf("suggestion %d: %w", number, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read suggestion %d: %w", number, err)
	}
	d, err := decode(item, folder(tenant))
	if err != nil {
		return nil, err
	}
	snapshot, err := a.cfg.Schemas.Current(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if d.About.Generation != snapshot.Dataset(d.About.Metric).Generation {
		return nil, fmt.Errorf("suggestion %d: %w", number, ErrNotFound)
	}
	if d.State != stateOpen {
		return nil, fmt.Errorf("suggestion %d was %s by %s: %w", number, d.State, d.AnsweredBy, ErrAnswered)
	}
	return d, nil
}

// Settle notes that a suggestion was accepted or dismissed: it does not come back.
func (a *Advisor) Settle(ctx context.Context, tenant string, number int64, state, who string) error {
	for {
		d, err := a.find(ctx, tenant, number)
		if err != nil {
			return err
		}
		now := a.cfg.Now().UTC().Truncate(time.Microsecond)
		d.State, d.AnsweredBy, d.AnsweredAt, d.Notified = state, who, &now, true
		if err := a.put(ctx, tenant, d); !errors.Is(err, schema.ErrConflict) {
			return err
		}
	}
}

// News gives up to limit suggestions that are open and that nobody was told of, by
// number.
func (a *Advisor) News(ctx context.Context, tenant string, limit int) ([]Suggestion, error) {
	docs, err := a.look(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var out []Suggestion
	for _, d := range docs {
		if !d.Notified && len(out) < limit {
			out = append(out, d.suggestion())
		}
	}
	return out, nil
}

// Told notes that somebody was told of suggestions.
func (a *Advisor) Told(ctx context.Context, tenant string, list []Suggestion) error {
	for _, s := range list {
		for {
			d, err := a.find(ctx, tenant, s.ID)
			if errors.Is(err, ErrAnswered) || errors.Is(err, ErrNotFound) {
				break
			}
			if err != nil {
				return err
			}
			d.Notified = true
			err = a.put(ctx, tenant, d)
			if err == nil {
				break
			}
			if !errors.Is(err, schema.ErrConflict) {
				return err
			}
		}
	}
	return nil
}
