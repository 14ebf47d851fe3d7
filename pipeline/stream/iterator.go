package stream

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/fieldgate/fieldgate/sources/vfs"
)

var _ Iterator = (*diskIterator)(nil)

// diskIterator reads a shard's segments one after the other through one buffer, into which records point.
type diskIterator struct {
	shard *shard
	ended chan struct{} // closed by Close
	end   func()        // closes ended, once

	mu      sync.Mutex // held by Next, and by Close while it closes the file
	segment *segment
	file    vfs.File // nil after Close
	reader  *frameReader
	expect  uint64 // sequence of the reader's next frame
	skip    uint64 // records before this sequence are passed over
	since   int64  // records that arrived before this time are passed over

	current frame // payload is what is left of it, first the sequence that comes next, count how many are left
	records []Record
}

// iterate opens an iterator at a start.
func (s *shard) iterate(start Start) (*diskIterator, error) {
	it := &diskIterator{shard: s, ended: make(chan struct{})}
	it.end = sync.OnceFunc(func() { close(it.ended) })
	seg, err := it.find(start)
	if err != nil {
		return nil, err
	}
	if err := it.enter(seg); err != nil {
		return nil, err
	}
	index, err := s.indexOf(seg, it.file)
	if err != nil {
		return nil, errors.Join(err, it.Close())
	}
	m := seg.before(index, func(m mark) bool {
		return it.skip > 0 && m.first <= it.skip || it.since > 0 && m.arrived < it.since
	})
	it.expect, it.reader = m.first, newFrameReader(it.file, seg.marker, m.offset)
	return it, nil
}

// find gives the segment that holds a start, and sets what is to be passed over in it.
func (it *diskIterator) find(start Start) (*segment, error) {
	s := it.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	oldest := s.segments[0]
	if micros, ok := start.Micros(); ok {
		if oldest.base > 1 && micros <= oldest.floor {
			return nil, fmt.Errorf("%w: the oldest record is %d", ErrTrimmed, oldest.base)
		}
		it.since = micros
		return s.lastSegment(func(seg *segment) bool { return seg.floor < micros }), nil
	}
	next := oldest.base
	if after, ok := start.Sequence(); ok {
		if after.Compare(SequenceOf(s.tail)) > 0 {
			return nil, fmt.Errorf("%w: the last record is %d", ErrBeyondTail, s.tail)
		}
		next = after[2] + 1
	}
	if next < oldest.base {
		return nil, fmt.Errorf("%w: the oldest record is %d", ErrTrimmed, oldest.base)
	}
	it.skip = next
	return s.lastSegment(func(seg *segment) bool { return seg.base <= next }), nil
}

// lastSegment is the last segment for which the function holds, as it does for all before it; the oldest if for none.
// s.mu is held.
func (s *shard) lastSegment(holds func(seg *segment) bool) *segment {
	n, _ := slices.BinarySearchFunc(s.segments, true, func(seg *segment, _ bool) int {
		if holds(seg) {
			return -1
		}
		return 1
	})
	return s.segments[max(n-1, 0)]
}

// indexOf gives a segment's index, and makes it first for a segment sealed before the log was opened.
func (s *shard) indexOf(seg *segment, f vfs.File) ([]mark, error) {
	s.mu.Lock()
	index, indexed := seg.index, seg.indexed
	s.mu.Unlock()
	if indexed {
		return index, nil
	}
	scan, err := scanSegment(f, seg)
	var corrupt *CorruptError
	if err != nil && !errors.As(err, &corrupt) {
		return nil, err
	}
	// What is beyond a damage is not in the index: whoever gets there by reading is told of it.
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.index, seg.indexed = scan.index, true
	return seg.index, nil
}

// enter opens a segment's file in place of the one before.
func (it *diskIterator) enter(seg *segment) error {
	f, err := it.shard.disk.cfg.FS.Open(seg.path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: its segment is gone", ErrTrimmed)
	}
	if err != nil {
		return err
	}
	if it.file != nil {
		// It was only read.
		_ = it.file.Close()
	}
	it.segment, it.file, it.expect = seg, f, seg.base
	it.reader = newFrameReader(f, seg.marker, segmentHeaderBytes)
	return nil
}

// Next implements Iterator.
func (it *diskIterator) Next(ctx context.Context, maxRecords, maxBytes int) ([]Record, error) {
	it.mu.Lock()
	defer it.mu.Unlock()
	it.records = it.records[:0]
	bytes := 0
	for it.file != nil {
		if it.take(max(maxRecords, 1), maxBytes, &bytes) {
			return it.records, nil
		}
		more, wait, err := it.advance()
		switch {
		case more:
		case len(it.records) > 0:
			// What keeps the next record back is for the next call, which meets it again.
			return it.records, nil
		case err != nil:
			return nil, err
		default:
			if err := it.wait(ctx, wait); err != nil {
				return nil, err
			}
		}
	}
	return nil, ErrClosed
}

// advance reads the next frame. Where it gives no more, there is an error, or a channel to wait on, or the buffer ends
// and must stay as it is for the records taken.
func (it *diskIterator) advance() (more bool, wait <-chan struct{}, err error) {
	limit, wait, err := it.limit()
	if err != nil || wait != nil {
		return false, wait, err
	}
	more, err = it.load(limit, len(it.records) == 0)
	return more, nil, err
}

// take moves records from the current frame to the result; true if the result is full.
func (it *diskIterator) take(maxRecords, maxBytes int, bytes *int) bool {
	f := &it.current
	for ; f.count > 0; f.count-- {
		size := int(binary.LittleEndian.Uint32(f.payload))
		wanted := f.first >= it.skip && f.arrived >= it.since
		if wanted && len(it.records) > 0 && (len(it.records) >= maxRecords || *bytes+size > maxBytes) {
			return true
		}
		end := recordHeaderBytes + size
		if wanted {
			it.records = append(it.records, Record{
				Shard: it.shard.id, Seq: SequenceOf(f.first), ArrivedAt: f.arrived,
				Data: f.payload[recordHeaderBytes:end:end],
			})
			*bytes += size
		}
		f.payload = f.payload[end:]
		f.first++
	}
	return len(it.records) >= maxRecords
}

// limit says up to where the segment can be read, or gives a channel to wait on if all there is has been read. It moves
// on to the next segment where one ends.
func (it *diskIterator) limit() (limit int64, wait <-chan struct{}, err error) {
	s := it.shard
	s.mu.Lock()
	limit, sealed := it.segment.size, it.segment.sealed
	if it.reader.offset < limit {
		s.mu.Unlock()
		return limit, nil, nil
	}
	if !sealed {
		defer s.mu.Unlock()
		if s.closed {
			return 0, nil, ErrClosed
		}
		if err := s.disk.failure(); err != nil {
			return 0, nil, err
		}
		return limit, s.listen(), nil
	}
	oldest := s.segments[0].base
	next := s.lastSegment(func(seg *segment) bool { return seg.base <= it.expect })
	s.mu.Unlock()
	switch {
	case it.expect < oldest:
		return 0, nil, fmt.Errorf("%w: the oldest record is %d, wanted was %d", ErrTrimmed, oldest, it.expect)
	case next.base != it.expect:
		reason := fmt.Sprintf("it ends before record %d", it.expect)
		return 0, nil, &CorruptError{Path: it.segment.path, Offset: limit, Reason: reason}
	}
	// The next segment has its own reader and buffer: records that point into this one's stay as they are.
	if err := it.enter(next); err != nil {
		return 0, nil, err
	}
	return it.limit()
}

// load reads the next frame; false if the buffer ends and must stay.
func (it *diskIterator) load(limit int64, refill bool) (bool, error) {
	offset := it.reader.offset
	f, ok, err := it.reader.next(limit, refill)
	if err != nil || !ok {
		return ok, err
	}
	if f.first != it.expect {
		reason := fmt.Sprintf("record %d where %d was to come", f.first, it.expect)
		return false, &CorruptError{Path: it.segment.path, Offset: offset, Reason: reason}
	}
	it.expect += uint64(f.count)
	it.current = f
	return true, nil
}

// wait returns when there may be more to read.
func (it *diskIterator) wait(ctx context.Context, news <-chan struct{}) error {
	select {
	case <-news:
		return nil
	case <-it.ended:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close implements Iterator.
func (it *diskIterator) Close() error {
	it.end()
	it.mu.Lock()
	defer it.mu.Unlock()
	if it.file == nil {
		return nil
	}
	err := it.file.Close()
	it.file = nil
	return err
}
