package postgres_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

func TestNow(t *testing.T) {
	t.Parallel()
	// In New York it is still the day before, in winter time.
	zone, err := postgres.LoadZone("america/NEW_YORK")
	if err != nil {
		t.Fatal(err)
	}
	env := postgres.DefaultEnv()
	env.Zone, env.Now = zone, time.Date(2026, 11, 23, 3, 4, 5, 678_901_234, time.UTC)
	for _, c := range []struct {
		oid        postgres.OID
		text, want string
	}{
		{postgres.TimestampTZOID, "now", "2026-11-22 22:04:05.678901-05"},
		{postgres.TimestampOID, "now", "2026-11-22 22:04:05.678901"},
		{postgres.TimestampTZOID, "today", "2026-11-22 00:00:00-05"},
		{postgres.TimestampTZOID, "tomorrow 10:00", "2026-11-23 10:00:00-05"},
		{postgres.TimestampTZOID, "yesterday allballs", "2026-11-20 19:00:00-05"},
		{postgres.DateOID, "yesterday", "2026-11-21"},
		{postgres.DateOID, "Tomorrow", "2026-11-23"},
		{postgres.TimeOID, "now", "22:04:05.678901"},
		{postgres.TimeTZOID, "now", "22:04:05.678901-05"},
		{postgres.TimeTZOID, "10:00", "10:00:00-05"},
		{postgres.TimeTZOID, "10:00 MSK", "10:00:00+03"},
	} {
		d, err := postgres.ParseLiteral(c.oid, -1, c.text, env)
		if err != nil {
			t.Errorf("%s %q: %v", c.oid, c.text, err)
			continue
		}
		if got := string(postgres.AppendText(nil, c.oid, d, env)); got != c.want {
			t.Errorf("%s %q = %s, want %s", c.oid, c.text, got, c.want)
		}
	}
}

func TestLoadZone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, canonical string
		offset          int
	}{
		{"utc", "UTC", 0},
		{"europe/berlin", "Europe/Berlin", 3600},
		{"UTC+3", "UTC", -10800},
		{"<+05>-5:30", "+05", 19800},
		{"EST5", "EST", -18000},
	} {
		loc, err := postgres.LoadZone(c.name)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if _, offset := time.Unix(0, 0).In(loc).Zone(); loc.String() != c.canonical || offset != c.offset {
			t.Errorf("%s is %s with offset %d, want %s with %d", c.name, loc, offset, c.canonical, c.offset)
		}
	}
	for _, name := range []string{"", "Mars/Olympus", "UTC+", "<+05", "UTC+1:2:3:4", "UTC+999", "../../etc/passwd", "Local"} {
		loc, err := postgres.LoadZone(name)
		var e *postgres.Error
		if !errors.As(err, &e) || e.Code != "22023" {
			t.Errorf("LoadZone(%q) = %v, %v, want 22023", name, loc, err)
		}
	}
}

func TestZonesLoad(t *testing.T) {
	t.Parallel()
	for _, name := range postgres.ZoneNames() {
		if _, err := postgres.LoadZone(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, a := range postgres.ZoneAbbreviations() {
		if a.Zone != "" {
			if _, err := postgres.LoadZone(a.Zone); err != nil {
				t.Errorf("%s: %v", a.Name, err)
			}
		}
	}
}

func TestAppendNumeric(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		hi    int64
		lo    uint64
		scale int
		want  string
	}{
		{0, 0, 0, "0"},
		{0, 0, 3, "0.000"},
		{0, 5, 3, "0.005"},
		{0, 12345, 2, "123.45"},
		{-1, math.MaxUint64, 2, "-0.01"},
		{-1, 0, 0, "-18446744073709551616"},
		{1, 0, 0, "18446744073709551616"},
		{math.MaxInt64, math.MaxUint64, 0, "170141183460469231731687303715884105727"},
		{math.MinInt64, 0, 10, "-17014118346046923173168730371.5884105728"},
		{0, 10_000_000_000_000_000_000, 19, "1.0000000000000000000"},
		{1, 0, 20, "0.18446744073709551616"},
		{1, 0, 25, "0.0000018446744073709551616"},
	} {
		if got := string(postgres.AppendNumeric(nil, c.hi, c.lo, c.scale)); got != c.want {
			t.Errorf("AppendNumeric(%d, %d, %d) = %s, want %s", c.hi, c.lo, c.scale, got, c.want)
		}
	}
}

func TestArrayItems(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a": "a", "": `""`, "null": `"null"`, "a b": `"a b"`, `a"b\`: `"a\"b\\"`, "{": `"{"`, "a,b": `"a,b"`, "a;b": "a;b", "\v": "\"\v\"",
	} {
		if got := string(postgres.AppendArrayItem(nil, []byte(text), ',')); got != want {
			t.Errorf("AppendArrayItem(%q) = %s, want %s", text, got, want)
		}
	}
}

// TestArrayShape compares the dimensions that are had without reading items with those of reading them.
func TestArrayShape(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"{}", " {a} ", "{1,2,NULL}", `{"{a","b}"}`, "{{1,2},{3,4}}", "{ {1,2} , {3,4} , {5,6} }", "{{{1}},{{2}}}", `{a\{b,c}`,
		"[0:2]={1,2,3}", " [-3:-3]={x}", "[2:3][0:1]={{1,2},{3,4}}", "[2]={a,b}",
	} {
		d, err := postgres.ParseLiteral(postgres.TextArrayOID, -1, text, postgres.DefaultEnv())
		if err != nil {
			t.Fatalf("ParseLiteral(%q): %v", text, err)
		}
		got, err := postgres.ArrayShape(text, len(d.Array.Items))
		if len(d.Array.Items) > 0 && (err != nil || !slices.Equal(got, d.Array.Dims)) {
			t.Errorf("ArrayShape(%q) = %v, %v, want %v", text, got, err, d.Array.Dims)
		}
	}
}

func TestDeepJSON(t *testing.T) {
	t.Parallel()
	deep := make([]byte, 1_000_000)
	for i := range deep {
		deep[i] = '['
	}
	err := postgres.ValidateJSON(string(deep))
	var e *postgres.Error
	if !errors.As(err, &e) || e.Code != "54001" {
		t.Fatalf("ValidateJSON of a million brackets = %v, want 54001", err)
	}
}

// TestExpansion checks that short text cannot become a value without bounds.
func TestExpansion(t *testing.T) {
	t.Parallel()
	numbers := strings.Repeat("1e131071,", 10_000) + "1"
	_, array := postgres.ParseLiteral(postgres.NumericArrayOID, -1, "{"+numbers+"}", postgres.Env{})
	_, jsonb := postgres.ParseLiteral(postgres.JSONBOID, -1, "["+numbers+"]", postgres.Env{})
	for name, err := range map[string]error{"array": array, "jsonb": jsonb} {
		var e *postgres.Error
		if !errors.As(err, &e) || e.Code != "54000" {
			t.Errorf("%s of 10,000 numbers of 131,072 digits: %v, want 54000", name, err)
		}
	}
}

// TestErrorTexts checks the details and hints that come with a message.
func TestErrorTexts(t *testing.T) {
	t.Parallel()
	_, operator := postgres.ResolveOperator("+", postgres.TextOID, postgres.Int4OID)
	_, prefix := postgres.ResolveOperator("@", 0, postgres.TextOID)
	_, function := postgres.ResolveFunction("lower", []postgres.OID{postgres.Int4OID}, postgres.CallOptions{})
	_, ambiguous := postgres.ResolveOperator("&&", postgres.UnknownOID, postgres.UnknownOID)
	_, numeric := postgres.ParseLiteral(postgres.NumericOID, postgres.MakeNumericTypmod(5, 2), "1000", postgres.Env{})
	_, date := postgres.ParseLiteral(postgres.DateOID, -1, "13/13/2020", postgres.Env{})
	for _, c := range []struct {
		err  error
		want postgres.Error
	}{
		{operator, postgres.Error{
			Code: "42883", Message: "operator does not exist: text + integer",
			Hint: "No operator matches the given name and argument types. You might need to add explicit type casts.",
		}},
		{prefix, postgres.Error{
			Code: "42883", Message: "operator does not exist: @ text",
			Hint: "No operator matches the given name and argument type. You might need to add an explicit type cast.",
		}},
		{function, postgres.Error{
			Code: "42883", Message: "function lower(integer) does not exist",
			Hint: "No function matches the given name and argument types. You might need to add explicit type casts.",
		}},
		{ambiguous, postgres.Error{
			Code: "42725", Message: "operator is not unique: unknown && unknown",
			Hint: "Could not choose a best candidate operator. You might need to add explicit type casts.",
		}},
		{numeric, postgres.Error{
			Code: "22003", Message: "numeric field overflow",
			Detail: "A field with precision 5, scale 2 must round to an absolute value less than 10^3.",
		}},
		{date, postgres.Error{
			Code: "22008", Message: `date/time field value out of range: "13/13/2020"`,
			Hint: `Perhaps you need a different "datestyle" setting.`,
		}},
		{postgres.ValidateJSON(`{"a":}`), postgres.Error{
			Code: "22P02", Message: "invalid input syntax for type json", Detail: `Expected JSON value, but found "}".`,
		}},
	} {
		var got *postgres.Error
		if !errors.As(c.err, &got) || *got != c.want {
			t.Errorf("got %+v, want %+v", got, c.want)
		}
	}
}

func TestResolvedCall(t *testing.T) {
	t.Parallel()
	f, err := postgres.ResolveFunction("make_interval", []postgres.OID{postgres.Int4OID, postgres.Int4OID}, postgres.CallOptions{Names: []string{"days", "months"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []int{-1, 1, -1, 0, -1, -1, -1}
	for i, arg := range f.ArgOrder {
		if arg != want[i] {
			t.Errorf("parameter %d takes argument %d, want %d", i, arg, want[i])
		}
	}
	if got := f.Proc.Default(6); got != "0.0" {
		t.Errorf("the default of secs is %q, want 0.0", got)
	}
	f, err = postgres.ResolveFunction("jsonb_extract_path", []postgres.OID{postgres.JSONBOID, postgres.UnknownOID, postgres.UnknownOID}, postgres.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if f.VariadicFrom != 1 || len(f.ArgTypes) != 3 || f.ArgTypes[2] != postgres.TextOID {
		t.Errorf("jsonb_extract_path resolves to %+v, want two text elements from parameter 1 on", f)
	}
	f, err = postgres.ResolveFunction("date", []postgres.OID{postgres.UnknownOID}, postgres.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if f.Proc != nil || f.Ret != postgres.DateOID {
		t.Errorf("date('…') resolves to %+v, want a cast", f)
	}
	o, err := postgres.ResolveArrayOperator("=", postgres.Int4OID, postgres.UnknownOID)
	if err != nil {
		t.Fatal(err)
	}
	if o.RightType != postgres.Int4ArrayOID {
		t.Errorf("int = any('…') reads the literal as %s, want integer[]", o.RightType)
	}
}

func BenchmarkAppend(b *testing.B) {
	berlin, err := postgres.LoadZone("Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 64)
	for name, appendTo := range map[string]func(dst []byte) []byte{
		"Float8":          func(dst []byte) []byte { return postgres.AppendFloat8(dst, 21.375) },
		"Numeric":         func(dst []byte) []byte { return postgres.AppendNumeric(dst, 0, 123456789, 3) },
		"Timestamp":       func(dst []byte) []byte { return postgres.AppendTimestamp(dst, 1795428245678901) },
		"TimestampTZ/UTC": func(dst []byte) []byte { return postgres.AppendTimestampTZ(dst, 1795428245678901, nil) },
		"TimestampTZ":     func(dst []byte) []byte { return postgres.AppendTimestampTZ(dst, 1795428245678901, berlin) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = appendTo(buf[:0])
			}
		})
	}
}
