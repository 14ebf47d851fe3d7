package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

var _ stream.Checkpoints = (*Checkpoints)(nil)

// checkpointFormat is the version of a checkpoint's value, leasedFormat that of one
// under a lease.
const (
	checkpointFormat = 1
	leasedFormat     = 2
)

// Checkpoints keeps the checkpoints of one log's consumers in a KV, under the
// keys checkpoints/{log}/{consumer}/{shard, 20 digits}. A value is JSON:
// {"format": 1, "sequence": "123"}. Where workers share the shards it is a lease
// as well (see Leases): {"format": 2, "sequence": "123", "owner": "…", "turn": "…",
// "renewed": 7}.
//
// A checkpoint never goes back: of several processes that read one shard, one
// that stalled and saves an old position changes nothing.
type Checkpoints struct {
	kv  schema.KV
	log string
}

// checkpoint is a stored value.
type checkpoint struct {
	Format   int             `json:"format"`
	Sequence stream.Sequence `json:"sequence"`
	// Owner is the worker that has the shard, "" nobody; Turn is another each time
	// that it is taken, and Renewed makes another value of a lease that is renewed.
	Owner   string `json:"owner,omitempty"`
	Turn    string `json:"turn,omitempty"`
	Renewed uint64 `json:"renewed,omitempty"`
}

// NewCheckpoints keeps the checkpoints of the log of that name in kv.
func NewCheckpoints(kv schema.KV, log string) *Checkpoints { return &Checkpoints{kv: kv, log: log} }

// checkpointsFolder has the checkpoints of all logs.
const checkpointsFolder = "checkpoints/"

func checkpointFolder(log, consumer string) string {
	return fmt.Sprintf("%s%s/%s/", checkpointsFolder, log, consumer)
}

func checkpointKey(log, consumer string, shard stream.ShardID) string {
	return fmt.Sprintf("%s%020d", checkpointFolder(log, consumer), uint64(shard))
}

// Load implements stream.Checkpoints.
func (c *Checkpoints) Load(ctx context.Context, consumer string, shard stream.ShardID) (stream.Sequence, bool, error) {
	v, version, err := loadCheckpoint(ctx, c.kv, checkpointKey(c.log, consumer, shard))
	return v.Sequence, version > 0, err
}

// All implements stream.Checkpoints.
func (c *Checkpoints) All(ctx context.Context, consumer string) (map[stream.ShardID]stream.Sequence, error) {
	folder := checkpointFolder(c.log, consumer)
	items, err := listFolder(ctx, c.kv, folder)
	if err != nil {
		return nil, err
	}
	found := make(map[stream.ShardID]stream.Sequence, len(items))
	for _, item := range items {
		shard, err := shardOf(item.Key, folder)
		if err != nil {
			return nil, err
		}
		v, err := decodeCheckpoint(item)
		if err != nil {
			return nil, err
		}
		found[shard] = v.Sequence
	}
	return found, nil
}

// listFolder lists checkpoints whose keys begin so.
func listFolder(ctx context.Context, kv schema.KV, folder string) (items []schema.Item, err error) {
	const page = 1000
	for last := ""; ; {
		more, err := kv.List(ctx, folder, last, page)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", folder, err)
		}
		items = append(items, more...)
		if len(more) < page {
			return items, nil
		}
		last = more[len(more)-1].Key
	}
}

// shardOf is the shard that a key of a folder names.
func shardOf(key, folder string) (stream.ShardID, error) {
	shard, err := strconv.ParseUint(strings.TrimPrefix(key, folder), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("key %s names no shard: %w", key, err)
	}
	return stream.ShardID(shard), nil
}

// loadLease is Load, and the version of a value that is a worker's lease, which may
// have run out; 0 if it is nobody's.
func (c *Checkpoints) loadLease(ctx context.Context, consumer string, shard stream.ShardID) (stream.Sequence, uint64, error) {
	v, version, err := loadCheckpoint(ctx, c.kv, checkpointKey(c.log, consumer, shard))
	if v.Owner == "" {
		version = 0
	}
	return v.Sequence, version, err
}

// loadCheckpoint gives a checkpoint and the version of its value, 0 if there is
// none.
func loadCheckpoint(ctx context.Context, kv schema.KV, key string) (checkpoint, uint64, error) {
	item, err := kv.Get(ctx, key)
	if errors.Is(err, schema.ErrNotFound) {
		return checkpoint{}, 0, nil
	}
	if err != nil {
		return checkpoint{}, 0, fmt.Errorf("load %s: %w", key, err)
	}
	v, err := decodeCheckpoint(item)
	return v, item.Version, err
}

func decodeCheckpoint(item schema.Item) (checkpoint, error) {
	var v checkpoint
	if err := json.Unmarshal(item.Value, &v); err != nil {
		return checkpoint{}, fmt.Errorf("load %s: %w", item.Key, err)
	}
	if v.Format != checkpointFormat && v.Format != leasedFormat {
		return checkpoint{}, fmt.Errorf("load %s: format %d is not known here", item.Key, v.Format)
	}
	return v, nil
}

// Save implements stream.Checkpoints. It does nothing if the stored one is at or
// past seq.
func (c *Checkpoints) Save(ctx context.Context, consumer string, shard stream.ShardID, seq stream.Sequence) error {
	key := checkpointKey(c.log, consumer, shard)
	value, err := json.Marshal(checkpoint{Format: checkpointFormat, Sequence: seq})
	if err != nil {
		return fmt.Errorf("save %s: %w", key, err)
	}
	for {
		stored, version, err := loadCheckpoint(ctx, c.kv, key)
		if err != nil {
			return err
		}
		if version > 0 && stored.Sequence.Compare(seq) >= 0 {
			return nil
		}
		if _, err = c.kv.Put(ctx, key, value, version); err == nil {
			return nil
		}
		if !errors.Is(err, schema.ErrConflict) {
			return fmt.Errorf("save %s: %w", key, err)
		}
	}
}
