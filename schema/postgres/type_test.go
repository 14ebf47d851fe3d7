package postgres_test

import (
	"testing"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

func TestTypeByName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]postgres.OID{
		"int4":                     postgres.Int4OID,
		"integer":                  postgres.Int4OID,
		"double precision":         postgres.Float8OID,
		"varchar":                  postgres.VarcharOID,
		"timestamp with time zone": postgres.TimestampTZOID,
		"_text":                    postgres.TextArrayOID,
		"numeric[]":                postgres.NumericArrayOID,
		"char":                     postgres.CharOID,
		"integer[][]":              0,
		"cardinal_number":          0,
		"nosuch":                   0,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := postgres.TypeByName(name)
			if ok != (want != 0) || ok && got.OID != want {
				t.Fatalf("TypeByName(%q) = %v, %t, want %d", name, got, ok, want)
			}
		})
	}
}

func TestTypeLinks(t *testing.T) {
	t.Parallel()
	for _, typ := range postgres.Types() {
		if typ.Array != 0 && postgres.ElemOf(typ.Array) != typ.OID {
			t.Errorf("%s: ElemOf(ArrayOf) = %d", typ.Name, postgres.ElemOf(typ.Array))
		}
		if typ.IsArray() && typ.Name[0] == '_' && postgres.ArrayOf(typ.Elem) != typ.OID {
			t.Errorf("%s: ArrayOf(ElemOf) = %d", typ.Name, postgres.ArrayOf(typ.Elem))
		}
	}
	if elem := postgres.ElemOf(postgres.NameOID); elem != 0 {
		t.Errorf("name, which is only subscriptable, has the element type %d", elem)
	}
	domain, ok := postgres.TypeByQualifiedName("information_schema", "sql_identifier")
	if !ok || postgres.BaseOf(domain.OID) != postgres.NameOID {
		t.Errorf("sql_identifier = %+v, %t, want a domain over name", domain, ok)
	}
}

func TestFormatType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		oid    postgres.OID
		typmod int32
		want   string
	}{
		{postgres.VarcharOID, 14, "character varying(10)"},
		{postgres.VarcharOID, -1, "character varying"},
		{postgres.VarcharArrayOID, 14, "character varying(10)[]"},
		{postgres.BPCharOID, 5, "character(1)"},
		{postgres.BPCharOID, -1, "bpchar"},
		{postgres.NumericOID, postgres.MakeNumericTypmod(10, 2), "numeric(10,2)"},
		{postgres.NumericOID, postgres.MakeNumericTypmod(3, -5), "numeric(3,-5)"},
		{postgres.TimestampTZOID, -1, "timestamp with time zone"},
		{postgres.TimestampTZOID, 3, "timestamp(3) with time zone"},
		{postgres.TimeOID, 0, "time(0) without time zone"},
		{postgres.IntervalOID, 7<<26 | 1<<19 | 3, "interval day to second(3)"},
		{postgres.IntervalOID, 6<<16 | 0xffff, "interval year to month"},
		{postgres.IntervalOID, 0x7fff<<16 | 3, "interval(3)"},
		{postgres.CharOID, -1, `"char"`},
		{postgres.Int4ArrayOID, -1, "integer[]"},
		{postgres.OIDVectorOID, -1, "oidvector"},
		{postgres.BitOID, -1, `"bit"`},
		{0, -1, "-"},
		{1, -1, "???"},
	} {
		if got := postgres.FormatType(c.oid, c.typmod); got != c.want {
			t.Errorf("FormatType(%d, %d) = %q, want %q", c.oid, c.typmod, got, c.want)
		}
	}
	if got := postgres.BPCharOID.String(); got != "character" {
		t.Errorf("BPCharOID.String() = %q, want character", got)
	}
}
