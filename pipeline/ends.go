package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// finishParents sees that a consumer has read all parents of a shard to their ends.
func (f *follower) finishParents(ctx context.Context, id stream.ShardID) error {
	shards, err := f.log.Shards(ctx)
	if err != nil {
		return fmt.Errorf("list shards: %w", err)
	}
	at := slices.IndexFunc(shards, func(s stream.Shard) bool { return s.ID == id })
	if at < 0 {
		return fmt.Errorf("%w: %d of log %s", stream.ErrNoShard, id, f.name)
	}
	for _, s := range shards {
		if !slices.Contains(shards[at].Parents, s.ID) {
			continue
		}
		done, err := f.finish(ctx, s.ID)
		if err != nil {
			return fmt.Errorf("look for the end of shard %d of log %s: %w", s.ID, f.name, err)
		}
		if !done {
			return fmt.Errorf("shard %d of log %s waits for its parent %d, which is not read to its end", id, f.name, s.ID)
		}
	}
	return nil
}

// finish notes that the consumer has read a shard to its end, if it has.
func (f *follower) finish(ctx context.Context, shard stream.ShardID) (done bool, err error) {
	at, _, err := f.checkpoints.Load(ctx, f.consumer, shard)
	if err != nil || at == stream.EndOfShard {
		return err == nil, err
	}
	it, err := f.log.Iterate(ctx, shard, stream.After(at))
	if err != nil {
		return false, err
	}
	_, err = it.Next(ctx, 1, 1)
	if closeErr := it.Close(); closeErr != nil {
		return false, closeErr
	}
	if err != io.EOF { //nolint:errorlint // wrapped it would be no end
		return false, err
	}
	return true, f.checkpoints.Save(ctx, f.consumer, shard, stream.EndOfShard)
}

const (
	// endsEvery is how often the ends of closed shards are looked for.
	endsEvery = 10 * time.Second
	// endsPatience bounds a look at one shard.
	endsPatience = 30 * time.Second
	// quietEvery is how often it is looked whether open shards are quiet: many times
	// in the shortest retention.
	quietEvery = time.Hour
	// leaseGone is how long a lease stays unchanged at least when its worker is gone.
	leaseGone = 5 * time.Minute
)

// Ends does for consumers that are functions of AWS Lambda what they cannot, since
// nothing calls them when nothing comes: it notes when they have read a closed
// shard to its end, and has the log note that a shard is quiet, so that a
// checkpoint outlives its record. Shards that a worker has under a lease are left
// to it.
type Ends struct {
	followers []endsOfLog
	log       *slog.Logger
	// looked is when each open shard was looked at, and leases are those that were
	// found, since when they are as they are.
	looked map[lookedAt]time.Time
	leases map[lookedAt]foundLease
}

type endsOfLog struct {
	follower
	kept *Checkpoints
}

type foundLease struct {
	version uint64
	since   time.Time
}

type lookedAt struct {
	log, consumer string
	shard         stream.ShardID
}

// NewEnds follows the consumers of the stages by their checkpoints.
func NewEnds(raw, staged, errs stream.Log, checkpoints func(log string) *Checkpoints, log *slog.Logger) *Ends {
	e := &Ends{log: log, looked: map[lookedAt]time.Time{}, leases: map[lookedAt]foundLease{}}
	for _, of := range []struct {
		log            stream.Log
		name, consumer string
	}{
		{raw, LogRaw, ConsumerRaw},
		{raw, LogRaw, ConsumerDelivery},
		{staged, LogStaged, ConsumerStaging},
		{staged, LogStaged, ConsumerDelivery},
		{errs, LogErrors, ConsumerStaging},
		{errs, LogErrors, ConsumerDelivery},
	} {
		kept := checkpoints(of.name)
		e.followers = append(e.followers, endsOfLog{follower{log: of.log, name: of.name, consumer: of.consumer, checkpoints: kept}, kept})
	}
	return e
}

// Run looks until ctx ends.
func (e *Ends) Run(ctx context.Context) error {
	tick := time.NewTicker(endsEvery)
	defer tick.Stop()
	for {
		for _, f := range e.followers {
			if err := e.look(ctx, f); err != nil && ctx.Err() == nil {
				e.log.Warn("look for the ends of shards", "log", f.name, "consumer", f.consumer, "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look looks at the shards of one consumer; what fails with one hinders no other.
func (e *Ends) look(ctx context.Context, f endsOfLog) error {
	shards, err := f.log.Shards(ctx)
	if err != nil {
		return fmt.Errorf("list shards: %w", err)
	}
	for _, s := range shards {
		err = errors.Join(err, e.lookAt(ctx, f, s))
	}
	return err
}

func (e *Ends) lookAt(ctx context.Context, f endsOfLog, s stream.Shard) error {
	key := lookedAt{f.name, f.consumer, s.ID}
	if s.Open && time.Since(e.looked[key]) < quietEvery {
		return nil
	}
	at, lease, err := f.kept.loadLease(ctx, f.consumer, s.ID)
	if err != nil || at == stream.EndOfShard || lease > 0 && !e.gone(key, lease) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, endsPatience)
	defer cancel()
	if !s.Open {
		_, err = f.finish(ctx, s.ID)
	} else {
		// An iterator that meets the end notes it.
		var it stream.Iterator
		if it, err = f.log.Iterate(ctx, s.ID, stream.After(at)); err == nil {
			err = it.Close()
		}
	}
	if err != nil {
		return fmt.Errorf("shard %d: %w", s.ID, err)
	}
	e.looked[key] = time.Now()
	return nil
}

// gone says that nobody renews a lease any more.
func (e *Ends) gone(key lookedAt, version uint64) bool {
	found, known := e.leases[key]
	if !known || found.version != version {
		found = foundLease{version, time.Now()}
		e.leases[key] = found
	}
	return time.Since(found.since) >= leaseGone
}
