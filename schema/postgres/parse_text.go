package postgres

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"
)

// maxNameLen is NAMEDATALEN less its final zero byte.
const maxNameLen = 63

// parseBytea reads \x and hexadecimal digits, or text with \\ and \ooo escapes.
func parseBytea(text string) (string, error) {
	if hexText, ok := strings.CutPrefix(text, `\x`); ok {
		return parseHex(hexText)
	}
	if strings.IndexByte(text, '\\') < 0 {
		return text, nil
	}
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c != '\\':
			b = append(b, c)
			i++
		case strings.HasPrefix(text[i+1:], `\`):
			b = append(b, '\\')
			i += 2
		case i+3 < len(text) && text[i+1] >= '0' && text[i+1] <= '3' && isOctal(text[i+2]) && isOctal(text[i+3]):
			b = append(b, (text[i+1]-'0')<<6|(text[i+2]-'0')<<3|(text[i+3]-'0'))
			i += 4
		default:
			return "", errorf(pgerrcode.InvalidTextRepresentation, "invalid input syntax for type %s", ByteaOID)
		}
	}
	return string(b), nil
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }

func parseHex(text string) (string, error) {
	b := make([]byte, 0, len(text)/2)
	for i := 0; i < len(text); {
		if c := text[i]; c == ' ' || c == '\n' || c == '\t' || c == '\r' {
			i++
			continue
		}
		high, err := hexDigit(text[i:])
		if err != nil {
			return "", err
		}
		if i++; i == len(text) {
			return "", errorf(pgerrcode.InvalidParameterValue, "invalid hexadecimal data: odd number of digits")
		}
		low, err := hexDigit(text[i:])
		if err != nil {
			return "", err
		}
		b = append(b, high<<4|low)
		i++
	}
	return string(b), nil
}

func hexDigit(text string) (byte, error) {
	switch c := text[0]; {
	case isDigit(c):
		return c - '0', nil
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, nil
	}
	_, size := utf8.DecodeRuneInString(text)
	return 0, errorf(pgerrcode.InvalidParameterValue, `invalid hexadecimal digit: "%s"`, text[:size])
}

// AppendByteaHex appends bytes as bytea prints them by default: \x and lower-case hexadecimal digits.
func AppendByteaHex(dst, b []byte) []byte { return hex.AppendEncode(append(dst, `\x`...), b) }

// appendByteaEscape appends bytes as bytea prints them with bytea_output = escape.
func appendByteaEscape(dst []byte, b string) []byte {
	for i := range len(b) {
		switch c := b[i]; {
		case c == '\\':
			dst = append(dst, `\\`...)
		case c < ' ' || c > '~':
			dst = append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// parseUUID reads 32 hexadecimal digits, with hyphens after any four of them and braces around all, into 16 bytes.
func parseUUID(text string) (string, error) {
	s := text
	if strings.HasPrefix(s, "{") {
		if !strings.HasSuffix(s, "}") {
			return "", badSyntax(UUIDOID, text)
		}
		s = s[1 : len(s)-1]
	}
	var id [16]byte
	for i := range id {
		if len(s) < 2 {
			return "", badSyntax(UUIDOID, text)
		}
		if _, err := hex.Decode(id[i:i+1], []byte(s[:2])); err != nil {
			return "", badSyntax(UUIDOID, text)
		}
		if s = s[2:]; i%2 == 1 && i < len(id)-1 {
			s = strings.TrimPrefix(s, "-")
		}
	}
	if s != "" {
		return "", badSyntax(UUIDOID, text)
	}
	return string(id[:]), nil
}

// AppendUUID appends a uuid in lower case with four hyphens.
func AppendUUID(dst []byte, id [16]byte) []byte {
	for i, b := range id {
		switch i {
		case 4, 6, 8, 10:
			dst = append(dst, '-')
		}
		dst = append(dst, hexDigits[b>>4], hexDigits[b&15])
	}
	return dst
}

// cutLength applies the length of varchar(n) or bpchar(n) as an explicit cast does: longer text is cut, and bpchar is
// padded with spaces.
func cutLength(oid OID, typmod int32, s string) string {
	n := int(typmod - typmodHeader)
	if n < 0 {
		return s
	}
	length := utf8.RuneCountInString(s)
	if length > n {
		end := 0
		for range n {
			_, size := utf8.DecodeRuneInString(s[end:])
			end += size
		}
		return s[:end]
	}
	if oid == BPCharOID {
		return s + strings.Repeat(" ", n-length)
	}
	return s
}

// cutName cuts text to the length of a name, at a character's end.
func cutName(s string) string {
	if len(s) <= maxNameLen {
		return s
	}
	end := maxNameLen
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// parseChar reads "char": the first byte of the text, or one written as \ooo. It is
// kept as it prints: a byte past ASCII as \ooo, and a zero as nothing.
func parseChar(s string) string {
	if b, ok := octalByte(s); ok {
		return charText(b)
	}
	if s == "" {
		return s
	}
	return charText(s[0])
}

// octalByte reads a byte that is written as \ooo.
func octalByte(s string) (b byte, ok bool) {
	if len(s) != 4 || s[0] != '\\' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:], 8, 9)
	return byte(n), err == nil
}

func charText(b byte) string {
	switch {
	case b == 0:
		return ""
	case b >= utf8.RuneSelf:
		return fmt.Sprintf("\\%03o", b)
	}
	return string(b)
}
