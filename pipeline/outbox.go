package pipeline

import (
	"bytes"
	"context"
	"fmt"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// outbox gathers events for the shards of a log into staged records, and puts
// all of them at once. It is for one goroutine.
type outbox struct {
	log   stream.Log
	stand *stand

	shards  []stream.Shard
	open    map[stream.ShardID]*record.StagedEncoder
	entries []stream.Entry
	events  int
}

// begin empties the outbox and learns the log's shards.
func (o *outbox) begin(ctx context.Context) error {
	o.entries, o.events = o.entries[:0], 0
	for _, e := range o.open {
		e.Reset()
	}
	return o.stand.until(ctx, "list shards", func(ctx context.Context) (err error) {
		o.shards, err = o.log.Shards(ctx)
		return err
	})
}

// add takes an event, of which nothing is kept but strings.
func (o *outbox) add(e *schema.Event) error {
	shard, err := stream.ShardFor(o.shards, record.PartitionHash(e.Time, e.ID))
	if err != nil {
		return fmt.Errorf("choose a shard: %w", err)
	}
	enc := o.open[shard]
	if enc == nil {
		if o.open == nil {
			o.open = map[stream.ShardID]*record.StagedEncoder{}
		}
		enc = &record.StagedEncoder{}
		o.open[shard] = enc
	}
	enc.Add(e)
	o.events++
	if enc.Size() >= record.StagedTarget {
		o.entries = append(o.entries, stream.Entry{Hash: o.hashOf(shard), Data: bytes.Clone(enc.Bytes())})
		enc.Reset()
	}
	return nil
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
	for _, s := range o.shards {
		if enc := o.open[s.ID]; enc != nil && enc.Len() > 0 {
			o.entries = append(o.entries, stream.Entry{Hash: s.HashFrom, Data: enc.Bytes()})
		}
	}
	return o.stand.until(ctx, "put", func(ctx context.Context) error {
		_, err := o.log.Put(ctx, o.entries)
		return err
	})
}
