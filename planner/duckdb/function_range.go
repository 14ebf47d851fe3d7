package duckdb

import (
	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Values of ranges and multiranges are their texts as they print when nothing is set. Argument 0 of their functions is the
// type of the set that is argument 1; the type of a second set stands before it too.

func (c *call) ranges(i int) (postgres.RangeSet, error) {
	return postgres.ParseRanges(postgres.OID(c.int8(i-1)), c.text(i), postgres.DefaultEnv())
}

// setRanges sets a value of a type.
func (c *call) setRanges(oid postgres.OID, s postgres.RangeSet) {
	c.isSet, c.result.text = true, postgres.AppendRanges(c.result.text, oid, s, postgres.DefaultEnv())
}

// rangedValue is argument i, a text, as what ranges of a type are of.
func (c *call) rangedValue(oid postgres.OID, i int) (postgres.Datum, error) {
	r, _, _ := postgres.RangeTypeOf(oid)
	return postgres.ParseKept(r.Subtype, c.text(i))
}

// ofRanges uses the set that is argument 1, of the type that is argument 0.
func ofRanges(use func(c *call, oid postgres.OID, s postgres.RangeSet) error) func(c *call) error {
	return func(c *call) error {
		s, err := c.ranges(1)
		if err == nil {
			err = use(c, postgres.OID(c.int8(0)), s)
		}
		return err
	}
}

// ofRangePair uses the sets that are arguments 1 and 3.
func ofRangePair(use func(c *call, oid postgres.OID, a, b postgres.RangeSet) error) func(c *call) error {
	return ofRanges(func(c *call, oid postgres.OID, a postgres.RangeSet) error {
		b, err := c.ranges(3)
		if err == nil {
			err = use(c, oid, a, b)
		}
		return err
	})
}

// makeRange is a constructor: type, bounds as texts, how they are meant.
func makeRange(c *call) error {
	oid := postgres.OID(c.int8(0))
	if c.isNull(3) {
		return errorf(pgerrcode.DataException, "range constructor flags argument must not be null")
	}
	flags := c.text(3)
	if len(flags) != 2 || flags[0] != '[' && flags[0] != '(' || flags[1] != ']' && flags[1] != ')' {
		e := errorf(pgerrcode.SyntaxError, "invalid range bound flags")
		e.Hint = `Valid values are "[]", "[)", "(]", and "()".`
		return e
	}
	bounds := [2]postgres.RangeBound{{Inclusive: flags[0] == '['}, {Inclusive: flags[1] == ']'}}
	for i := range bounds {
		if bounds[i].Infinite = c.isNull(i + 1); bounds[i].Infinite {
			continue
		}
		var err error
		if bounds[i].Value, err = c.rangedValue(oid, i+1); err != nil {
			return err
		}
	}
	if err := postgres.CheckRange(bounds[0], bounds[1]); err != nil {
		return err
	}
	r, _, _ := postgres.RangeTypeOf(oid)
	s, err := postgres.NewRange(r.Subtype, bounds[0], bounds[1])
	if err == nil {
		c.setRanges(oid, s)
	}
	return err
}

// rangeList joins the sets of a list, which are of the type that is argument 2, in one of the type that is argument 0.
func rangeList(c *call) error {
	var all postgres.RangeSet
	for _, text := range c.list(1) {
		if text == nil {
			return errorf(pgerrcode.NullValueNotAllowedDataException, "multirange values cannot contain null members")
		}
		s, err := postgres.ParseRanges(postgres.OID(c.int8(2)), string(text), postgres.DefaultEnv())
		if err != nil {
			return err
		}
		all = append(all, s...)
	}
	c.setRanges(postgres.OID(c.int8(0)), all.Union(nil))
	return nil
}

// intersectRanges is range_intersect_agg of a list.
func intersectRanges(c *call) error {
	var out postgres.RangeSet
	oid := postgres.OID(c.int8(0))
	for i, text := range c.list(1) {
		s, err := postgres.ParseRanges(oid, string(text), postgres.DefaultEnv())
		if err != nil {
			return err
		}
		if i > 0 {
			s = s.Intersect(out)
		}
		out = s
	}
	c.setRanges(oid, out)
	return nil
}

// appendRangeKey writes a set so that its bytes order as sets do.
func appendRangeKey(dst []byte, s postgres.RangeSet) []byte {
	bound := func(b postgres.RangeBound, side byte) {
		const before, at, after = 1, 2, 3
		if b.Infinite {
			dst = append(dst, side)
			return
		}
		dst = append(dst, at)
		if b.Value.Kind == postgres.NumericKind {
			dst = append(parseDecimal(b.Value.Str).key(dst), 0)
		} else {
			for shift := 56; shift >= 0; shift -= 8 {
				dst = append(dst, byte(uint64(b.Value.Int)^(1<<63)>>shift))
			}
		}
		switch {
		case b.Inclusive:
			dst = append(dst, at)
		case side == before: // a lower bound lies behind its value
			dst = append(dst, after)
		default:
			dst = append(dst, before)
		}
	}
	for _, r := range s {
		bound(r.Lower, 1)
		bound(r.Upper, 3)
	}
	return dst
}

// rangeFunctions are those of ranges and multiranges.
func rangeFunctions() definitions {
	test := func(holds func(a, b postgres.RangeSet) bool) func(c *call) error {
		return ofRangePair(func(c *call, _ postgres.OID, a, b postgres.RangeSet) error {
			c.setBool(holds(a, b))
			return nil
		})
	}
	// combine makes a set of two; what is no range, if those are ranges, is an error.
	combine := func(what string, join func(a, b postgres.RangeSet) postgres.RangeSet) func(c *call) error {
		return ofRangePair(func(c *call, oid postgres.OID, a, b postgres.RangeSet) error {
			s := join(a, b)
			if _, multi, _ := postgres.RangeTypeOf(oid); !multi && len(s) > 1 {
				return errorf(pgerrcode.DataException, "result of range %s would not be contiguous", what)
			}
			c.setRanges(oid, s)
			return nil
		})
	}
	bound := func(upper bool) func(c *call) error {
		return ofRanges(func(c *call, oid postgres.OID, s postgres.RangeSet) error {
			b := postgres.RangeBound{Infinite: true}
			if hull := s.Hull(); len(hull) > 0 && upper {
				b = hull[0].Upper
			} else if len(hull) > 0 {
				b = hull[0].Lower
			}
			if r, _, _ := postgres.RangeTypeOf(oid); !b.Infinite {
				c.isSet, c.result.text = true, postgres.AppendText(c.result.text, r.Subtype, b.Value, postgres.DefaultEnv())
			}
			return nil
		})
	}
	is := func(holds func(s postgres.RangeSet) bool) func(c *call) error {
		return ofRanges(func(c *call, _ postgres.OID, s postgres.RangeSet) error { c.setBool(holds(s)); return nil })
	}
	ofHull := func(holds func(r postgres.RangeValue) bool) func(c *call) error {
		return is(func(s postgres.RangeSet) bool { return len(s) > 0 && holds(s.Hull()[0]) })
	}
	const pair = "(BIGINT, VARCHAR, BIGINT, VARCHAR) "
	return definitions{
		"*fg_range_make(BIGINT, VARCHAR, VARCHAR, VARCHAR) VARCHAR": makeRange,
		"fg_range_list(BIGINT, VARCHAR[], BIGINT) VARCHAR":          rangeList,
		"fg_range_intersect_list(BIGINT, VARCHAR[]) VARCHAR":        intersectRanges,
		"fg_range_key(BIGINT, VARCHAR) BLOB": ofRanges(func(c *call, _ postgres.OID, s postgres.RangeSet) error {
			c.isSet, c.result.text = true, appendRangeKey(c.result.text, s)
			return nil
		}),
		"fg_range_in(BIGINT, VARCHAR, VARCHAR, VARCHAR) VARCHAR": func(c *call) error {
			oid := postgres.OID(c.int8(0))
			e, err := c.env(2)
			if err == nil {
				err = c.setStyle(3, &e)
			}
			if err != nil {
				return err
			}
			s, err := postgres.ParseRanges(oid, c.text(1), e)
			if err == nil {
				c.setRanges(oid, s)
			}
			return err
		},
		"fg_range_out(BIGINT, VARCHAR, VARCHAR, VARCHAR) VARCHAR": ofRanges(func(c *call, oid postgres.OID, s postgres.RangeSet) error {
			e, err := c.env(2)
			if err == nil {
				err = c.setStyle(3, &e)
			}
			if err == nil {
				c.isSet, c.result.text = true, postgres.AppendRanges(c.result.text, oid, s, e)
			}
			return err
		}),
		"fg_range_has(BIGINT, VARCHAR, VARCHAR) BOOLEAN": ofRanges(func(c *call, oid postgres.OID, s postgres.RangeSet) error {
			v, err := c.rangedValue(oid, 2)
			c.setBool(err == nil && s.Has(v))
			return err
		}),
		"fg_range_contains" + pair + "BOOLEAN":    test(postgres.RangeSet.Contains),
		"fg_range_overlaps" + pair + "BOOLEAN":    test(postgres.RangeSet.Overlaps),
		"fg_range_before" + pair + "BOOLEAN":      test(postgres.RangeSet.Before),
		"fg_range_ends_by" + pair + "BOOLEAN":     test(postgres.RangeSet.EndsBy),
		"fg_range_begins_from" + pair + "BOOLEAN": test(postgres.RangeSet.BeginsFrom),
		"fg_range_adjacent" + pair + "BOOLEAN":    test(postgres.RangeSet.Adjacent),
		"fg_range_union" + pair + "VARCHAR":       combine("union", postgres.RangeSet.Union),
		"fg_range_minus" + pair + "VARCHAR":       combine("difference", postgres.RangeSet.Minus),
		"fg_range_intersect" + pair + "VARCHAR":   combine("intersection", postgres.RangeSet.Intersect),
		"fg_range_merge" + pair + "VARCHAR": combine("union", func(a, b postgres.RangeSet) postgres.RangeSet {
			return a.Union(b).Hull()
		}),
		"fg_range_lower(BIGINT, VARCHAR) VARCHAR":     bound(false),
		"fg_range_upper(BIGINT, VARCHAR) VARCHAR":     bound(true),
		"fg_range_is_empty(BIGINT, VARCHAR) BOOLEAN":  is(func(s postgres.RangeSet) bool { return len(s) == 0 }),
		"fg_range_lower_inc(BIGINT, VARCHAR) BOOLEAN": ofHull(func(r postgres.RangeValue) bool { return r.Lower.Inclusive }),
		"fg_range_upper_inc(BIGINT, VARCHAR) BOOLEAN": ofHull(func(r postgres.RangeValue) bool { return r.Upper.Inclusive }),
		"fg_range_lower_inf(BIGINT, VARCHAR) BOOLEAN": ofHull(func(r postgres.RangeValue) bool { return r.Lower.Infinite }),
		"fg_range_upper_inf(BIGINT, VARCHAR) BOOLEAN": ofHull(func(r postgres.RangeValue) bool { return r.Upper.Infinite }),
		// fg_range_as changes a set of one type into one of another.
		"fg_range_as(BIGINT, VARCHAR, BIGINT) VARCHAR": ofRanges(func(c *call, _ postgres.OID, s postgres.RangeSet) error {
			to := postgres.OID(c.int8(2))
			if _, multi, _ := postgres.RangeTypeOf(to); !multi {
				s = s.Hull()
			}
			c.setRanges(to, s)
			return nil
		}),
		"fg_range_each(BIGINT, VARCHAR, BIGINT) VARCHAR[]": ofRanges(func(c *call, _ postgres.OID, s postgres.RangeSet) error {
			list := make([][]byte, len(s))
			for i := range s {
				list[i] = postgres.AppendRanges(nil, postgres.OID(c.int8(2)), s[i:i+1], postgres.DefaultEnv())
			}
			c.setList(list)
			return nil
		}),
		"fg_range_compare" + pair + "INTEGER": ofRangePair(func(c *call, _ postgres.OID, a, b postgres.RangeSet) error {
			c.setInt4(int32(a.Compare(b)))
			return nil
		}),
	}
}
