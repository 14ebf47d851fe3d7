package duckdb

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/jackc/pgerrcode"
)

// byteFunctions are functions of bytea.
func byteFunctions() definitions {
	trim := func(cut func(b []byte, set string) []byte) func(c *call) error {
		return func(c *call) error { c.setBytes(cut(c.bytes(0), string(c.bytes(1)))); return nil }
	}
	number := func(write func(c *call) []byte) func(c *call) error {
		return func(c *call) error { c.setBytes(write(c)); return nil }
	}
	order := binary.BigEndian
	return definitions{
		"fg_bytes_part(BLOB, INTEGER) BLOB": func(c *call) error {
			c.setBytes(partOfBytes(c.bytes(0), int64(c.int4(1)), math.MaxInt32))
			return nil
		},
		"fg_bytes_part(BLOB, INTEGER, INTEGER) BLOB": func(c *call) error {
			if c.int4(2) < 0 {
				return errorf(pgerrcode.SubstringError, "negative substring length not allowed")
			}
			c.setBytes(partOfBytes(c.bytes(0), int64(c.int4(1)), int64(c.int4(2))))
			return nil
		},
		"fg_bytes_overlay(BLOB, BLOB, INTEGER, INTEGER) BLOB": func(c *call) error {
			from, length := int64(c.int4(2)), int64(c.int4(3))
			if from <= 0 {
				return errorf(pgerrcode.SubstringError, "negative substring length not allowed")
			}
			c.setBytes(partOfBytes(c.bytes(0), 1, from-1))
			c.setBytes(c.bytes(1))
			c.setBytes(partOfBytes(c.bytes(0), from+length, math.MaxInt32))
			return nil
		},
		"fg_bytes_position(BLOB, BLOB) INTEGER": func(c *call) error {
			c.setInt4(int32(bytes.Index(c.bytes(0), c.bytes(1))) + 1)
			return nil
		},
		"fg_bytes_btrim(BLOB, BLOB) BLOB": trim(func(b []byte, set string) []byte { return trimBytes(b, set, true, true) }),
		"fg_bytes_ltrim(BLOB, BLOB) BLOB": trim(func(b []byte, set string) []byte { return trimBytes(b, set, true, false) }),
		"fg_bytes_rtrim(BLOB, BLOB) BLOB": trim(func(b []byte, set string) []byte { return trimBytes(b, set, false, true) }),
		"fg_get_byte(BLOB, INTEGER) INTEGER": func(c *call) error {
			at, err := checkIndex(int64(c.int4(1)), int64(len(c.bytes(0))))
			if err == nil {
				c.setInt4(int32(c.bytes(0)[at]))
			}
			return err
		},
		"fg_set_byte(BLOB, INTEGER, INTEGER) BLOB": func(c *call) error {
			at, err := checkIndex(int64(c.int4(1)), int64(len(c.bytes(0))))
			if err == nil {
				out := bytes.Clone(c.bytes(0))
				out[at] = byte(c.int4(2))
				c.setBytes(out)
			}
			return err
		},
		"fg_get_bit(BLOB, BIGINT) INTEGER": func(c *call) error {
			at, err := checkIndex(c.int8(1), int64(len(c.bytes(0)))*8)
			if err == nil {
				c.setInt4(int32(c.bytes(0)[at/8] >> (at % 8) & 1))
			}
			return err
		},
		"fg_set_bit(BLOB, BIGINT, INTEGER) BLOB": func(c *call) error {
			at, err := checkIndex(c.int8(1), int64(len(c.bytes(0)))*8)
			switch {
			case err != nil:
				return err
			case c.int4(2) != 0 && c.int4(2) != 1:
				return errorf(pgerrcode.InvalidParameterValue, "new bit must be 0 or 1")
			}
			out := bytes.Clone(c.bytes(0))
			out[at/8] = out[at/8]&^(1<<(at%8)) | byte(c.int4(2))<<(at%8)
			c.setBytes(out)
			return nil
		},
		"fg_bit_count(BLOB) BIGINT": func(c *call) error {
			n := 0
			for _, b := range c.bytes(0) {
				n += bits.OnesCount8(b)
			}
			c.setInt8(int64(n))
			return nil
		},
		"fg_sha224(BLOB) BLOB": number(func(c *call) []byte { sum := sha256.Sum224(c.bytes(0)); return sum[:] }),
		"fg_sha384(BLOB) BLOB": number(func(c *call) []byte { sum := sha512.Sum384(c.bytes(0)); return sum[:] }),
		"fg_sha512(BLOB) BLOB": number(func(c *call) []byte { sum := sha512.Sum512(c.bytes(0)); return sum[:] }),
		"fg_like(BLOB, BLOB) BOOLEAN": func(c *call) error {
			matches, err := likeBytes(c.bytes(0), c.bytes(1))
			c.setBool(matches)
			return err
		},
		"fg_like_escape(BLOB, BLOB) BLOB": func(c *call) error {
			p, err := convertEscape(latin1(c.bytes(0)), latin1(c.bytes(1)))
			if err == nil {
				c.setBytes(bytesOfLatin1(p))
			}
			return err
		},
		"fg_send(SMALLINT) BLOB": number(func(c *call) []byte { return order.AppendUint16(nil, uint16(arg[int16](c, 0))) }),
		"fg_send(INTEGER) BLOB":  number(func(c *call) []byte { return order.AppendUint32(nil, uint32(c.int4(0))) }),
		"fg_send(BIGINT) BLOB":   number(func(c *call) []byte { return order.AppendUint64(nil, uint64(c.int8(0))) }),
		"fg_send(FLOAT) BLOB":    number(func(c *call) []byte { return order.AppendUint32(nil, math.Float32bits(arg[float32](c, 0))) }),
		"fg_send(DOUBLE) BLOB":   number(func(c *call) []byte { return order.AppendUint64(nil, math.Float64bits(c.float8(0))) }),
	}
}

// checkIndex checks a place among count.
func checkIndex(at, count int64) (int64, error) {
	if at < 0 || at >= count {
		return 0, errorf(pgerrcode.ArraySubscriptError, "index %d out of valid range, 0..%d", at, count-1)
	}
	return at, nil
}

// partOfBytes is length bytes from a place counted from 1, which may lie before
// the first.
func partOfBytes(b []byte, from, length int64) []byte {
	end := min(from+length, int64(len(b))+1)
	from = max(from, 1)
	if end <= from {
		return nil
	}
	return b[from-1 : end-1]
}

func trimBytes(b []byte, set string, left, right bool) []byte {
	for left && len(b) > 0 && bytes.IndexByte([]byte(set), b[0]) >= 0 {
		b = b[1:]
	}
	for right && len(b) > 0 && bytes.IndexByte([]byte(set), b[len(b)-1]) >= 0 {
		b = b[:len(b)-1]
	}
	return b
}

// latin1 is bytes as text of one character each.
func latin1(b []byte) string {
	out := make([]rune, len(b))
	for i, c := range b {
		out[i] = rune(c)
	}
	return string(out)
}

func bytesOfLatin1(s string) []byte {
	var out []byte
	for _, r := range s {
		out = append(out, byte(r))
	}
	return out
}

// likeBytes is LIKE byte by byte, with the backslash as its escape.
func likeBytes(b, pattern []byte) (bool, error) {
	for len(pattern) > 0 {
		switch pattern[0] {
		case '%':
			for i := 0; i <= len(b); i++ {
				if matches, err := likeBytes(b[i:], pattern[1:]); matches || err != nil {
					return matches, err
				}
			}
			return false, nil
		case '_':
			if len(b) == 0 {
				return false, nil
			}
		default:
			if len(b) == 0 {
				return false, nil
			}
			if pattern[0] == '\\' {
				if pattern = pattern[1:]; len(pattern) == 0 {
					return false, checkLike(`\`)
				}
			}
			if pattern[0] != b[0] {
				return false, nil
			}
		}
		b, pattern = b[1:], pattern[1:]
	}
	return len(b) == 0, nil
}
