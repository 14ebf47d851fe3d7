package dynamodb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/fieldgate/fieldgate/schema"
)

const (
	// rowVersion is the first byte of a row's value.
	rowVersion = 1

	// flagHash: the event's hash is not its id, and follows. flagObject: the value
	// lies in an object, and its length and SHA-256 follow.
	flagHash   = 1
	flagObject = 2

	// maxInline is the longest value that lies in its item; AWS takes items of 400 KB.
	maxInline = 350 << 10
)

// errRow means that a row's value is not what a writer of this version wrote.
var errRow = errors.New("row value is not of this version, or damaged")

// appendRow appends what a row's key does not say: arrival, hash, sent names and
// kinded values.
func appendRow(dst []byte, e *schema.Event) []byte {
	flags := byte(0)
	if e.Hash != e.ID {
		flags = flagHash
	}
	dst = append(dst, rowVersion, flags)
	dst = binary.AppendVarint(dst, e.ReceivedAt-e.Time)
	if flags&flagHash != 0 {
		dst = append(dst, e.Hash[:]...)
	}
	dst = binary.AppendUvarint(dst, uint64(len(e.Values)))
	for i := range e.Values {
		v := &e.Values[i]
		dst = binary.AppendUvarint(dst, uint64(len(v.Name)))
		dst = append(dst, v.Name...)
		dst = append(dst, byte(v.Kind))
		switch v.Kind {
		case schema.KindInt:
			dst = binary.AppendVarint(dst, v.Int)
		case schema.KindNumber:
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Num))
		case schema.KindBool:
			dst = append(dst, byte(v.Int))
		default:
			dst = binary.AppendUvarint(dst, uint64(len(v.Text)))
			dst = append(dst, v.Text...)
		}
	}
	return dst
}

// rowDecoder reads rows' values. It remembers names, so that equal ones are one
// string. The zero decoder is ready.
type rowDecoder struct {
	names map[string]string
	data  []byte
	ok    bool
}

// decode completes an event whose time and id are set. The texts of its values lie
// in data; the values are appended to the event's.
func (d *rowDecoder) decode(data []byte, e *schema.Event) error {
	if len(data) < 2 || data[0] != rowVersion || data[1]&^flagHash != 0 {
		return fmt.Errorf("%w: it begins with %x", errRow, data[:min(2, len(data))])
	}
	hash := data[1]&flagHash != 0
	d.data, d.ok = data[2:], true
	e.ReceivedAt = e.Time + d.varint()
	e.Hash = e.ID
	if hash {
		copy(e.Hash[:], d.take(uint64(len(e.Hash))))
	}
	count := d.uvarint()
	if count > uint64(len(d.data)) {
		return fmt.Errorf("%w: it says that it has %d fields", errRow, count)
	}
	for range count {
		v := schema.Value{Name: d.name(), Kind: schema.KindJSON}
		if kind := d.take(1); kind != nil {
			v.Kind = schema.Kind(kind[0])
		}
		switch v.Kind {
		case schema.KindInt:
			v.Int = d.varint()
		case schema.KindNumber:
			if b := d.take(8); b != nil {
				v.Num = math.Float64frombits(binary.LittleEndian.Uint64(b))
			}
		case schema.KindBool:
			if b := d.take(1); b != nil {
				v.Int = int64(b[0] & 1)
			}
		case schema.KindText, schema.KindJSON:
			v.Text = d.take(d.uvarint())
		default:
			d.ok = false
		}
		e.Values = append(e.Values, v)
	}
	if !d.ok || len(d.data) > 0 {
		return fmt.Errorf("%w: it does not end where its parts do", errRow)
	}
	return nil
}

func (d *rowDecoder) name() string {
	b := d.take(d.uvarint())
	if name, ok := d.names[string(b)]; ok {
		return name
	}
	if d.names == nil {
		d.names = map[string]string{}
	}
	name := string(b)
	d.names[name] = name
	return name
}

// take reads n bytes, which lie in the data; nil if there are fewer.
func (d *rowDecoder) take(n uint64) []byte {
	if n > uint64(len(d.data)) {
		d.data, d.ok = nil, false
		return nil
	}
	b := d.data[:n:n]
	d.data = d.data[n:]
	return b
}

func (d *rowDecoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.data)
	if n <= 0 {
		d.data, d.ok = nil, false
		return 0
	}
	d.data = d.data[n:]
	return v
}

func (d *rowDecoder) varint() int64 {
	v := d.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}
