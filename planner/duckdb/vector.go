package duckdb

import (
	"encoding/binary"
	"strings"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// vectorSize is the greatest number of rows in one of DuckDB's vectors
// (STANDARD_VECTOR_SIZE).
const vectorSize = 2048

// text is DuckDB's duckdb_string_t: a length, then up to 12 bytes in place, or
// four bytes of prefix and a pointer.
type text struct {
	length uint32
	inline [12]byte
}

const textInline = 12

// bytes is the string itself. It points into the vector or into t.
func (t *text) bytes() []byte {
	if t.length <= textInline {
		return t.inline[:t.length:t.length]
	}
	p := *(**byte)(unsafe.Pointer(&t.inline[4]))
	return unsafe.Slice(p, t.length)
}

// hugeint is DuckDB's 128-bit integer.
type hugeint struct {
	lo uint64
	hi int64
}

// uuidBytes is the UUID that DuckDB holds as an integer: big-endian with the
// sign turned round, so that it sorts as its text.
func (h hugeint) uuidBytes() (u [16]byte) {
	binary.BigEndian.PutUint64(u[:8], uint64(h.hi)^1<<63)
	binary.BigEndian.PutUint64(u[8:], h.lo)
	return u
}

func hugeintOfUUID(u [16]byte) hugeint {
	return hugeint{
		hi: int64(binary.BigEndian.Uint64(u[:8]) ^ 1<<63),
		lo: binary.BigEndian.Uint64(u[8:]),
	}
}

// values is the data of a vector as rows of T.
func values[T any](v bindings.Vector, rows int) []T {
	return unsafe.Slice((*T)(bindings.VectorGetData(v)), rows)
}

// validity is the bitmap of a vector, nil if every row has a value.
func validity(v bindings.Vector, rows int) []uint64 {
	p := (*uint64)(bindings.VectorGetValidity(v))
	if p == nil {
		return nil
	}
	return unsafe.Slice(p, (rows+63)/64)
}

// writableValidity is the bitmap of a vector that is being filled, all set.
func writableValidity(v bindings.Vector, rows int) []uint64 {
	bindings.VectorEnsureValidityWritable(v)
	return validity(v, rows)
}

func isValid(bitmap []uint64, row int) bool {
	return bitmap == nil || bitmap[row>>6]&(1<<(row&63)) != 0
}

// logicalType makes a DuckDB type from its name as SQL has it, one of those in
// use here. The caller destroys it.
func logicalType(name string) bindings.LogicalType {
	if elem, ok := strings.CutSuffix(name, "[]"); ok {
		t := logicalType(elem)
		defer bindings.DestroyLogicalType(&t)
		return bindings.CreateListType(t)
	}
	return bindings.CreateLogicalType(typeNumber(name))
}

// typeNumber is the interface's number of a type by its name.
func typeNumber(name string) bindings.Type {
	switch name {
	case "BOOLEAN":
		return bindings.TypeBoolean
	case "SMALLINT":
		return bindings.TypeSmallInt
	case "INTEGER":
		return bindings.TypeInteger
	case "BIGINT":
		return bindings.TypeBigInt
	case "FLOAT":
		return bindings.TypeFloat
	case "DOUBLE":
		return bindings.TypeDouble
	case "VARCHAR":
		return bindings.TypeVarchar
	case "BLOB":
		return bindings.TypeBlob
	case "DATE":
		return bindings.TypeDate
	case "TIME":
		return bindings.TypeTime
	case "TIMESTAMP":
		return bindings.TypeTimestamp
	case "INTERVAL":
		return bindings.TypeInterval
	case "UUID":
		return bindings.TypeUUID
	}
	return bindings.TypeInvalid
}
