package pgcatalog

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// state is what the relations of a tenant follow from: one version of its schema,
// its users, the undeclared metrics that its devices sent, and who reads them. It does not
// change; what follows from it is computed when it is first asked for.
type state struct {
	snapshot   *schema.Snapshot
	users      []User
	undeclared []undeclared
	// reader is the user who reads, if that may not read everything, else "".
	reader string

	roles []role
	// owner is the role that the tenant's tables belong to: its first owner.
	owner   role
	objects []*object
	// names find objects and comments by what functions are asked with.
	names func() *names
	// unchanging are rows that do not differ between versions of the schema.
	unchanging *madeBlocks
	// shared are those that may.
	shared *madeBlocks
	// bytes is about what all rows take.
	bytes atomic.Int64
}

// madeBlocks are rows that were computed, by the part of a relation that they are.
type madeBlocks struct {
	mu   sync.Mutex
	made map[*part]*block
}

// get computes a block, once.
func (m *madeBlocks) get(s *state, p *part, compute func() *block) *block {
	m.mu.Lock()
	defer m.mu.Unlock()
	if made, ok := m.made[p]; ok {
		return made
	}
	made := compute()
	if m.made == nil {
		m.made = map[*part]*block{}
	}
	m.made[p] = made
	s.bytes.Add(made.bytes())
	return made
}

// bytes is about what the rows take.
func (m *madeBlocks) bytes() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := int64(0)
	for _, b := range m.made {
		n += b.bytes()
	}
	return n
}

// undeclared is a metric that nobody declared. The list of its fields is
// Observed's, which replaces it or appends to it, but changes nothing in it.
type undeclared struct {
	sent   string
	fields []schema.ObservedField
}

func (u undeclared) same(o undeclared) bool {
	return u.sent == o.sent && len(u.fields) == len(o.fields) && (len(u.fields) == 0 || &u.fields[0] == &o.fields[0])
}

// The states that are kept: of so many tenants, and so many bytes of them all.
const (
	maxStates     = 1024
	maxStateBytes = 128 << 20
)

// states are the latest states by tenant and reader.
type states struct {
	cache *lru.Cache[stateKey, *state]
}

type stateKey struct{ tenant, reader string }

func newStates() *states {
	cache, err := lru.New[stateKey, *state](maxStates)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &states{cache: cache}
}

// trim forgets the states that were not used for longest while all together take
// too much.
func (s *states) trim() {
	total := int64(0)
	for _, st := range s.cache.Values() {
		total += st.bytes.Load()
	}
	for total > maxStateBytes && s.cache.Len() > 1 {
		if _, oldest, ok := s.cache.RemoveOldest(); ok {
			total -= oldest.bytes.Load()
		}
	}
}

// state is the tenant's state now, the one from before if nothing has changed.
func (c *Catalog) state(ctx context.Context, view *sources.CatalogView) (*state, error) {
	snapshot := view.Snapshot
	key := stateKey{snapshot.Tenant, readerOf(snapshot, view.User, view.Limited)}
	users, err := c.cfg.Users(ctx, snapshot.Tenant)
	if err != nil {
		return nil, err
	}
	metrics, err := c.undeclared(ctx, snapshot)
	if err != nil {
		return nil, err
	}
	old, ok := c.states.cache.Get(key)
	if ok && sameVersion(old.snapshot, snapshot) && slices.Equal(old.users, users) && slices.EqualFunc(old.undeclared, metrics, undeclared.same) {
		return old, nil
	}
	if !ok {
		old = nil
	}
	s := newState(snapshot, users, metrics, key.reader, old)
	c.states.cache.Add(key, s)
	c.states.trim()
	return s, nil
}

// sameVersion says that two snapshots of a tenant are one version.
func sameVersion(a, b *schema.Snapshot) bool {
	return a == b || a.Version == b.Version && a.CreatedAt.Equal(b.CreatedAt)
}

// newState makes a state. What is as it was in an old one of the same tenant and
// reader is taken from there; nil: there is none.
func newState(snapshot *schema.Snapshot, users []User, metrics []undeclared, reader string, old *state) *state {
	s := &state{snapshot: snapshot, users: users, undeclared: metrics, reader: reader, unchanging: &madeBlocks{}, shared: &madeBlocks{}}
	s.roles = rolesOf(users)
	s.owner = ownerOf(s.roles)
	earlier := map[uint32]*object{}
	if old != nil {
		s.unchanging = old.unchanging
		if slices.Equal(old.users, users) {
			for _, o := range old.objects {
				earlier[o.oid] = o
			}
		}
	}
	s.objects = userObjects(s, earlier)
	s.bytes.Add(s.unchanging.bytes())
	for _, o := range s.objects {
		if earlier[o.oid] == o {
			s.bytes.Add(o.bytes())
		}
	}
	s.names = sync.OnceValue(func() *names { return newNames(s) })
	return s
}

// undeclared lists the metrics that nobody declared, the first seen first.
func (c *Catalog) undeclared(ctx context.Context, snapshot *schema.Snapshot) ([]undeclared, error) {
	metrics, err := c.observedMetrics(ctx, snapshot.Tenant)
	if err != nil {
		return nil, err
	}
	var out []undeclared
	for i := range metrics {
		sent := metrics[i].Sent
		if _, declared := snapshot.MetricOfSent(sent); declared {
			continue
		}
		fields, err := c.cfg.Observed.Fields(ctx, snapshot.Dataset(sent))
		if err != nil {
			return nil, err
		}
		nameless := func(f schema.ObservedField) bool { return !schema.CanBeNamed(f.Sent) }
		if slices.ContainsFunc(fields, nameless) {
			fields = slices.DeleteFunc(slices.Clone(fields), nameless)
		}
		out = append(out, undeclared{sent, fields})
	}
	return out, nil
}

// table has a relation's rows, but for those of own.
func (s *state) table(r *relation) *table {
	t := &table{}
	for i := range r.parts {
		p := &r.parts[i]
		switch {
		case p.fixed != nil:
			t.blocks = append(t.blocks, tableBlock{made: p.always()})
		case p.tenant != nil:
			t.blocks = append(t.blocks, tableBlock{made: s.unchanging.get(s, p, func() *block {
				b := newBuilder(r)
				p.tenant(s.snapshot.Tenant, b)
				return b.block()
			})})
		case p.shared != nil:
			t.blocks = append(t.blocks, tableBlock{made: s.shared.get(s, p, func() *block {
				b := newBuilder(r)
				p.shared(s, b)
				return b.block()
			})})
		case p.each != nil:
			for _, o := range s.objects {
				t.blocks = append(t.blocks, tableBlock{of: o, relation: r, part: p, state: s})
			}
		}
	}
	return t
}
