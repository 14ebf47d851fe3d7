package stream

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/sources/vfs"
)

const (
	segmentMagic       = "FGLOGSEG"
	segmentVersion     = 1
	segmentHeaderBytes = 44
	segmentSuffix      = ".seg"

	// indexBytes is the distance between two marks of a segment's index: what an iterator reads in vain at most.
	indexBytes = 256 << 10
)

// segmentHeader is what a segment begins with.
type segmentHeader struct {
	marker uint32 // random; each frame of the segment begins with it
	shard  ShardID
	base   uint64 // sequence of the first record
	floor  int64  // every record before the segment arrived at this time or earlier, microseconds
}

func (h *segmentHeader) encode() []byte {
	data := append(make([]byte, 0, segmentHeaderBytes), segmentMagic...)
	data = binary.LittleEndian.AppendUint32(data, segmentVersion)
	data = binary.LittleEndian.AppendUint32(data, h.marker)
	data = binary.LittleEndian.AppendUint64(data, uint64(h.shard))
	data = binary.LittleEndian.AppendUint64(data, h.base)
	data = binary.LittleEndian.AppendUint64(data, uint64(h.floor))
	return binary.LittleEndian.AppendUint32(data, crc32.Checksum(data, castagnoli))
}

// decode says why the data, of segmentHeaderBytes, is no header.
func (h *segmentHeader) decode(data []byte) (reason string) {
	sum := data[segmentHeaderBytes-4:]
	switch {
	case string(data[:8]) != segmentMagic:
		return "not a log segment"
	case crc32.Checksum(data[:segmentHeaderBytes-4], castagnoli) != binary.LittleEndian.Uint32(sum):
		return "checksum of the segment's header does not match"
	case binary.LittleEndian.Uint32(data[8:]) != segmentVersion:
		return fmt.Sprintf("segment version %d, this program reads %d", binary.LittleEndian.Uint32(data[8:]), segmentVersion)
	}
	h.marker = binary.LittleEndian.Uint32(data[12:])
	h.shard = ShardID(binary.LittleEndian.Uint64(data[16:]))
	h.base = binary.LittleEndian.Uint64(data[24:])
	h.floor = int64(binary.LittleEndian.Uint64(data[32:]))
	return ""
}

// segment is one file of a shard. What follows the blank line changes and is guarded by the shard's mutex.
type segment struct {
	segmentHeader
	path string

	size    int64  // durable bytes: readers see no more
	sealed  bool   // a later segment exists; size is final
	index   []mark // in order, at least one each indexBytes
	indexed bool   // the index covers all of the segment
}

// mark is where a frame begins.
type mark struct {
	first   uint64
	arrived int64
	offset  int64
}

// addMark takes a frame into the index if it is far enough from the one before.
func addMark(index []mark, m mark) []mark {
	if len(index) > 0 && m.offset-index[len(index)-1].offset < indexBytes {
		return index
	}
	return append(index, m)
}

// before is the last mark for which the function says that nothing wanted comes before it; without one, the segment's
// first frame.
func (h *segmentHeader) before(index []mark, holds func(m mark) bool) mark {
	n, _ := slices.BinarySearchFunc(index, true, func(m mark, _ bool) int {
		if holds(m) {
			return -1
		}
		return 1
	})
	if n == 0 {
		return mark{first: h.base, offset: segmentHeaderBytes}
	}
	return index[n-1]
}

func segmentName(base uint64) string { return fmt.Sprintf("%020d%s", base, segmentSuffix) }

// createSegment makes a segment durable, empty but for its header. On error it may have left a file that holds nothing.
func createSegment(fsys vfs.FS, dir string, h segmentHeader) (vfs.File, *segment, error) {
	for h.marker == 0 {
		var random [4]byte
		if _, err := rand.Read(random[:]); err != nil {
			return nil, nil, err
		}
		h.marker = binary.LittleEndian.Uint32(random[:])
	}
	path := filepath.Join(dir, segmentName(h.base))
	f, err := fsys.Create(path)
	if err != nil {
		return nil, nil, err
	}
	_, err = f.WriteAt(h.encode(), 0)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = fsys.SyncDir(dir)
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, &segment{segmentHeader: h, path: path, size: segmentHeaderBytes, indexed: true}, nil
}

// listSegments gives the sequences that the directory's segments begin with, in order.
func listSegments(fsys vfs.FS, dir string) ([]uint64, error) {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var bases []uint64
	for _, entry := range entries {
		digits, ok := strings.CutSuffix(entry.Name(), segmentSuffix)
		if !ok {
			continue
		}
		base, err := strconv.ParseUint(digits, 10, 64)
		if err != nil || entry.Name() != segmentName(base) {
			return nil, fmt.Errorf("log directory %s has a file of another's name, %s", dir, entry.Name())
		}
		bases = append(bases, base)
	}
	slices.SortFunc(bases, cmp.Compare[uint64])
	return bases, nil
}

// readSegment reads and checks a segment's header. A header that cannot be whole is a *CorruptError; short is true if
// the file holds nothing but a part of it, as after a crash while it was made.
func readSegment(f vfs.File, shard ShardID, base uint64) (seg *segment, short bool, err error) {
	stat, err := f.Stat()
	if err != nil {
		return nil, false, err
	}
	seg = &segment{path: f.Name(), size: stat.Size()}
	corrupt := func(reason string) error { return &CorruptError{Path: seg.path, Reason: reason} }
	if seg.size < segmentHeaderBytes {
		return nil, true, corrupt("segment's header is cut")
	}
	var data [segmentHeaderBytes]byte
	if _, err := f.ReadAt(data[:], 0); err != nil {
		return nil, false, fmt.Errorf("read segment header: %w", err)
	}
	if reason := seg.decode(data[:]); reason != "" {
		return nil, seg.size == segmentHeaderBytes, corrupt(reason)
	}
	if seg.shard != shard || seg.base != base || base == 0 {
		return nil, false, corrupt(fmt.Sprintf("it is segment %d of shard %d", seg.base, seg.shard))
	}
	return seg, false, nil
}
