package record

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrCorrupt means that bytes are not what their writer wrote.
var ErrCorrupt = errors.New("corrupt record")

// ErrVersion means that bytes are of a version, or have a feature, that this program does not know.
var ErrVersion = errors.New("record of an unknown version")

func appendBytes[T ~string | ~[]byte](dst []byte, b T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// decoder reads the parts of a record. After the first part that does not fit, ok is false and everything reads as
// zero, so that callers check once.
type decoder struct {
	data []byte
	ok   bool
}

func (d *decoder) fail() { d.data, d.ok = nil, false }

func (d *decoder) uvarint() uint64 {
	if len(d.data) > 0 && d.data[0] < 0x80 {
		v := d.data[0]
		d.data = d.data[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(d.data)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.data = d.data[n:]
	return v
}

func (d *decoder) varint() int64 {
	v := d.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// count reads the number of parts that follow, each of at least size bytes, so that no count makes a caller reserve
// more than the data could hold.
func (d *decoder) count(size int) int {
	v := d.uvarint()
	if v > uint64(len(d.data)/size) {
		d.fail()
		return 0
	}
	return int(v)
}

func (d *decoder) uint32() uint32 {
	v := d.uvarint()
	if v > 1<<32-1 {
		d.fail()
		return 0
	}
	return uint32(v)
}

// take reads n bytes, which lie in the data.
func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.data)) {
		d.fail()
		return nil
	}
	b := d.data[:n:n]
	d.data = d.data[n:]
	return b
}

func (d *decoder) bytes() []byte { return d.take(d.uvarint()) }

func (d *decoder) byte() byte {
	if len(d.data) == 0 {
		d.fail()
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return b
}

// keep is text, without an allocation if it is what was there before.
func (d *decoder) keep(before string) string {
	b := d.bytes()
	if string(b) == before {
		return before
	}
	return string(b)
}

// end checks that everything was read.
func (d *decoder) end(what string) error {
	if !d.ok || len(d.data) > 0 {
		return fmt.Errorf("%w: %s does not end where its parts do", ErrCorrupt, what)
	}
	return nil
}
