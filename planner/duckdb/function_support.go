package duckdb

import (
	"time"

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

// encodingNamed finds an encoding that texts convert from and to.
func encodingNamed(name, side string) (*postgres.Encoding, error) {
	e, ok := postgres.EncodingNamed(name)
	if !ok {
		return nil, errorf(pgerrcode.InvalidParameterValue, "invalid %s encoding name \"%s\"", side, name)
	}
	if !e.Converts() {
		return nil, unsupported("the encoding %s", e.Name)
	}
	return e, nil
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
			if encoding.Keeps() {
				d, err := postgres.DecodeBinary(postgres.TextOID, c.bytes(0))
				c.setText(d.Str)
				return err
			}
			text, err := encoding.AppendUTF8(nil, c.bytes(0))
			c.setText(string(text))
			return err
		},
		"fg_convert_to(VARCHAR, VARCHAR) BLOB": func(c *call) error {
			encoding, err := encodingNamed(c.text(1), "destination")
			if err != nil {
				return err
			}
			text, err := encoding.Append(nil, []byte(c.text(0)))
			c.setBytes(text)
			return err
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
