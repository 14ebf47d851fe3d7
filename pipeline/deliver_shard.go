package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// shardDelivery archives one shard.
type shardDelivery struct {
	*deliveredLog
	shard   stream.ShardID
	keep    stream.Checkpoints // of this shard
	stand   *stand
	reader  *reader
	request *request

	// archive holds the records of object.
	archive archive
	object  object
}

// object is the one that is being filled.
type object struct {
	after     stream.Sequence
	through   stream.Sequence
	arrivedAt int64 // first and last record, microseconds since 1970 UTC
	lastAt    int64
	records   int
	bytes     int
	due       time.Time
}

func (l *deliveredLog) runShard(ctx context.Context, log stream.Log, shard stream.ShardID, checkpoints stream.Checkpoints) error {
	st := l.stand(shard)
	d := &shardDelivery{
		deliveredLog: l, shard: shard, keep: checkpoints, stand: st, request: l.request(shard),
		reader: &reader{log: log, shard: shard, stand: st, maxRecords: 1 << 10, maxBytes: 1 << 20, giveTrimmed: true},
	}
	var err error
	if d.archive, err = l.newArchive(); err != nil {
		return fmt.Errorf("begin archive: %w", err)
	}
	err = d.resume(ctx)
	for err == nil {
		err = d.step(ctx)
	}
	switch {
	case isBatchEnd(err):
		err = nil
	case isEnd(err):
		if err = d.save(ctx, stream.EndOfShard); err == nil {
			d.progress.finish(shard)
		}
	}
	return errors.Join(err, d.reader.close())
}

// resume starts an object after the checkpoint.
func (d *shardDelivery) resume(ctx context.Context) error {
	at, err := d.checkpoint(ctx)
	if err != nil {
		return err
	}
	if at != d.reader.at {
		if err := d.reader.close(); err != nil {
			return err
		}
	}
	d.reader.at = at
	d.object = object{after: at, through: at}
	d.archive.reset()
	d.progress.advance(d.shard, mark{seq: at})
	return nil
}

func (d *shardDelivery) checkpoint(ctx context.Context) (at stream.Sequence, err error) {
	err = d.stand.until(ctx, "load checkpoint", func(ctx context.Context) (err error) {
		at, _, err = d.checkpoints.Load(ctx, ConsumerDelivery, d.shard)
		return err
	})
	if err != nil {
		return at, fmt.Errorf("load checkpoint: %w", err)
	}
	return at, nil
}

// step reads what comes next and delivers the object when it is full, old or
// asked for.
func (d *shardDelivery) step(ctx context.Context) error {
	records, asked, err := d.read(ctx)
	switch {
	case errors.Is(err, stream.ErrTrimmed):
		return d.overtaken(ctx)
	case err != nil && !isEnd(err) && !isBatchEnd(err):
		return err
	}
	for i := range records {
		if err := d.add(ctx, &records[i]); err != nil {
			return err
		}
	}
	o := &d.object
	old := !time.Now().Before(o.due)
	full := o.bytes >= d.cfg.FlushBytes || d.archive.full()
	wanted := asked.Compare(o.after) > 0 && asked.Compare(o.through) <= 0
	if o.records > 0 && (old || full || wanted || err != nil) {
		if err := d.deliver(ctx); err != nil {
			return err
		}
	}
	return err
}

// askedPause is how long a shard waits for records that it was asked to deliver
// before it looks for them again. Its log may look but once a second by itself.
const askedPause = 250 * time.Millisecond

// read waits for records, but no longer than the object may wait for more, and
// gives up to where delivery was asked for.
func (d *shardDelivery) read(ctx context.Context) (records []stream.Record, asked stream.Sequence, err error) {
	due := d.object.due
	if d.object.records == 0 {
		due = time.Now().Add(d.cfg.FlushAge)
	}
	wait, cancel := context.WithDeadline(ctx, due)
	defer cancel()
	asked = d.request.arm(cancel)
	if d.object.records > 0 && asked.Compare(d.object.after) > 0 && asked.Compare(d.object.through) <= 0 {
		return nil, asked, nil
	}
	if asked.Compare(d.object.through) > 0 {
		soon, cancel := context.WithTimeout(wait, askedPause)
		defer cancel()
		wait = soon
	}
	records, err = d.reader.next(ctx, wait)
	return records, d.request.arm(nil), err
}

func (d *shardDelivery) add(ctx context.Context, r *stream.Record) error {
	d.cfg.Yield.pass()
	o := &d.object
	if o.records == 0 {
		o.arrivedAt, o.due = r.ArrivedAt, time.Now().Add(d.cfg.FlushAge)
	}
	if err := d.stand.until(ctx, "archive record", func(context.Context) error { return d.archive.add(r) }); err != nil {
		return err
	}
	o.records++
	o.bytes += len(r.Data)
	o.through, o.lastAt = r.Seq, r.ArrivedAt
	return nil
}

// deliver makes the object durable, then the checkpoint, and starts the next.
func (d *shardDelivery) deliver(ctx context.Context) error {
	o := &d.object
	data, err := d.archive.finish()
	if err != nil {
		return fmt.Errorf("finish object: %w", err)
	}
	info := DeliveredInfo{
		Log: d.name, Shard: d.shard, After: o.after, Through: o.through, Records: o.records, Bytes: len(data),
		Key: o.key(d.name, d.shard),
	}
	err = d.stand.until(ctx, "put object", func(ctx context.Context) error {
		_, err := d.cfg.Bucket.PutIf(ctx, info.Key, data, "")
		// The key names the records, so what is there holds the same.
		if info.Again = errors.Is(err, objstore.ErrPrecondition); info.Again {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	if err := d.save(ctx, o.through); err != nil {
		return err
	}
	d.progress.advance(d.shard, mark{o.through, o.lastAt})
	d.cfg.Events.Delivered(info)
	// Another Delivery may be further: then its checkpoint stands.
	return d.resume(ctx)
}

// save makes the checkpoint durable.
func (d *shardDelivery) save(ctx context.Context, seq stream.Sequence) error {
	err := d.stand.until(ctx, "save checkpoint", func(ctx context.Context) error {
		return d.keep.Save(ctx, ConsumerDelivery, d.shard, seq)
	})
	if err != nil {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	return nil
}

// overtaken goes on from the checkpoint if another Delivery has moved it past
// what retention freed. Else records are gone that nobody archived: the shard
// stands, and tells.
func (d *shardDelivery) overtaken(ctx context.Context) error {
	err := d.stand.until(ctx, "read", func(ctx context.Context) error {
		if err := d.resume(ctx); err != nil {
			return err
		}
		it, err := d.reader.log.Iterate(ctx, d.shard, stream.After(d.reader.at))
		if err != nil {
			return err
		}
		return it.Close()
	})
	if err != nil {
		return fmt.Errorf("go on after what was trimmed: %w", err)
	}
	return nil
}
