package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/fieldgate/fieldgate/sources/vfs"
)

// The byte format is described in docs/format/log.md. All numbers are little-endian.
const (
	frameHeaderBytes  = 36
	recordHeaderBytes = 4

	// maxFrameBytes bounds a frame's payload, and with it what one Put may bring to one shard.
	maxFrameBytes = 64 << 20

	// readBytes is how much a reader asks of the file at once.
	readBytes = 1 << 20

	// keptBytes is the largest buffer that a reader keeps when it has read the long frame that needed it.
	keptBytes = 8 << 20
)

// castagnoli is the polynomial that processors compute by an instruction (RFC 3720, 12.1).
//
//nolint:gochecknoglobals // a lookup table, which the library makes
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// CorruptError says where a segment holds bytes that no crash explains.
type CorruptError struct {
	Path   string // of the segment
	Offset int64  // of the frame, 0 for the segment's header
	Reason string
}

// Error implements error.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("corrupt log segment %s at offset %d: %s", e.Path, e.Offset, e.Reason)
}

// frame is the header of a frame: the records of one Put to one shard.
type frame struct {
	length  uint32 // of the payload, bytes
	count   uint32 // of records
	synced  uint32 // the segment was durable up to this offset before the frame was written: where its group begins
	first   uint64 // sequence of the first record
	arrived int64  // microseconds
	payload []byte
}

// beginFrame appends a frame's header with what is known when a writer adds it; finish fills in the rest.
func beginFrame(dst []byte, length, count int) []byte {
	var header [frameHeaderBytes]byte
	binary.LittleEndian.PutUint32(header[8:], uint32(length))
	binary.LittleEndian.PutUint32(header[12:], uint32(count))
	return append(dst, header[:]...)
}

func appendRecord(dst, data []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(data)))
	return append(dst, data...)
}

// finishFrame completes the frame that data begins with and gives its size in bytes and its count of records.
func finishFrame(data []byte, marker uint32, synced int64, first uint64, arrived int64) (size int, count uint32) {
	size = frameHeaderBytes + int(binary.LittleEndian.Uint32(data[8:]))
	count = binary.LittleEndian.Uint32(data[12:])
	binary.LittleEndian.PutUint32(data[0:], marker)
	binary.LittleEndian.PutUint32(data[16:], uint32(synced))
	binary.LittleEndian.PutUint64(data[20:], first)
	binary.LittleEndian.PutUint64(data[28:], uint64(arrived))
	binary.LittleEndian.PutUint32(data[4:], frameSum(marker, data[8:size]))
	return size, count
}

// frameSum starts from the segment's marker, which nobody who sends events knows: no event can hold a valid frame.
func frameSum(marker uint32, data []byte) uint32 { return crc32.Update(marker, castagnoli, data) }

// parseHeader reads the header that data begins with, and says why it cannot be one.
func parseHeader(data []byte, marker uint32, offset int64) (f frame, reason string) {
	f = frame{
		length:  binary.LittleEndian.Uint32(data[8:]),
		count:   binary.LittleEndian.Uint32(data[12:]),
		synced:  binary.LittleEndian.Uint32(data[16:]),
		first:   binary.LittleEndian.Uint64(data[20:]),
		arrived: int64(binary.LittleEndian.Uint64(data[28:])),
	}
	switch {
	case binary.LittleEndian.Uint32(data) != marker:
		return f, "no frame begins here"
	case f.length > maxFrameBytes:
		return f, "frame too long"
	case f.count == 0 || uint64(f.count)*recordHeaderBytes > uint64(f.length):
		return f, "more records than bytes"
	case f.synced < segmentHeaderBytes || int64(f.synced) > offset:
		return f, "group begins after its frame"
	}
	return f, ""
}

// checkFrame verifies a whole frame: data is its bytes.
func checkFrame(data []byte, f *frame, marker uint32) (reason string) {
	if frameSum(marker, data[8:]) != binary.LittleEndian.Uint32(data[4:]) {
		return "checksum does not match"
	}
	f.payload = data[frameHeaderBytes:]
	rest := f.payload
	for range f.count {
		if len(rest) < recordHeaderBytes {
			return "records longer than their frame"
		}
		size := binary.LittleEndian.Uint32(rest)
		if uint64(size) > uint64(len(rest)-recordHeaderBytes) {
			return "records longer than their frame"
		}
		rest = rest[recordHeaderBytes+int(size):]
	}
	if len(rest) > 0 {
		return "records shorter than their frame"
	}
	return ""
}

// frameReader reads the frames of a segment in order.
type frameReader struct {
	file   vfs.File
	marker uint32
	offset int64  // of the next frame
	buf    []byte // the file's bytes from base on
	base   int64
}

func newFrameReader(file vfs.File, marker uint32, offset int64) *frameReader {
	return &frameReader{file: file, marker: marker, offset: offset, base: offset}
}

// next reads the frame at the offset and moves behind it; false if the limit is reached. What is no valid frame is a
// *CorruptError, and the reader stays. Payloads given before stay valid as long as refill is false, which gives up where
// the buffer ends.
func (r *frameReader) next(limit int64, refill bool) (frame, bool, error) {
	if r.offset >= limit {
		return frame{}, false, nil
	}
	header, ok, err := r.bytes(frameHeaderBytes, limit, refill)
	if err != nil || !ok {
		return frame{}, false, err
	}
	f, reason := parseHeader(header, r.marker, r.offset)
	if reason != "" {
		return frame{}, false, r.corrupt(reason)
	}
	size := frameHeaderBytes + int(f.length)
	whole, ok, err := r.bytes(size, limit, refill)
	if err != nil || !ok {
		return frame{}, false, err
	}
	if reason := checkFrame(whole, &f, r.marker); reason != "" {
		return frame{}, false, r.corrupt(reason)
	}
	r.offset += int64(size)
	return f, true, nil
}

func (r *frameReader) corrupt(reason string) error {
	return &CorruptError{Path: r.file.Name(), Offset: r.offset, Reason: reason}
}

// bytes gives size bytes from the offset on, reading ahead up to the limit if they are not in the buffer.
func (r *frameReader) bytes(size int, limit int64, refill bool) ([]byte, bool, error) {
	at := int(r.offset - r.base)
	if at+size <= len(r.buf) {
		return r.buf[at : at+size], true, nil
	}
	if int64(size) > limit-r.offset {
		return nil, false, r.corrupt("frame goes beyond the end")
	}
	if !refill {
		return nil, false, nil
	}
	kept := r.buf[at:]
	want := int(min(int64(max(size, readBytes)), limit-r.offset))
	if cap(r.buf) < want || cap(r.buf) > max(want, keptBytes) {
		r.buf = append(make([]byte, 0, want), kept...)
	} else {
		r.buf = append(r.buf[:0], kept...)
	}
	r.base = r.offset
	have := len(r.buf)
	r.buf = r.buf[:want]
	n, err := r.file.ReadAt(r.buf[have:], r.base+int64(have))
	if n < want-have {
		r.buf = r.buf[:have+n]
		if err == nil || errors.Is(err, io.EOF) {
			return nil, false, r.corrupt("segment is shorter than it was")
		}
		return nil, false, fmt.Errorf("read log segment: %w", err)
	}
	return r.buf[:size], true, nil
}
