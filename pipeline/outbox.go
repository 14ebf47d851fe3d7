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
	log   stream.Log
	stand *stand

	shards  []stream.Shard
	open    map[stream.ShardID]*record.StagedEncoder
	entries []stream.Entry
	data    []byte // of the entries
	events  int
}

// keptData is how much memory of entries is kept for the next ones at most.
const keptData = 8 << 20

// begin empties the outbox and learns the log's shards.
func (o *outbox) begin(ctx context.Context) error {
	if cap(o.data) > keptData {
		o.data = nil
	}
	o.entries, o.data, o.events = o.entries[:0], o.data[:0], 0
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
		o.end(o.hashOf(shard), enc)
	}
	return nil
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
	for _, s := range o.shards {
		if enc := o.open[s.ID]; enc != nil && enc.Len() > 0 {
			o.end(s.HashFrom, enc)
		}
	}
	return o.stand.until(ctx, "put", func(ctx context.Context) error {
		_, err := o.log.Put(ctx, o.entries)
		return err
	})
}
