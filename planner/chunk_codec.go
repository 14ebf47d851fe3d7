package planner

import (
	"encoding/binary"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// The form in which chunks lie in a store. It never outlives the process, so it
// has no version: whoever reads it has written it.

// The members of a Vector, as bits that say which are set.
const (
	hasValid = 1 << iota
	hasBools
	hasInt16s
	hasInt32s
	hasInt64s
	hasFloat32s
	hasFloat64s
	hasBytes
	hasIntervals
	hasUUIDs
	hasNumerics
	hasLists
)

func appendChunk(dst []byte, c *Chunk) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(c.Rows))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(c.Columns)))
	for i := range c.Columns {
		dst = appendVector(dst, &c.Columns[i], c.Rows)
	}
	return dst
}

func appendVector(dst []byte, v *Vector, rows int) []byte {
	at := len(dst)
	dst = binary.LittleEndian.AppendUint16(dst, 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(v.T.OID))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(v.T.Typmod))
	set := uint16(0)
	mark := func(bit uint16, is bool) bool {
		if is {
			set |= bit
		}
		return is
	}
	if mark(hasValid, v.Valid != nil) {
		dst = appendFixed(dst, v.Valid[:(rows+63)/64])
	}
	if mark(hasBools, v.Bools != nil) {
		dst = appendFixed(dst, v.Bools[:rows])
	}
	if mark(hasInt16s, v.Int16s != nil) {
		dst = appendFixed(dst, v.Int16s[:rows])
	}
	if mark(hasInt32s, v.Int32s != nil) {
		dst = appendFixed(dst, v.Int32s[:rows])
	}
	if mark(hasInt64s, v.Int64s != nil) {
		dst = appendFixed(dst, v.Int64s[:rows])
	}
	if mark(hasFloat32s, v.Float32s != nil) {
		dst = appendFixed(dst, v.Float32s[:rows])
	}
	if mark(hasFloat64s, v.Float64s != nil) {
		dst = appendFixed(dst, v.Float64s[:rows])
	}
	if mark(hasBytes, v.Bytes != nil) {
		for row, b := range v.Bytes[:rows] {
			if v.IsNull(row) {
				b = nil
			}
			dst = binary.AppendUvarint(dst, uint64(len(b)))
			dst = append(dst, b...)
		}
	}
	if mark(hasIntervals, v.Intervals != nil) {
		dst = appendFixed(dst, v.Intervals[:rows])
	}
	if mark(hasUUIDs, v.UUIDs != nil) {
		dst = appendFixed(dst, v.UUIDs[:rows])
	}
	if mark(hasNumerics, v.Numerics != nil) {
		dst = appendFixed(dst, v.Numerics[:rows])
	}
	if mark(hasLists, v.Lists != nil) {
		dst = appendLists(dst, v.Lists, rows)
	}
	binary.LittleEndian.PutUint16(dst[at:], set)
	return dst
}

// appendLists writes the lists with the elements that they use alone.
func appendLists(dst []byte, l *ListVector, rows int) []byte {
	var order []int
	for row := range rows {
		dst = binary.AppendUvarint(dst, l.Lengths[row])
		for i := l.Offsets[row]; i < l.Offsets[row]+l.Lengths[row]; i++ {
			order = append(order, int(i))
		}
	}
	var elems Vector
	pickVector(&elems, &l.Elems, order)
	return appendVector(dst, &elems, len(order))
}

// appendFixed writes values of fixed size.
func appendFixed[T any](dst []byte, values []T) []byte {
	dst, err := binary.Append(dst, binary.LittleEndian, values)
	if err != nil {
		panic(err) // a type without a fixed size
	}
	return dst
}

// chunkDecoder reads what appendChunk wrote.
type chunkDecoder struct{ data []byte }

func decodeChunk(data []byte) *Chunk {
	d := &chunkDecoder{data: data}
	c := &Chunk{Rows: int(d.uint32())}
	c.Columns = make([]Vector, d.uint32())
	for i := range c.Columns {
		d.vector(&c.Columns[i], c.Rows)
	}
	return c
}

func (d *chunkDecoder) uint32() uint32 {
	n := binary.LittleEndian.Uint32(d.data)
	d.data = d.data[4:]
	return n
}

func (d *chunkDecoder) uvarint() uint64 {
	n, size := binary.Uvarint(d.data)
	d.data = d.data[size:]
	return n
}

func (d *chunkDecoder) vector(v *Vector, rows int) {
	set := binary.LittleEndian.Uint16(d.data)
	d.data = d.data[2:]
	v.T = Type{OID: postgres.OID(d.uint32()), Typmod: int32(d.uint32())}
	v.Valid = fixedOf[uint64](d, set&hasValid, (rows+63)/64)
	v.Bools = fixedOf[bool](d, set&hasBools, rows)
	v.Int16s = fixedOf[int16](d, set&hasInt16s, rows)
	v.Int32s = fixedOf[int32](d, set&hasInt32s, rows)
	v.Int64s = fixedOf[int64](d, set&hasInt64s, rows)
	v.Float32s = fixedOf[float32](d, set&hasFloat32s, rows)
	v.Float64s = fixedOf[float64](d, set&hasFloat64s, rows)
	if set&hasBytes != 0 {
		v.Bytes = make([][]byte, rows)
		for i := range v.Bytes {
			n := d.uvarint()
			v.Bytes[i] = d.data[:n:n]
			d.data = d.data[n:]
		}
	}
	v.Intervals = fixedOf[Interval](d, set&hasIntervals, rows)
	v.UUIDs = fixedOf[[16]byte](d, set&hasUUIDs, rows)
	v.Numerics = fixedOf[Numeric](d, set&hasNumerics, rows)
	if set&hasLists == 0 {
		return
	}
	l := &ListVector{Offsets: make([]uint64, rows), Lengths: make([]uint64, rows)}
	total := uint64(0)
	for i := range rows {
		l.Offsets[i], l.Lengths[i] = total, d.uvarint()
		total += l.Lengths[i]
	}
	d.vector(&l.Elems, int(total))
	v.Lists = l
}

func fixedOf[T any](d *chunkDecoder, set uint16, n int) []T {
	if set == 0 {
		return nil
	}
	values := make([]T, n)
	size := binary.Size(values)
	if _, err := binary.Decode(d.data[:size], binary.LittleEndian, values); err != nil {
		panic(err) // nobody but us writes it
	}
	d.data = d.data[size:]
	return values
}
