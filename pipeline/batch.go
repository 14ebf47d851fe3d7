package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// Batch are records of one shard that another has read: an event source of AWS
// Lambda. They follow each other as in the shard.
//
// A stage's Batch handles them as its Run would, from its checkpoint on, and gives
// the sequence up to which the shard is handled durably, also beside an error. What
// an earlier call has handled is passed over; what lies between the checkpoint and
// the batch, because the other skipped it, is read from the log first. A shard is
// begun once its parents are read to their ends; before that it is an error.
type Batch struct {
	Log     string // LogRaw, LogStaged or LogErrors
	Shard   stream.ShardID
	Records []stream.Record
}

// errBatchEnd says that all of a batch was given.
var errBatchEnd = errors.New("end of the batch")

func isBatchEnd(err error) bool { return errors.Is(err, errBatchEnd) }

// read has a consumer read the batch.
func (b *Batch) read(ctx context.Context, f follower, read readFunc) (stream.Sequence, error) {
	kept := &keptCheckpoints{Checkpoints: f.checkpoints, consumer: f.consumer}
	var err error
	if kept.at, _, err = f.checkpoints.Load(ctx, f.consumer, b.Shard); err != nil {
		return kept.at, err
	}
	if kept.at.IsZero() {
		if err := f.finishParents(ctx, b.Shard); err != nil {
			return kept.at, err
		}
	}
	log := stream.Log(&batchLog{f.log, b.Records})
	if spill, ok := f.log.(*Spill); ok {
		// The records may be pointers.
		log = spill.over(&batchLog{spill.Log, b.Records})
	}
	err = read(ctx, log, b.Shard, kept)
	return kept.at, err
}

// keptCheckpoints know up to where the consumer's is saved.
type keptCheckpoints struct {
	stream.Checkpoints
	consumer string
	at       stream.Sequence
}

// Save implements stream.Checkpoints.
func (c *keptCheckpoints) Save(ctx context.Context, consumer string, shard stream.ShardID, seq stream.Sequence) error {
	err := c.Checkpoints.Save(ctx, consumer, shard, seq)
	if err == nil && consumer == c.consumer {
		c.at = seq
	}
	return err
}

// batchLog is a log of which the end is a batch.
type batchLog struct {
	stream.Log
	batch []stream.Record
}

// Iterate implements stream.Log. Its iterators end with errBatchEnd.
func (l *batchLog) Iterate(ctx context.Context, shard stream.ShardID, start stream.Start) (stream.Iterator, error) {
	at, _ := start.Sequence()
	passed := countTo(l.batch, at)
	it := &batchIterator{rest: l.batch[passed:]}
	if passed > 0 || len(it.rest) == 0 {
		return it, nil
	}
	var err error
	it.before, err = l.Log.Iterate(ctx, shard, start)
	return it, err
}

// countTo is how many of the records, which rise, are at or before a sequence.
func countTo(records []stream.Record, at stream.Sequence) int {
	n, _ := slices.BinarySearchFunc(records, at, func(r stream.Record, at stream.Sequence) int {
		if r.Seq.Compare(at) <= 0 {
			return -1
		}
		return 1
	})
	return n
}

// batchIterator gives what the log has before the batch, and then the batch.
type batchIterator struct {
	before stream.Iterator // nil: nothing is left before the batch
	rest   []stream.Record
	// reached: what was given last is the last before the batch.
	reached bool
}

// Next implements stream.Iterator.
func (it *batchIterator) Next(ctx context.Context, maxRecords, maxBytes int) ([]stream.Record, error) {
	if it.before != nil && !it.reached {
		records, err := it.before.Next(ctx, maxRecords, maxBytes)
		if err == io.EOF { //nolint:errorlint // wrapped it would be no end
			err = fmt.Errorf("record %s of a batch: %w: the shard ends before it", it.rest[0].Seq, stream.ErrBeyondTail)
		}
		if err != nil {
			return nil, err
		}
		// Before the first of the batch, of which the log has a copy.
		n := slices.IndexFunc(records, func(r stream.Record) bool { return r.Seq.Compare(it.rest[0].Seq) >= 0 })
		if n < 0 {
			return records, nil
		}
		if it.reached = true; n > 0 {
			return records[:n], nil
		}
	}
	if err := it.Close(); err != nil {
		return nil, err
	}
	if len(it.rest) == 0 {
		return nil, errBatchEnd
	}
	n, bytes := 1, len(it.rest[0].Data)
	for ; n < len(it.rest) && n < maxRecords; n++ {
		if bytes += len(it.rest[n].Data); bytes > maxBytes {
			break
		}
	}
	given := it.rest[:n:n]
	it.rest = it.rest[n:]
	return given, nil
}

// Close implements stream.Iterator.
func (it *batchIterator) Close() error {
	if it.before == nil {
		return nil
	}
	before := it.before
	it.before = nil
	return before.Close()
}
