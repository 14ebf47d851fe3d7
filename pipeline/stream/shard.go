package stream

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"

	"github.com/fieldgate/fieldgate/sources/vfs"
)

// shard is one shard of a Disk. Its writers commit in groups: each adds its frame to the group that fills, and the first
// to find nobody committing becomes the leader, who writes and syncs the group for all while the next one fills.
type shard struct {
	id   ShardID
	disk *Disk
	dir  string

	file vfs.File // of the last segment; the leader's

	trimming sync.Mutex // held for a whole trim

	mu       sync.Mutex
	filling  *group
	leading  *group        // being committed; nil if nobody leads
	pending  int           // bytes in filling and leading
	spare    []byte        // the buffer of the group before, for the next
	segments []*segment    // oldest first; the last is written to
	tail     uint64        // last durable sequence
	arrived  int64         // its arrival time, microseconds
	news     chan struct{} // closed by wake when tail, pending, closed or the disk's failure changes; nil if nobody waits
	closed   bool
}

// group is the frames that are made durable together.
type group struct {
	buf     []byte
	records uint64
	lead    chan struct{} // one token: who takes it looks whether to lead
	done    chan struct{} // closed by the leader when first and err are set
	first   uint64        // sequence of the group's first record
	err     error
}

func newGroup(buf []byte) *group {
	return &group{buf: buf[:0], lead: make(chan struct{}, 1), done: make(chan struct{})}
}

func newShard(d *Disk, id ShardID, dir string, r *recovered) *shard {
	return &shard{
		id: id, disk: d, dir: dir, file: r.file,
		filling: newGroup(nil), segments: r.segments, tail: r.tail, arrived: r.arrived,
	}
}

// put makes a batch durable and says where its entries went.
func (s *shard) put(ctx context.Context, b batch, placed []Placed) error {
	g, before, err := s.add(ctx, &b)
	if err != nil {
		return err
	}
	if err := s.await(ctx, g); err != nil {
		return err
	}
	b.place(placed, g.first+before)
	return nil
}

// add copies a batch into the group that fills, once there is room. It gives the number of records before the batch's.
func (s *shard) add(ctx context.Context, b *batch) (g *group, before uint64, err error) {
	size := frameHeaderBytes + b.bytes
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch err := s.disk.failure(); {
		case err != nil:
			return nil, 0, err
		case s.closed:
			return nil, 0, ErrClosed
		case s.pending == 0 || s.pending+size <= s.disk.cfg.MaxPending:
			g, before := s.filling, s.filling.records
			g.buf = b.appendFrame(g.buf)
			g.records += uint64(b.count)
			s.pending += size
			return g, before, nil
		case s.leading == nil:
			// Those who filled the group have all left: their contexts ended.
			s.commit()
			continue
		}
		news := s.listen()
		s.mu.Unlock()
		select {
		case <-news:
		case <-ctx.Done():
			err = fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
		}
		s.mu.Lock()
		if err != nil {
			return nil, 0, err
		}
	}
}

// await returns when the group is durable, leading it if nobody else does.
func (s *shard) await(ctx context.Context, g *group) error {
	// Those who are about to put join the group first: under load fewer and larger groups are synced, and without it
	// nobody waits.
	runtime.Gosched()
	for {
		s.mu.Lock()
		if s.leading == nil && s.filling == g {
			s.commit()
		}
		s.mu.Unlock()
		select {
		case <-g.done:
			return g.err
		default:
		}
		select {
		case <-g.done:
			return g.err
		case <-g.lead:
		case <-ctx.Done():
			return fmt.Errorf("wait to be durable: %w", ctx.Err())
		}
	}
}

// commit makes the group that fills durable, as its leader. s.mu is held, but not while it writes.
func (s *shard) commit() {
	g := s.filling
	s.filling, s.leading, s.spare = newGroup(s.spare), g, nil
	size, tail := len(g.buf), s.tail
	arrived := max(s.arrived, s.disk.cfg.Now().UnixMicro())
	active := s.segments[len(s.segments)-1]
	s.mu.Unlock()

	active, err := s.makeRoom(active, tail, size)
	var index []mark
	if err == nil {
		index, err = s.write(active, g, tail+1, arrived)
	}

	s.mu.Lock()
	s.leading = nil
	s.pending -= size
	if err == nil {
		active.size += int64(size)
		active.index = index
		s.tail, s.arrived = tail+g.records, arrived
	}
	if cap(g.buf) <= 2*s.disk.cfg.MaxPending {
		s.spare = g.buf
	}
	g.buf, g.first, g.err = nil, tail+1, err
	close(g.done)
	s.announce()
	if len(s.filling.buf) > 0 {
		select {
		case s.filling.lead <- struct{}{}:
		default:
		}
	}
}

// makeRoom gives the segment that the next group goes to: the active one, or a new one if it would grow too big. A group
// is never divided. Only the leader calls it.
func (s *shard) makeRoom(active *segment, tail uint64, size int) (*segment, error) {
	if err := s.disk.failure(); err != nil {
		return nil, err
	}
	if active.size == segmentHeaderBytes || active.size+int64(size) <= s.disk.cfg.SegmentBytes {
		return active, nil
	}
	header := segmentHeader{shard: s.id, base: tail + 1, floor: s.arrived}
	file, next, err := createSegment(s.disk.cfg.FS, s.dir, header)
	if err != nil {
		err = fmt.Errorf("make log segment %d: %w", header.base, err)
		return nil, s.passOrFail(err, func() error { return s.discard(header.base) })
	}
	// All in the old file is synced: closing it can lose nothing.
	_ = s.file.Close()
	s.file = file
	s.mu.Lock()
	defer s.mu.Unlock()
	active.sealed = true
	s.segments = append(s.segments, next)
	return next, nil
}

// write finishes the group's frames, writes and syncs them. It gives the segment's index with the group's marks. Only
// the leader calls it.
func (s *shard) write(active *segment, g *group, first uint64, arrived int64) ([]mark, error) {
	start, index := active.size, active.index
	for at := 0; at < len(g.buf); {
		index = addMark(index, mark{first: first, arrived: arrived, offset: start + int64(at)})
		size, count := finishFrame(g.buf[at:], active.marker, start, first, arrived)
		at, first = at+size, first+uint64(count)
	}
	if _, err := s.file.WriteAt(g.buf, start); err != nil {
		err = fmt.Errorf("write log segment: %w", err)
		return nil, s.passOrFail(err, func() error { return s.cut(start) })
	}
	if err := s.file.Sync(); err != nil {
		return nil, s.disk.fail(fmt.Errorf("sync log segment: %w", err))
	}
	return index, nil
}

// passOrFail handles a failed write: if the error is one that passes, what the write has left is undone, durably, and the
// next group may try. Else, or if that goes wrong, the log has failed.
func (s *shard) passOrFail(err error, undo func() error) error {
	if !passes(err) {
		return s.disk.fail(err)
	}
	if undoErr := undo(); undoErr != nil {
		return s.disk.fail(errors.Join(err, undoErr))
	}
	return err
}

// cut takes a part of a group off the active segment. It syncs, because the next group may go to another segment, and
// nothing would sync this one again.
func (s *shard) cut(size int64) error {
	if err := s.file.Truncate(size); err != nil {
		return err
	}
	return s.file.Sync()
}

// discard removes a segment that was not finished. The next group may still fit the segment before, and then this one's
// file would stand where no segment begins.
func (s *shard) discard(base uint64) error {
	err := s.disk.cfg.FS.Remove(filepath.Join(s.dir, segmentName(base)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.disk.cfg.FS.SyncDir(s.dir)
}

// passes tells a lack of room or of file descriptors, after which a write can be tried again, from a broken disk.
func passes(err error) bool {
	for _, passing := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

// listen gives the channel that announce will close. s.mu is held.
func (s *shard) listen() <-chan struct{} {
	if s.news == nil {
		s.news = make(chan struct{})
	}
	return s.news
}

// announce wakes all who listen. s.mu is held.
func (s *shard) announce() {
	if s.news != nil {
		close(s.news)
		s.news = nil
	}
}

func (s *shard) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announce()
}

func (s *shard) oldest() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.segments[0].base
}

func (s *shard) last() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tail
}

// trim removes segments from the oldest on. Each removal is durable before the next, so that no crash leaves a gap.
func (s *shard) trim(ctx context.Context, through Sequence, arrivedBefore int64) error {
	s.trimming.Lock()
	defer s.trimming.Unlock()
	for ctx.Err() == nil {
		oldest := s.removable(through, arrivedBefore)
		if oldest == nil {
			return nil
		}
		if err := s.disk.cfg.FS.Remove(oldest.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := s.disk.cfg.FS.SyncDir(s.dir); err != nil {
			return err
		}
		s.mu.Lock()
		s.segments = s.segments[1:]
		s.mu.Unlock()
	}
	return ctx.Err()
}

// removable is the oldest segment if all of its records may go.
func (s *shard) removable(through Sequence, arrivedBefore int64) *segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.segments) < 2 {
		return nil
	}
	next := s.segments[1]
	if SequenceOf(next.base-1).Compare(through) > 0 || next.floor >= arrivedBefore {
		return nil
	}
	return s.segments[0]
}

// close commits what waits, then ends the shard.
func (s *shard) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for s.leading != nil || len(s.filling.buf) > 0 {
		if s.leading == nil {
			s.commit()
			continue
		}
		done := s.leading.done
		s.mu.Unlock()
		<-done
		s.mu.Lock()
	}
	s.announce()
	return s.file.Close()
}
