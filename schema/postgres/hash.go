package postgres

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
	"strings"

	"github.com/jackc/pgerrcode"
)

// goldenHash begins every hash (hashfn.c, Bob Jenkins' lookup3).
const goldenHash = 0x9e3779b9 + 3923095

// HashBytes is hash_bytes_extended of hashfn.c. Its lower half is, with a seed of 0, hash_bytes.
func HashBytes(k []byte, seed uint64) uint64 {
	h := startHash(len(k), seed)
	for ; len(k) >= 12; k = k[12:] {
		h.add(binary.LittleEndian.Uint32(k), binary.LittleEndian.Uint32(k[4:]), binary.LittleEndian.Uint32(k[8:]))
		h.mix()
	}
	// The lowest byte of the third word is that of the length.
	var rest [12]byte
	copy(rest[:8], k)
	if len(k) > 8 {
		copy(rest[9:], k[8:])
	}
	h.add(binary.LittleEndian.Uint32(rest[:]), binary.LittleEndian.Uint32(rest[4:]), binary.LittleEndian.Uint32(rest[8:]))
	return h.final()
}

// hashWord is hash_bytes_uint32_extended.
func hashWord(k uint32, seed uint64) uint64 {
	h := startHash(4, seed)
	h.add(k, 0, 0)
	return h.final()
}

type lookup3 struct {
	a, b, c uint32
}

func startHash(length int, seed uint64) lookup3 {
	n := uint32(goldenHash&math.MaxUint32) + uint32(length)
	h := lookup3{n, n, n}
	if seed != 0 {
		h.add(uint32(seed>>32), uint32(seed), 0)
		h.mix()
	}
	return h
}

func (h *lookup3) add(a, b, c uint32) { h.a, h.b, h.c = h.a+a, h.b+b, h.c+c }

func (h *lookup3) mix() {
	step := func(x, y, z *uint32, by int) {
		*x -= *z
		*x ^= bits.RotateLeft32(*z, by)
		*z += *y
	}
	step(&h.a, &h.b, &h.c, 4)
	step(&h.b, &h.c, &h.a, 6)
	step(&h.c, &h.a, &h.b, 8)
	step(&h.a, &h.b, &h.c, 16)
	step(&h.b, &h.c, &h.a, 19)
	step(&h.c, &h.a, &h.b, 4)
}

func (h *lookup3) final() uint64 {
	step := func(x, y *uint32, by int) {
		*x ^= *y
		*x -= bits.RotateLeft32(*y, by)
	}
	step(&h.c, &h.b, 14)
	step(&h.a, &h.c, 11)
	step(&h.b, &h.a, 25)
	step(&h.c, &h.b, 16)
	step(&h.a, &h.c, 4)
	step(&h.b, &h.a, 14)
	step(&h.c, &h.b, 24)
	return uint64(h.b)<<32 | uint64(h.c)
}

// Hash is what the extended hash function of a type's default hash operator class says of a value. Its lower half is, with
// a seed of 0, what the plain function says. A type without one is 42883.
func Hash(oid OID, d Datum, seed uint64) (uint64, error) {
	switch oid = BaseOf(oid); d.Kind {
	case BoolKind:
		return hashWord(uint32(d.Int), seed), nil
	case IntKind:
		if oid == Int8OID {
			return hashLong(d.Int, seed), nil
		}
		return hashWord(uint32(d.Int), seed), nil
	case FloatKind:
		return hashFloat(d.Float, seed), nil
	case NumericKind:
		return hashNumeric(d.Str, seed), nil
	case DateKind:
		return hashWord(uint32(pgDays(d.Int)), seed), nil
	case TimeKind:
		return hashLong(d.Int, seed), nil
	case TimeTZKind:
		return hashLong(d.Int, seed) ^ hashWord(uint32(-d.Zone), seed), nil
	case TimestampKind:
		return hashLong(int64(binary.BigEndian.Uint64(AppendBinaryTimestamp(nil, d.Int))), seed), nil
	case IntervalKind:
		return hashInterval(&d, seed), nil
	case BytesKind, UUIDKind:
		return HashBytes([]byte(d.Str), seed), nil
	case ArrayKind:
		return hashArray(oid, d.Array, seed)
	case TextKind:
		return hashText(oid, d.Str, seed)
	}
	return 0, noHash(oid)
}

func noHash(oid OID) *Error {
	return errorf(pgerrcode.UndefinedFunction, "could not identify a hash function for type %s", oid)
}

func pgDays(days int64) int32 { return int32(binary.BigEndian.Uint32(AppendBinaryDate(nil, days))) }

// hashLong is hashint8extended: small numbers hash as an int4 does.
func hashLong(v int64, seed uint64) uint64 {
	high := uint32(v >> 32)
	if v < 0 {
		high = ^high
	}
	return hashWord(uint32(v)^high, seed)
}

// hashFloat is hashfloat8extended, which a float4 hashes as.
func hashFloat(f float64, seed uint64) uint64 {
	if f == 0 {
		return seed
	}
	word := math.Float64bits(f)
	if math.IsNaN(f) {
		word = float8NaN
	}
	return HashBytes(binary.LittleEndian.AppendUint64(nil, word), seed)
}

// hashNumeric is hash_numeric_extended: of the groups of four digits and where they stand, so that 1.0 hashes as 1.
func hashNumeric(text string, seed uint64) uint64 {
	b := AppendBinaryNumeric(nil, []byte(text))
	groups := int(binary.BigEndian.Uint16(b))
	weight, sign := int16(binary.BigEndian.Uint16(b[2:])), binary.BigEndian.Uint16(b[4:])
	switch {
	case sign == numericNaN || sign == numericInfinity || sign == numericNegativeInfinity:
		return seed
	case groups == 0:
		return seed - 1
	}
	digits := make([]byte, 0, 2*groups)
	for i := range groups {
		digits = binary.LittleEndian.AppendUint16(digits, binary.BigEndian.Uint16(b[8+2*i:]))
	}
	return HashBytes(digits, seed) ^ uint64(int64(weight))
}

// hashInterval is interval_hash_extended: of the length in microseconds, by months of 30 days.
func hashInterval(d *Datum, seed uint64) uint64 {
	const day = 24 * 60 * 60 * 1_000_000
	span := big.NewInt(int64(d.Months)*30 + int64(d.Days))
	span.Mul(span, big.NewInt(day)).Add(span, big.NewInt(d.Int))
	low := new(big.Int).And(span, new(big.Int).SetUint64(math.MaxUint64))
	return hashLong(int64(low.Uint64()), seed)
}

// hashArray is hash_array_extended, and for a vector of oids hashoidvectorextended.
func hashArray(oid OID, a *Array, seed uint64) (uint64, error) {
	if oid == OIDVectorOID {
		var words []byte
		for i := range a.Items {
			words = binary.LittleEndian.AppendUint32(words, uint32(a.Items[i].Int))
		}
		return HashBytes(words, seed), nil
	}
	if !hasOperatorClass(a.Elem, hashTable) {
		return 0, noHash(a.Elem)
	}
	result := uint64(1)
	for i := range a.Items {
		var h uint64
		if a.Items[i].Kind != NullKind {
			var err error
			if h, err = Hash(a.Elem, a.Items[i], seed); err != nil {
				return 0, err
			}
		}
		result = result<<5 - result + h
	}
	return result, nil
}

// hashText hashes the types that a Datum holds as text.
func hashText(oid OID, text string, seed uint64) (uint64, error) {
	switch oid {
	case TextOID, VarcharOID, NameOID, UnknownOID:
		return HashBytes([]byte(text), seed), nil
	case BPCharOID:
		return HashBytes([]byte(strings.TrimRight(text, " ")), seed), nil
	case CharOID:
		return hashWord(uint32(int8(AppendBinaryChar(nil, text)[0])), seed), nil
	case InetOID, CidrOID:
		b := appendBinaryInet(nil, oid, text)
		return HashBytes(append(b[:2:2], b[4:]...), seed), nil
	case MACAddrOID, MACAddr8OID:
		return HashBytes(appendBinaryMAC(nil, oid, text), seed), nil
	case TIDOID:
		b := appendBinaryTID(nil, text)
		for i := 0; i < len(b); i += 2 {
			b[i], b[i+1] = b[i+1], b[i]
		}
		return HashBytes(b, seed), nil
	case JSONBOID:
		return hashJSONB(text, seed)
	}
	if r, multi, ok := RangeTypeOf(oid); ok {
		return hashRanges(oid, r.Subtype, multi, text, seed)
	}
	return 0, noHash(oid)
}

// hashRanges is hash_range_extended and hash_multirange_extended.
func hashRanges(oid, subtype OID, multi bool, text string, seed uint64) (uint64, error) {
	set, err := ParseRanges(oid, text, DefaultEnv())
	if err != nil {
		return 0, err
	}
	if !multi && len(set) == 0 {
		return rotateHalves(hashWord(rangeEmpty, seed)), nil
	}
	result := uint64(1)
	for _, r := range set {
		flags, hashes := uint32(0), [2]uint64{}
		for i, b := range []RangeBound{r.Lower, r.Upper} {
			switch {
			case b.Infinite:
				flags |= []uint32{rangeLowerInfinite, rangeUpperInfinite}[i]
				continue
			case b.Inclusive:
				flags |= []uint32{rangeLowerInclusive, rangeUpperInclusive}[i]
			}
			if hashes[i], err = Hash(subtype, b.Value, seed); err != nil {
				return 0, err
			}
		}
		h := rotateHalves(hashWord(flags, seed)^hashes[0]) ^ hashes[1]
		if !multi {
			return h, nil
		}
		result = result<<5 - result + h
	}
	return result, nil
}

// rotateHalves rotates each half by a bit to the left.
func rotateHalves(v uint64) uint64 {
	return uint64(bits.RotateLeft32(uint32(v>>32), 1))<<32 | uint64(bits.RotateLeft32(uint32(v), 1))
}

// The flags of jsonb's containers and the hashes of its words (utils/jsonb.h, jsonb_util.c).
const (
	jsonbArrayFlag  = 0x40000000
	jsonbObjectFlag = 0x20000000
	jsonbNullHash   = 1
	jsonbTrueHash   = 2
	jsonbFalseHash  = 4
)

// hashJSONB is jsonb_hash_extended.
func hashJSONB(text string, seed uint64) (uint64, error) {
	p := jsonParser{text: text, oid: JSONBOID, build: true}
	root, err := p.parse()
	if err != nil {
		return 0, err
	}
	if root.kind == '{' || root.kind == '[' {
		if len(root.items) == 0 {
			return seed, nil
		}
		return root.hash(0, seed), nil
	}
	// A scalar is kept as an array of one.
	return root.hash(jsonbArrayFlag<<32|jsonbArrayFlag, seed), nil
}

// hash goes on with a hash over a value and all in it.
func (n *jsonNode) hash(h, seed uint64) uint64 {
	scalar := func(value uint64) { h = rotateHalves(h) ^ value }
	switch {
	case n.kind == '{':
		h ^= jsonbObjectFlag<<32 | jsonbObjectFlag
		for i := range n.items {
			scalar(HashBytes([]byte(n.keys[i]), seed))
			h = n.items[i].hash(h, seed)
		}
	case n.kind == '[':
		h ^= jsonbArrayFlag<<32 | jsonbArrayFlag
		for i := range n.items {
			h = n.items[i].hash(h, seed)
		}
	case n.kind == '"':
		scalar(HashBytes([]byte(n.text), seed))
	case n.text == "null":
		scalar(seed + jsonbNullHash)
	case n.text == "true" && seed == 0:
		scalar(jsonbTrueHash)
	case n.text == "false" && seed == 0:
		scalar(jsonbFalseHash)
	case n.text == "true":
		scalar(hashWord(1, seed))
	case n.text == "false":
		scalar(hashWord(0, seed))
	default:
		scalar(hashNumeric(n.text, seed))
	}
	return h
}
