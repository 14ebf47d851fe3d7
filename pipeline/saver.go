package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// lastSave bounds the save of a checkpoint after the stage was told to stop.
const lastSave = 5 * time.Second

// saver saves a shard's checkpoint now and then.
type saver struct {
	checkpoints stream.Checkpoints
	consumer    string
	shard       stream.ShardID
	every       time.Duration
	stand       *stand
	// before makes durable what must not lag behind the checkpoint; nil: nothing.
	before func(ctx context.Context) error
	// share is of how much time saves may take one part at most; 0: they take little.
	share int

	at    stream.Sequence // not saved if unsaved
	since time.Time       // when at was first unsaved
	dirty bool
	took  time.Duration // of the last save
}

// load gives where the shard is to be read from.
func (s *saver) load(ctx context.Context) (stream.Sequence, error) {
	err := s.stand.until(ctx, "load checkpoint", func(ctx context.Context) (err error) {
		s.at, _, err = s.checkpoints.Load(ctx, s.consumer, s.shard)
		return err
	})
	if err != nil {
		return stream.Sequence{}, fmt.Errorf("load checkpoint: %w", err)
	}
	return s.at, nil
}

// moved notes that everything up to seq is done with.
func (s *saver) moved(seq stream.Sequence) {
	s.at = seq
	if !s.dirty {
		s.dirty, s.since = true, time.Now()
	}
}

// savers are those of one reader.
type savers []*saver

// next reads, and saves each checkpoint when its time has come: between records,
// or while there are none.
func (ss savers) next(ctx context.Context, rd *reader) ([]stream.Record, error) {
	until := time.Time{}
	for _, s := range ss {
		if !s.dirty {
			continue
		}
		due := s.since.Add(max(s.every, time.Duration(s.share)*s.took))
		if !time.Now().Before(due) {
			if err := s.save(ctx); err != nil {
				return nil, err
			}
			continue
		}
		if until.IsZero() || due.Before(until) {
			until = due
		}
	}
	if until.IsZero() {
		return rd.next(ctx, ctx)
	}
	wait, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return rd.next(ctx, wait)
}

func (s *saver) next(ctx context.Context, rd *reader) ([]stream.Record, error) {
	return savers{s}.next(ctx, rd)
}

func (s *saver) save(ctx context.Context) error {
	began := time.Now()
	err := s.stand.until(ctx, "save checkpoint", func(ctx context.Context) error {
		return s.saveOnce(ctx)
	})
	if err != nil {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	s.dirty = false
	s.took = time.Since(began)
	return nil
}

func (s *saver) saveOnce(ctx context.Context) error {
	if s.before != nil {
		if err := s.before(ctx); err != nil {
			return err
		}
	}
	return s.checkpoints.Save(ctx, s.consumer, s.shard, s.at)
}

// last saves the checkpoint at the end, also when ctx has ended, once.
func (s *saver) last(ctx context.Context) error {
	if !s.dirty {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSave)
	defer cancel()
	if err := s.saveOnce(ctx); err != nil && !errors.Is(err, errLeaseLost) {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	return nil
}

// end turns the end of a closed shard into no error, after which the checkpoint
// and the progress say so, and that of a batch, which last saves.
func (s *saver) end(ctx context.Context, err error, p *progress) error {
	if isBatchEnd(err) {
		return nil
	}
	if !isEnd(err) {
		return err
	}
	s.moved(stream.EndOfShard)
	if err := s.save(ctx); err != nil {
		return err
	}
	p.finish(s.shard)
	return nil
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) }
