package pipeline

import (
	"context"
	"strings"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// board is what the checkpoints of all logs and consumers are, listed at once for all
// who look at about the same time: a process follows six consumers, and many
// checkpoints may be of shards that were split or merged long ago.
type board struct {
	kv   schema.KV
	turn chan struct{} // held while it is listed, and guards what follows
	// items are never changed in place; listed is when listing them was begun.
	items  []schema.Item
	listed time.Time
}

// checkpoints gives a consumer's by their shards, listed after a time, and when.
func (b *board) checkpoints(ctx context.Context, log, consumer string, after time.Time) (map[stream.ShardID]schema.Item, time.Time, error) {
	items, listed, err := b.list(ctx, after)
	if err != nil {
		return nil, listed, err
	}
	found, folder := map[stream.ShardID]schema.Item{}, checkpointFolder(log, consumer)
	for _, item := range items {
		if !strings.HasPrefix(item.Key, folder) {
			continue
		}
		shard, err := shardOf(item.Key, folder)
		if err != nil {
			return nil, listed, err
		}
		found[shard] = item
	}
	return found, listed, nil
}

func (b *board) list(ctx context.Context, after time.Time) ([]schema.Item, time.Time, error) {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, time.Time{}, context.Cause(ctx)
	}
	defer func() { <-b.turn }()
	// Whoever had the turn before may have listed them.
	if !b.listed.IsZero() && !b.listed.Before(after) {
		return b.items, b.listed, nil
	}
	listed := time.Now()
	items, err := listFolder(ctx, b.kv, checkpointsFolder)
	if err != nil {
		return nil, listed, err
	}
	b.items, b.listed = items, listed
	return items, listed, nil
}
