package pipeline

import (
	"context"
	"fmt"
	"strconv"
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
		name, ok := strings.CutPrefix(item.Key, folder)
		if !ok {
			continue
		}
		shard, err := strconv.ParseUint(name, 10, 64)
		if err != nil {
			return nil, listed, fmt.Errorf("list %s: key %s names no shard: %w", folder, item.Key, err)
		}
		found[stream.ShardID(shard)] = item
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
	var items []schema.Item
	listed := time.Now()
	const page = 1000
	for last := ""; ; {
		more, err := b.kv.List(ctx, checkpointsFolder, last, page)
		if err != nil {
			return nil, listed, fmt.Errorf("list %s: %w", checkpointsFolder, err)
		}
		items = append(items, more...)
		if len(more) < page {
			break
		}
		last = more[len(more)-1].Key
	}
	b.items, b.listed = items, listed
	return items, listed, nil
}
