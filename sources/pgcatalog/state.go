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
	objects func() []object
	// names find objects and comments by what functions are asked with.
	names func() *names

	mu   sync.Mutex
	made map[*relation]*rows
	// bytes is about what made takes.
	bytes atomic.Int64
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
	s := newState(snapshot, users, metrics, key.reader)
	c.states.cache.Add(key, s)
	c.states.trim()
	return s, nil
}

// sameVersion says that two snapshots of a tenant are one version.
func sameVersion(a, b *schema.Snapshot) bool {
	return a == b || a.Version == b.Version && a.CreatedAt.Equal(b.CreatedAt)
}

func newState(snapshot *schema.Snapshot, users []User, metrics []undeclared, reader string) *state {
	s := &state{snapshot: snapshot, users: users, undeclared: metrics, reader: reader, made: map[*relation]*rows{}}
	s.roles = rolesOf(users)
	s.owner = ownerOf(s.roles)
	s.objects = sync.OnceValue(func() []object { return userObjects(s) })
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
		out = append(out, undeclared{sent, fields})
	}
	return out, nil
}

// rows computes a relation, once.
func (s *state) rows(r *relation) *rows {
	s.mu.Lock()
	defer s.mu.Unlock()
	if made, ok := s.made[r]; ok {
		return made
	}
	b := newBuilder(r)
	r.shared(s, b)
	made := &b.rows
	s.made[r] = made
	s.bytes.Add(int64(made.bytes()))
	return made
}
