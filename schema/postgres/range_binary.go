package postgres

import (
	"encoding/binary"
	"math"

	"github.com/jackc/pgerrcode"
)

// The flags of a range's binary form (rangetypes.h).
const (
	rangeEmpty          = 0x01
	rangeLowerInclusive = 0x02
	rangeUpperInclusive = 0x04
	rangeLowerInfinite  = 0x08
	rangeUpperInfinite  = 0x10
)

// appendBinaryRanges appends a range or a multirange, given as it prints when nothing is set.
func appendBinaryRanges(dst []byte, oid OID, text string) []byte {
	env := DefaultEnv()
	s, err := parseRanges(oid, text, &env)
	if err != nil {
		return dst // no value is written so
	}
	r, multi, _ := RangeTypeOf(oid)
	if !multi {
		if len(s) == 0 {
			return append(dst, rangeEmpty)
		}
		return s[0].appendBinary(dst, r.Subtype)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(s)))
	for i := range s {
		dst = appendSized(dst, func(dst []byte) []byte { return s[i].appendBinary(dst, r.Subtype) })
	}
	return dst
}

// appendSized appends bytes with their number before them.
func appendSized(dst []byte, write func(dst []byte) []byte) []byte {
	start := len(dst)
	dst = write(append(dst, 0, 0, 0, 0))
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}

func (r *RangeValue) appendBinary(dst []byte, subtype OID) []byte {
	flags := byte(0)
	for _, f := range []struct {
		set  bool
		flag byte
	}{
		{r.Lower.Inclusive, rangeLowerInclusive},
		{r.Upper.Inclusive, rangeUpperInclusive},
		{r.Lower.Infinite, rangeLowerInfinite},
		{r.Upper.Infinite, rangeUpperInfinite},
	} {
		if f.set {
			flags |= f.flag
		}
	}
	dst = append(dst, flags)
	for _, b := range []RangeBound{r.Lower, r.Upper} {
		if !b.Infinite {
			dst = appendSized(dst, func(dst []byte) []byte { return appendBinary(dst, subtype, &b.Value) })
		}
	}
	return dst
}

// ranges reads a range or a multirange.
func (r *binaryReader) ranges(oid OID) (Datum, error) {
	kind, multi, _ := RangeTypeOf(oid)
	var s RangeSet
	count := uint32(1)
	if multi {
		count = uint32(r.int32())
	}
	for i := uint32(0); i < count && !r.short; i++ {
		from := r
		if multi {
			from = &binaryReader{rest: r.take(int(uint32(r.int32()) & math.MaxInt32))}
		}
		one, err := from.oneRange(kind.Subtype)
		if err != nil {
			return Datum{}, err
		}
		r.short = r.short || from.short
		s = append(s, one...)
	}
	return TextDatum(string(AppendRanges(nil, oid, s.Union(nil), DefaultEnv()))), nil
}

func (r *binaryReader) oneRange(subtype OID) (RangeSet, error) {
	flags := r.take(1)[0]
	if flags&rangeEmpty != 0 || r.short {
		return nil, nil
	}
	bound := func(infinite, inclusive byte) (RangeBound, error) {
		b := RangeBound{Infinite: flags&infinite != 0, Inclusive: flags&inclusive != 0 && flags&infinite == 0}
		if b.Infinite {
			return b, nil
		}
		item := binaryReader{rest: r.take(int(uint32(r.int32()) & math.MaxInt32))}
		var err error
		b.Value, err = item.value(subtype)
		if err == nil && (item.short || len(item.rest) > 0) && !r.short {
			err = errorf(pgerrcode.InvalidBinaryRepresentation, "improper binary format in a bound of a range")
		}
		return b, err
	}
	lower, err := bound(rangeLowerInfinite, rangeLowerInclusive)
	if err != nil || r.short {
		return nil, err
	}
	upper, err := bound(rangeUpperInfinite, rangeUpperInclusive)
	if err != nil || r.short {
		return nil, err
	}
	if err := CheckRange(lower, upper); err != nil {
		return nil, err
	}
	return NewRange(subtype, lower, upper)
}
