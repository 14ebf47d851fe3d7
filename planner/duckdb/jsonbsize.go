package duckdb

import (
	"encoding/binary"
	"unsafe"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// jsonbOffset is where PostgreSQL's stored form of a value, which is base, has the object that is a part of its text: by
// that keyvalue() numbers objects. It is 0 for one that is no part of base.
func jsonbOffset(base, part string) int64 {
	l := &jsonbLayout{part: unsafe.StringData(part)}
	l.value(base, 0)
	return int64(l.at)
}

// jsonbLayout lays a value out as jsonb does (jsonb.h): a container is a header and an entry for each key and value, of
// four bytes each, then the keys, then the values; containers and numbers begin at multiples of four.
type jsonbLayout struct {
	part *byte // what is looked for
	at   int
}

func align4(n int) int { return (n + 3) &^ 3 }

// value is the place behind a value that may begin at from.
func (l *jsonbLayout) value(text string, from int) (end int) {
	switch kindOfJSON(text) {
	case "string":
		return from + len(unquoteJSON(text))
	case "number":
		return align4(from) + numericSize(text)
	case "object", "array":
	default:
		return from
	}
	at := align4(from)
	if unsafe.StringData(text) == l.part {
		l.at = at
	}
	entries, keys := 0, 0
	parts := jsonParts(text)
	for _, p := range parts {
		entries++
		if p.key != "" {
			entries++
			keys += len(unquoteJSON(p.key))
		}
	}
	end = at + 4 + 4*entries + keys
	for _, p := range parts {
		end = l.value(p.value, end)
	}
	return end
}

// numericSize is how many bytes PostgreSQL stores a numeric in (numeric.c).
func numericSize(text string) int {
	const (
		fullHeader  = 8 // of the binary form: digits, weight, sign, scale
		maxShort    = 63
		shortHeader = 6
		longHeader  = 8
	)
	b := postgres.AppendBinaryNumeric(nil, []byte(text))
	weight, scale := int16(binary.BigEndian.Uint16(b[2:])), int16(binary.BigEndian.Uint16(b[6:]))
	if scale <= maxShort && weight <= maxShort && weight >= -maxShort-1 {
		return shortHeader + len(b) - fullHeader
	}
	return longHeader + len(b) - fullHeader
}
