package record

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

const (
	avroMagic = "Obj\x01"
	avroCodec = "zstandard"

	// Bounds on what a corrupt file can make the reader reserve.
	maxAvroHeader = 4 << 20
	maxAvroBlock  = 64 << 20
)

// StagedReader reads the archive objects of StagedWriter, and of its first format. It reads the container itself: the
// library decodes by reflection into maps, at a fifth of the speed (BenchmarkStagedArchive).
type StagedReader struct {
	in      *bufio.Reader
	format  string
	zstd    *zstd.Decoder
	sync    [16]byte
	summary Summary

	packed []byte
	block  []byte

	decoder StagedDecoder
	first   firstFormat

	sequenceText []byte
	sequence     stream.Sequence
}

// NewStagedReader reads the header of an object. Close the reader.
func NewStagedReader(r io.Reader) (*StagedReader, error) {
	s := &StagedReader{in: bufio.NewReaderSize(r, 64<<10)}
	if err := s.readHeader(); err != nil {
		return nil, fmt.Errorf("read header of archive object: %w", err)
	}
	var err error
	s.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxAvroBlock))
	if err != nil {
		return nil, fmt.Errorf("make zstd decoder: %w", err)
	}
	return s, nil
}

// Summary is what the object's header says of it.
func (s *StagedReader) Summary() Summary { return s.summary }

// Close releases the reader's buffers. The io.Reader is the caller's.
func (s *StagedReader) Close() { s.zstd.Close() }

// Read yields the object's events in order until yield returns false. The event and its values are used again when
// yield returns, and so are the bytes of their Text; names may be kept.
func (s *StagedReader) Read(yield func(pos stream.Position, e *schema.Event) bool) error {
	for left := s.summary.Events; ; {
		count, err := s.readBlock()
		if errors.Is(err, io.EOF) && left == 0 {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: archive object has %d events less than its summary, %d", ErrCorrupt, left, s.summary.Events)
		}
		if err != nil {
			return fmt.Errorf("read block of archive object: %w", err)
		}
		in := decoder{data: s.block, ok: true}
		for range count {
			events, stopped := s.readDatum(&in, yield)
			if stopped {
				return nil
			}
			if !in.ok {
				break
			}
			left -= events
		}
		if err := in.end("block of archive object"); err != nil {
			return err
		}
	}
}

// readDatum reads an Avro record, and says how many events it has.
func (s *StagedReader) readDatum(in *decoder, yield func(pos stream.Position, e *schema.Event) bool) (events int64, stopped bool) {
	pos := stream.Position{Shard: stream.ShardID(in.varint()), Seq: s.readSequence(in)}
	if s.format == stagedFormat1 {
		var e schema.Event
		pos.Index = in.avroUint32()
		s.first.readEvent(in, &e)
		return 1, in.ok && !yield(pos, &e)
	}
	stopped = s.decoder.decode(in, func(index uint32, e *schema.Event) bool {
		pos.Index = index
		events++
		return yield(pos, e)
	})
	return events, stopped
}

func (s *StagedReader) readSequence(in *decoder) stream.Sequence {
	if text := in.avroText(); !bytes.Equal(text, s.sequenceText) {
		sequence, err := stream.ParseSequence(string(text))
		if err != nil {
			in.fail()
			return stream.Sequence{}
		}
		s.sequence, s.sequenceText = sequence, append(s.sequenceText[:0], text...)
	}
	return s.sequence
}

func (s *StagedReader) readHeader() error {
	magic := make([]byte, len(avroMagic))
	if _, err := io.ReadFull(s.in, magic); err != nil {
		return cutShort(err)
	}
	if string(magic) != avroMagic {
		return fmt.Errorf("%w: not an Avro object container file", ErrCorrupt)
	}
	meta, err := s.readMetadata()
	if err != nil {
		return err
	}
	if s.format = string(meta[formatKey]); s.format != stagedFormat && s.format != stagedFormat1 {
		return fmt.Errorf("%w: archive object of format %q", ErrVersion, s.format)
	}
	if codec := meta["avro.codec"]; string(codec) != avroCodec {
		return fmt.Errorf("%w: archive object compressed by %q", ErrVersion, codec)
	}
	if s.summary, err = decodeSummary(meta[summaryKey]); err != nil {
		return err
	}
	if _, err := io.ReadFull(s.in, s.sync[:]); err != nil {
		return cutShort(err)
	}
	return nil
}

// readMetadata reads an Avro map of bytes, in blocks of entries until one of none.
func (s *StagedReader) readMetadata() (map[string][]byte, error) {
	meta := map[string][]byte{}
	left := maxAvroHeader
	text := func() ([]byte, error) {
		size, err := binary.ReadVarint(s.in)
		if err != nil {
			return nil, cutShort(err)
		}
		if size < 0 || size > int64(left) {
			return nil, fmt.Errorf("%w: metadata of %d bytes", ErrCorrupt, size)
		}
		left -= int(size)
		b := make([]byte, size)
		_, err = io.ReadFull(s.in, b)
		return b, cutShort(err)
	}
	for {
		count, err := binary.ReadVarint(s.in)
		if err != nil {
			return nil, cutShort(err)
		}
		if count == 0 {
			return meta, nil
		}
		if count < 0 { // then the block's size in bytes follows
			count = -count
			if _, err := binary.ReadVarint(s.in); err != nil {
				return nil, cutShort(err)
			}
		}
		for range count {
			key, err := text()
			if err != nil {
				return nil, err
			}
			if meta[string(key)], err = text(); err != nil {
				return nil, err
			}
		}
	}
}

// readBlock reads and decompresses the next block, and gives the number of its Avro records. io.EOF is the end of the object.
func (s *StagedReader) readBlock() (count int64, err error) {
	if count, err = binary.ReadVarint(s.in); err != nil {
		return 0, err
	}
	size, err := binary.ReadVarint(s.in)
	if err != nil {
		return 0, cutShort(err)
	}
	if count < 0 || size < 0 || size > maxAvroBlock {
		return 0, fmt.Errorf("%w: block of %d records and %d bytes", ErrCorrupt, count, size)
	}
	if int64(cap(s.packed)) < size {
		s.packed = make([]byte, size)
	}
	s.packed = s.packed[:size]
	if _, err := io.ReadFull(s.in, s.packed); err != nil {
		return 0, cutShort(err)
	}
	var sync [16]byte
	if _, err := io.ReadFull(s.in, sync[:]); err != nil {
		return 0, cutShort(err)
	}
	if !bytes.Equal(sync[:], s.sync[:]) {
		return 0, fmt.Errorf("%w: no sync marker after a block", ErrCorrupt)
	}
	if s.block, err = s.zstd.DecodeAll(s.packed, s.block[:0]); err != nil {
		return 0, fmt.Errorf("%w: decompress block: %w", ErrCorrupt, err)
	}
	return count, nil
}

// cutShort makes the end of the data within something an error of its own.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", ErrCorrupt, io.ErrUnexpectedEOF)
	}
	return err
}

// readValue reads a value of the union of kinds; it has its name.
func readValue(in *decoder, v *schema.Value) {
	switch in.byte() {
	case branchInt:
		v.Kind, v.Int = schema.KindInt, in.varint()
	case branchNumber:
		v.Kind = schema.KindNumber
		if b := in.take(8); b != nil {
			v.Num = math.Float64frombits(binary.LittleEndian.Uint64(b))
		}
	case branchBool:
		v.Kind, v.Int = schema.KindBool, int64(in.byte()&1)
	case branchText:
		v.Kind, v.Text = schema.KindText, in.avroText()
	case branchJSON:
		v.Kind, v.Text = schema.KindJSON, in.avroText()
	default:
		in.fail()
	}
}

// avroText reads a string, whose length Avro writes as a signed number.
func (d *decoder) avroText() []byte {
	// Most are short: one byte has the length.
	if len(d.data) > 0 && d.data[0] < 0x80 && d.data[0]&1 == 0 {
		if n := 1 + int(d.data[0]/2); n <= len(d.data) {
			text := d.data[1:n:n]
			d.data = d.data[n:]
			return text
		}
	}
	n := d.varint()
	if n < 0 {
		d.fail()
		return nil
	}
	return d.take(uint64(n))
}

// avroUint32 reads a long that is in range of 32 bits.
func (d *decoder) avroUint32() uint32 {
	n := d.varint()
	if n < 0 || n > math.MaxUint32 {
		d.fail()
		return 0
	}
	return uint32(n)
}

// avroCount reads the number of an array's elements, each of at least size bytes. Arrays are written as one block and
// the empty one that ends them: endArray.
func (d *decoder) avroCount(size int) int {
	n := d.varint()
	if n < 0 || n > int64(len(d.data)/size) {
		d.fail()
		return 0
	}
	return int(n)
}

// endArray reads the end of an array of so many elements.
func (d *decoder) endArray(count int) {
	if count > 0 && d.varint() != 0 {
		d.fail()
	}
}
