package wire

import (
	"encoding/binary"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// arrayBinary is array_send of PostgreSQL: the dimensions, then each element
// with its length. Subscripts begin at lower; where that is 0, in int2vector and
// oidvector, an empty one has a dimension too.
func arrayBinary(elemOID postgres.OID, lower uint32, elem planner.AppendFunc) planner.AppendFunc {
	return func(dst []byte, v *planner.Vector, row int) []byte {
		at := len(dst)
		dst = binary.BigEndian.AppendUint32(dst, 0) // dimensions
		dst = binary.BigEndian.AppendUint32(dst, 0) // has NULLs
		dst = binary.BigEndian.AppendUint32(dst, uint32(elemOID))
		dims := uint32(0)
		for l, r := v.Lists, row; l != nil && (l.Lengths[r] > 0 || lower == 0); dims++ {
			dst = binary.BigEndian.AppendUint32(dst, uint32(l.Lengths[r]))
			dst = binary.BigEndian.AppendUint32(dst, lower)
			l, r = l.Elems.Lists, int(l.Offsets[r])
		}
		binary.BigEndian.PutUint32(dst[at:], dims)
		dst, nulls := appendElements(dst, v.Lists, row, elem)
		if nulls {
			binary.BigEndian.PutUint32(dst[at+4:], 1)
		}
		return dst
	}
}

func appendElements(dst []byte, l *planner.ListVector, row int, elem planner.AppendFunc) (out []byte, nulls bool) {
	from := l.Offsets[row]
	for i := from; i < from+l.Lengths[row]; i++ {
		switch at := int(i); {
		case l.Elems.IsNull(at):
			dst = append(dst, 0xff, 0xff, 0xff, 0xff)
			nulls = true
		case l.Elems.Lists != nil:
			var inner bool
			dst, inner = appendElements(dst, l.Elems.Lists, at, elem)
			nulls = nulls || inner
		default:
			start := len(dst)
			dst = append(dst, 0, 0, 0, 0)
			dst = elem(dst, &l.Elems, at)
			binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
		}
	}
	return dst, nulls
}
