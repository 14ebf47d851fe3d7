package compact

import (
	"context"
	"errors"
	"fmt"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// listPage is how many keys are listed at once.
const listPage = 1000

// listObjects lists the stage's archive by shard, from the earliest hour
// that some shard has come to: keys sort by hour, and a shard's hours never go
// back.
func (c *Compactor) listObjects(ctx context.Context) (map[stream.ShardID][]object, error) {
	found := map[stream.ShardID][]object{}
	for after := c.listFrom; ; {
		infos, err := c.cfg.Bucket.List(ctx, record.ArchivePrefix(c.cfg.Stage), after, listPage)
		if err != nil {
			return nil, fmt.Errorf("list the archive: %w", err)
		}
		for _, info := range infos {
			after = info.Key
			o, err := record.ParseObjectKey(info.Key)
			if err != nil {
				return nil, fmt.Errorf("list the archive: %w", err)
			}
			found[o.Shard] = append(found[o.Shard], object{key: info.Key, shard: o.Shard, after: o.After, through: o.Through})
		}
		if len(infos) < listPage {
			return found, nil
		}
	}
}

// startListing notes where the next listing may start: at the earliest of the
// hours that the shards have come to. A shard without any may yet get an object
// of any hour.
func (p *pass) startListing() error {
	first := ""
	for shard := range p.links {
		key, ok := p.passed[shard]
		if !ok {
			return nil
		}
		if first == "" || key < first {
			first = key
		}
	}
	if first == "" {
		return nil
	}
	o, err := record.ParseObjectKey(first)
	if err != nil {
		return err
	}
	p.listFrom = record.HourPrefix(p.cfg.Stage, o.Hour)
	return nil
}

// summaryOf reads what an object holds, or remembers it.
func (c *Compactor) summaryOf(ctx context.Context, o object) (summary, error) {
	if known, ok := c.summaries[o.key]; ok {
		return known, nil
	}
	var sum summary
	err := c.openObject(ctx, o, func(r *record.StagedReader) error {
		sum = summary{}
		for _, d := range r.Summary().Datasets {
			sum[d.Dataset] = share{events: d.Events, bytes: d.Bytes, oldest: d.OldestReceivedAt}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.summaries[o.key] = sum
	return sum, nil
}

// eachEvent calls visit with every event of an object, in order.
func (c *Compactor) eachEvent(ctx context.Context, o object, visit func(e *schema.Event, at stream.Position) error) error {
	return c.openObject(ctx, o, func(r *record.StagedReader) error {
		var failed error
		err := r.Read(func(at stream.Position, e *schema.Event) bool {
			if failed = ctx.Err(); failed == nil {
				failed = visit(e, at)
			}
			return failed == nil
		})
		return errors.Join(failed, err)
	})
}

func (c *Compactor) openObject(ctx context.Context, o object, use func(*record.StagedReader) error) error {
	body, _, err := c.cfg.Bucket.Get(ctx, o.key)
	if err != nil {
		return fmt.Errorf("read the archive: %w", err)
	}
	r, err := record.NewStagedReader(body)
	if err != nil {
		return fmt.Errorf("read %s: %w", o.key, errors.Join(err, body.Close()))
	}
	err = use(r)
	r.Close()
	if err = errors.Join(err, body.Close()); err != nil {
		return fmt.Errorf("read %s: %w", o.key, err)
	}
	return nil
}
