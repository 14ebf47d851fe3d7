package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/fieldgate/fieldgate/sources/vfs"
)

// recovered is a shard as its files tell.
type recovered struct {
	segments []*segment
	file     vfs.File // the last segment's, for writing
	tail     uint64
	arrived  int64 // of the last record, or the last segment's floor
}

// recoverShard reads a shard's directory. Sealed segments are taken at their headers' word: readers verify what they
// read. The last one is read whole, and what a crash left unfinished at its end is cut.
func recoverShard(fsys vfs.FS, dir string, shard ShardID, logger *slog.Logger) (*recovered, error) {
	bases, err := listSegments(fsys, dir)
	if err != nil {
		return nil, err
	}
	r := &recovered{}
	for n, base := range bases {
		last := n == len(bases)-1
		seg, err := openSegment(fsys, filepath.Join(dir, segmentName(base)), shard, base, last && n > 0)
		if err != nil {
			return nil, err
		}
		if seg == nil {
			logger.Warn("removed a log segment that a crash left unfinished", "shard", shard, "base", base)
			continue
		}
		seg.sealed = true
		r.segments = append(r.segments, seg)
	}
	if len(r.segments) == 0 {
		return nil, &CorruptError{Path: dir, Reason: "no segment is there"}
	}
	active := r.segments[len(r.segments)-1]
	active.sealed = false
	if err := r.recoverTail(fsys, active, logger); err != nil {
		return nil, err
	}
	if err := fsys.SyncDir(dir); err != nil {
		return nil, errors.Join(err, r.file.Close())
	}
	return r, nil
}

// openSegment reads a segment's header. A segment that nothing can have been written to, because its header was not
// finished, is removed if it may be so, and nil.
func openSegment(fsys vfs.FS, path string, shard ShardID, base uint64, mayBeUnfinished bool) (*segment, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	seg, short, err := readSegment(f, shard, base)
	closeErr := f.Close()
	if short && mayBeUnfinished {
		return nil, errors.Join(closeErr, fsys.Remove(path))
	}
	if err = errors.Join(err, closeErr); err != nil {
		return nil, err
	}
	return seg, nil
}

// recoverTail opens the last segment for writing, cuts what is torn and makes durable what stays.
func (r *recovered) recoverTail(fsys vfs.FS, active *segment, logger *slog.Logger) (err error) {
	f, err := fsys.OpenFile(active.path, os.O_RDWR)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	scan, bad := scanSegment(f, active)
	var corrupt *CorruptError
	if bad != nil && !errors.As(bad, &corrupt) {
		return bad
	}
	if scan.broken {
		return bad
	}
	if corrupt != nil {
		later, err := acknowledgedAfter(f, active, scan.end)
		if err != nil {
			return err
		}
		if later >= 0 {
			corrupt.Reason += fmt.Sprintf("; by the frame at offset %d it was acknowledged", later)
			return corrupt
		}
		logger.Warn("cut a torn tail off a log segment", "path", active.path, "offset", scan.end,
			"bytes", active.size-scan.end, "reason", corrupt.Reason)
		if err := f.Truncate(scan.end); err != nil {
			return fmt.Errorf("cut torn tail of %s: %w", active.path, err)
		}
	}
	if err := rewrite(f, 0, segmentHeaderBytes, scan.group, scan.end); err != nil {
		return fmt.Errorf("make tail of %s durable: %w", active.path, err)
	}
	active.size, active.index, active.indexed = scan.end, scan.index, true
	r.file, r.tail, r.arrived = f, scan.tail, max(active.floor, scan.arrived)
	return nil
}

// rewrite writes the segment's header and its last group again, given by their bounds, and syncs. The process before may
// have died on a failed fsync, after which the kernel takes pages for clean that never reached the disk; written again,
// they are dirty. All else was synced before the last group was written.
func rewrite(f vfs.File, bounds ...int64) error {
	for part := range slices.Chunk(bounds, 2) {
		data := make([]byte, part[1]-part[0])
		if _, err := f.ReadAt(data, part[0]); err != nil {
			return err
		}
		if _, err := f.WriteAt(data, part[0]); err != nil {
			return err
		}
	}
	return f.Sync()
}

// scanned is what the frames of a segment tell.
type scanned struct {
	end     int64  // where the valid frames end
	group   int64  // where the last frame's group begins
	tail    uint64 // sequence of the last record; the one before the segment if it has none
	arrived int64  // of the last record
	index   []mark
	broken  bool // the end is at a valid frame that does not follow from the one before: no crash does that
}

// scanSegment reads frames until the end or the first that is not valid, for which it gives an error too.
func scanSegment(f vfs.File, seg *segment) (scanned, error) {
	reader := newFrameReader(f, seg.marker, segmentHeaderBytes)
	s := scanned{end: segmentHeaderBytes, group: segmentHeaderBytes, tail: seg.base - 1}
	for {
		frame, ok, err := reader.next(seg.size, true)
		if err != nil || !ok {
			return s, err
		}
		if frame.first != s.tail+1 || frame.arrived < s.arrived {
			s.broken = true
			reason := fmt.Sprintf("record %d arrived at %d follows record %d arrived at %d",
				frame.first, frame.arrived, s.tail, s.arrived)
			return s, &CorruptError{Path: seg.path, Offset: s.end, Reason: reason}
		}
		s.index = addMark(s.index, mark{first: frame.first, arrived: frame.arrived, offset: s.end})
		s.end, s.group = reader.offset, int64(frame.synced)
		s.tail, s.arrived = s.tail+uint64(frame.count), frame.arrived
	}
}

// acknowledgedAfter looks from a bad frame on for a valid one which says that the segment was durable beyond the bad
// frame's offset when it was written: then the bad one was acknowledged. Valid frames that do not say so are of the bad
// one's own group, of which a crash may keep any part. It gives the offset of the frame found, or -1.
func acknowledgedAfter(f vfs.File, seg *segment, bad int64) (int64, error) {
	rest := make([]byte, seg.size-bad)
	if _, err := f.ReadAt(rest, bad); err != nil {
		return 0, fmt.Errorf("read torn tail of %s: %w", seg.path, err)
	}
	marker := binary.LittleEndian.AppendUint32(nil, seg.marker)
	for at := 0; ; at++ {
		n := bytes.Index(rest[min(at, len(rest)):], marker)
		if n < 0 {
			return -1, nil
		}
		at += n
		if len(rest)-at < frameHeaderBytes {
			return -1, nil
		}
		// Bytes may be missing before it, so where it stands proves nothing.
		frame, reason := parseHeader(rest[at:], seg.marker, math.MaxInt64)
		size := frameHeaderBytes + int(frame.length)
		if reason != "" || size > len(rest)-at || int64(frame.synced) <= bad {
			continue
		}
		if checkFrame(rest[at:at+size], &frame, seg.marker) == "" {
			return bad + int64(at), nil
		}
	}
}
