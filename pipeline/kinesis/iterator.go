package kinesis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// iterator reads one shard.
type iterator struct {
	s     *Stream
	shard shard
	start stream.Start
	pace  *pacer
	// poll is the pause between two reads of a shard that has nothing new.
	poll time.Duration
	// slow: what is put here is read after the pause, or when a Next comes after one
	// that was ended.
	slow bool

	mu     sync.Mutex
	closed bool
	cancel context.CancelFunc // ends the Next that runs; nil if none does

	// What follows is Next's, and the fetch's while one is under way.
	fetching *fetching // nil: none is
	source   source
	// at is the last record fetched, as past says, or where the iterator began.
	at stream.Sequence
	// fetched: at is a record that was fetched here.
	fetched bool
	// whole: everything the shard ever had after the start is read.
	whole   bool
	skip    stream.Sequence // entries up to here are passed over
	since   int64           // so are entries that arrived before
	records []stream.Record // fetched and not given
	arrived int64           // of the last record fetched
	asked   time.Time       // when the source was read last
	tip     bool            // the source had no more
	end     bool            // nor will it
}

// Iterate implements stream.Log. It reads, so that it can say whether the start
// is there.
func (s *Stream) Iterate(ctx context.Context, id stream.ShardID, start stream.Start) (stream.Iterator, error) {
	return s.iterate(ctx, id, &iterator{start: start, pace: s.pace, poll: s.cfg.Poll})
}

// iterate has an iterator begin at its start.
func (s *Stream) iterate(ctx context.Context, id stream.ShardID, it *iterator) (stream.Iterator, error) {
	sh, err := s.find(ctx, id)
	if err != nil {
		return nil, err
	}
	it.s, it.shard = s, sh
	it.at, _ = it.start.Sequence()
	it.skip = it.at
	if err := it.reopen(ctx); err != nil {
		it.drop()
		return nil, fmt.Errorf("open iterator of shard %d of %s %s: %w", id, s.cfg.Stream, it.start, err)
	}
	return it, nil
}

// reopen begins, again if the source ends at once.
func (it *iterator) reopen(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		err := it.begin(ctx)
		if !errors.Is(err, errExpired) {
			return err
		}
		if err := sleep(ctx, pauseAfter(attempt)); err != nil {
			return err
		}
	}
}

// begin opens the source where the iterator is.
func (it *iterator) begin(ctx context.Context) error {
	it.drop()
	if it.fetched {
		it.skip = it.at
	}
	if it.at == stream.EndOfShard {
		it.tip, it.end = true, true
		if it.shard.Open {
			return fmt.Errorf("%w: the shard is open", stream.ErrBeyondTail)
		}
		return nil
	}
	if !it.at.IsZero() {
		return it.beginAfter(ctx)
	}
	from := position{kind: types.ShardIteratorTypeTrimHorizon}
	_, it.whole = it.start.Sequence()
	if micros, ok := it.start.Micros(); ok {
		// Kinesis has milliseconds.
		it.since = micros
		from = position{kind: types.ShardIteratorTypeAtTimestamp, at: time.UnixMilli((micros + 999) / 1000)}
	}
	if it.whole || it.since != 0 && time.UnixMicro(it.since).Before(it.s.freedBefore(time.Now())) {
		kept, err := it.s.nothingFreed(ctx, &it.shard, stream.Sequence{})
		if err != nil {
			return err
		}
		if !kept {
			return fmt.Errorf("%w: the shard may have had records before", stream.ErrTrimmed)
		}
	}
	var err error
	it.source, err = it.s.open(ctx, it.shard.ID, from, readLimit, it.pace)
	return err
}

// beginAfter opens the source at the record that the iterator is to read on from,
// and sees that it is there. Asked for one that it has freed, Kinesis gives its
// oldest; local servers say that there is none.
func (it *iterator) beginAfter(ctx context.Context) error {
	b, err := it.first(ctx, position{kind: types.ShardIteratorTypeAtSequenceNumber, number: numberOf(it.at)})
	if isInvalid(err) || isNotFound(err) {
		b, err = it.first(ctx, position{kind: types.ShardIteratorTypeTrimHorizon})
	}
	if err != nil {
		return err
	}
	order := 1 // of the first record there is to the one that the iterator begins after
	if len(b.records) > 0 {
		first, err := sequenceOf(aws.ToString(b.records[0].SequenceNumber), 0)
		if err != nil {
			return err
		}
		order = first.Compare(record(it.at))
	}
	if order < 0 {
		return stream.ErrBeyondTail
	}
	if order == 0 && len(b.records) > 0 {
		if err := it.has(&b.records[0]); err != nil {
			return err
		}
		it.whole = true
		return it.take(ctx, b)
	}
	kept, err := it.s.nothingFreed(ctx, &it.shard, it.at)
	switch {
	case err != nil:
		return err
	case kept:
		it.whole = true
		return it.take(ctx, b)
	case len(b.records) > 0 || it.at.Compare(it.s.known(it.shard.ID)) <= 0:
		return fmt.Errorf("%w: Kinesis keeps %s, and the record is gone", stream.ErrTrimmed, it.s.retention)
	default:
		return stream.ErrBeyondTail
	}
}

// first opens the source and reads the first records there are, or none at the
// end of the shard.
func (it *iterator) first(ctx context.Context, from position) (b batch, err error) {
	it.drop()
	if it.source, err = it.s.open(ctx, it.shard.ID, from, it.s.cfg.FirstRead, it.pace); err != nil {
		return b, err
	}
	if p, polls := it.source.(*poller); polls {
		defer func() { p.limit = readLimit }()
	}
	for {
		if b, err = it.source.read(ctx); err != nil || len(b.records) > 0 || b.tip {
			return b, err
		}
	}
}

// has says whether the record has the entry after which the iterator begins.
func (it *iterator) has(r *types.Record) error {
	if it.at == past(it.at) {
		return nil
	}
	parts, err := partsOf(r)
	if err != nil {
		return err
	}
	if i := indexOf(it.at); i >= len(parts) {
		return fmt.Errorf("%w: the record has %d entries", stream.ErrBeyondTail, len(parts))
	}
	return nil
}

// partsOf gives the entries of a record.
func partsOf(r *types.Record) ([]part, error) {
	parts, err := parse(r.Data)
	if errors.Is(err, errNotAggregated) {
		return []part{{data: r.Data}}, nil
	}
	if err == nil && len(parts) > maxEntries {
		err = fmt.Errorf("a record of %d entries, which Fieldgate did not write; it has at most %d", len(parts), maxEntries)
	}
	if err != nil {
		return nil, fmt.Errorf("record %s: %w", aws.ToString(r.SequenceNumber), err)
	}
	return parts, nil
}

// take makes entries of what a source gave.
func (it *iterator) take(ctx context.Context, b batch) error {
	it.tip, it.end, it.asked = b.tip, b.end, b.asked
	for i := range b.records {
		if err := it.takeRecord(&b.records[i]); err != nil {
			return err
		}
	}
	if it.tip && (it.whole || it.fetched) {
		it.s.sawNothing(ctx, &it.shard, it.at, it.arrived, b)
	}
	return nil
}

func (it *iterator) takeRecord(r *types.Record) error {
	parts, err := partsOf(r)
	if err != nil {
		return err
	}
	if r.ApproximateArrivalTimestamp != nil {
		// It may go back a little; what readers see does not.
		it.arrived = max(it.arrived, r.ApproximateArrivalTimestamp.UnixMicro())
	}
	var entry, seq stream.Sequence
	for i := range parts {
		if seq, err = sequenceOf(aws.ToString(r.SequenceNumber), i); err != nil {
			return err
		}
		// One of another shard's range is there, too.
		if len(parts) > 1 && !it.shard.holds(parts[i].hashKey) {
			continue
		}
		entry = seq
		if seq.Compare(it.skip) > 0 && it.arrived >= it.since {
			it.records = append(it.records, stream.Record{Shard: it.shard.ID, Seq: seq, ArrivedAt: it.arrived, Data: parts[i].data})
		}
	}
	it.at, it.fetched = past(seq), true
	it.s.saw(it.shard.ID, entry, it.at)
	return nil
}

// Next implements stream.Iterator.
func (it *iterator) Next(ctx context.Context, maxRecords, maxBytes int) ([]stream.Record, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	it.mu.Lock()
	if it.closed {
		it.mu.Unlock()
		return nil, stream.ErrClosed
	}
	it.cancel = cancel
	it.mu.Unlock()
	err := it.fill(ctx)
	it.mu.Lock()
	it.cancel = nil
	closed := it.closed
	it.mu.Unlock()
	if it.slow && it.fetching == nil && ctx.Err() != nil {
		it.tip = false // whoever ends a wait and comes back wants to know
	}
	switch {
	case closed:
		it.stop()
		return nil, stream.ErrClosed
	case errors.Is(err, io.EOF):
		// A connection's, which nobody may take for the end of the shard.
		return nil, fmt.Errorf("read shard %d of %s: %w: %s", it.shard.ID, it.s.cfg.Stream, io.ErrUnexpectedEOF, err.Error())
	case err != nil:
		return nil, err
	case len(it.records) == 0:
		return nil, io.EOF
	}
	n, bytes := 1, len(it.records[0].Data)
	for ; n < len(it.records) && n < maxRecords; n++ {
		if bytes += len(it.records[n].Data); bytes > maxBytes {
			break
		}
	}
	given := it.records[:n:n]
	it.records = it.records[n:]
	return given, nil
}

// fill reads until there are records, or none will come.
func (it *iterator) fill(ctx context.Context) error {
	for it.fetching != nil || len(it.records) == 0 && !it.end {
		if it.fetching == nil && it.source != nil && it.tip {
			// What is put here from now on is not waited for.
			if err := it.wait(ctx, it.s.listen(it.shard.ID)); err != nil {
				return err
			}
		}
		if err := it.fetch(ctx); err != nil {
			return err
		}
	}
	if it.end && len(it.records) == 0 {
		return it.confirmEnd(ctx)
	}
	return nil
}

// fetching is a fetch under way.
type fetching struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error // once done
}

// fetch gets what comes next. Where ctx ends before, the fetch goes on, and the next call
// waits for it: whoever comes again and again for less time than a read takes, or than a
// shard is to be left alone between two, would otherwise never get anything.
func (it *iterator) fetch(ctx context.Context) error {
	if it.fetching == nil {
		within, cancel := context.WithCancel(context.WithoutCancel(ctx))
		f := &fetching{cancel: cancel, done: make(chan struct{})}
		it.fetching = f
		go func() {
			defer close(f.done)
			f.err = it.more(within)
		}()
	}
	f := it.fetching
	select {
	case <-f.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	f.cancel()
	it.fetching = nil
	return f.err
}

// more reads once, or opens the source, which may read.
func (it *iterator) more(ctx context.Context) error {
	if it.source == nil {
		return it.reopen(ctx)
	}
	b, err := it.source.read(ctx)
	if errors.Is(err, errExpired) {
		it.drop()
		return nil
	}
	if err != nil {
		return err
	}
	it.records = nil
	return it.take(ctx, b)
}

// confirmEnd sees that the shard is closed, because a consumer never comes back
// to one that it has read to its end. Its children are listed then.
func (it *iterator) confirmEnd(ctx context.Context) error {
	if !it.shard.Open {
		it.s.listing.forget()
		return nil
	}
	all, err := it.s.shards(ctx, 0)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].ID == it.shard.ID && all[i].Open {
			it.drop()
			it.end = false
			return fmt.Errorf("read shard %d of %s: it ends, but is listed as open", it.shard.ID, it.s.cfg.Stream)
		}
	}
	it.shard.Open = false
	return nil
}

// wait waits until it is worth a look again: some time after the last, or at once
// when this process has put something.
func (it *iterator) wait(ctx context.Context, changed <-chan struct{}) error {
	if _, pushed := it.source.(*subscription); pushed {
		return nil
	}
	if it.slow {
		changed = nil
	}
	timer := time.NewTimer(time.Until(it.asked.Add(it.poll)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// stop ends a fetch under way, and lets go of the source.
func (it *iterator) stop() {
	if f := it.fetching; f != nil {
		f.cancel()
		<-f.done
		it.fetching = nil
	}
	it.drop()
}

// drop lets go of the source; the next Next opens another.
func (it *iterator) drop() {
	if it.source != nil {
		it.source.close()
		it.source = nil
	}
}

// Close implements stream.Iterator.
func (it *iterator) Close() error {
	it.mu.Lock()
	defer it.mu.Unlock()
	if it.closed {
		return nil
	}
	it.closed = true
	if it.cancel != nil {
		it.cancel() // Next lets go of the source
		return nil
	}
	it.stop()
	return nil
}
