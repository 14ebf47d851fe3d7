package rest

import (
	"strconv"
	"time"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// textOf is a type's text form under PostgreSQL's default settings, in UTC.
func textOf(oid postgres.OID) appendFunc {
	if elem := elementOf(oid); elem != 0 {
		return textList(textOf(elem))
	}
	switch oid {
	case postgres.BoolOID:
		return func(dst []byte, v *planner.Vector, row int) []byte {
			return append(dst, strconv.FormatBool(v.Bools[row])[0])
		}
	case postgres.Int2OID:
		return func(dst []byte, v *planner.Vector, row int) []byte {
			return strconv.AppendInt(dst, int64(v.Int16s[row]), 10)
		}
	case postgres.Int4OID:
		return func(dst []byte, v *planner.Vector, row int) []byte {
			return strconv.AppendInt(dst, int64(v.Int32s[row]), 10)
		}
	case postgres.Int8OID, postgres.OIDOID:
		return func(dst []byte, v *planner.Vector, row int) []byte { return strconv.AppendInt(dst, v.Int64s[row], 10) }
	case postgres.RegprocOID, postgres.RegclassOID, postgres.RegtypeOID, postgres.RegnamespaceOID, postgres.RegroleOID:
		return func(dst []byte, v *planner.Vector, row int) []byte {
			if v.Bytes != nil {
				return append(dst, v.Bytes[row]...)
			}
			return strconv.AppendInt(dst, v.Int64s[row], 10)
		}
	case postgres.Float4OID:
		return func(dst []byte, v *planner.Vector, row int) []byte {
			return postgres.AppendFloat4(dst, v.Float32s[row])
		}
	case postgres.Float8OID:
		return func(dst []byte, v *planner.Vector, row int) []byte {
			return postgres.AppendFloat8(dst, v.Float64s[row])
		}
	case postgres.NumericOID:
		return func(dst []byte, v *planner.Vector, row int) []byte {
			if v.Numerics == nil {
				return append(dst, v.Bytes[row]...)
			}
			n := &v.Numerics[row]
			return postgres.AppendNumeric(dst, n.Hi, n.Lo, int(n.Scale))
		}
	case postgres.DateOID:
		return func(dst []byte, v *planner.Vector, row int) []byte {
			return postgres.AppendDate(dst, int64(v.Int32s[row]))
		}
	case postgres.TimeOID:
		return func(dst []byte, v *planner.Vector, row int) []byte { return postgres.AppendTime(dst, v.Int64s[row]) }
	case postgres.TimestampOID:
		return func(dst []byte, v *planner.Vector, row int) []byte {
			return postgres.AppendTimestamp(dst, v.Int64s[row])
		}
	case postgres.TimestampTZOID:
		return func(dst []byte, v *planner.Vector, row int) []byte {
			return postgres.AppendTimestampTZ(dst, v.Int64s[row], time.UTC)
		}
	case postgres.IntervalOID:
		return func(dst []byte, v *planner.Vector, row int) []byte {
			i := &v.Intervals[row]
			return postgres.AppendInterval(dst, i.Months, i.Days, i.Micros, postgres.PostgresIntervals)
		}
	case postgres.UUIDOID:
		return func(dst []byte, v *planner.Vector, row int) []byte { return postgres.AppendUUID(dst, v.UUIDs[row]) }
	case postgres.ByteaOID:
		return func(dst []byte, v *planner.Vector, row int) []byte { return postgres.AppendByteaHex(dst, v.Bytes[row]) }
	}
	return func(dst []byte, v *planner.Vector, row int) []byte { return append(dst, v.Bytes[row]...) }
}

// textList appends an array as PostgreSQL's array_out does.
func textList(elem appendFunc) appendFunc {
	const delimiter = ','
	var item []byte
	var list func(dst []byte, l *planner.ListVector, row int) []byte
	list = func(dst []byte, l *planner.ListVector, row int) []byte {
		dst = append(dst, '{')
		from := l.Offsets[row]
		for i := from; i < from+l.Lengths[row]; i++ {
			if i > from {
				dst = append(dst, delimiter)
			}
			switch at := int(i); {
			case l.Elems.IsNull(at):
				dst = append(dst, "NULL"...)
			case l.Elems.Lists != nil:
				dst = list(dst, l.Elems.Lists, at)
			default:
				item = elem(item[:0], &l.Elems, at)
				dst = postgres.AppendArrayItem(dst, item, delimiter)
			}
		}
		return append(dst, '}')
	}
	return func(dst []byte, v *planner.Vector, row int) []byte { return list(dst, v.Lists, row) }
}

// elementOf is the element type of the types that are arrays to a client.
func elementOf(oid postgres.OID) postgres.OID {
	if oid == postgres.Int2VectorOID || oid == postgres.OIDVectorOID {
		return 0 // arrays to the catalog, but a text of their own
	}
	return postgres.ElemOf(oid)
}
