package postgres

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"
	"golang.org/x/text/encoding/charmap"
)

// Encoding is a character set of PostgreSQL (pg_wchar.h).
type Encoding struct {
	// Name is as PostgreSQL shows it, Number as its catalogs store it.
	Name   string
	Number int
	// runes are the characters of the bytes from 0x80 on, -1 where there is none; nil:
	// the set is UTF8, or none that texts are converted to and from.
	runes []rune
	bytes map[rune]byte
}

// The encodings that convert nothing: UTF8 because texts are in it, SQL_ASCII
// because it says that whoever has it wants the bytes as they are.
const (
	utf8Name     = "UTF8"
	sqlASCIIName = "SQL_ASCII"
)

// Encodings are PostgreSQL's, by number.
//
//nolint:gochecknoglobals // a lookup table, built when it is first needed
var Encodings = sync.OnceValue(func() []*Encoding {
	names := strings.Fields(`SQL_ASCII EUC_JP EUC_CN EUC_KR EUC_TW EUC_JIS_2004 UTF8 MULE_INTERNAL LATIN1 LATIN2 LATIN3 LATIN4 LATIN5 LATIN6
		LATIN7 LATIN8 LATIN9 LATIN10 WIN1256 WIN1258 WIN866 WIN874 KOI8R WIN1251 WIN1252 ISO_8859_5 ISO_8859_6 ISO_8859_7 ISO_8859_8
		WIN1250 WIN1253 WIN1254 WIN1255 WIN1257 KOI8U SJIS BIG5 GBK UHC GB18030 JOHAB SHIFT_JIS_2004`)
	all := make([]*Encoding, len(names))
	for i, name := range names {
		all[i] = &Encoding{Name: name, Number: i}
		if set := charmaps[name]; set != nil {
			all[i].fill(set)
		}
	}
	return all
})

// charmaps are the sets of one byte a character.
var charmaps = map[string]*charmap.Charmap{
	"LATIN1": charmap.ISO8859_1, "LATIN2": charmap.ISO8859_2, "LATIN3": charmap.ISO8859_3, "LATIN4": charmap.ISO8859_4,
	"LATIN5": charmap.ISO8859_9, "LATIN6": charmap.ISO8859_10, "LATIN7": charmap.ISO8859_13, "LATIN8": charmap.ISO8859_14,
	"LATIN9": charmap.ISO8859_15, "LATIN10": charmap.ISO8859_16, "ISO_8859_5": charmap.ISO8859_5, "ISO_8859_6": charmap.ISO8859_6,
	"ISO_8859_7": charmap.ISO8859_7, "ISO_8859_8": charmap.ISO8859_8, "WIN866": charmap.CodePage866, "WIN874": charmap.Windows874,
	"WIN1250": charmap.Windows1250, "WIN1251": charmap.Windows1251, "WIN1252": charmap.Windows1252, "WIN1253": charmap.Windows1253,
	"WIN1254": charmap.Windows1254, "WIN1255": charmap.Windows1255, "WIN1256": charmap.Windows1256, "WIN1257": charmap.Windows1257,
	"WIN1258": charmap.Windows1258, "KOI8R": charmap.KOI8R, "KOI8U": charmap.KOI8U,
}

// otherRunes are the characters that PostgreSQL has in other places than the maps,
// -1: none.
var otherRunes = map[string]map[byte]rune{
	"WIN1255": {0xca: -1},
	"KOI8U":   {0xae: 0x255d, 0xbe: 0x256c},
}

const firstHighByte = 0x80

func (e *Encoding) fill(set *charmap.Charmap) {
	e.runes = make([]rune, firstHighByte)
	e.bytes = make(map[rune]byte, firstHighByte)
	isISO := strings.HasPrefix(e.Name, "LATIN") || strings.HasPrefix(e.Name, "ISO")
	for i := range e.runes {
		b := byte(firstHighByte + i)
		r := set.DecodeByte(b)
		if other, ok := otherRunes[e.Name][b]; ok {
			r = other
		}
		switch {
		case r == utf8.RuneError && isISO && b < firstHighByte+0x20:
			r = rune(b) // a control character
		case r == utf8.RuneError:
			r = -1
		}
		e.runes[i] = r
		if r >= 0 {
			e.bytes[r] = b
		}
	}
}

// otherNames are further names of encodings (encnames.c), by letters and digits.
var otherNames = map[string]string{
	"abc": "WIN1258", "alt": "WIN866", "iso88591": "LATIN1", "iso885910": "LATIN6", "iso885913": "LATIN7", "iso885914": "LATIN8",
	"iso885915": "LATIN9", "iso885916": "LATIN10", "iso88592": "LATIN2", "iso88593": "LATIN3", "iso88594": "LATIN4", "iso88599": "LATIN5",
	"koi8": "KOI8R", "mskanji": "SJIS", "shiftjis": "SJIS", "tcvn": "WIN1258", "tcvn5712": "WIN1258", "unicode": utf8Name,
	"vscii": "WIN1258", "win": "WIN1251", "win932": "SJIS", "win936": "GBK", "win949": "UHC", "win950": "BIG5", "windows1250": "WIN1250",
	"windows1251": "WIN1251", "windows1252": "WIN1252", "windows1253": "WIN1253", "windows1254": "WIN1254", "windows1255": "WIN1255",
	"windows1256": "WIN1256", "windows1257": "WIN1257", "windows1258": "WIN1258", "windows866": "WIN866", "windows874": "WIN874",
	"windows932": "SJIS", "windows936": "GBK", "windows949": "UHC", "windows950": "BIG5",
}

// encodingsByName has the encodings by all of their names' letters and digits.
//
//nolint:gochecknoglobals // a lookup table, built when it is first needed
var encodingsByName = sync.OnceValue(func() map[string]*Encoding {
	all := map[string]*Encoding{}
	for _, e := range Encodings() {
		all[plainName(e.Name)] = e
	}
	for other, name := range otherNames {
		all[other] = all[plainName(name)]
	}
	return all
})

// EncodingNamed finds an encoding as PostgreSQL does, by the letters and digits of a
// name.
func EncodingNamed(name string) (*Encoding, bool) {
	e, ok := encodingsByName()[plainName(name)]
	return e, ok
}

func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// Keeps says that texts stay as they are.
func (e *Encoding) Keeps() bool { return e.Name == utf8Name || e.Name == sqlASCIIName }

// Converts says that texts can be had in the encoding.
func (e *Encoding) Converts() bool { return e.Keeps() || e.runes != nil }

// AppendUTF8 appends a text of the encoding as UTF-8. The error is an *Error.
func (e *Encoding) AppendUTF8(dst, text []byte) ([]byte, error) {
	for _, b := range text {
		switch {
		case e.runes == nil || b < firstHighByte && b != 0:
			dst = append(dst, b)
		case b == 0:
			return dst, errorf(pgerrcode.CharacterNotInRepertoire, "invalid byte sequence for encoding \"%s\": 0x00", e.Name)
		case e.runes[b-firstHighByte] < 0:
			return dst, noEquivalent([]byte{b}, e.Name, utf8Name)
		default:
			dst = utf8.AppendRune(dst, e.runes[b-firstHighByte])
		}
	}
	return dst, nil
}

// Append appends a text of UTF-8 in the encoding. The error is an *Error.
func (e *Encoding) Append(dst, text []byte) ([]byte, error) {
	if e.runes == nil {
		return append(dst, text...), nil
	}
	for len(text) > 0 {
		if text[0] < firstHighByte {
			dst, text = append(dst, text[0]), text[1:]
			continue
		}
		r, size := utf8.DecodeRune(text)
		b, ok := e.bytes[r]
		if !ok {
			return dst, noEquivalent(text[:size], utf8Name, e.Name)
		}
		dst, text = append(dst, b), text[size:]
	}
	return dst, nil
}

// Show is a text of UTF-8 in the encoding, with a question mark for each character
// that it lacks.
func (e *Encoding) Show(text string) string {
	if e.runes == nil || IsASCII(text) {
		return text
	}
	var out bytes.Buffer
	for _, r := range text {
		b, ok := e.bytes[r]
		switch {
		case r < firstHighByte:
			b = byte(r)
		case !ok:
			b = '?'
		}
		out.WriteByte(b)
	}
	return out.String()
}

// IsASCII says that a text has ASCII's characters alone, which all encodings share.
func IsASCII[T string | []byte](text T) bool {
	for i := range len(text) {
		if text[i] >= firstHighByte {
			return false
		}
	}
	return true
}

func noEquivalent(sequence []byte, from, to string) *Error {
	return errorf(pgerrcode.UntranslatableCharacter, "character with byte sequence %s in encoding \"%s\" has no equivalent in encoding \"%s\"",
		fmt.Sprintf("% #x", sequence), from, to)
}
