package pipeline

import (
	"context"
	"fmt"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// outbox gathers events for the shards of a log into staged records, and puts
// all of them at once. It is for one goroutine.
type outbox struct {
	log       stream.Log
	stand     *stand
	partition *record.Partitioning // nil: by identity

	shards []stream.Shard
	// open are the records that are being filled, by the hash that each is put at: the
	// first of a shard, for events that go by identity, else one that they share.
	open    map[uint64]*record.StagedEncoder
	order   []uint64                // of open, as they were begun
	free    []*record.StagedEncoder // to be used again
	entries []stream.Entry
	data    []byte // of the entries
	events  int
}

// keptData is how much memory of entries is kept for the next ones at most, and
// keptEncoders how many encoders.
const (
	keptData     = 8 << 20
	keptEncoders = 64
)

// begin empties the outbox and learns the log's shards.
func (o *outbox) begin(ctx context.Context) error {
	if cap(o.data) > keptData {
		o.data = nil
	}
	o.entries, o.data, o.events = o.entries[:0], o.data[:0], 0
	for _, e := range o.open {
		if e.Reset(); len(o.free) < keptEncoders {
			o.free = append(o.free, e)
		}
	}
	clear(o.open)
	o.order = o.order[:0]
	return o.stand.until(ctx, "list shards", func(ctx context.Context) (err error) {
		o.shards, err = o.log.Shards(ctx)
		return err
	})
}

// add takes an event, of which nothing is kept but strings.
func (o *outbox) add(e *schema.Event) error {
	hash, err := o.hash(e)
	if err != nil {
		return fmt.Errorf("choose a shard: %w", err)
	}
	enc := o.open[hash]
	if enc == nil {
		enc = o.begun(hash)
	}
	enc.Add(e)
	o.events++
	if enc.Size() >= record.StagedTarget {
		o.end(hash, enc)
	}
	return nil
}

// hash is that of the record which takes an event. Those that go by identity share
// the record of their shard, so that records are large.
func (o *outbox) hash(e *schema.Event) (uint64, error) {
	if o.partition != nil {
		if hash, shared := o.partition.Hash(e.Dataset.Tenant, e.Values); shared {
			return hash, nil
		}
	}
	shard, err := stream.ShardFor(o.shards, record.PartitionHash(e.Time, e.ID))
	return o.hashOf(shard), err
}

// begun gives an empty record for a hash.
func (o *outbox) begun(hash uint64) *record.StagedEncoder {
	enc := &record.StagedEncoder{}
	if last := len(o.free) - 1; last >= 0 {
		enc, o.free = o.free[last], o.free[:last]
	}
	if o.open == nil {
		o.open = map[uint64]*record.StagedEncoder{}
	}
	o.open[hash], o.order = enc, append(o.order, hash)
	return enc
}

// end makes an entry of what is gathered for a shard.
func (o *outbox) end(hash uint64, enc *record.StagedEncoder) {
	from := len(o.data)
	// Where this moves o.data, earlier entries keep what they have.
	o.data = enc.AppendTo(o.data)
	o.entries = append(o.entries, stream.Entry{Hash: hash, Data: o.data[from:len(o.data):len(o.data)]})
	enc.Reset()
}

// hashOf is a hash that lies in a shard.
func (o *outbox) hashOf(shard stream.ShardID) uint64 {
	for i := range o.shards {
		if o.shards[i].ID == shard {
			return o.shards[i].HashFrom
		}
	}
	return 0
}

// put returns when everything gathered is durable. A refusal says so by isRefusal;
// then none may be.
func (o *outbox) put(ctx context.Context) error {
	if o.events == 0 {
		return nil
	}
	for _, hash := range o.order {
		if enc := o.open[hash]; enc.Len() > 0 {
			o.end(hash, enc)
		}
	}
	return o.stand.until(ctx, "put", func(ctx context.Context) error {
		_, err := o.log.Put(ctx, o.entries)
		return err
	})
}
