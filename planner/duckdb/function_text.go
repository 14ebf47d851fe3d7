package duckdb

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"
	"golang.org/x/text/unicode/norm"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// fallible sets a text or fails.
func fallible(f func(c *call) (string, error)) func(c *call) error {
	return func(c *call) error {
		s, err := f(c)
		if err == nil {
			c.setText(s)
		}
		return err
	}
}

// normalForm is a normal form of Unicode by its name.
func normalForm(name string) (norm.Form, error) {
	switch strings.ToUpper(name) {
	case "NFC":
		return norm.NFC, nil
	case "NFD":
		return norm.NFD, nil
	case "NFKC":
		return norm.NFKC, nil
	case "NFKD":
		return norm.NFKD, nil
	}
	return norm.NFC, errorf(pgerrcode.InvalidParameterValue, "invalid normalization form: %s", name)
}

// textFunctions are PostgreSQL's string functions where DuckDB has none or one
// that answers otherwise.
func textFunctions() definitions {
	one := func(f func(s string) string) func(c *call) error {
		return func(c *call) error { c.setText(f(c.text(0))); return nil }
	}
	return definitions{
		"fg_upper(VARCHAR) VARCHAR": one(func(s string) string { return strings.Map(unicode.ToUpper, s) }),
		"fg_lower(VARCHAR) VARCHAR": one(func(s string) string { return strings.Map(unicode.ToLower, s) }),
		"fg_normalize(VARCHAR, VARCHAR) VARCHAR": fallible(func(c *call) (string, error) {
			form, err := normalForm(c.text(1))
			return form.String(c.text(0)), err
		}),
		"fg_is_normalized(VARCHAR, VARCHAR) BOOLEAN": func(c *call) error {
			form, err := normalForm(c.text(1))
			c.setBool(form.IsNormalString(c.text(0)))
			return err
		},
		"fg_initcap(VARCHAR) VARCHAR": one(initcap),
		"fg_reverse(VARCHAR) VARCHAR": one(reverse),
		"fg_md5(BLOB) VARCHAR": func(c *call) error {
			sum := md5.Sum(c.bytes(0))
			c.setText(hex.EncodeToString(sum[:]))
			return nil
		},
		"fg_to_hex(BIGINT) VARCHAR":         func(c *call) error { c.setText(strconv.FormatUint(uint64(c.int8(0)), 16)); return nil },
		"fg_quote_ident(VARCHAR) VARCHAR":   one(postgres.QuoteIdentifier),
		"fg_quote_literal(VARCHAR) VARCHAR": one(quoteLiteral),
		"fg_substr(VARCHAR, INTEGER) VARCHAR": func(c *call) error {
			c.setText(substring(c.text(0), int64(c.int4(1)), int64(len(c.text(0)))+max(0, -int64(c.int4(1)))+1))
			return nil
		},
		"fg_substr(VARCHAR, INTEGER, INTEGER) VARCHAR": fallible(func(c *call) (string, error) {
			if c.int4(2) < 0 {
				return "", errorf(pgerrcode.SubstringError, "negative substring length not allowed")
			}
			return substring(c.text(0), int64(c.int4(1)), int64(c.int4(2))), nil
		}),
		"fg_left(VARCHAR, INTEGER) VARCHAR": func(c *call) error {
			c.setText(leftOf(c.text(0), int(c.int4(1))))
			return nil
		},
		"fg_right(VARCHAR, INTEGER) VARCHAR": func(c *call) error {
			c.setText(rightOf(c.text(0), int(c.int4(1))))
			return nil
		},
		"fg_strpos(VARCHAR, VARCHAR) INTEGER": func(c *call) error {
			c.setInt4(int32(position(c.text(0), c.text(1))))
			return nil
		},
		"fg_lpad(VARCHAR, INTEGER, VARCHAR) VARCHAR": func(c *call) error {
			s, pad, err := padding(c.text(0), int(c.int4(1)), c.text(2))
			c.setText(pad)
			c.setText(s)
			return err
		},
		"fg_rpad(VARCHAR, INTEGER, VARCHAR) VARCHAR": func(c *call) error {
			s, pad, err := padding(c.text(0), int(c.int4(1)), c.text(2))
			c.setText(s)
			c.setText(pad)
			return err
		},
		"fg_btrim(VARCHAR, VARCHAR) VARCHAR": func(c *call) error { c.setText(strings.Trim(c.text(0), c.text(1))); return nil },
		"fg_ltrim(VARCHAR, VARCHAR) VARCHAR": func(c *call) error { c.setText(strings.TrimLeft(c.text(0), c.text(1))); return nil },
		"fg_rtrim(VARCHAR, VARCHAR) VARCHAR": func(c *call) error { c.setText(strings.TrimRight(c.text(0), c.text(1))); return nil },
		"fg_replace(VARCHAR, VARCHAR, VARCHAR) VARCHAR": func(c *call) error {
			if c.text(1) == "" {
				c.setText(c.text(0))
				return nil
			}
			c.setText(strings.ReplaceAll(c.text(0), c.text(1), c.text(2)))
			return nil
		},
		"fg_repeat(VARCHAR, INTEGER) VARCHAR": fallible(func(c *call) (string, error) {
			n := max(0, int(c.int4(1)))
			if len(c.text(0))*n > maxResult {
				return "", errorf(pgerrcode.ProgramLimitExceeded, "requested length too large")
			}
			return strings.Repeat(c.text(0), n), nil
		}),
		"fg_ascii(VARCHAR) INTEGER": func(c *call) error {
			r, _ := utf8.DecodeRuneInString(c.text(0))
			if c.text(0) == "" {
				r = 0
			}
			c.setInt4(r)
			return nil
		},
		"fg_chr(INTEGER) VARCHAR":                         fallible(func(c *call) (string, error) { return chr(c.int4(0)) }),
		"fg_translate(VARCHAR, VARCHAR, VARCHAR) VARCHAR": func(c *call) error { c.setText(translate(c.text(0), c.text(1), c.text(2))); return nil },
		"fg_overlay(VARCHAR, VARCHAR, INTEGER, INTEGER) VARCHAR": fallible(func(c *call) (string, error) {
			return overlay(c.text(0), c.text(1), int64(c.int4(2)), int64(c.int4(3)))
		}),
	}
}

// partFunctions split texts, join them and write them in other ways.
func partFunctions() definitions {
	return definitions{
		"fg_split_part(VARCHAR, VARCHAR, INTEGER) VARCHAR": fallible(func(c *call) (string, error) {
			return splitPart(c.text(0), c.text(1), int(c.int4(2)))
		}),
		"fg_encode(BLOB, VARCHAR) VARCHAR": fallible(func(c *call) (string, error) { return encode(c.bytes(0), c.text(1)) }),
		"fg_decode(VARCHAR, VARCHAR) BLOB": func(c *call) error {
			b, err := decode(c.text(0), c.text(1))
			if err == nil {
				c.setBytes(b)
			}
			return err
		},
		"fg_text_length(VARCHAR) INTEGER":                          func(c *call) error { c.setInt4(int32(utf8.RuneCountInString(c.text(0)))); return nil },
		"*fg_string_to_array(VARCHAR, VARCHAR, VARCHAR) VARCHAR[]": stringToArray,
		"*fg_array_to_string(VARCHAR[], VARCHAR, VARCHAR) VARCHAR": arrayToString,
		"fg_unistr(VARCHAR) VARCHAR":                               fallible(func(c *call) (string, error) { return unistr(c.text(0)) }),
		"=fg_format(VARCHAR, VARCHAR[]) VARCHAR":                   fallible(func(c *call) (string, error) { return format(c.text(0), c.list(1)) }),
	}
}

// initcap begins every run of letters and digits with a capital.
func initcap(s string) string {
	inside := false
	return strings.Map(func(r rune) rune {
		begins := !inside
		inside = unicode.IsLetter(r) || unicode.IsDigit(r)
		if begins {
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, s)
}

func reverse(s string) string {
	out := make([]byte, 0, len(s))
	for len(s) > 0 {
		_, n := utf8.DecodeLastRuneInString(s)
		out = append(out, s[len(s)-n:]...)
		s = s[:len(s)-n]
	}
	return string(out)
}

// substring is the characters from..from+length, counted from 1; positions
// before the first are passed over.
func substring(s string, from, length int64) string {
	end := from + length
	from = max(from, 1)
	if end <= from {
		return ""
	}
	start := skip(s, from-1)
	return s[start : start+skip(s[start:], end-from)]
}

// skip is the length in bytes of the first n characters.
func skip(s string, n int64) int {
	if n >= int64(len(s)) {
		return len(s)
	}
	i := 0
	for ; n > 0 && i < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return i
}

func leftOf(s string, n int) string {
	if n < 0 {
		n = max(0, utf8.RuneCountInString(s)+n)
	}
	return s[:skip(s, int64(n))]
}

func rightOf(s string, n int) string {
	count := utf8.RuneCountInString(s)
	if n < 0 {
		return s[skip(s, int64(min(count, -n))):]
	}
	return s[skip(s, int64(max(0, count-n))):]
}

func position(s, part string) int {
	i := strings.Index(s, part)
	if i < 0 {
		return 0
	}
	return utf8.RuneCountInString(s[:i]) + 1
}

// maxPadded is how many characters lpad and rpad may give: PostgreSQL allows for four
// bytes each in at most 1 GB (MaxAllocSize), with a header of four.
const maxPadded = (0x3fffffff - 4) / 4

// padding is s cut to n characters, and what fills it up.
func padding(s string, n int, fill string) (cut, pad string, err error) {
	count := utf8.RuneCountInString(s)
	if n <= count {
		return s[:skip(s, int64(max(n, 0)))], "", nil
	}
	width := utf8.RuneCountInString(fill)
	if width == 0 {
		return s, "", nil
	}
	if n > maxPadded {
		return "", "", errorf(pgerrcode.ProgramLimitExceeded, "requested length too large")
	}
	missing := n - count
	pad = strings.Repeat(fill, missing/width)
	return s, pad + fill[:skip(fill, int64(missing%width))], nil
}

func splitPart(s, separator string, n int) (string, error) {
	if n == 0 {
		return "", errorf(pgerrcode.InvalidParameterValue, "field position must not be zero")
	}
	parts := []string{s}
	switch {
	case s == "":
		return "", nil
	case separator != "":
		parts = strings.Split(s, separator)
	}
	if n < 0 {
		n += len(parts) + 1
	}
	if n < 1 || n > len(parts) {
		return "", nil
	}
	return parts[n-1], nil
}

func chr(n int32) (string, error) {
	switch {
	case n < 0:
		return "", errorf(pgerrcode.InvalidParameterValue, "character number must be positive")
	case n == 0:
		return "", errorf(pgerrcode.ProgramLimitExceeded, "null character not permitted")
	case n > unicode.MaxRune:
		return "", errorf(pgerrcode.ProgramLimitExceeded, "requested character too large for encoding: %d", n)
	case !utf8.ValidRune(n):
		return "", errorf(pgerrcode.ProgramLimitExceeded, "requested character not valid for encoding: %d", n)
	}
	return string(n), nil
}

// translate puts each character of from in the place of that of to; those that
// have none are dropped.
func translate(s, from, to string) string {
	targets := []rune(to)
	table := map[rune]rune{}
	i := 0
	for _, r := range from {
		if _, ok := table[r]; !ok {
			table[r] = -1
			if i < len(targets) {
				table[r] = targets[i]
			}
		}
		i++
	}
	return strings.Map(func(r rune) rune {
		if t, ok := table[r]; ok {
			return t
		}
		return r
	}, s)
}

func overlay(s, part string, from, length int64) (string, error) {
	if from <= 0 {
		return "", errorf(pgerrcode.SubstringError, "negative substring length not allowed")
	}
	after := from + length
	return substring(s, 1, from-1) + part + substring(s, after, int64(len(s))+max(0, -after)+1), nil
}

func quoteLiteral(s string) string {
	quoted := "'" + strings.ReplaceAll(strings.ReplaceAll(s, "'", "''"), `\`, `\\`) + "'"
	if strings.Contains(s, `\`) {
		return "E" + quoted
	}
	return quoted
}

// base64Line is the length at which PostgreSQL breaks lines of base64.
const base64Line = 76

func encode(b []byte, format string) (string, error) {
	switch strings.ToLower(format) {
	case "hex":
		return hex.EncodeToString(b), nil
	case "base64":
		text := base64.StdEncoding.EncodeToString(b)
		var lines []string
		for len(text) > base64Line {
			lines = append(lines, text[:base64Line])
			text = text[base64Line:]
		}
		return strings.Join(append(lines, text), "\n"), nil
	case "escape":
		var out strings.Builder
		for _, c := range b {
			switch {
			case c == 0 || c >= 0x80:
				out.WriteString(`\` + string([]byte{'0' + c>>6, '0' + c>>3&7, '0' + c&7}))
			case c == '\\':
				out.WriteString(`\\`)
			default:
				out.WriteByte(c)
			}
		}
		return out.String(), nil
	}
	return "", errorf(pgerrcode.InvalidParameterValue, "unrecognized encoding: %q", format)
}

func decode(s, format string) ([]byte, error) {
	switch strings.ToLower(format) {
	case "hex":
		compact := strings.Map(func(r rune) rune {
			if strings.ContainsRune(" \n\t\r", r) {
				return -1
			}
			return r
		}, s)
		for _, r := range compact {
			if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
				return nil, errorf(pgerrcode.InvalidParameterValue, "invalid hexadecimal digit: %q", string(r))
			}
		}
		b, err := hex.DecodeString(compact)
		if err != nil {
			return nil, errorf(pgerrcode.InvalidParameterValue, "invalid hexadecimal data: odd number of digits")
		}
		return b, nil
	case "base64":
		return decodeBase64(s)
	case "escape":
		d, err := postgres.ParseLiteral(postgres.ByteaOID, -1, escapedBytes(s), postgres.Env{})
		return []byte(d.Str), err
	}
	return nil, errorf(pgerrcode.InvalidParameterValue, "unrecognized encoding: %q", format)
}

// escapedBytes keeps a text that is read as bytea in the escape format from being
// read as hexadecimal.
func escapedBytes(s string) string {
	if strings.HasPrefix(s, `\x`) {
		return `\134` + s[1:]
	}
	return s
}

// stringToArray splits; what equals the third argument is NULL. A NULL separator
// splits into characters.
func stringToArray(c *call) error {
	if c.isNull(0) {
		return nil
	}
	s := c.text(0)
	var parts []string
	switch {
	case s == "":
	case c.isNull(1):
		parts = strings.Split(s, "")
	case c.text(1) == "":
		parts = []string{s}
	default:
		parts = strings.Split(s, c.text(1))
	}
	elems := make([][]byte, len(parts))
	for i, p := range parts {
		if c.isNull(2) || p != c.text(2) {
			elems[i] = append([]byte{}, p...)
		}
	}
	c.setList(elems)
	return nil
}

// arrayToString joins; a NULL is the third argument, or left out without one.
func arrayToString(c *call) error {
	if c.isNull(0) || c.isNull(1) {
		return nil
	}
	var parts []string
	for _, e := range c.list(0) {
		switch {
		case e != nil:
			parts = append(parts, string(e))
		case !c.isNull(2):
			parts = append(parts, c.text(2))
		}
	}
	c.setText(strings.Join(parts, c.text(1)))
	return nil
}

// decodeBase64 is decode of base64, in which what stands for a group's missing bytes may be
// anywhere (pg_base64_decode of PostgreSQL's encode.c).
func decodeBase64(s string) ([]byte, error) {
	out := make([]byte, 0, len(s)*3/4)
	group, read, end := uint32(0), 0, 0
	for _, r := range s {
		var value int
		switch {
		case strings.ContainsRune(" \n\t\r", r):
			continue
		case r == '=':
			if end == 0 {
				if read < 2 {
					return nil, errorf(pgerrcode.InvalidParameterValue, `unexpected "=" while decoding base64 sequence`)
				}
				end = read - 1
			}
		default:
			if value = strings.IndexRune(base64Alphabet, r); value < 0 {
				return nil, errorf(pgerrcode.InvalidParameterValue, `invalid symbol "%c" found while decoding base64 sequence`, r)
			}
		}
		group = group<<6 | uint32(value)
		if read++; read < 4 {
			continue
		}
		out = append(out, byte(group>>16))
		if end == 0 || end > 1 {
			out = append(out, byte(group>>8))
		}
		if end == 0 || end > 2 {
			out = append(out, byte(group))
		}
		group, read = 0, 0
	}
	if read != 0 {
		e := errorf(pgerrcode.InvalidParameterValue, "invalid base64 end sequence")
		e.Hint = "Input data is missing padding, is truncated, or is otherwise corrupted."
		return nil, e
	}
	return out, nil
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
