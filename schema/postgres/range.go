package postgres

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"
)

// RangeSet is a value of a multirange type: its ranges in order, which are not empty and neither overlap nor touch. One of
// a range type is such a set too, of one range, or of none if it is empty.
type RangeSet []RangeValue

// RangeValue is a range that is not empty.
type RangeValue struct {
	Lower, Upper RangeBound
}

// RangeBound is an end of a range.
type RangeBound struct {
	Value               Datum
	Infinite, Inclusive bool
}

// RangeTypeOf finds what ranges a range type or multirange type is of.
func RangeTypeOf(oid OID) (r Range, multi, ok bool) {
	for _, r := range rangeTable {
		if r.Type == oid || r.Multirange == oid {
			return r, r.Multirange == oid, true
		}
	}
	return Range{}, false, false
}

// isTimeRange says that the text of a range depends on settings.
func isTimeRange(oid OID) bool {
	r, _, ok := RangeTypeOf(oid)
	return ok && (r.Subtype == DateOID || r.Subtype == TimestampOID || r.Subtype == TimestampTZOID)
}

// compareRanged compares two values that ranges are of.
func compareRanged(a, b Datum) int {
	if a.Kind == NumericKind {
		return compareNumeric(a.Str, b.Str)
	}
	return cmp.Compare(a.Int, b.Int)
}

// compareNumeric compares two numerics as they print.
func compareNumeric(a, b string) int {
	rank := func(s string) int {
		switch s {
		case "-Infinity":
			return -1
		case "Infinity":
			return 1
		case "NaN":
			return 2
		}
		return 0
	}
	if rank(a) != 0 || rank(b) != 0 {
		return cmp.Compare(rank(a), rank(b))
	}
	x, _, _ := parseDecimal(a) // as they print they are numbers
	y, _, _ := parseDecimal(b)
	scale := max(x.scale, y.scale)
	x.digits += strings.Repeat("0", scale-x.scale)
	y.digits += strings.Repeat("0", scale-y.scale)
	size := cmp.Compare(len(x.digits), len(y.digits))
	if size == 0 {
		size = strings.Compare(x.digits, y.digits)
	}
	switch {
	case x.neg && y.neg:
		return -size
	case x.neg:
		return -1
	case y.neg:
		return 1
	}
	return size
}

// compareLower and compareUpper compare ends of two ranges on the same side, compareEnds an upper with a lower one
// (range_cmp_bounds).
func compareLower(a, b RangeBound) int { return compareBounds(a, b, -1, -1) }
func compareUpper(a, b RangeBound) int { return compareBounds(a, b, 1, 1) }
func compareEnds(upper, lower RangeBound) int {
	return compareBounds(upper, lower, 1, -1)
}

// compareBounds compares bounds, each of which is a lower one (-1) or an upper one (1).
func compareBounds(a, b RangeBound, sideA, sideB int) int {
	switch {
	case a.Infinite && b.Infinite:
		return cmp.Compare(sideA, sideB)
	case a.Infinite:
		return sideA
	case b.Infinite:
		return -sideB
	}
	if c := compareRanged(a.Value, b.Value); c != 0 {
		return c
	}
	// What is exclusive lies inside of its value.
	inside := func(b RangeBound, side int) int {
		if b.Inclusive {
			return 0
		}
		return -side
	}
	return cmp.Compare(inside(a, sideA), inside(b, sideB))
}

// NewRange makes a range of its bounds, in the form that its type has them in (range_serialize, and the canonical
// functions of discrete types).
func NewRange(subtype OID, lower, upper RangeBound) (RangeSet, error) {
	var err error
	if lower, err = canonicalBound(subtype, lower, true); err != nil {
		return nil, err
	}
	if upper, err = canonicalBound(subtype, upper, false); err != nil {
		return nil, err
	}
	return RangeSet{{lower, upper}}.nonEmpty(), nil
}

// CheckRange refuses bounds in the wrong order, which canonical ones need not be in any more: (1,2) of integers is empty.
func CheckRange(lower, upper RangeBound) error {
	if !lower.Infinite && !upper.Infinite && compareRanged(lower.Value, upper.Value) > 0 {
		return errorf(pgerrcode.DataException, "range lower bound must be less than or equal to range upper bound")
	}
	return nil
}

func (s RangeSet) nonEmpty() RangeSet {
	lower, upper := s[0].Lower, s[0].Upper
	if lower.Infinite || upper.Infinite {
		return s
	}
	if c := compareRanged(lower.Value, upper.Value); c > 0 || c == 0 && (!lower.Inclusive || !upper.Inclusive) {
		return nil
	}
	return s
}

// canonicalBound makes a lower bound of a discrete type inclusive, an upper one exclusive.
func canonicalBound(subtype OID, b RangeBound, lower bool) (RangeBound, error) {
	if b.Infinite {
		return RangeBound{Infinite: true}, nil
	}
	if b.Inclusive == lower {
		return b, nil
	}
	out := RangeBound{Value: b.Value, Inclusive: lower}
	out.Value.Int++
	switch subtype {
	case Int4OID:
		if b.Value.Int == math.MaxInt32 {
			return b, errorf(pgerrcode.NumericValueOutOfRange, "integer out of range")
		}
	case Int8OID:
		if b.Value.Int == math.MaxInt64 {
			return b, errorf(pgerrcode.NumericValueOutOfRange, "bigint out of range")
		}
	case DateOID:
		if b.Value.Int == DateInfinity || b.Value.Int == DateNegativeInfinity {
			return b, nil
		}
		if out.Value.Int >= endDate {
			return b, errorf(pgerrcode.DatetimeFieldOverflow, "date out of range")
		}
	default:
		return b, nil
	}
	return out, nil
}

// touches says that nothing lies between a range and one that begins after it.
func touches(upper, lower RangeBound) bool {
	return !upper.Infinite && !lower.Infinite && compareRanged(upper.Value, lower.Value) == 0 && upper.Inclusive != lower.Inclusive
}

// Compare orders sets: by their ranges in turn, an empty one first.
func (s RangeSet) Compare(o RangeSet) int {
	return slices.CompareFunc(s, o, func(a, b RangeValue) int {
		if c := compareLower(a.Lower, b.Lower); c != 0 {
			return c
		}
		return compareUpper(a.Upper, b.Upper)
	})
}

// bounds are the ends of a set that is not empty.
func (s RangeSet) bounds() (lower, upper RangeBound) { return s[0].Lower, s[len(s)-1].Upper }

// Hull is the smallest range with all of a set.
func (s RangeSet) Hull() RangeSet {
	if len(s) == 0 {
		return nil
	}
	lower, upper := s.bounds()
	return RangeSet{{lower, upper}}
}

// Has says that a value lies in the set.
func (s RangeSet) Has(v Datum) bool {
	point := RangeBound{Value: v, Inclusive: true}
	return s.Contains(RangeSet{{point, point}})
}

// Contains says that all of another set lies in the set.
func (s RangeSet) Contains(o RangeSet) bool {
	for _, b := range o {
		if !slices.ContainsFunc(s, func(a RangeValue) bool {
			return compareLower(a.Lower, b.Lower) <= 0 && compareUpper(a.Upper, b.Upper) >= 0
		}) {
			return false
		}
	}
	return true
}

// Overlaps says that the sets have something in common.
func (s RangeSet) Overlaps(o RangeSet) bool { return len(s.Intersect(o)) > 0 }

// Before says that all of the set lies before another.
func (s RangeSet) Before(o RangeSet) bool {
	if len(s) == 0 || len(o) == 0 {
		return false
	}
	_, upper := s.bounds()
	lower, _ := o.bounds()
	return compareEnds(upper, lower) < 0
}

// EndsBy says that the set does not extend past the end of another.
func (s RangeSet) EndsBy(o RangeSet) bool {
	if len(s) == 0 || len(o) == 0 {
		return false
	}
	_, a := s.bounds()
	_, b := o.bounds()
	return compareUpper(a, b) <= 0
}

// BeginsFrom says that the set does not extend before the beginning of another.
func (s RangeSet) BeginsFrom(o RangeSet) bool {
	if len(s) == 0 || len(o) == 0 {
		return false
	}
	a, _ := s.bounds()
	b, _ := o.bounds()
	return compareLower(a, b) >= 0
}

// Adjacent says that one set ends where the other begins.
func (s RangeSet) Adjacent(o RangeSet) bool {
	if len(s) == 0 || len(o) == 0 {
		return false
	}
	lowerS, upperS := s.bounds()
	lowerO, upperO := o.bounds()
	return touches(upperS, lowerO) || touches(upperO, lowerS)
}

// Union is the set of what is in either, or in any part of a list that is no set yet.
func (s RangeSet) Union(o RangeSet) RangeSet {
	all := append(slices.Clone(s), o...)
	slices.SortStableFunc(all, func(a, b RangeValue) int { return RangeSet{a}.Compare(RangeSet{b}) })
	var out RangeSet
	for _, r := range all {
		if n := len(out); n > 0 && (compareEnds(out[n-1].Upper, r.Lower) >= 0 || touches(out[n-1].Upper, r.Lower)) {
			if compareUpper(r.Upper, out[n-1].Upper) > 0 {
				out[n-1].Upper = r.Upper
			}
			continue
		}
		out = append(out, r)
	}
	return out
}

// Intersect is the set of what is in both.
func (s RangeSet) Intersect(o RangeSet) RangeSet {
	var out RangeSet
	for _, a := range s {
		for _, b := range o {
			r := a
			if compareLower(b.Lower, r.Lower) > 0 {
				r.Lower = b.Lower
			}
			if compareUpper(b.Upper, r.Upper) < 0 {
				r.Upper = b.Upper
			}
			if compareEnds(r.Upper, r.Lower) >= 0 {
				out = append(out, r)
			}
		}
	}
	return out
}

// Minus is the set of what is not in another.
func (s RangeSet) Minus(o RangeSet) RangeSet {
	out := slices.Clone(s)
	for _, b := range o {
		var left RangeSet
		for _, a := range out {
			if len(RangeSet{a}.Intersect(RangeSet{b})) == 0 {
				left = append(left, a)
				continue
			}
			if compareLower(a.Lower, b.Lower) < 0 {
				left = append(left, RangeValue{a.Lower, RangeBound{Value: b.Lower.Value, Inclusive: !b.Lower.Inclusive}})
			}
			if compareUpper(a.Upper, b.Upper) > 0 {
				left = append(left, RangeValue{RangeBound{Value: b.Upper.Value, Inclusive: !b.Upper.Inclusive}, a.Upper})
			}
		}
		out = left
	}
	return out
}
