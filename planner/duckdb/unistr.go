package duckdb

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"
)

// unistr puts characters in the place of their numbers: \XXXX, \+XXXXXX, \uXXXX
// and \UXXXXXXXX (unistr in varlena.c).
func unistr(s string) (string, error) {
	var out strings.Builder
	high := rune(0) // the first half of a surrogate pair
	pair := errorf(pgerrcode.SyntaxError, "invalid Unicode surrogate pair")
	for s != "" {
		if s[0] != '\\' || strings.HasPrefix(s, `\\`) {
			if high != 0 {
				return "", pair
			}
			size := 1
			out.WriteByte(s[0])
			if s[0] == '\\' {
				size = 2
			}
			s = s[size:]
			continue
		}
		r, size := escapedRune(s[1:])
		if size == 0 {
			e := errorf(pgerrcode.SyntaxError, "invalid Unicode escape")
			e.Hint = `Unicode escapes must be \XXXX, \+XXXXXX, \uXXXX, or \UXXXXXXXX.`
			return "", e
		}
		s = s[1+size:]
		switch {
		case high != 0:
			if r = utf16.DecodeRune(high, r); r == utf8.RuneError {
				return "", pair
			}
			high = 0
		case r >= 0xdc00 && r <= 0xdfff:
			return "", pair
		case r >= 0xd800 && r <= 0xdbff:
			high = r
			continue
		case r <= 0 || r > utf8.MaxRune:
			return "", errorf(pgerrcode.InvalidParameterValue, "invalid Unicode code point: %04X", uint32(r))
		}
		out.WriteRune(r)
	}
	if high != 0 {
		return "", pair
	}
	return out.String(), nil
}

// escapedRune reads a number behind a backslash, and how long it is; 0: it is none.
func escapedRune(s string) (r rune, size int) {
	for _, form := range []struct {
		prefix string
		digits int
	}{{"+", 6}, {"u", 4}, {"U", 8}, {"", 4}} {
		digits, ok := strings.CutPrefix(s, form.prefix)
		if !ok || len(digits) < form.digits {
			continue
		}
		if n, err := strconv.ParseUint(digits[:form.digits], 16, 32); err == nil {
			return rune(n), len(form.prefix) + form.digits
		}
	}
	return 0, 0
}
