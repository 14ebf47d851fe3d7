package duckdb

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// kept is argument 0, text of the type that argument 1 is, as the printer keeps values.
func (c *call) kept() (postgres.OID, postgres.Datum, error) {
	oid := postgres.OID(c.int8(1))
	env := postgres.DefaultEnv()
	env.Now = time.Now()
	d, err := postgres.ParseLiteral(oid, -1, c.text(0), env)
	return oid, d, err
}

// The encodings that texts convert from and to.
const (
	encodingUTF8   = "UTF8"
	encodingLatin1 = "LATIN1"
)

// encodingNamed finds an encoding as PostgreSQL does: by letters and digits alone (clean_encoding_name in encnames.c).
func encodingNamed(name, side string) (string, error) {
	plain := strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
	switch plain {
	case "utf8", "unicode":
		return encodingUTF8, nil
	case "latin1", "iso88591":
		return encodingLatin1, nil
	case "sqlascii", "big5", "gbk", "gb18030", "johab", "sjis", "shiftjis", "euccn", "eucjp", "euckr", "euctw", "koi8r", "koi8u", "uhc", "alt", "win":
		return "", unsupported("the encoding %s", name)
	}
	if strings.HasPrefix(plain, "latin") || strings.HasPrefix(plain, "iso8859") || strings.HasPrefix(plain, "win") {
		return "", unsupported("the encoding %s", name)
	}
	return "", errorf(pgerrcode.InvalidParameterValue, "invalid %s encoding name \"%s\"", side, name)
}

// supportFunctions are those that types are made of.
func supportFunctions() definitions {
	hash := func(seed func(c *call) uint64, set func(c *call, h uint64)) func(c *call) error {
		return func(c *call) error {
			oid, d, err := c.kept()
			if err != nil {
				return err
			}
			h, err := postgres.Hash(oid, d, seed(c))
			if err == nil {
				set(c, h)
			}
			return err
		}
	}
	return definitions{
		"fg_convert_from(BLOB, VARCHAR) VARCHAR": func(c *call) error {
			encoding, err := encodingNamed(c.text(1), "source")
			if err != nil {
				return err
			}
			if encoding == encodingLatin1 {
				c.setText(latin1(c.bytes(0)))
				return nil
			}
			d, err := postgres.DecodeBinary(postgres.TextOID, c.bytes(0))
			c.setText(d.Str)
			return err
		},
		"fg_convert_to(VARCHAR, VARCHAR) BLOB": func(c *call) error {
			encoding, err := encodingNamed(c.text(1), "destination")
			if err != nil {
				return err
			}
			if encoding != encodingLatin1 {
				c.setText(c.text(0))
				return nil
			}
			for _, r := range c.text(0) {
				if r > 0xff {
					return errorf(pgerrcode.UntranslatableCharacter, "character with byte sequence %s in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\"",
						strings.TrimSuffix(strings.ReplaceAll(fmt.Sprintf("% #x", string(r)), "  ", " "), " "))
				}
			}
			c.setBytes(bytesOfLatin1(c.text(0)))
			return nil
		},
		"fg_hash(VARCHAR, BIGINT) INTEGER": hash(func(*call) uint64 { return 0 }, func(c *call, h uint64) { c.setInt4(int32(uint32(h))) }),
		"fg_hash(VARCHAR, BIGINT, BIGINT) BIGINT": hash(func(c *call) uint64 { return uint64(c.int8(2)) }, func(c *call, h uint64) {
			c.setInt8(int64(h))
		}),
		"fg_send_type(VARCHAR, BIGINT) BLOB": func(c *call) error {
			oid, d, err := c.kept()
			if err == nil {
				c.isSet, c.result.text = true, postgres.AppendBinary(c.result.text, oid, d)
			}
			return err
		},
		// What strcmp gives: the difference of the first bytes that differ, of which one may be the end.
		"fg_strcmp(VARCHAR, VARCHAR) INTEGER": func(c *call) error {
			a, b := c.text(0), c.text(1)
			at := func(s string, i int) int32 {
				if i < len(s) {
					return int32(s[i])
				}
				return 0
			}
			i := 0
			for i < min(len(a), len(b)) && a[i] == b[i] {
				i++
			}
			c.setInt4(at(a, i) - at(b, i))
			return nil
		},
		// What memcmp gives: the difference of the first bytes that differ, or which one is longer.
		"fg_memcmp(BLOB, BLOB) INTEGER": func(c *call) error {
			a, b := c.bytes(0), c.bytes(1)
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					c.setInt4(int32(a[i]) - int32(b[i]))
					return nil
				}
			}
			switch {
			case len(a) < len(b):
				c.setInt4(-1)
			case len(a) > len(b):
				c.setInt4(1)
			default:
				c.setInt4(0)
			}
			return nil
		},
	}
}
