package duckdb

import (
	"fmt"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// catalogFunctions know PostgreSQL's own types, functions and operators.
func catalogFunctions() definitions {
	return definitions{
		"*fg_format_type(BIGINT, INTEGER) VARCHAR": func(c *call) error {
			if c.isNull(0) {
				return nil
			}
			if c.isNull(1) {
				c.setText(postgres.OID(c.int8(0)).String())
				return nil
			}
			c.setText(postgres.FormatType(postgres.OID(c.int8(0)), c.int4(1)))
			return nil
		},
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
		"fg_regtype_out(BIGINT) VARCHAR":       registered(postgres.RegtypeOID),
		"fg_regproc_out(BIGINT) VARCHAR":       registered(postgres.RegprocOID),
		"fg_regconfig_out(BIGINT) VARCHAR":     registered(postgres.RegconfigOID),
		"fg_regdictionary_out(BIGINT) VARCHAR": registered(postgres.RegdictionaryOID),
		"fg_size_pretty(BIGINT) VARCHAR":       func(c *call) error { c.setText(prettySize(c.int8(0))); return nil },
	}
}

// registered prints an OID as the given type does.
func registered(typ postgres.OID) func(c *call) error {
	return func(c *call) error {
		c.setText(string(postgres.AppendRegistered(nil, typ, postgres.OID(c.int8(0)))))
		return nil
	}
}

// prettySize is pg_size_pretty: units change at ten times their size, and are
// rounded half up (dbsize.c).
func prettySize(size int64) string {
	const limit = 10 * 1024
	if abs(size) < limit {
		return fmt.Sprintf("%d bytes", size)
	}
	size >>= 9 // keep a bit for rounding
	units := []string{"kB", "MB", "GB", "TB", "PB"}
	for i, unit := range units {
		if abs(size) < limit*2-1 || i == len(units)-1 {
			half := int64(1)
			if size < 0 {
				half = -1
			}
			return fmt.Sprintf("%d %s", (size+half)/2, unit)
		}
		size >>= 10
	}
	return ""
}

func abs(n int64) int64 { return max(n, -n) }
