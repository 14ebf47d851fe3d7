package pipeline

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	leases "github.com/fieldgate/fieldgate/pipeline/lease"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// errLeaseLost says that another worker has the shard.
var errLeaseLost = errors.New("the shard's lease is lost")

// LeasesConfig says whose leases they are. KV and Logger must be given.
type LeasesConfig struct {
	KV schema.KV
	// Duration is how long a lease stays its worker's without being renewed.
	// Default 15 s.
	Duration time.Duration
	Logger   *slog.Logger
}

// Leases shares the shards of logs among the workers of a consumer. A worker is
// a process; each has Leases of its own, over the same KV.
//
// A lease and the checkpoint are one value: whoever saves a checkpoint must hold
// the lease at the version that it knows, so a worker that has lost it, however
// late it learns, cannot write one. A worker renews its leases three times in
// their duration; one that others have seen unchanged for the duration may be
// taken. No clocks are compared. Shards are shared evenly: a worker with less
// than its part takes what is free, and one at a time from who has most.
type Leases struct {
	cfg   LeasesConfig
	owner string
	board board
}

// NewLeases makes a worker's leases. It takes none before a stage runs.
func NewLeases(cfg LeasesConfig) (*Leases, error) {
	if cfg.Duration == 0 {
		cfg.Duration = 15 * time.Second
	}
	if cfg.KV == nil || cfg.Logger == nil || cfg.Duration < 0 {
		return nil, errors.New("leases: a key-value store, a logger and a duration are needed")
	}
	return &Leases{cfg: cfg, owner: rand.Text(), board: board{kv: cfg.KV, turn: make(chan struct{}, 1)}}, nil
}

// lease is a checkpoint that this worker alone may move.
type lease struct {
	kv    schema.KV
	key   string
	shard stream.ShardID
	lost  context.CancelCauseFunc // with errLeaseLost

	mu      sync.Mutex
	value   checkpoint
	version uint64
	written time.Time // the last write began
	gone    bool
}

// write stores the lease's value, changed.
func (l *lease) write(ctx context.Context, change func(v *checkpoint)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writeHeld(ctx, change)
}

// writeHeld is write while l.mu is held.
func (l *lease) writeHeld(ctx context.Context, change func(v *checkpoint)) error {
	if l.gone {
		return errLeaseLost
	}
	value := l.value
	change(&value)
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write lease %s: %w", l.key, err)
	}
	began := time.Now()
	version, err := leases.Rewrite(ctx, l.kv, l.key, data, l.version, func(stored schema.Item) (bool, error) {
		v, err := decodeCheckpoint(stored)
		return v.Turn == l.value.Turn && v.Owner == l.value.Owner, err
	})
	if errors.Is(err, leases.ErrLost) {
		l.gone = true
		l.lost(errLeaseLost)
		return errLeaseLost
	}
	if err != nil {
		return fmt.Errorf("write lease %s: %w", l.key, err)
	}
	l.value, l.version, l.written = value, version, began
	return nil
}

// save moves the checkpoint. It does not go back.
func (l *lease) save(ctx context.Context, seq stream.Sequence) error {
	return l.write(ctx, func(v *checkpoint) {
		if seq.Compare(v.Sequence) > 0 {
			v.Sequence = seq
		}
	})
}

// renew writes the lease again, unless that is being done or was within age: a
// checkpoint that is saved renews it as well.
func (l *lease) renew(ctx context.Context, age time.Duration) error {
	if !l.mu.TryLock() {
		return nil
	}
	defer l.mu.Unlock()
	if !l.gone && time.Since(l.written) < age {
		return nil
	}
	return l.writeHeld(ctx, func(v *checkpoint) { v.Renewed++ })
}

// release lets others take the lease at once.
func (l *lease) release(ctx context.Context) error {
	err := l.write(ctx, func(v *checkpoint) { v.Owner = "" })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = true
	if errors.Is(err, errLeaseLost) {
		return nil
	}
	return err
}

// leasedCheckpoints are checkpoints of a log, of which a consumer's of one shard is
// under a lease. What else is read with that shard has checkpoints that are not.
type leasedCheckpoints struct {
	stream.Checkpoints
	consumer string
	lease    *lease
}

// Save implements stream.Checkpoints.
func (c leasedCheckpoints) Save(ctx context.Context, consumer string, shard stream.ShardID, seq stream.Sequence) error {
	if consumer != c.consumer || shard != c.lease.shard {
		return c.Checkpoints.Save(ctx, consumer, shard, seq)
	}
	return c.lease.save(ctx, seq)
}

// seen is a lease as it was found.
type seen struct {
	value   checkpoint
	version uint64
	since   time.Time // when this version was first found
}

// rounds is what a worker knows of a consumer's leases from round to round.
type rounds struct {
	*Leases
	log, consumer string
	seen          map[stream.ShardID]seen
	looked        time.Time // when what is seen was listed
}

// look finds the leases of shards, as they were after a time.
func (r *rounds) look(ctx context.Context, shards []stream.Shard, after time.Time) error {
	stored, listed, err := r.board.checkpoints(ctx, r.log, r.consumer, after)
	if err != nil {
		return err
	}
	found := make(map[stream.ShardID]seen, len(shards))
	for _, s := range shards {
		is := seen{since: listed}
		if item, ok := stored[s.ID]; ok {
			is.version = item.Version
			if is.value, err = decodeCheckpoint(item); err != nil {
				return err
			}
		}
		if before, known := r.seen[s.ID]; known && before.version == is.version {
			is.since = before.since
		}
		found[s.ID] = is
	}
	r.seen, r.looked = found, listed
	return nil
}

// live says that a lease is somebody's.
func (r *rounds) live(s seen) bool {
	return s.value.Owner != "" && (s.value.Owner == r.owner || r.looked.Sub(s.since) < r.cfg.Duration)
}

// wanted are the shards that this worker should take now, given how many it has:
// free ones up to its part of them all, or one of the worker that has most.
func (r *rounds) wanted(shards []stream.Shard, mine map[stream.ShardID]bool) []stream.ShardID {
	done := map[stream.ShardID]bool{}
	for id, s := range r.seen {
		done[id] = s.value.Sequence == stream.EndOfShard
	}
	held := map[string][]stream.ShardID{r.owner: nil}
	var free []stream.ShardID
	all := 0
	for _, s := range shards {
		if done[s.ID] || !ready(s, shards, done) {
			continue
		}
		all++
		switch state := r.seen[s.ID]; {
		case mine[s.ID]:
			held[r.owner] = append(held[r.owner], s.ID)
		case r.live(state) && state.value.Owner != r.owner:
			held[state.value.Owner] = append(held[state.value.Owner], s.ID)
		default:
			free = append(free, s.ID)
		}
	}
	part := (all + len(held) - 1) / len(held)
	room := part - len(held[r.owner])
	if room <= 0 {
		return nil
	}
	if len(free) > 0 {
		return free[:min(room, len(free))]
	}
	var most string
	for owner := range held {
		if len(held[owner]) > len(held[most]) {
			most = owner
		}
	}
	// Who has one more than this worker keeps it: it would only go to and fro.
	if len(held[most]) < len(held[r.owner])+2 {
		return nil
	}
	return held[most][:1]
}

// take takes a lease as it was found; nil if another was faster.
func (r *rounds) take(ctx context.Context, id stream.ShardID, lost context.CancelCauseFunc) (*lease, error) {
	found := r.seen[id]
	l := &lease{kv: r.cfg.KV, key: checkpointKey(r.log, r.consumer, id), shard: id, lost: lost, version: found.version}
	l.value = checkpoint{Format: leasedFormat, Sequence: found.value.Sequence, Owner: r.owner, Turn: rand.Text()}
	data, err := json.Marshal(l.value)
	if err != nil {
		return nil, fmt.Errorf("take lease %s: %w", l.key, err)
	}
	l.written = time.Now()
	l.version, err = r.cfg.KV.Put(ctx, l.key, data, found.version)
	if errors.Is(err, schema.ErrConflict) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("take lease %s: %w", l.key, err)
	}
	if found.value.Owner != "" && found.value.Owner != r.owner {
		r.cfg.Logger.Info("took a shard from another worker", "log", r.log, "consumer", r.consumer, "shard", uint64(id), "expired", !r.live(found))
	}
	return l, nil
}
