package stream

import "context"

// Checkpoints keeps how far each consumer has got in each shard: the last sequence that it has finished with, for good.
// It is implemented over the key-value store. All methods may be called at once from many goroutines.
type Checkpoints interface {
	// Load gives the consumer's checkpoint; false if it has none yet.
	Load(ctx context.Context, consumer string, shard ShardID) (Sequence, bool, error)

	// All gives the consumer's checkpoints of all shards that have one.
	All(ctx context.Context, consumer string) (map[ShardID]Sequence, error)

	// Save makes the checkpoint durable before it returns.
	Save(ctx context.Context, consumer string, shard ShardID, seq Sequence) error
}
