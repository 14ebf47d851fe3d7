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
		l, at := v.Lists, len(dst)
		from, n := l.Offsets[row], l.Lengths[row]
		dst = binary.BigEndian.AppendUint32(dst, 0) // dimensions
		dst = binary.BigEndian.AppendUint32(dst, 0) // has NULLs
		dst = binary.BigEndian.AppendUint32(dst, uint32(elemOID))
		if n > 0 || lower == 0 {
			dst[at+3] = 1
			dst = binary.BigEndian.AppendUint32(dst, uint32(n))
			dst = binary.BigEndian.AppendUint32(dst, lower)
		}
		for i := from; i < from+n; i++ {
			if l.Elems.IsNull(int(i)) {
				dst[at+7] = 1
				dst = append(dst, 0xff, 0xff, 0xff, 0xff)
				continue
			}
			start := len(dst)
			dst = append(dst, 0, 0, 0, 0)
			dst = elem(dst, &l.Elems, int(i))
			binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
		}
		return dst
	}
}
