package kinesis

import (
	"context"
	"errors"
	"fmt"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// call is one Put that waits.
type call struct {
	placed []stream.Placed
	bytes  int
	left   int   // entries that are not placed
	err    error // why the call failed
	over   bool  // nobody waits any more: what is left of it is not put
	done   chan struct{}
}

// waiting is an entry that waits to be put. It does not outlive its call's wait,
// after which the caller may change the data.
type waiting struct {
	stream.Entry
	call  *call
	index int // in the call
}

// Put implements stream.Log. What Kinesis refuses for the time being is put again
// until ctx ends; then, or while too much waits, the error is ErrBusy. A request
// of which the answer got lost is repeated, so an entry may be stored twice.
func (s *Stream) Put(ctx context.Context, entries []stream.Entry) ([]stream.Placed, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	bytes := 0
	for i := range entries {
		if len(entries[i].Data) > MaxEntry {
			return nil, fmt.Errorf("%w: %d bytes, Kinesis takes %d", stream.ErrTooLarge, len(entries[i].Data), MaxEntry)
		}
		bytes += len(entries[i].Data) + entryOverhead
	}
	shards, err := s.shards(ctx, s.cfg.ShardsAge)
	if err != nil {
		return nil, err
	}
	c := &call{placed: make([]stream.Placed, len(entries)), bytes: bytes, left: len(entries), done: make(chan struct{})}
	if err := s.writer.reserve(ctx, bytes); err != nil {
		return nil, err
	}
	if err := s.writer.enqueue(c, entries, shards); err != nil {
		return nil, err
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		s.writer.abandon(c, fmt.Errorf("%w: %w", stream.ErrBusy, context.Cause(ctx)))
	}
	if c.err != nil {
		return nil, c.err
	}
	return c.placed, nil
}

// open gives the open shard that a hash belongs to.
func open(shards []shard, hash uint64) (*shard, error) {
	key := hashKey(hash)
	for i := range shards {
		if shards[i].Open && shards[i].holds(key) {
			return &shards[i], nil
		}
	}
	return nil, fmt.Errorf("%w: no open one for hash %d", stream.ErrNoShard, hash)
}

// reserve waits for room among what is not durable.
func (w *writer) reserve(ctx context.Context, bytes int) error {
	for {
		w.mu.Lock()
		if w.closed {
			w.mu.Unlock()
			return stream.ErrClosed
		}
		// A Put that is larger than all room goes alone.
		if w.pending == 0 || w.pending+bytes <= w.s.cfg.PendingBytes {
			w.pending += bytes
			w.mu.Unlock()
			return nil
		}
		if w.room == nil {
			w.room = make(chan struct{})
		}
		room := w.room
		w.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", stream.ErrBusy, context.Cause(ctx))
		}
	}
}

// enqueue has entries wait for their shards' turns.
func (w *writer) enqueue(c *call, entries []stream.Entry, shards []shard) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		w.release(c)
		return stream.ErrClosed
	}
	for i := range entries {
		to, err := open(shards, entries[i].Hash)
		if err != nil {
			w.finish(c, err)
			return err
		}
		q := w.queue(to.ID)
		q.entries = append(q.entries, waiting{Entry: entries[i], call: c, index: i})
	}
	w.kick()
	return nil
}

// abandon ends a call that nobody waits for any more. Its entries that are under
// way may be stored.
func (w *writer) abandon(c *call, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.finish(c, err)
}

// finish ends a call that has not ended. w.mu is held.
func (w *writer) finish(c *call, err error) {
	if c.over {
		return
	}
	c.err = err
	w.release(c)
	close(c.done)
}

// release gives a call's room back. w.mu is held.
func (w *writer) release(c *call) {
	c.over = true
	w.pending -= c.bytes
	if w.room != nil {
		close(w.room)
		w.room = nil
	}
}

// place notes where an entry went. w.mu is held.
func (w *writer) place(e *waiting, at stream.Placed) {
	c := e.call
	if c.over {
		return
	}
	c.placed[e.index] = at
	if c.left--; c.left == 0 {
		w.finish(c, nil)
	}
}

// errUnplaced says that Kinesis took a record into a shard that it does not list.
var errUnplaced = errors.New("the shard is not listed")
