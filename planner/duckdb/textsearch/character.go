package textsearch

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

func isASCIILetter(c rune) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c rune) bool       { return c >= '0' && c <= '9' }
func isHexDigit(c rune) bool    { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// isLetter follows iswalpha of C.UTF-8, for which the digits of other scripts are letters.
func isLetter(c rune) bool {
	if c < 0x80 {
		return isASCIILetter(c)
	}
	return unicode.In(c, unicode.L, unicode.Nd, unicode.Nl, unicode.Other_Alphabetic) && !isJoinedToo(c)
}

func isAlnum(c rune) bool { return isLetter(c) || isDigit(c) }

func isSpace(c rune) bool { return postgres.IsSpace(c) }

// isJoined says that a character does not end the word that it stands in, though it is no letter: it has no width.
func isJoined(c rune) bool {
	return c >= 0x80 && (unicode.In(c, unicode.Mn, unicode.Me) || isJoinedToo(c))
}

// joinedToo are the characters without a width to PostgreSQL (unicode_combining_table.h) that Unicode has no non-spacing marks
// at, or letters.
var joinedToo = [][2]rune{
	{0x9ff, 0xa00},
	{0xa43, 0xa46},
	{0xa49, 0xa4a},
	{0xa4e, 0xa50},
	{0xac6, 0xac6},
	{0xb00, 0xb00},
	{0xb4e, 0xb54},
	{0xc04, 0xc04},
	{0xc49, 0xc49},
	{0xc4e, 0xc54},
	{0xdd5, 0xdd5},
	{0xf3e, 0xf3f},
	{0xf82, 0xf83},
	{0xf98, 0xf98},
	{0x1a5f, 0x1a5f},
	{0x1a7d, 0x1a7e},
	{0x1acf, 0x1aff},
	{0x1b44, 0x1b44},
	{0x1baa, 0x1baa},
	{0xa953, 0xa953},
	{0x10a04, 0x10a04},
	{0x10a07, 0x10a0b},
	{0x10a3b, 0x10a3e},
	{0x11080, 0x11081},
	{0x1136d, 0x1136f},
	{0x119d8, 0x119d9},
	{0x11c37, 0x11c37},
	{0x11d37, 0x11d39},
	{0x11d3b, 0x11d3b},
	{0x11d3e, 0x11d3e},
	{0x1cf2e, 0x1cf2f},
	{0x1daa0, 0x1daa0},
	{0x1e007, 0x1e007},
	{0x1e019, 0x1e01a},
	{0x1e022, 0x1e022},
	{0x1e025, 0x1e025},
}

func isJoinedToo(c rune) bool {
	i, found := slices.BinarySearchFunc(joinedToo, c, func(r [2]rune, c rune) int { return cmp.Compare(r[0], c) })
	return found || i > 0 && c <= joinedToo[i-1][1]
}

// isURLChar says that a character may stand in a URL, by RFC 3986.
func isURLChar(c rune) bool { return c > ' ' && c < 0x7f && !strings.ContainsRune("\"<>\\^`{|}", c) }
