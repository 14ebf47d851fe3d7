package duckdb

import (
	"strings"

	"github.com/jackc/pgerrcode"
)

// Values of bit and varbit are their texts: zeros and ones. They order as those do.

// combineBits combines two bit strings of one length; verb is what an error calls it.
func combineBits(verb, a, b string) (string, error) {
	if len(a) != len(b) {
		return "", errorf(pgerrcode.StringDataLengthMismatch, "cannot %s bit strings of different sizes", verb)
	}
	out := []byte(a)
	for i := range out {
		x, y := a[i]-'0', b[i]-'0'
		switch verb {
		case "AND":
			out[i] = '0' + (x & y)
		case "OR":
			out[i] = '0' + (x | y)
		default:
			out[i] = '0' + (x ^ y)
		}
	}
	return string(out), nil
}

// shiftBits moves a bit string to the left, to the right if n is negative, and fills it with zeros.
func shiftBits(s string, n int) string {
	switch size := len(s); {
	case n >= size || -n >= size:
		return strings.Repeat("0", size)
	case n >= 0:
		return s[n:] + strings.Repeat("0", n)
	default:
		return strings.Repeat("0", -n) + s[:size+n]
	}
}

func errBitSubstring() error {
	return errorf(pgerrcode.SubstringError, "negative substring length not allowed")
}

// partOfBits is the part of a bit string from one place up to another, counted from 1.
func partOfBits(s string, from, to int) string {
	from, to = max(from, 1), min(to, len(s)+1)
	if from >= to {
		return ""
	}
	return s[from-1 : to-1]
}

// bitsOfInt are the lowest n bits of an integer; beyond 64 its sign goes on.
func bitsOfInt(v int64, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[n-1-i] = '0' + byte(v>>min(i, 63)&1)
	}
	return string(out)
}

// intOfBits is the number that a bit string writes, of so many bits at most.
func intOfBits(s string, size int, typ string) (uint64, error) {
	if len(s) > size {
		return 0, errorf(pgerrcode.NumericValueOutOfRange, "%s out of range", typ)
	}
	v := uint64(0)
	for i := range len(s) {
		v = v<<1 | uint64(s[i]-'0')
	}
	return v, nil
}

// bitAt checks the place of a bit, argument 1, counted from 0.
func (c *call) bitAt() (int, error) {
	n, size := int(c.int4(1)), len(c.text(0))
	if n < 0 || n >= size {
		return 0, errorf(pgerrcode.ArraySubscriptError, "bit index %d out of valid range (0..%d)", n, size-1)
	}
	return n, nil
}

// bitFunctions are those of bit strings.
func bitFunctions() definitions {
	all := definitions{
		"fg_bit_not(VARCHAR) VARCHAR": fallible(func(c *call) (string, error) {
			return combineBits("XOR", c.text(0), strings.Repeat("1", len(c.text(0))))
		}),
		"fg_bit_shift(VARCHAR, BIGINT) VARCHAR": fallible(func(c *call) (string, error) { return shiftBits(c.text(0), int(c.int8(1))), nil }),
		"fg_bit_get(VARCHAR, INTEGER) INTEGER": func(c *call) error {
			n, err := c.bitAt()
			if err == nil {
				c.setInt4(int32(c.text(0)[n] - '0'))
			}
			return err
		},
		"fg_bit_set(VARCHAR, INTEGER, INTEGER) VARCHAR": fallible(func(c *call) (string, error) {
			n, err := c.bitAt()
			if err != nil {
				return "", err
			}
			if v := c.int4(2); v != 0 && v != 1 {
				return "", errorf(pgerrcode.InvalidParameterValue, "new bit must be 0 or 1")
			}
			s := c.text(0)
			return s[:n] + string('0'+c.int4(2)) + s[n+1:], nil
		}),
		"fg_bit_substring(VARCHAR, BIGINT) VARCHAR": fallible(func(c *call) (string, error) {
			return partOfBits(c.text(0), int(c.int8(1)), len(c.text(0))+1), nil
		}),
		"fg_bit_substring(VARCHAR, BIGINT, BIGINT) VARCHAR": fallible(func(c *call) (string, error) {
			if c.int8(2) < 0 {
				return "", errBitSubstring()
			}
			return partOfBits(c.text(0), int(c.int8(1)), int(c.int8(1)+c.int8(2))), nil
		}),
		"fg_bit_overlay(VARCHAR, VARCHAR, BIGINT, BIGINT) VARCHAR": fallible(func(c *call) (string, error) {
			s, from, length := c.text(0), int(c.int8(2)), int(c.int8(3))
			if from <= 0 {
				return "", errBitSubstring()
			}
			return partOfBits(s, 1, from) + c.text(1) + partOfBits(s, from+length, len(s)+1), nil
		}),
		"fg_bit_position(VARCHAR, VARCHAR) INTEGER": func(c *call) error {
			at := 0
			if c.text(0) != "" {
				at = strings.Index(c.text(0), c.text(1)) + 1
			}
			c.setInt4(int32(at))
			return nil
		},
		"fg_bit_count(VARCHAR) BIGINT":           func(c *call) error { c.setInt8(int64(strings.Count(c.text(0), "1"))); return nil },
		"fg_bit_of_int(BIGINT, INTEGER) VARCHAR": fallible(func(c *call) (string, error) { return bitsOfInt(c.int8(0), int(c.int4(1))), nil }),
		"fg_bit_int4(VARCHAR) INTEGER": func(c *call) error {
			v, err := intOfBits(c.text(0), 32, "integer")
			c.setInt4(int32(uint32(v)))
			return err
		},
		"fg_bit_int8(VARCHAR) BIGINT": func(c *call) error {
			v, err := intOfBits(c.text(0), 64, "bigint")
			c.setInt8(int64(v))
			return err
		},
	}
	for _, verb := range []string{"AND", "OR", "XOR"} {
		name := "fg_bit_" + strings.ToLower(verb)
		all[name+"(VARCHAR, VARCHAR) VARCHAR"] = fallible(func(c *call) (string, error) { return combineBits(verb, c.text(0), c.text(1)) })
		all[name+"_list(VARCHAR[]) VARCHAR"] = func(c *call) error {
			list := listOf(c, 0, strings.Clone)
			out := ""
			for i, s := range list {
				if i == 0 {
					out = s
					continue
				}
				var err error
				if out, err = combineBits(verb, out, s); err != nil {
					return err
				}
			}
			if len(list) > 0 {
				c.setText(out)
			}
			return nil
		}
	}
	return all
}
