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

	at    stream.Sequence // not saved if unsaved
	since time.Time       // when at was first unsaved
	dirty bool
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

// next reads, and saves the checkpoint when its time has come: between records,
// or while there are none.
func (s *saver) next(ctx context.Context, rd *reader) ([]stream.Record, error) {
	if !s.dirty {
		return rd.next(ctx, ctx)
	}
	due := s.since.Add(s.every)
	if !time.Now().Before(due) {
		if err := s.save(ctx); err != nil {
			return nil, err
		}
		return rd.next(ctx, ctx)
	}
	until, cancel := context.WithDeadline(ctx, due)
	defer cancel()
	return rd.next(ctx, until)
}

func (s *saver) save(ctx context.Context) error {
	err := s.stand.until(ctx, "save checkpoint", func(ctx context.Context) error {
		return s.saveOnce(ctx)
	})
	if err != nil {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	s.dirty = false
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
	if err := s.saveOnce(ctx); err != nil {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	return nil
}

// endOfShard turns the end of a closed shard into no error.
func endOfShard(err error) error {
	if isEnd(err) {
		return nil
	}
	return err
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) }
