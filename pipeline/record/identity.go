package record

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/fieldgate/fieldgate/schema"
)

// What each hash begins with, so that hashes of one thing are never those of another. They are on disk for ever.
const (
	domainEvent   = "fieldgate event 1\n"
	domainOwnID   = "fieldgate own id 1\n"
	domainSending = "fieldgate sending 1\n"
	domainError   = "fieldgate error 1\n"
)

// Identifier gives events their identity. The zero Identifier is ready; it is for one goroutine and keeps a buffer.
type Identifier struct {
	buf []byte
}

// Identify computes the id of an event, which with dataset and time says which event it is, and the hash of its
// canonical form, which says whether two events of one id are the same. values are those that Flattener.Flatten gives.
//
// The hash covers the names and values of all fields. The id is the same, unless the event has its own `_id`, which
// then alone decides. An event without a time of its own cannot be recognised when it is sent again: receipt and index,
// which say which acknowledged sending it is, enter its id.
func (d *Identifier) Identify(values []schema.Value, ownTime bool, receipt string, index uint32) (id, hash schema.ID) {
	d.buf = append(d.buf[:0], domainEvent...)
	for i := range values {
		v := &values[i]
		d.buf = appendBytes(d.buf, v.Name)
		d.buf = appendCanonical(d.buf, v)
	}
	hash = digest(d.buf)
	id = hash
	if own := find(values, ownID); own != nil {
		d.buf = append(d.buf[:0], domainOwnID...)
		if own.Kind == schema.KindText {
			d.buf = append(append(d.buf, 't'), own.Text...)
		} else {
			d.buf = appendNumberText(append(d.buf, 'n'), own)
		}
		id = digest(d.buf)
	}
	if !ownTime {
		d.buf = append(append(d.buf[:0], domainSending...), id[:]...)
		d.buf = appendBytes(d.buf, receipt)
		d.buf = binary.AppendUvarint(d.buf, uint64(index))
		id = digest(d.buf)
	}
	return id, hash
}

// appendCanonical appends kind and value so that equal bytes mean equal values. A number has one form whether it was
// written as 20 or 20.0: nobody can tell these apart where they are read, nor may a file that holds both as doubles.
func appendCanonical(dst []byte, v *schema.Value) []byte {
	if n, ok := integral(v); ok {
		return binary.BigEndian.AppendUint64(append(dst, byte(schema.KindInt)), uint64(n))
	}
	dst = append(dst, byte(v.Kind))
	switch v.Kind {
	case schema.KindNumber:
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(v.Num))
	case schema.KindBool:
		return append(dst, byte(v.Int))
	default:
		return appendBytes(dst, v.Text)
	}
}

// integral gives the value of a number as an integer of 64 bits, if it is one. Minus zero is not: it shows its sign.
func integral(v *schema.Value) (int64, bool) {
	switch v.Kind {
	case schema.KindInt:
		return v.Int, true
	case schema.KindNumber:
		if v.Num != math.Trunc(v.Num) || v.Num < -1<<63 || v.Num >= 1<<63 || v.Num == 0 && math.Signbit(v.Num) {
			return 0, false
		}
		return int64(v.Num), true
	default:
		return 0, false
	}
}

// appendNumberText appends a number of 'i' or 'n' as text: an integer's digits, else a double's shortest form.
func appendNumberText(dst []byte, v *schema.Value) []byte {
	if n, ok := integral(v); ok {
		return strconv.AppendInt(dst, n, 10)
	}
	return strconv.AppendFloat(dst, v.Num, 'g', -1, 64)
}

func digest(data []byte) schema.ID {
	sum := sha256.Sum256(data)
	return schema.ID(sum[:len(schema.ID{})])
}

// PartitionHash chooses the shard of a staged event by its identity, so that all copies of an event meet in one. The id
// alone would send every event of a device that always gives one `_id` to one shard; so the time goes in. The dataset
// does not: events of one id and time that differ in it may well share a shard.
func PartitionHash(time int64, id schema.ID) uint64 {
	// The finalizer of splitmix64 (Steele, Lea, Flood 2014).
	x := binary.BigEndian.Uint64(id[:]) + uint64(time)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
