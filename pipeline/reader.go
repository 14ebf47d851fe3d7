package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// reader reads one shard in order. What goes wrong it waits out, and then reads
// on after the last record that it gave.
type reader struct {
	log                  stream.Log
	shard                stream.ShardID
	stand                *stand
	maxRecords, maxBytes int
	// giveTrimmed has next return ErrTrimmed at once.
	giveTrimmed bool

	// at is the last record given.
	at stream.Sequence
	it stream.Iterator
}

// next gives the records that come now, at least one, or none when wait, which
// ends with ctx, has ended. They stay until the next call. io.EOF is the end of a
// closed shard.
func (r *reader) next(ctx, wait context.Context) (records []stream.Record, err error) {
	var end error // io.EOF, errBatchEnd or ErrTrimmed, for which the shard need not stand
	err = r.stand.until(ctx, "read", func(ctx context.Context) error {
		if r.it == nil {
			it, err := r.log.Iterate(ctx, r.shard, stream.After(r.at))
			if err != nil {
				return r.trimmed(&end, err)
			}
			r.it = it
		}
		got, err := r.it.Next(wait, r.maxRecords, r.maxBytes)
		switch {
		case err == nil:
			records = got
			return nil
		case err == io.EOF: //nolint:errorlint // one that wraps it is a connection's, and no end
			end = io.EOF
			return nil
		case isBatchEnd(err):
			end = err
			return nil
		case wait.Err() != nil:
			return nil
		}
		return r.trimmed(&end, errors.Join(err, r.close()))
	})
	if err == nil && len(records) == 0 && end == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("read shard %d of log %s: %w", r.shard, r.stand.log, err)
	}
	if len(records) > 0 {
		r.at = records[len(records)-1].Seq
	}
	return records, end
}

// trimmed moves an error to end if it is ErrTrimmed and next is to give that.
func (r *reader) trimmed(end *error, err error) error {
	if r.giveTrimmed && errors.Is(err, stream.ErrTrimmed) {
		*end = err
		return nil
	}
	return err
}

// close lets go of the iterator; next would open another.
func (r *reader) close() error {
	if r.it == nil {
		return nil
	}
	it := r.it
	r.it = nil
	if err := it.Close(); err != nil {
		return fmt.Errorf("close iterator: %w", err)
	}
	return nil
}
