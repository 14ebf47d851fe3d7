package schema_test

import (
	"errors"
	"testing"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

func TestParseType(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"boolean":                     "boolean",
		"bool":                        "boolean",
		"BOOL":                        "boolean",
		"smallint":                    "smallint",
		"int2":                        "smallint",
		"int":                         "integer",
		"int4":                        "integer",
		"Integer":                     "integer",
		"bigint":                      "bigint",
		"int8":                        "bigint",
		"real":                        "real",
		"float4":                      "real",
		"float(24)":                   "real",
		"double precision":            "double precision",
		" double \t precision ":       "double precision",
		"float8":                      "double precision",
		"float":                       "double precision",
		"float( 25 )":                 "double precision",
		"numeric":                     "numeric",
		"decimal":                     "numeric",
		"dec(5)":                      "numeric(5,0)",
		"numeric(10,2)":               "numeric(10,2)",
		"numeric ( 10 , -2 )":         "numeric(10,-2)",
		"numeric(1000,1000)":          "numeric(1000,1000)",
		"text":                        "text",
		"varchar":                     "varchar",
		"varchar(20)":                 "varchar(20)",
		"character varying(20)":       "varchar(20)",
		"timestamptz":                 "timestamptz",
		"timestamp with time zone":    "timestamptz",
		"timestamp":                   "timestamp",
		"timestamp without time zone": "timestamp",
		"date":                        "date",
		"time":                        "time",
		"time without time zone":      "time",
		"interval":                    "interval",
		"uuid":                        "uuid",
		"bytea":                       "bytea",
		"json":                        "json",
		"jsonb":                       "jsonb",
	} {
		typ, err := schema.ParseType(text)
		if err != nil || typ.String() != want {
			t.Errorf("%q: %s, %v; want %s", text, typ, err, want)
			continue
		}
		if again, err := schema.ParseType(typ.String()); err != nil || again != typ {
			t.Errorf("%q: read back as %v, %v", text, again, err)
		}
		known, ok := postgres.TypeByOID(typ.OID())
		if !ok || known.Kind != postgres.BaseType {
			t.Errorf("%q: OID %d is no type of PostgreSQL", text, typ.OID())
		}
	}
	for text, unknown := range map[string]bool{
		"":                              true,
		"money":                         true,
		"strnig":                        true,
		"text[]":                        true,
		"character(10)":                 true,
		"timetz":                        true,
		"time with time zone":           true,
		"inet":                          true,
		"record":                        true,
		"pg_class":                      true,
		"numeric(0)":                    false,
		"numeric(1001)":                 false,
		"numeric(10,1001)":              false,
		"numeric(10,-1001)":             false,
		"numeric(1,2,3)":                false,
		"numeric(10":                    false,
		"numeric 10)":                   true,
		"numeric()":                     false,
		"numeric(a)":                    false,
		"numeric(1)(2)":                 false,
		"numeric(99999999999999999999)": false,
		"varchar(0)":                    false,
		"varchar(-1)":                   false,
		"varchar(10485761)":             false,
		"varchar(1,2)":                  false,
		"float(0)":                      false,
		"float(54)":                     false,
		"float(1,2)":                    false,
		"text(5)":                       false,
		"timestamp(3)":                  false,
		"timestamp(3) with time zone":   false,
		"integer(4)":                    false,
	} {
		typ, err := schema.ParseType(text)
		var invalid *schema.Invalid
		if !errors.As(err, &invalid) {
			t.Errorf("%q: %v, error %v", text, typ, err)
			continue
		}
		if errors.Is(err, schema.ErrUnknownType) != unknown {
			t.Errorf("%q: %v; unknown type: %t", text, err, unknown)
		}
	}
}

// FuzzParseType reads what it has printed.
func FuzzParseType(f *testing.F) {
	for _, seed := range []string{"numeric(10,2)", "varchar ( 20 )", "timestamp (3) with time zone", "float(24)", "((", "numeric(-1,-2,-3)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		typ, err := schema.ParseType(text)
		if err != nil {
			return
		}
		if again, err := schema.ParseType(typ.String()); err != nil || again != typ {
			t.Errorf("%q is %v, read back as %v: %v", text, typ, again, err)
		}
	})
}

func TestTypmod(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"numeric(10,2)":  "numeric(10,2)",
		"numeric(3,-2)":  "numeric(3,-2)",
		"numeric":        "numeric",
		"varchar(20)":    "character varying(20)",
		"varchar":        "character varying",
		"timestamptz":    "timestamp with time zone",
		"time":           "time without time zone",
		"float8":         "double precision",
		"interval":       "interval",
		"numeric(1000)":  "numeric(1000,0)",
		"varchar(65536)": "character varying(65536)",
	} {
		typ, err := schema.ParseType(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := postgres.FormatType(typ.OID(), typ.Typmod()); got != want {
			t.Errorf("%s: PostgreSQL would say %s, want %s", text, got, want)
		}
	}
}
