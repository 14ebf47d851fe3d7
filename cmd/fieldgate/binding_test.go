package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// boundTypes are the types that TestBinding declares, one after the other: those of
// every kind, with modifiers that round and cut.
var boundTypes = []string{
	"boolean", "smallint", "integer", "bigint", "real", "double precision", "numeric", "numeric(10,2)", "numeric(3,1)", "numeric(2,-3)", "numeric(3,5)",
	"text", "varchar", "varchar(4)", "timestamptz", "timestamp", "date", "time", "interval", "uuid", "bytea", "json", "jsonb",
}

// unknownFailures is the type of which it is not known what it refuses, having no
// digit before the point and not all after it.
const unknownFailures = "numeric(3,5)"

// sentNumbers are numbers as devices write them, with PostgreSQL's type of what is
// kept of each: integers of 64 bits, doubles, or else their text.
var sentNumbers = map[string][]string{
	"bigint": {
		"0", "1", "-1", "2", "7", "99", "995", "999", "1234", "32767", "32768", "-32768", "-32769", "99999", "99500", "99499", "100000", "2147483647", "2147483648", "-2147483648",
		"-2147483649", "99999999", "100000000", "9007199254740993", "-9007199254740993", "9223372036854775807", "-9223372036854775808", "1700000000",
	},
	"double precision": {
		"0.5", "1.5", "2.5", "-0.5", "-1.5", "-2.5", "0.1", "-0.0", "1e3", "1E-7", "1.25e+2", "32767.4", "32767.5", "32768.5", "-32768.5", "-32768.6", "2147483647.4",
		"2147483647.5", "-2147483648.5", "9.223372036854775e18", "1e19", "-1e19", "3.4e38", "3.5e38", "1e-45", "1e-46", "1e-300", "1e300", "1.7976931348623157e308",
		"5e-324", "99.94", "99.95", "99.96", "0.00994", "0.009949", "0.0099949", "0.00999501", "0.0099999", "0.01", "12345678.905", "12345678.904", "99999999.994", "99999999.995",
		"99999999.996", "1e15", "123456789012345.69", "0.30000000000000004", "16777217.5", "99499.9", "99500.1",
	},
	"text": {
		"9223372036854775808", "-9223372036854775809", "18446744073709551616", "123456789012345678901234567890", "1e400", "-1e400", "1e-400",
		"0.1000000000000000055511151231257827", "123456789012345.68", "123456789012345678.25", "9007199254740992.5",
	},
}

// sentTexts are texts, of which each casts to something, or seems to.
var sentTexts = []string{
	"", " ", "a", "abcdef", "éöü😀x", "1", " 42 ", "+7", "-0", "007", "0x1A", "0b11", "1_000", "1,5", "1.5", "2.5", "-2.5", ".5", "5.", ".", "1e3", "1E3", "1e", "e3", "1e-3", "1.5e2",
	"32767", "32768", "-32768", "-32769", "2147483647", "2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "9007199254740993",
	"99.95", "99.949", "99.9499999999999999999", "-99.95", "0.0099949", "0.009995", "99500", "99499.99", "12345678.905", "99999999.995", "99999999.99499", "1e400", "1e-400", "3.5e38", "1e-46",
	"NaN", "nan", "-nan", "Infinity", "-Infinity", "+infinity", "inf", "-inf", "infinite", "\u00a01", "1 2", "１",
	"t", "true", "TRUE", "tr", "f", "fals", "yes", "y", "no", "n", "on", "of", "off", "o", " true ", "0", "01", "truee",
	"2024-02-29", "2023-02-29", "2024-02-29T12:34:56", "2024-02-29 12:34:56.789012345+05:30", "2024-02-29T12:34:56Z", "2024-02-29T12:34:56.5-08", "20240229", "20240229T123456",
	"2024-060", "J2460370", "29 Feb 2024", "February 29, 2024 AD", "2/29/2024", "29/2/2024", "29.2.2024", "44-03-15 BC", "0044-03-15 BC", "0000-01-01", "0001-01-01", "4713-01-01 BC", "4714-11-24 BC", "4714-11-23 BC",
	"294276-12-31 23:59:59.999999", "294277-01-01", "5874897-12-31", "5874898-01-01", "2016-12-31 23:59:60", "2016-12-31T23:59:60Z", "2016-12-31 23:59:60.5", "2024-01-01 24:00:00", "2024-01-01 24:00:01",
	"2024-01-01 25:00", "epoch", "allballs", "12:34", "12:34:56.7", "23:59:60", "24:00:00", "24:00:00.1", "12:34 PM", "13:34 PM", "04:05:06-08", "2024-03-31 02:30:00 Europe/Berlin", "2024-10-27 02:30:00 Europe/Berlin",
	"2024-01-01 12:00 PST", "2024-01-01 12:00 nowhere/Zone", "2024-01-01 12:00+16", "2024-01-01 12:00+15:59", "Tue, 03 Jun 2008 11:05:30 GMT", "2024-13-01", "2024-01-32", "2024-1-1", "2024-01", "2024",
	"1 day", "1 day 2:03:04.5", "-1 month", "1 mon -1 day", "P1Y2M3DT4H5M6S", "P1.5D", "PT0.5S", "P-1Y", "1.5 years", "1 fortnight", "3 hours ago", "@ 1 minute", "1:2:3", "178000000 years", "178000001 years", "1-2", "5", "1.5 weeks",
	"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC999C0B4EF8BB6D6BB9BD380A11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
	"YWJj", "YQ==", "YQ=", "YQ", "YW Jj", "YWJj\n", "====", "!!!!", "-_-_", `\xDEADBEEF`, `\xde adbe`, `\xabc`, `\x`, `\\000`,
	`{"a": 1}`, `{"b":1, "a":2, "a":3}`, `[1, 2.50, 1e2]`, `"x"`, `null`, `{"a":}`, `{a:1}`, `[1,]`, `-1.50`, `1.0e3`, `"\u00e9\ud83d\ude00"`, `"\u0000"`, `{"n": 1e1000}`, "{\"tab\":\"a\\tb\"}",
}

// sentOthers are the other values: NULL, truth values, and what JSON has of arrays
// and objects, of which those with members are fields of their own.
var sentOthers = map[string][]string{
	"boolean": {"true", "false"},
	"json":    {"[]", "{}", `[1,2.50,"x",null,{"b":1,"a":[true]}]`, `[[1,2],[3,4]]`, `["é😀"]`},
	"":        {"null", `{"inner": 1}`},
}

// boundValue is a value of the test: what is sent, and what PostgreSQL is asked
// for, of the type of what is kept; "": nothing.
type boundValue struct{ json, text, kept string }

func boundValues(t *testing.T) []boundValue {
	t.Helper()
	var out []boundValue
	for _, kept := range []string{"bigint", "double precision", "text"} {
		for _, n := range sentNumbers[kept] {
			out = append(out, boundValue{n, n, kept})
		}
	}
	for _, text := range sentTexts {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, boundValue{string(quoted), text, "text"})
	}
	for _, kept := range []string{"boolean", "json", ""} {
		for _, v := range sentOthers[kept] {
			out = append(out, boundValue{v, v, kept})
		}
	}
	return out
}

// castByPostgres has a real PostgreSQL cast the values to every type: the texts of
// the results, of which those that it refuses are missing.
func castByPostgres(t *testing.T, values []boundValue) map[string][]*string {
	t.Helper()
	ctx := t.Context()
	conn, err := pgconn.Connect(ctx, testdeps.Server(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(ctx) })
	for _, sql := range []string{
		`set timezone to 'UTC'; set extra_float_digits to 1`,
		`create function pg_temp.attempt(expression text, sent text) returns text language plpgsql as $$
			declare result text;
			begin
				execute 'select case when x is not null then format(''%s'', x) end from (select ' || expression || ') e (x)' into result using sent;
				return result;
			exception when others then
				return null;
			end $$`,
	} {
		if _, err := conn.Exec(ctx, sql).ReadAll(); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	out := map[string][]*string{}
	for _, name := range boundTypes {
		out[name] = make([]*string, len(values))
		for i, v := range values {
			if v.kept == "" {
				continue
			}
			r := conn.ExecParams(ctx, `select pg_temp.attempt($1, $2)`, [][]byte{[]byte(castTo(name, v)), []byte(v.text)}, nil, nil, nil).Read()
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			if cell := r.Rows[0][0]; cell != nil {
				text := string(cell)
				out[name][i] = &text
			}
		}
	}
	return out
}

// castTo is how PostgreSQL is asked for a value of a type, of which $1 is the text.
// A number or truth value is cast as what is kept of it; JSON, which devices send
// anyway, is read from its text, and so bytes are from base64.
func castTo(name string, v boundValue) string {
	switch {
	case v.kept == "json", v.kept != "text" && (name == "json" || name == "jsonb"):
		if name == "json" || name == "jsonb" || name == "text" || strings.HasPrefix(name, "varchar") {
			return "$1::" + v.kept + "::text::" + name
		}
	case name == "bytea" && v.kept == "text" && !strings.HasPrefix(v.text, `\x`):
		return "decode($1, 'base64')"
	case name == "boolean" && v.kept == "bigint":
		return "$1::integer::boolean" // what the number means where it stands in SQL
	case name == "boolean" && v.kept == "double precision":
		return "(case when $1::float8 = trunc($1::float8) then $1::float8 end)::integer::boolean" // files need not tell 20.0 from 20
	case strings.HasPrefix(name, "timestamp") && strings.HasPrefix(v.text, "294276"):
		return "null" // the engine's times end with the year 294246
	}
	return "$1::" + v.kept + "::" + name
}

// TestBinding declares every type over every kind of value that one name was sent
// with over time, compacted and not, and started again: a field has what a real
// PostgreSQL casts the value to, NULL where that refuses, and observed_fields counts
// exactly what did not cast.
func TestBinding(t *testing.T) {
	t.Parallel()
	testdeps.Server(t)
	values := boundValues(t)
	want := castByPostgres(t, values)
	dir := t.TempDir()
	i := start(t, dir)
	send := func(round int) {
		t.Helper()
		var lines []string
		for n, v := range values {
			lines = append(lines, fmt.Sprintf(`{"metrictype":"reading","timestamp":"2026-01-0%dT00:00:00Z","_id":"%d-%d","n":%d,"v":%s}`, round, round, n, n, v.json))
		}
		i.post(t, lines)
		i.eventually(t, `select count(*) from reading`, fmt.Sprint(round*len(values)))
	}
	send(1)
	i.query(t, `create table reading (n integer, v text)`)
	check := func(when string, types []string) {
		t.Helper()
		for _, name := range types {
			i.query(t, `alter table reading alter column v type `+name)
			i.checkBound(t, when, name, values, want[name])
		}
	}
	backwards := slices.Clone(boundTypes)
	slices.Reverse(backwards)
	check("nearline", boundTypes)
	i.query(t, `select fieldgate.compact()`)
	check("compacted", backwards)
	send(2)
	check("compacted and nearline", boundTypes)
	i.close(t)
	i = start(t, dir)
	check("started again", backwards)
}

// checkBound compares what a field reads, and what is counted of it.
func (i *instance) checkBound(t *testing.T, when, name string, values []boundValue, want []*string) {
	t.Helper()
	conn := i.dial(t)
	defer func() { _ = conn.Close(t.Context()) }()
	read := func(sql string) [][][]byte {
		t.Helper()
		results, err := conn.Exec(t.Context(), sql).ReadAll()
		if err != nil {
			t.Fatalf("%s, %s: %s: %v", when, name, sql, err)
		}
		return results[0].Rows
	}
	rows := read(`select n, v from reading order by n, timestamp`)
	if len(rows) == 0 || len(rows)%len(values) != 0 {
		t.Fatalf("%s, %s: %d rows of %d values", when, name, len(rows), len(values))
	}
	rounds := len(rows) / len(values)
	failed := map[string]int{}
	for r, row := range rows {
		n := r / rounds
		v, cell := values[n], want[n]
		switch got := row[1]; {
		case got == nil && cell == nil:
		case got == nil || cell == nil || string(got) != *cell:
			t.Errorf("%s: %s as %s reads %s, PostgreSQL %s", when, v.json, name, cellText(got), wantText(cell))
		}
		if cell == nil && v.kept != "" {
			failed[kindOfKept(v)]++
		}
	}
	for _, row := range read(`select kind, cast_failures from fieldgate.observed_fields where metric = 'reading' and sent_name = 'v'`) {
		kind, want := string(row[0]), fmt.Sprint(failed[string(row[0])])
		if name == unknownFailures && kind != "boolean" && kind != "json" && kind != "integer" {
			want = "" // NULL
		}
		if string(row[1]) != want {
			t.Errorf("%s, %s: %s values of kind %s did not cast, want %s", when, name, cellText(row[1]), kind, want)
		}
	}
}

// kindOfKept is what observed_fields calls the kind of a value.
func kindOfKept(v boundValue) string {
	switch v.kept {
	case "bigint":
		return "integer"
	case "double precision":
		return "number"
	}
	return v.kept
}

func cellText(cell []byte) string {
	if cell == nil {
		return "NULL"
	}
	return fmt.Sprintf("%q", cell)
}

func wantText(cell *string) string {
	if cell == nil {
		return "NULL"
	}
	return fmt.Sprintf("%q", *cell)
}

// TestMixedNumbers reads integers that stand in one file with fractions as it read
// them before they were compacted.
func TestMixedNumbers(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	var lines []string
	for n, v := range []string{"0", "1", "999999999999999", "-1000000000000000", "1700000000000001", "9007199254740991", "0.5", "1e15"} {
		lines = append(lines, fmt.Sprintf(`{"metrictype":"reading","timestamp":%d,"v":%s}`, n, v))
	}
	i.post(t, lines)
	i.eventually(t, `select count(*) from reading`, fmt.Sprint(len(lines)))
	i.query(t, `create table reading (v text)`)
	before := map[string]string{}
	for _, compacted := range []bool{false, true} {
		for _, name := range boundTypes {
			i.query(t, `alter table reading alter column v type `+name)
			got := i.query(t, `select v from reading order by timestamp`)
			if !compacted {
				before[name] = got
			} else if got != before[name] {
				t.Errorf("as %s, compacted:\n%s\nbefore:\n%s", name, got, before[name])
			}
		}
		i.query(t, `select fieldgate.compact()`)
	}
}
