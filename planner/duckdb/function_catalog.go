package duckdb

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// catalogFunctions know PostgreSQL's own types, functions and operators.
func catalogFunctions() definitions {
	return definitions{
		"fg_parse_ident(VARCHAR, BOOLEAN) VARCHAR[]": func(c *call) error {
			parts, err := postgres.ParseIdent(c.text(0), c.boolean(1))
			if err != nil {
				return err
			}
			elems := make([][]byte, len(parts))
			for i, part := range parts {
				elems[i] = []byte(part)
			}
			c.setList(elems)
			return nil
		},
		"=fg_regtype_out(BIGINT) VARCHAR":      registered(postgres.RegtypeOID),
		"fg_regproc_out(BIGINT) VARCHAR":       registered(postgres.RegprocOID),
		"fg_regconfig_out(BIGINT) VARCHAR":     registered(postgres.RegconfigOID),
		"fg_regdictionary_out(BIGINT) VARCHAR": registered(postgres.RegdictionaryOID),
		"fg_size_bytes(VARCHAR) BIGINT": func(c *call) error {
			n, err := sizeBytes(c.text(0))
			c.setInt8(n)
			return err
		},
		"fg_size_pretty(VARCHAR) VARCHAR": func(c *call) error { c.setText(prettyNumericSize(c.decimal(0))); return nil },
		"fg_size_pretty(BIGINT) VARCHAR":  func(c *call) error { c.setText(prettySize(c.int8(0))); return nil },
		"fg_encoding_name(INTEGER) VARCHAR": func(c *call) error {
			name := ""
			if n, all := c.int4(0), postgres.Encodings(); n >= 0 && int(n) < len(all) {
				name = all[n].Name
			}
			c.setText(name)
			return nil
		},
		"fg_encoding_number(VARCHAR) INTEGER": func(c *call) error {
			number := int32(-1)
			if e, ok := postgres.EncodingNamed(c.text(0)); ok {
				number = int32(e.Number)
			}
			c.setInt4(number)
			return nil
		},
	}
}

// registered prints an OID as the given type does.
func registered(typ postgres.OID) func(c *call) error {
	return func(c *call) error {
		c.isSet, c.result.text = true, postgres.AppendRegistered(c.result.text, typ, postgres.OID(c.int8(0)))
		return nil
	}
}

// prettyNumericSize is pg_size_pretty of a numeric, which keeps its fraction while it counts bytes.
func prettyNumericSize(d decimal) string {
	const limit = 10 * 1024
	switch {
	case d.special != finite:
		return string(d.append(nil)) + " PB"
	case d.abs().cmp(intDecimal(limit)) < 0:
		return string(d.append(nil)) + " bytes"
	}
	size := new(big.Int).Quo(d.n, tenTo(d.scale))
	size.Quo(size, big.NewInt(1<<9)) // keep a bit for rounding
	units := []string{"kB", "MB", "GB", "TB", "PB"}
	for i, unit := range units {
		if i == len(units)-1 || size.CmpAbs(big.NewInt(limit*2-1)) < 0 {
			half := big.NewInt(1)
			if size.Sign() < 0 {
				half = big.NewInt(-1)
			}
			return fmt.Sprintf("%d %s", half.Quo(half.Add(half, size), big.NewInt(2)), unit)
		}
		size.Quo(size, big.NewInt(1<<10))
	}
	return ""
}

// prettySize is pg_size_pretty: units change at ten times their size, and are
// rounded half up (dbsize.c).
func prettySize(size int64) string {
	const limit = 10 * 1024
	if abs(size) < limit {
		return fmt.Sprintf("%d bytes", size)
	}
	size /= 1 << 9 // keep a bit for rounding
	units := []string{"kB", "MB", "GB", "TB", "PB"}
	for i, unit := range units {
		if abs(size) < limit*2-1 || i == len(units)-1 {
			half := int64(1)
			if size < 0 {
				half = -1
			}
			return fmt.Sprintf("%d %s", (size+half)/2, unit)
		}
		size /= 1 << 10
	}
	return ""
}

func abs(n int64) int64 { return max(n, -n) }

// sizeText is a number with a unit.
var sizeText = regexp.MustCompile(`^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$`)

// sizeBytes is pg_size_bytes.
func sizeBytes(text string) (int64, error) {
	invalid := errorf(pgerrcode.InvalidParameterValue, "invalid size: \"%s\"", text)
	parts := sizeText.FindStringSubmatch(text)
	if parts == nil {
		return 0, invalid
	}
	d, err := postgres.ParseLiteral(postgres.NumericOID, -1, parts[1], postgres.DefaultEnv())
	if err != nil {
		return 0, err
	}
	size := parseDecimal(d.Str)
	if parts[2] != "" {
		power := slices.IndexFunc([]string{"bytes", "kB", "MB", "GB", "TB", "PB"}, func(u string) bool { return strings.EqualFold(u, parts[2]) })
		if power < 0 {
			invalid.Detail = "Invalid size unit: \"" + parts[2] + "\"."
			invalid.Hint = `Valid units are "bytes", "kB", "MB", "GB", "TB", and "PB".`
			return 0, invalid
		}
		size = size.mul(intDecimal(1 << (10 * power)))
	}
	return decimalInt(size, 64, "bigint")
}
