package wire

import (
	"encoding/binary"
	"math"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// quietNaN are the bits of the NaN that PostgreSQL sends.
const quietNaN = 0x7ff8000000000000

// jsonbVersion begins jsonb's binary form.
const jsonbVersion = 1

// binaryEncoder is nil for types that have no binary form here. Texts go by the
// recoder.
func binaryEncoder(oid postgres.OID, r *recoder) planner.AppendFunc {
	if elem := postgres.ElemOf(oid); elem != 0 {
		f := binaryEncoder(elem, r)
		if f == nil {
			return nil
		}
		lower := uint32(1)
		if isVector(oid) {
			lower = 0
		}
		list, shaped := arrayBinary(elem, lower, f), r.parts(oid, keptBinary(oid))
		return func(dst []byte, v *planner.Vector, row int) []byte {
			if v.Lists != nil {
				return list(dst, v, row)
			}
			return shaped(dst, v, row)
		}
	}
	switch oid {
	case postgres.BoolOID:
		return boolBinary
	case postgres.Int2OID:
		return int2Binary
	case postgres.Int4OID:
		return int4Binary
	case postgres.Int8OID, postgres.TimeOID:
		return int8Binary
	case postgres.OIDOID, postgres.XIDOID, postgres.CIDOID, postgres.RegprocOID, postgres.RegclassOID, postgres.RegtypeOID,
		postgres.RegnamespaceOID, postgres.RegroleOID, postgres.RegprocedureOID, postgres.RegoperOID, postgres.RegoperatorOID,
		postgres.RegcollationOID, postgres.RegconfigOID, postgres.RegdictionaryOID:
		return oidBinary
	case postgres.Float4OID:
		return float4Binary
	case postgres.Float8OID:
		return float8Binary
	case postgres.NumericOID:
		return numericBinary
	case postgres.DateOID:
		return dateBinary
	case postgres.TimestampOID, postgres.TimestampTZOID:
		return timestampBinary
	case postgres.IntervalOID:
		return intervalBinary
	case postgres.TimeTZOID, postgres.TIDOID, postgres.RecordOID, postgres.TSVectorOID, postgres.TSQueryOID,
		postgres.InetOID, postgres.CidrOID, postgres.MACAddrOID, postgres.MACAddr8OID, postgres.JSONPathOID, postgres.BitOID, postgres.VarbitOID:
		return r.parts(oid, keptBinary(oid))
	case postgres.UUIDOID:
		return uuidBinary
	case postgres.JSONBOID:
		return r.values(jsonbBinary)
	case postgres.CharOID:
		return charBinary
	case postgres.TextOID, postgres.VarcharOID, postgres.BPCharOID, postgres.NameOID,
		postgres.JSONOID, postgres.UnknownOID:
		return r.values(bytesBinary)
	case postgres.ByteaOID, postgres.VoidOID:
		return bytesBinary
	}
	if _, _, ok := postgres.RangeTypeOf(oid); ok {
		return keptBinary(oid)
	}
	return nil
}

// bytesBinary serves every type whose binary form is its text, or its bytes.
func bytesBinary(dst []byte, v *planner.Vector, row int) []byte { return append(dst, v.Bytes[row]...) }

// keptBinary serves the types whose values come as their text and go as something
// else.
func keptBinary(oid postgres.OID) planner.AppendFunc {
	return func(dst []byte, v *planner.Vector, row int) []byte {
		return postgres.AppendBinary(dst, oid, planner.KeptDatum(oid, v.Bytes[row]))
	}
}

func charBinary(dst []byte, v *planner.Vector, row int) []byte {
	return postgres.AppendBinaryChar(dst, string(v.Bytes[row]))
}

func boolBinary(dst []byte, v *planner.Vector, row int) []byte {
	if v.Bools[row] {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func int2Binary(dst []byte, v *planner.Vector, row int) []byte {
	return binary.BigEndian.AppendUint16(dst, uint16(v.Int16s[row]))
}

func int4Binary(dst []byte, v *planner.Vector, row int) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(v.Int32s[row]))
}

func int8Binary(dst []byte, v *planner.Vector, row int) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(v.Int64s[row]))
}

func oidBinary(dst []byte, v *planner.Vector, row int) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(v.Int64s[row]))
}

func float4Binary(dst []byte, v *planner.Vector, row int) []byte {
	return binary.BigEndian.AppendUint32(dst, math.Float32bits(v.Float32s[row]))
}

func float8Binary(dst []byte, v *planner.Vector, row int) []byte {
	f := v.Float64s[row]
	if math.IsNaN(f) {
		return binary.BigEndian.AppendUint64(dst, quietNaN) // whatever its bits are here
	}
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(f))
}

func numericBinary(dst []byte, v *planner.Vector, row int) []byte {
	if v.Numerics == nil {
		return postgres.AppendBinaryNumeric(dst, v.Bytes[row])
	}
	var text [64]byte // room for a sign, 39 digits and a point
	n := v.Numerics[row]
	return postgres.AppendBinaryNumeric(dst, postgres.AppendNumeric(text[:0], n.Hi, n.Lo, int(n.Scale)))
}

func dateBinary(dst []byte, v *planner.Vector, row int) []byte {
	return postgres.AppendBinaryDate(dst, int64(v.Int32s[row]))
}

func timestampBinary(dst []byte, v *planner.Vector, row int) []byte {
	return postgres.AppendBinaryTimestamp(dst, v.Int64s[row])
}

func intervalBinary(dst []byte, v *planner.Vector, row int) []byte {
	i := &v.Intervals[row]
	return postgres.AppendBinaryInterval(dst, i.Months, i.Days, i.Micros)
}

func uuidBinary(dst []byte, v *planner.Vector, row int) []byte {
	return append(dst, v.UUIDs[row][:]...)
}

func jsonbBinary(dst []byte, v *planner.Vector, row int) []byte {
	return append(append(dst, jsonbVersion), v.Bytes[row]...)
}
