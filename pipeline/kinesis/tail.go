package kinesis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// lookBack are the times from which on the end of a shard is looked for, so that
// not all of a long shard is read.
var lookBack = []time.Duration{time.Minute, 10 * time.Minute, 2 * time.Hour}

// lookPatience bounds a look from a time on: kinesalite never answers where
// nothing is that young.
const lookPatience = 2 * time.Second

// Tail implements stream.Log. Kinesis does not say where a shard ends, so what
// came after the last entry known, here or to the caller, is read. Calls at once
// share a reading that began after they did.
func (s *Stream) Tail(ctx context.Context, id stream.ShardID, known stream.Sequence) (stream.Sequence, error) {
	if known == stream.EndOfShard {
		return known, nil
	}
	sh, err := s.find(ctx, id)
	if err != nil {
		return stream.Sequence{}, err
	}
	asked := time.Now()
	s.mu.Lock()
	st := s.state(id)
	s.mu.Unlock()
	select {
	case st.scanning <- struct{}{}:
	case <-ctx.Done():
		return stream.Sequence{}, context.Cause(ctx)
	}
	defer func() { <-st.scanning }()
	if st.scanned.Before(asked) && !st.ended {
		began := time.Now()
		if err := patiently(ctx, func() error { return s.scan(ctx, &sh, known) }); err != nil {
			return stream.Sequence{}, fmt.Errorf("look for the end of shard %d of %s: %w", id, s.cfg.Stream, err)
		}
		st.scanned = began
	}
	return s.known(id), nil
}

// scan reads a shard to its end from where it is known.
func (s *Stream) scan(ctx context.Context, sh *shard, known stream.Sequence) error {
	s.mu.Lock()
	st := s.state(sh.ID)
	from := st.read
	if from.Compare(st.tail) < 0 {
		from = st.tail
	}
	s.mu.Unlock()
	switch {
	case record(from).Compare(record(known)) < 0:
		// The rest of its record may not be known.
		_, err := s.scanFrom(ctx, sh, position{kind: types.ShardIteratorTypeAtSequenceNumber, number: numberOf(known)})
		if isInvalid(err) || isNotFound(err) {
			// It has been freed: what came after it is all that there is.
			_, err = s.scanFrom(ctx, sh, position{kind: types.ShardIteratorTypeTrimHorizon})
		}
		if err == nil {
			s.saw(sh.ID, known, past(known))
		}
		return err
	case !from.IsZero():
		_, err := s.scanFrom(ctx, sh, position{kind: types.ShardIteratorTypeAfterSequenceNumber, number: numberOf(from)})
		return err
	default:
		return s.scanUnknown(ctx, sh)
	}
}

// scanUnknown reads a shard of which nothing is known to its end. One that was
// found empty is read on from there.
func (s *Stream) scanUnknown(ctx context.Context, sh *shard) error {
	s.mu.Lock()
	st := s.state(sh.ID)
	s.mu.Unlock()
	if p := st.empty; p != nil {
		st.empty = nil
		found, err := s.readToTip(ctx, sh, p)
		if err == nil && !found {
			st.empty = p
		}
		return err
	}
	for _, back := range lookBack {
		found, err := s.lookFrom(ctx, sh, time.Now().Add(-back))
		if found || err != nil {
			return err
		}
	}
	p := &poller{s: s, shard: sh.ID, limit: readLimit, pace: s.pace}
	if err := p.begin(ctx, position{kind: types.ShardIteratorTypeTrimHorizon}); err != nil {
		return err
	}
	found, err := s.readToTip(ctx, sh, p)
	if found || err != nil {
		return err
	}
	st.empty = p
	// Its last record may be freed.
	mark, err := s.loadQuiet(ctx, sh.ID)
	if err == nil && !mark.After.IsZero() {
		s.saw(sh.ID, mark.After, mark.After)
	}
	return err
}

// lookFrom scans from a time on, and finds nothing where that takes too long.
func (s *Stream) lookFrom(ctx context.Context, sh *shard, at time.Time) (found bool, err error) {
	if at.Before(s.created) {
		return false, nil
	}
	look, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	found, err = s.scanFrom(look, sh, position{kind: types.ShardIteratorTypeAtTimestamp, at: at})
	if err != nil && ctx.Err() == nil && errors.Is(look.Err(), context.DeadlineExceeded) {
		return false, nil
	}
	return found, err
}

// scanFrom reads a shard to its end, and says whether it had any record.
func (s *Stream) scanFrom(ctx context.Context, sh *shard, from position) (found bool, err error) {
	p := &poller{s: s, shard: sh.ID, limit: readLimit, pace: s.pace}
	if err := p.begin(ctx, from); err != nil {
		return false, err
	}
	return s.readToTip(ctx, sh, p)
}

// readToTip reads all that a shard has from where the poller is.
func (s *Stream) readToTip(ctx context.Context, sh *shard, p *poller) (found bool, err error) {
	for {
		b, err := p.read(ctx)
		if err != nil {
			// What was read is noted: who tries again goes on from there.
			return found, err
		}
		// An iterator that nobody reads from, for what it notes.
		it := iterator{s: s, shard: *sh, skip: stream.EndOfShard}
		for i := range b.records {
			found = true
			if err := it.takeRecord(&b.records[i]); err != nil {
				return found, err
			}
		}
		if b.tip {
			s.mu.Lock()
			s.state(sh.ID).ended = b.end
			s.mu.Unlock()
			if b.end && sh.Open {
				s.listing.forget() // it was when the list was read
			}
			return found, nil
		}
	}
}

// waitingRead is how many records are read at first to see what follows one: that
// one and the next.
const waitingRead = 2

// Waiting implements stream.Log.
func (s *Stream) Waiting(ctx context.Context, id stream.ShardID, after stream.Sequence) (arrivedAt int64, err error) {
	sh, err := s.find(ctx, id)
	if err != nil || after == stream.EndOfShard {
		return 0, err
	}
	err = patiently(ctx, func() (err error) {
		arrivedAt, err = s.waiting(ctx, sh, after)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("look for what waits in shard %d of %s: %w", id, s.cfg.Stream, err)
	}
	return arrivedAt, nil
}

func (s *Stream) waiting(ctx context.Context, sh shard, after stream.Sequence) (arrivedAt int64, err error) {
	p := &poller{s: s, shard: sh.ID, limit: waitingRead, pace: s.pace}
	from := position{kind: types.ShardIteratorTypeAtSequenceNumber, number: numberOf(after)}
	if after.IsZero() {
		from = position{kind: types.ShardIteratorTypeTrimHorizon}
	}
	b, err := p.first(ctx, from)
	if isInvalid(err) || isNotFound(err) {
		// It has been freed: what came after it is all that there is.
		b, err = p.first(ctx, position{kind: types.ShardIteratorTypeTrimHorizon})
	}
	for it := (&iterator{s: s, shard: sh, skip: after}); err == nil; b, err = p.read(ctx) {
		for i := range b.records {
			if err := it.takeRecord(&b.records[i]); err != nil {
				return 0, err
			}
		}
		if len(it.records) > 0 {
			return it.records[0].ArrivedAt, nil
		}
		if b.tip {
			return 0, nil
		}
		p.limit = readLimit
	}
	return 0, err
}

// first begins at a position and reads.
func (p *poller) first(ctx context.Context, from position) (batch, error) {
	if err := p.begin(ctx, from); err != nil {
		return batch{}, err
	}
	return p.read(ctx)
}

// Oldest implements stream.Log.
func (s *Stream) Oldest(ctx context.Context, id stream.ShardID) (stream.Sequence, error) {
	sh, err := s.find(ctx, id)
	if err != nil {
		return stream.Sequence{}, err
	}
	p := &poller{s: s, shard: id, limit: 1, pace: s.pace}
	if err := p.begin(ctx, position{kind: types.ShardIteratorTypeTrimHorizon}); err != nil {
		return stream.Sequence{}, fmt.Errorf("look for the oldest of shard %d of %s: %w", id, s.cfg.Stream, err)
	}
	for {
		b, err := p.read(ctx)
		if err != nil {
			return stream.Sequence{}, fmt.Errorf("look for the oldest of shard %d of %s: %w", id, s.cfg.Stream, err)
		}
		it := iterator{s: s, shard: sh}
		for i := range b.records {
			if err := it.takeRecord(&b.records[i]); err != nil {
				return stream.Sequence{}, err
			}
			if len(it.records) > 0 {
				return it.records[0].Seq, nil
			}
		}
		if b.tip {
			tail, err := s.Tail(ctx, id, stream.Sequence{})
			return tail.Next(), err
		}
	}
}

// Trim implements stream.Log: Kinesis frees by age alone.
func (s *Stream) Trim(ctx context.Context, id stream.ShardID, _ stream.Sequence, _ int64) error {
	_, err := s.find(ctx, id)
	return err
}
