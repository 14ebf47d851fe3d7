package rest

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// escapeLength is that of \uXXXX.
const escapeLength = 6

// hasLoneSurrogate says whether JSON text has an escape of half a character, which
// package json reads as U+FFFD.
func hasLoneSurrogate(text []byte) bool {
	for {
		at := bytes.IndexByte(text, '\\')
		if at < 0 {
			return false
		}
		text = text[at:]
		first, ok := escapedUnit(text)
		switch {
		case !ok:
			text = text[min(2, len(text)):]
		case !utf16.IsSurrogate(first):
			text = text[escapeLength:]
		default:
			second, _ := escapedUnit(text[escapeLength:])
			if utf16.DecodeRune(first, second) == utf8.RuneError {
				return true
			}
			text = text[2*escapeLength:]
		}
	}
}

// escapedUnit reads the UTF-16 code unit of an escape at the start of JSON text.
func escapedUnit(text []byte) (rune, bool) {
	if len(text) < escapeLength || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(text[2:escapeLength]), 16, 16)
	return rune(unit), err == nil
}
