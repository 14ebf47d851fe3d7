package postgres_test

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// fuzzedTypes are the types whose values are read from what a client sends.
var fuzzedTypes = []postgres.OID{
	postgres.BoolOID, postgres.Int2OID, postgres.Int4OID, postgres.Int8OID, postgres.OIDOID, postgres.Float4OID, postgres.Float8OID,
	postgres.NumericOID, postgres.TextOID, postgres.NameOID, postgres.ByteaOID, postgres.UUIDOID, postgres.JSONOID, postgres.JSONBOID,
	postgres.DateOID, postgres.TimeOID, postgres.TimeTZOID, postgres.TimestampOID, postgres.TimestampTZOID, postgres.IntervalOID,
	postgres.Int4ArrayOID, postgres.TextArrayOID, postgres.NumericArrayOID, postgres.TimestampTZArrayOID, postgres.JSONBArrayOID,
}

// checkRoundTrip fails if a value's text or binary form does not read as a value that prints the same.
func checkRoundTrip(t *testing.T, oid postgres.OID, d postgres.Datum, env postgres.Env) {
	t.Helper()
	if isUnreadable(&d) {
		return
	}
	text := postgres.AppendText(nil, oid, d, env)
	again, err := postgres.ParseLiteral(oid, -1, string(text), env)
	if err != nil {
		t.Fatalf("%s: %q does not read: %v", oid, text, err)
	}
	if got := postgres.AppendText(nil, oid, again, env); !bytes.Equal(got, text) {
		t.Fatalf("%s: %q reads as %q", oid, text, got)
	}
	b := postgres.AppendBinary(nil, oid, d)
	again, err = postgres.DecodeBinary(oid, b)
	if err != nil {
		t.Fatalf("%s: binary form %x of %q does not read: %v", oid, b, text, err)
	}
	if got := postgres.AppendText(nil, oid, again, env); !bytes.Equal(got, text) {
		t.Fatalf("%s: binary form %x of %q reads as %q", oid, b, text, got)
	}
}

// isUnreadable says that PostgreSQL prints a value and does not read what it prints: the least microseconds of an interval,
// and the zone of a time that is 16 hours away or more, as only a POSIX specification can be.
func isUnreadable(d *postgres.Datum) bool {
	const farthestZone = 16 * 3600
	switch d.Kind {
	case postgres.IntervalKind:
		return d.Int == math.MinInt64
	case postgres.TimeTZKind:
		return d.Zone <= -farthestZone || d.Zone >= farthestZone
	}
	return false
}

func FuzzParseLiteral(f *testing.F) {
	for i := range fuzzedTypes {
		for _, text := range []string{"", "1", "-1.5e3", "t", "2020-01-02 03:04:05.678+05:30", "1 year 2 mons -3 days 04:05:06.7", "P1Y2M", "{1,NULL,\"a b\"}", `{"a": [1, "x"]}`, "infinity", "J2451187", "0044-03-15 BC", `\x6162`} {
			f.Add(byte(i), text, byte(0))
		}
	}
	berlin, err := postgres.LoadZone("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(byte(slices.Index(fuzzedTypes, postgres.TimeTZOID)), "2020-01-02 03:04:05west50", byte(0))
	f.Fuzz(func(t *testing.T, kind byte, text string, style byte) {
		oid := fuzzedTypes[int(kind)%len(fuzzedTypes)]
		env := postgres.DefaultEnv()
		env.Zone, env.Now = berlin, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
		env.DateOrder = postgres.DateOrder(style % 3)
		text = string(bytes.ToValidUTF8(bytes.ReplaceAll([]byte(text), []byte{0}, nil), nil))
		if d, err := postgres.ParseLiteral(oid, -1, text, env); err == nil {
			env.IntervalStyle = postgres.IntervalStyle(style / 3 % 4)
			checkRoundTrip(t, oid, d, env)
		}
	})
}

func FuzzDecodeBinary(f *testing.F) {
	for i := range fuzzedTypes {
		f.Add(byte(i), []byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 7})
		f.Add(byte(i), []byte{0, 2, 0, 0, 0x40, 0, 0, 2, 0, 1, 0x13, 0x88})
		f.Add(byte(i), []byte("\x01{\"a\": 1}"))
		f.Add(byte(i), []byte("\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00"))
	}
	f.Fuzz(func(t *testing.T, kind byte, b []byte) {
		oid := fuzzedTypes[int(kind)%len(fuzzedTypes)]
		if d, err := postgres.DecodeBinary(oid, b); err == nil {
			checkRoundTrip(t, oid, d, postgres.DefaultEnv())
		}
	})
}
