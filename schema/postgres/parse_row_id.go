package postgres

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"
)

// parseCounter reads an xid or cid, which PostgreSQL 15 reads with C's strtoul and no
// check: digits as far as they go, in a base that their beginning tells.
func parseCounter(text string) uint32 {
	text = strings.TrimLeft(text, spaces)
	negative := strings.HasPrefix(text, "-")
	if negative || strings.HasPrefix(text, "+") {
		text = text[1:]
	}
	base := uint64(10)
	switch lower := strings.ToLower(text); {
	case len(lower) > 2 && strings.HasPrefix(lower, "0x") && digitOf(lower[2]) < 16:
		base, text = 16, text[2:]
	case strings.HasPrefix(lower, "0"):
		base = 8
	}
	n := uint64(0)
	for i := 0; i < len(text) && digitOf(text[i]) < base; i++ {
		digit := digitOf(text[i])
		if n > (math.MaxUint64-digit)/base {
			return math.MaxUint32
		}
		n = n*base + digit
	}
	if negative {
		n = -n
	}
	return uint32(n)
}

// digitOf is the value of a digit or letter; what is none has a large one.
func digitOf(c byte) uint64 {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c - '0')
	case c >= 'a' && c <= 'z':
		return uint64(c-'a') + 10
	case c >= 'A' && c <= 'Z':
		return uint64(c-'A') + 10
	}
	return math.MaxUint64
}

// parseTID reads (block,offset) as tidin does.
func parseTID(text string) (string, error) {
	invalid := errorf(pgerrcode.InvalidTextRepresentation, `invalid input syntax for type tid: "%s"`, text)
	_, inner, opened := strings.Cut(text, "(")
	block, rest, both := strings.Cut(inner, ",")
	offset, _, closed := strings.Cut(rest, ")")
	b, err := strconv.ParseInt(strings.TrimLeft(block, spaces), 10, 64)
	if !opened || !both || !closed || err != nil || b > math.MaxUint32 || b < math.MinInt32 {
		return "", invalid
	}
	o, err := strconv.ParseUint(strings.TrimLeft(offset, spaces), 10, 16)
	if err != nil {
		return "", invalid
	}
	return "(" + strconv.FormatUint(uint64(uint32(b)), 10) + "," + strconv.FormatUint(o, 10) + ")", nil
}

// appendBinaryTID appends the block and the offset of a tid, which is well formed.
func appendBinaryTID(dst []byte, text string) []byte {
	block, offset, _ := strings.Cut(strings.Trim(text, "()"), ",")
	b, _ := strconv.ParseUint(block, 10, 32)
	o, _ := strconv.ParseUint(offset, 10, 16)
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(dst, uint32(b)), uint16(o))
}
