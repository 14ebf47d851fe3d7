package pipeline

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// readFunc reads one shard of a log, and keeps its checkpoint in checkpoints. It
// returns nil at the end of a closed shard, of which the checkpoint then is
// stream.EndOfShard, and at that of a batch.
type readFunc func(ctx context.Context, log stream.Log, shard stream.ShardID, checkpoints stream.Checkpoints) error

// follower is a consumer of a log.
type follower struct {
	log         stream.Log
	name        string // of the log
	consumer    string
	checkpoints stream.Checkpoints
	stand       *stand
}

// follow calls read for every shard of a log, each in a goroutine of its own, and
// for a shard that has parents once these are read. With leases it does so for
// the shards that this worker gets. follow returns nil when ctx ends, else the
// first error, and in both cases after all goroutines.
func follow(ctx context.Context, f follower, leases *Leases, read readFunc) error {
	if leases != nil {
		return followLeased(ctx, f, leases, read)
	}
	log, st := f.log, f.stand
	g, within := errgroup.WithContext(ctx)
	ended := make(chan stream.ShardID)
	started, done := map[stream.ShardID]bool{}, map[stream.ShardID]bool{}
	start := func() error {
		var shards []stream.Shard
		err := st.until(within, "list shards", func(ctx context.Context) (err error) {
			shards, err = log.Shards(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("list shards: %w", err)
		}
		for _, s := range shards {
			if started[s.ID] || !ready(s, shards, done) {
				continue
			}
			started[s.ID] = true
			g.Go(func() error {
				if err := read(within, log, s.ID, f.checkpoints); err != nil {
					return err
				}
				select {
				case ended <- s.ID:
				case <-within.Done():
				}
				return nil
			})
		}
		return nil
	}
	g.Go(func() error {
		for {
			if err := start(); err != nil {
				return err
			}
			select {
			case id := <-ended:
				done[id] = true
			case <-within.Done():
				return nil
			}
		}
	})
	if err := g.Wait(); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// ready says that no parent of a shard is still to be read. One that the log
// does not list any more held nothing that is left.
func ready(s stream.Shard, all []stream.Shard, done map[stream.ShardID]bool) bool {
	return !slices.ContainsFunc(all, func(p stream.Shard) bool {
		return slices.Contains(s.Parents, p.ID) && !done[p.ID]
	})
}
