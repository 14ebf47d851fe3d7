// Package lease keeps leases in a key-value store: of the processes that share the
// store, one at a time has the lease of a name, and with it does what two must not
// do at once.
//
// No clocks are compared. Who has a lease writes it again three times in its
// duration; one that somebody has seen unchanged for the duration may be taken.
// So a process that was paused can believe that it has a lease which is another's
// by now. What must not happen twice is therefore fenced: each taking of a lease
// has a higher Turn, and the store that is written to refuses a lower one.
package lease

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/schema"
)

// folder is where leases lie in the key-value store.
const folder = "leases/"

// document is a stored lease. One that nobody has stays, for its turn.
type document struct {
	Format int `json:"format"`
	// Owner is the process that has the lease; "": nobody.
	Owner string `json:"owner,omitempty"`
	// Turn counts how often the lease was taken, Renewed how often it was renewed in
	// this turn.
	Turn    uint64 `json:"turn"`
	Renewed uint64 `json:"renewed,omitempty"`
	// Note is what the owner has others know.
	Note string `json:"note,omitempty"`
}

const documentFormat = 1

// Config says where leases lie. KV and Logger must be given.
type Config struct {
	KV schema.KV
	// Duration is how long a lease stays its owner's without being renewed. It is the
	// same in all processes. Default 15 s.
	Duration time.Duration
	Logger   *slog.Logger
}

// Holder takes leases for one process, and renews them while Run runs.
type Holder struct {
	cfg   Config
	owner string

	mu   sync.Mutex
	held map[string]*Lease
	seen map[string]sighting // by name, of others' leases
}

// sighting is when a version of a lease was first seen.
type sighting struct {
	version uint64
	since   time.Time
}

// New makes a Holder that has no lease.
func New(cfg Config) (*Holder, error) {
	if cfg.Duration == 0 {
		cfg.Duration = 15 * time.Second
	}
	if cfg.KV == nil || cfg.Logger == nil || cfg.Duration < 0 {
		return nil, errors.New("leases: a key-value store, a logger and a duration are needed")
	}
	return &Holder{cfg: cfg, owner: rand.Text(), held: map[string]*Lease{}, seen: map[string]sighting{}}, nil
}

// Owner is the name of this process in its leases.
func (h *Holder) Owner() string { return h.owner }

// Duration is how long a lease stays its owner's without being renewed.
func (h *Holder) Duration() time.Duration { return h.cfg.Duration }

// Run renews the leases that are held until ctx ends.
func (h *Holder) Run(ctx context.Context) error {
	tick := time.NewTicker(h.cfg.Duration / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		h.mu.Lock()
		held := slices.Collect(maps.Values(h.held))
		h.mu.Unlock()
		Renew(ctx, h.cfg.Duration, held, func(ctx context.Context, l *Lease) error { return l.renew(ctx) }, func(l *Lease, err error) {
			if !errors.Is(err, ErrLost) {
				h.cfg.Logger.Warn("renew a lease", "lease", l.name, "err", err)
			}
		})
	}
}

// Renew renews leases of a duration, several at once and each for as long as is left
// until the next time, so that a write which is not answered costs no other lease.
// Failures are told, unless ctx has ended: one that cannot be renewed runs out, or is
// renewed the next time.
func Renew[L any](ctx context.Context, duration time.Duration, held []L, renew func(ctx context.Context, l L) error, failed func(l L, err error)) {
	const atOnce = 32
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, l := range held {
		g.Go(func() error {
			within, cancel := context.WithTimeout(ctx, duration/3)
			defer cancel()
			if err := renew(within, l); err != nil && ctx.Err() == nil {
				failed(l, err)
			}
			return nil
		})
	}
	_ = g.Wait() // failures are told
}

// ErrLost says that another process has the lease.
var ErrLost = errors.New("the lease is lost")

// Lease is one that this process took.
type Lease struct {
	holder *Holder
	name   string
	lost   chan struct{} // closed when it is known that another has it

	mu      sync.Mutex
	value   document
	version uint64
	gone    bool // not taken, lost, or released
}

// Take takes the lease of a name, with a note for others to see. It is nil while
// somebody else has it, another part of this process included.
func (h *Holder) Take(ctx context.Context, name, note string) (*Lease, error) {
	l := &Lease{holder: h, name: name, lost: make(chan struct{}), gone: true}
	if !h.reserve(l) {
		return nil, nil
	}
	taken, err := h.take(ctx, l, note)
	if !taken {
		h.forget(l)
		return nil, err
	}
	return l, nil
}

// reserve keeps the name for a lease that this process is about to take.
func (h *Holder) reserve(l *Lease) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held[l.name] != nil {
		return false
	}
	h.held[l.name] = l
	return true
}

func (h *Holder) forget(l *Lease) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held[l.name] == l {
		delete(h.held, l.name)
	}
}

func (h *Holder) take(ctx context.Context, l *Lease, note string) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, version, err := load(ctx, h.cfg.KV, folder+l.name)
	if err != nil {
		return false, err
	}
	if found.Owner != "" && found.Owner != h.owner && !h.hasRunOut(l.name, version) {
		return false, nil
	}
	l.value, l.version = document{Format: documentFormat, Owner: h.owner, Turn: found.Turn + 1, Note: note}, version
	data, err := json.Marshal(l.value)
	if err != nil {
		return false, fmt.Errorf("take lease %s: %w", l.name, err)
	}
	l.version, err = h.cfg.KV.Put(ctx, folder+l.name, data, version)
	if errors.Is(err, schema.ErrConflict) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("take lease %s: %w", l.name, err)
	}
	if found.Owner != "" && found.Owner != h.owner {
		h.cfg.Logger.Info("took over a lease that has run out", "lease", l.name, "turn", l.value.Turn)
	}
	l.gone = false
	return true, nil
}

// hasRunOut says that another's lease was seen at this version for its duration.
func (h *Holder) hasRunOut(name string, version uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	before, known := h.seen[name]
	if !known || before.version != version {
		h.seen[name] = sighting{version, time.Now()}
		return false
	}
	if time.Since(before.since) < h.cfg.Duration {
		return false
	}
	delete(h.seen, name)
	return true
}

// Others gives the notes of others' leases whose names begin with a prefix, by the
// rest of the name, and leaves out those that have run out.
func (h *Holder) Others(ctx context.Context, prefix string) (map[string]string, error) {
	out := map[string]string{}
	const page = 500
	for after := ""; ; {
		items, err := h.cfg.KV.List(ctx, folder+prefix, after, page)
		if err != nil {
			return nil, fmt.Errorf("list leases: %w", err)
		}
		for _, item := range items {
			after = item.Key
			d, err := decode(item)
			if err != nil {
				return nil, err
			}
			name := strings.TrimPrefix(item.Key, folder)
			if d.Owner != "" && d.Owner != h.owner && !h.isDead(name, item.Version) {
				out[strings.TrimPrefix(name, prefix)] = d.Note
			}
		}
		if len(items) < page {
			return out, nil
		}
	}
}

// isDead is hasRunOut, of which nothing follows.
func (h *Holder) isDead(name string, version uint64) bool {
	if !h.hasRunOut(name, version) {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen[name] = sighting{version, time.Now().Add(-h.cfg.Duration)}
	return true
}

// Holds says that this process has the lease of a name, or is about to.
func (h *Holder) Holds(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.held[name] != nil
}

// Note reads the note of a lease that somebody has; "" if nobody does.
func (h *Holder) Note(ctx context.Context, name string) (string, error) {
	d, _, err := load(ctx, h.cfg.KV, folder+name)
	if err != nil || d.Owner == "" {
		return "", err
	}
	return d.Note, nil
}

// Turn is higher than that of everybody who had the lease before.
func (l *Lease) Turn() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.value.Turn
}

// Note is what the owner has others know.
func (l *Lease) Note() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.value.Note
}

// Lost is closed when it is known that another has the lease.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Check writes the lease once more, and so finds out whether it is still this
// process's: ErrLost if not.
func (l *Lease) Check(ctx context.Context) error {
	return l.write(ctx, func(d *document) { d.Renewed++ })
}

// Release lets others take the lease at once. One that is lost already is no error.
func (l *Lease) Release(ctx context.Context) error {
	err := l.write(ctx, func(d *document) { d.Owner, d.Note = "", "" })
	l.mu.Lock()
	l.gone = true
	l.mu.Unlock()
	l.holder.forget(l)
	if errors.Is(err, ErrLost) {
		return nil
	}
	return err
}

// Remove lets go of a lease whose name is not used again.
func (l *Lease) Remove(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.holder.forget(l)
	if l.gone {
		return nil
	}
	l.gone = true
	err := l.holder.cfg.KV.Delete(ctx, folder+l.name, l.version)
	if errors.Is(err, schema.ErrConflict) || errors.Is(err, schema.ErrNotFound) {
		return nil // it is another's by now, or will run out
	}
	if err != nil {
		return fmt.Errorf("remove lease %s: %w", l.name, err)
	}
	return nil
}

// renew writes the lease again, unless it is being written, which does the same.
func (l *Lease) renew(ctx context.Context) error {
	if !l.mu.TryLock() {
		return nil
	}
	defer l.mu.Unlock()
	return l.writeHeld(ctx, func(d *document) { d.Renewed++ })
}

// write stores the lease's value, changed.
func (l *Lease) write(ctx context.Context, change func(d *document)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writeHeld(ctx, change)
}

// writeHeld is write while l.mu is held.
func (l *Lease) writeHeld(ctx context.Context, change func(d *document)) error {
	if l.gone {
		return ErrLost
	}
	value := l.value
	change(&value)
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write lease %s: %w", l.name, err)
	}
	version, err := Rewrite(ctx, l.holder.cfg.KV, folder+l.name, data, l.version, func(stored schema.Item) (bool, error) {
		d, err := decode(stored)
		return d.Turn == l.value.Turn && d.Owner == l.value.Owner, err
	})
	if errors.Is(err, ErrLost) {
		l.gone = true
		close(l.lost)
		l.holder.forget(l)
	}
	if err != nil {
		return fmt.Errorf("write lease %s: %w", l.name, err)
	}
	l.value, l.version = value, version
	return nil
}

// Rewrite stores a value that only its owner writes, over the version that the
// owner knows, and gives the new version. What became of an earlier write may be
// unknown, so that the version alone does not say whether the value is another's by
// now: mine says so of what is stored. ErrLost if it is.
func Rewrite(ctx context.Context, kv schema.KV, key string, value []byte, version uint64, mine func(stored schema.Item) (bool, error)) (uint64, error) {
	for {
		written, err := kv.Put(ctx, key, value, version)
		if !errors.Is(err, schema.ErrConflict) {
			return written, err
		}
		stored, err := kv.Get(ctx, key)
		if errors.Is(err, schema.ErrNotFound) {
			return 0, ErrLost
		}
		if err != nil {
			return 0, err
		}
		still, err := mine(stored)
		if err != nil {
			return 0, err
		}
		if !still {
			return 0, ErrLost
		}
		version = stored.Version
	}
}

// load gives a lease and the version of its value, 0 if it was never taken.
func load(ctx context.Context, kv schema.KV, key string) (document, uint64, error) {
	item, err := kv.Get(ctx, key)
	if errors.Is(err, schema.ErrNotFound) {
		return document{}, 0, nil
	}
	if err != nil {
		return document{}, 0, fmt.Errorf("load %s: %w", key, err)
	}
	d, err := decode(item)
	return d, item.Version, err
}

func decode(item schema.Item) (document, error) {
	var d document
	if err := json.Unmarshal(item.Value, &d); err != nil {
		return document{}, fmt.Errorf("load %s: %w", item.Key, err)
	}
	if d.Format != documentFormat {
		return document{}, fmt.Errorf("load %s: format %d is not known here", item.Key, d.Format)
	}
	return d, nil
}
