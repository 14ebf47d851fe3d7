package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

var _ stream.Checkpoints = (*Checkpoints)(nil)

// checkpointFormat is the version of a checkpoint's value.
const checkpointFormat = 1

// Checkpoints keeps the checkpoints of one log's consumers in a KV, under the
// keys checkpoints/{log}/{consumer}/{shard, 20 digits}. A value is JSON:
// {"format": 1, "sequence": "123"}.
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
}

// NewCheckpoints keeps the checkpoints of the log of that name in kv.
func NewCheckpoints(kv schema.KV, log string) *Checkpoints { return &Checkpoints{kv: kv, log: log} }

func (c *Checkpoints) key(consumer string, shard stream.ShardID) string {
	return fmt.Sprintf("checkpoints/%s/%s/%020d", c.log, consumer, uint64(shard))
}

// Load implements stream.Checkpoints.
func (c *Checkpoints) Load(ctx context.Context, consumer string, shard stream.ShardID) (stream.Sequence, bool, error) {
	seq, version, err := c.load(ctx, c.key(consumer, shard))
	return seq, version > 0, err
}

// load gives a checkpoint and the version of its value, 0 if there is none.
func (c *Checkpoints) load(ctx context.Context, key string) (stream.Sequence, uint64, error) {
	item, err := c.kv.Get(ctx, key)
	if errors.Is(err, schema.ErrNotFound) {
		return stream.Sequence{}, 0, nil
	}
	if err != nil {
		return stream.Sequence{}, 0, fmt.Errorf("load %s: %w", key, err)
	}
	var v checkpoint
	if err := json.Unmarshal(item.Value, &v); err != nil {
		return stream.Sequence{}, 0, fmt.Errorf("load %s: %w", key, err)
	}
	if v.Format != checkpointFormat {
		return stream.Sequence{}, 0, fmt.Errorf("load %s: format %d is not known here", key, v.Format)
	}
	return v.Sequence, item.Version, nil
}

// Save implements stream.Checkpoints. It does nothing if the stored one is at or
// past seq.
func (c *Checkpoints) Save(ctx context.Context, consumer string, shard stream.ShardID, seq stream.Sequence) error {
	key := c.key(consumer, shard)
	value, err := json.Marshal(checkpoint{checkpointFormat, seq})
	if err != nil {
		return fmt.Errorf("save %s: %w", key, err)
	}
	for {
		stored, version, err := c.load(ctx, key)
		if err != nil {
			return err
		}
		if version > 0 && stored.Compare(seq) >= 0 {
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
