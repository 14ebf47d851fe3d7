package postgres_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// A session is the settings under which literals are asked about, for us and for the server.
type session struct {
	name string
	sets string
	env  postgres.Env
}

func sessions(t *testing.T) []session {
	t.Helper()
	zone := func(name string) *time.Location {
		loc, err := postgres.LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		return loc
	}
	return []session{
		{"default", "set timezone='UTC'; set datestyle='ISO, MDY'; set intervalstyle='postgres'; set extra_float_digits=1; set bytea_output=hex", postgres.DefaultEnv()},
		{
			"new_york", "set timezone='America/New_York'; set datestyle='SQL, DMY'; set intervalstyle='sql_standard'; set extra_float_digits=0; set bytea_output=escape",
			postgres.Env{Zone: zone("America/New_York"), DateOrder: postgres.DMY, DateFormat: postgres.SQLDates, IntervalStyle: postgres.SQLStandardIntervals, ByteaEscape: true},
		},
		{
			"kolkata", "set timezone='Asia/Kolkata'; set datestyle='German, YMD'; set intervalstyle='iso_8601'; set extra_float_digits=3; set bytea_output=hex",
			postgres.Env{Zone: zone("asia/kolkata"), DateOrder: postgres.YMD, DateFormat: postgres.GermanDates, IntervalStyle: postgres.ISO8601Intervals, ExtraFloatDigits: 3},
		},
		{
			"berlin", "set timezone='Europe/Berlin'; set datestyle='Postgres, MDY'; set intervalstyle='postgres_verbose'; set extra_float_digits=-3; set bytea_output=hex",
			postgres.Env{Zone: zone("Europe/Berlin"), DateFormat: postgres.PostgresDates, IntervalStyle: postgres.PostgresVerboseIntervals, ExtraFloatDigits: -3},
		},
	}
}

// A literal is a text and the type to read it as, as SQL and for us.
type literal struct {
	typeSQL string
	oid     postgres.OID
	typmod  int32
	text    string
}

func (l literal) question(s session) string {
	return s.name + ": '" + strings.ReplaceAll(l.text, "'", "''") + "'::" + l.typeSQL
}

func (l literal) answer(s session) string {
	d, err := postgres.ParseLiteral(l.oid, l.typmod, l.text, s.env)
	if err != nil {
		var e *postgres.Error
		if !errors.As(err, &e) {
			return "not an answer: " + err.Error()
		}
		return errorVerdict(e.Code, e.Message)
	}
	return string(postgres.AppendText(nil, l.oid, d, s.env))
}

// askLiteral has the server read a literal and print it, under the session that the question names.
func askLiteral(t *testing.T, all []session) func(*pgx.Conn, string) string {
	current := ""
	return func(conn *pgx.Conn, question string) string {
		name, sql, _ := strings.Cut(question, ": ")
		if name != current {
			for _, s := range all {
				if s.name == name {
					if _, err := conn.Exec(t.Context(), s.sets); err != nil {
						t.Fatal(err)
					}
				}
			}
			current = name
		}
		results, err := conn.PgConn().Exec(t.Context(), "select "+sql).ReadAll()
		if err != nil {
			return verdictOf(err)
		}
		return string(results[0].Rows[0][0])
	}
}

func TestLiterals(t *testing.T) {
	t.Parallel()
	all := sessions(t)
	var questions []string
	var answers []func() string
	for _, s := range all {
		for _, l := range literals(t) {
			questions = append(questions, l.question(s))
			answers = append(answers, func() string { return l.answer(s) })
		}
	}
	checkVerdicts(t, "literals.tsv", questions, askLiteral(t, all), func(i int) string { return answers[i]() })
}

// TestLiteralsLive asks a server, where there is one, about texts made by chance out of the stored ones and about values
// from all of a type's range.
func TestLiteralsLive(t *testing.T) {
	t.Parallel()
	all := sessions(t)
	for i := range all {
		all[i].env.Now = time.Now()
	}
	list := literals(t)
	r := rand.New(rand.NewPCG(5, 6))
	var questions []string
	var answers []func() string
	for _, s := range all {
		for range 10000 {
			l := mutate(r, list)
			if r.IntN(3) == 0 {
				l = randomValue(r)
			}
			questions = append(questions, l.question(s))
			answers = append(answers, func() string { return l.answer(s) })
		}
	}
	compareLive(t, questions, askLiteral(t, all), func(i int) string { return answers[i]() }, func(got, want string) bool {
		switch {
		case strings.HasPrefix(got, "! 22023 time zone"):
			// Nearly any letters and digits are a POSIX zone with daylight saving time to PostgreSQL, which we do not know.
			return true
		case strings.HasPrefix(got, "! 22008"):
			// Numbers beyond 32 bits wrap in PostgreSQL, and timestamps end later.
			return strings.HasPrefix(want, "! 22008") || strings.HasPrefix(got, "! 22008 timestamp") || strings.HasPrefix(got, "! 22008 date out")
		}
		return got == want
	})
}

// mutate takes two literals of a type and mixes their texts.
func mutate(r *rand.Rand, list []literal) literal {
	l := pick(r, list)
	other := pick(r, list)
	for l.oid == postgres.Int2VectorOID || l.oid == postgres.OIDVectorOID {
		l = pick(r, list)
	}
	for other.oid != l.oid {
		other = pick(r, list)
	}
	for range 1 + r.IntN(2) {
		at := r.IntN(len(l.text) + 1)
		switch r.IntN(5) {
		case 0:
			l.text = l.text[:at] + string(pick(r, []byte("0123456789 +-./:,TZPeE{}\\\"'@dhmsy"))) + l.text[at:]
		case 1:
			l.text = l.text[:at] + l.text[min(at+1, len(l.text)):]
		case 2:
			l.text = l.text[:at] + other.text[r.IntN(len(other.text)+1):]
		default:
			words := append(strings.Fields(l.text), strings.Fields(other.text)...)
			r.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
			l.text = strings.Join(words[:min(len(words), 1+r.IntN(4))], " ")
		}
	}
	l.text = strings.ToValidUTF8(l.text, "")
	if strings.Contains(l.text, "now") {
		l.text = ""
	}
	return l
}

// randomValue makes a plain literal with a value anywhere in its type's range.
func randomValue(r *rand.Rand) literal {
	clock := fmt.Sprintf("%02d:%02d:%02d.%06d", r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1e6))
	date := fmt.Sprintf("%04d-%02d-%02d", 1+r.IntN(pick(r, []int{2200, 30000, 290000})), 1+r.IntN(12), 1+r.IntN(28))
	if r.IntN(5) == 0 {
		date = fmt.Sprintf("%04d-%02d-%02d", 1900+r.IntN(200), 1+r.IntN(12), 1+r.IntN(31))
	}
	if r.IntN(8) == 0 {
		date, clock = fmt.Sprintf("%04d-%02d-%02d", 1+r.IntN(4700), 1+r.IntN(12), 1+r.IntN(28)), clock+" BC"
	}
	switch r.IntN(8) {
	case 0:
		f := math.Float64frombits(r.Uint64())
		if r.IntN(2) == 0 {
			f = math.Ldexp(float64(r.Int64N(1<<53)), r.IntN(80)-20)
		}
		return literal{"float8", postgres.Float8OID, -1, strconv.FormatFloat(f, 'e', 16, 64)}
	case 1:
		f := math.Float32frombits(r.Uint32())
		if r.IntN(2) == 0 {
			f = float32(math.Ldexp(float64(r.IntN(1<<24)), r.IntN(40)-10))
		}
		return literal{"float4", postgres.Float4OID, -1, strconv.FormatFloat(float64(f), 'e', 8, 32)}
	case 2:
		return literal{"timestamp", postgres.TimestampOID, -1, date + " " + clock}
	case 3:
		return literal{"timestamptz", postgres.TimestampTZOID, -1, date + " " + clock + pick(r, []string{"", "", " UTC", "+05:30", " Australia/Lord_Howe", " Africa/Casablanca", " MSK"})}
	case 4:
		return literal{"date", postgres.DateOID, -1, date + clock[len("00:00:00.000000"):]}
	case 5:
		small := func() int { return pick(r, []int{0, 1, 10, 100})*r.IntN(30) - pick(r, []int{0, 0, 5}) }
		return literal{"interval", postgres.IntervalOID, -1, fmt.Sprintf("%d years %d mons %d days %d hours %d mins %d.%06d secs", small(), small(), small(), small(), small(), small(), r.IntN(1e6))}
	case 6:
		return literal{"numeric", postgres.NumericOID, -1, fmt.Sprintf("%d.%de%d", r.Int64()>>r.IntN(60), r.Uint64()>>r.IntN(60), r.IntN(40)-20)}
	}
	return literal{"numeric(20,6)", postgres.NumericOID, postgres.MakeNumericTypmod(20, 6), fmt.Sprintf("%d.%d", r.Int64()>>r.IntN(60), r.Uint64()>>r.IntN(60))}
}

// literals are the texts below with their types.
func literals(t *testing.T) []literal {
	t.Helper()
	var list []literal
	for block := range strings.SplitSeq(strings.Trim(literalTexts, "\n"), "\n\n") {
		lines := strings.Split(block, "\n")
		head, typmod, _ := strings.Cut(lines[0], " @")
		l := literal{typeSQL: head, typmod: -1}
		if typmod != "" {
			if _, err := fmt.Sscan(typmod, &l.typmod); err != nil {
				t.Fatal(err)
			}
		}
		name := strings.FieldsFunc(head, func(r rune) bool { return strings.ContainsRune("( ", r) })[0]
		l.oid = typeOID(t, name)
		if _, rest, ok := strings.Cut(head, ")"); ok && strings.HasPrefix(rest, "[]") {
			l.oid = postgres.ArrayOf(l.oid)
		}
		for _, line := range lines[1:] {
			l.text = unescapeLine(strings.Trim(line, "|"))
			list = append(list, l)
		}
	}
	return list
}

// literalTexts are blocks of a type, with its modifier as a number after an @, and one text a line; bars keep spaces.
const literalTexts = `
bool
t
true
TRUE
tru
yes
y
on
of
o
|  off  |
1
0
10
||
truex
null

int2
12
-32768
32768
| 7 |
+5
--5
1.0
1e3
||
- 1
0x10
1_000
99999999999999999999x

int4
2147483647
2147483648
-2147483648
x
12x
12 13

int8
9223372036854775807
9223372036854775808
-9223372036854775808
-9223372036854775809

oid
4294967295
4294967296
-1
-2147483649
1 2

float8
1
1.0
-0
0.1
1e15
123456789012345
1234567890123456
1e-5
0.0001
0.00001234
1e400
1e-400
4.9e-324
5e-324
1.7976931348623157e308
1e23
9007199254740993
NaN
-nan
inf
-Infinity
+infinity
infinit
| 1.5 |
1.5.5
.5
5.
.
e5
1e
0x1p3
0x10
1_0
||
1 2
123456.789012345678
3.141592653589793

float4
1
1000000
100000
16777217
33554432
0.1
3.4028235e38
3.5e38
1e-46
1e-45
1.1754944e-38
123456.7
abc
-inf
NaN
1234567.5
8.5e9

numeric
1
1.50
-0.00
0001.100
1e5
1.5e3
1.5e-3
-1.23E+2
.5
5.
.
1e
1e+
NaN
nan
Infinity
-inf
+inf
+nan
| 12 |
1 2
12a
||
0x1
1_0
0.000000000000000000000000000000000000001
123456789012345678901234567890.123456789
1e200000
0e200000
1e-16383
1e-16384
1e99999999999

numeric(5,2) @327686
1
123.455
123.454
999.994
999.995
-999.995
1000
NaN
inf
0.005
0.004
-0.004

numeric(3,-2) @198658
12345
99949
99950
49
50
-150

numeric(3,5) @196617
0.00123
0.01
0.00999
0.0099949
0.009995
0.000001

text
abc
||
a b

varchar(3) @7
abc
abcdef
äöüß
|ab  |
a

bpchar(3) @7
abc
abcdef
a
||

name
abc
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaäöü

"char"
a
abc
||

bytea
abc
\\x6162
\\x 61 62
\\x616
\\x6g
\\xäb
a\\\\b
a\\001b
a\\400b
a\\1
a\\
|\\x|
||

uuid
a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11
{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}
a0eebc999c0b4ef8bb6d6bb9bd380a11
a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11
{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1
a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111
a0e-ebc999c0b4ef8bb6d6bb9bd380a11
a0eebc999c0b4ef8bb6d6bb9bd380a11-
||

json
{}
|  { "b" : 1 , "a":[1,2, null]} |
{"a":1,"a":2}
"\\u0000"
"\\ud800"
"\\x"
"\\u12"
01
-
1.
1e
.5
tru
truex
nul
{"a"}
{"a":}
{a:1}
{"a":1,}
[1,]
[1 2]
[1
"abc
'a'
1 2
||
{"a":1}}
"a\tb"
NaN
-0
1E5

jsonb
{}
[]
|  { "bb" : 1 , "a":[1,2, null], "ab": {"z":true}} |
{"a":1,"a":2}
{"a":1,"b":2,"a":{"c":3}}
"\\u0000"
"\\ud800"
"\\ud83d\\ude00"
"\\ud83d\\ud83d"
"\\ude00"
"\\u00e9\\n\\t\\/\\b\\f\\r\\\\\\""
"\\u0001\\u001f\\u007f"
01
1.50
1e5
1E-5
-0
-0.0
1e400000
tru
{"a"}
[1,]
||
1 2
"ä"
{"":1,"é":2,"zz":3}

date
2020-01-02
2020-1-2
20200102
200102
1/2/2020
13/2/2020
1/13/2020
2020/01/02
2020.01.02
1.2.2020
January 8, 1999
Jan 8 1999
8 Jan 1999
1999 Jan 8
1999-Jan-08
Jan-08-1999
08-Jan-1999
08-Jan-99
99-Jan-08
Jan-99-08
99 Jan 08
1999.008
J2451187
julian 2451187
2020.366
2019.366
January 8, 99 BC
0044-03-15 BC
44-03-15 BC
2020-02-30
2019-02-29
2020-13-01
2020-00-01
2020-01-00
0000-01-01
10000-01-01
5874897-12-31
5874898-01-01
4714-11-24 BC
4714-11-23 BC
infinity
-infinity
+infinity
epoch
Mon Jan 8 1999
mon tue Jan 8 1999
2020-01-02 25:00
2020-01-02T10:00:00Z
2020-01-02 bogus
2020-01-02 UTC
2020-01
2020
12
||
x
69-01-02
70-01-02
1-2-3
01/02/03
2020-01-02 BC AD
yesterdayx
2020-01-02 Europe/Berlin
2020-01-02 Europe/Bogus
1 2 3 4
2020年
2020-01-02x
jan
99999999999-01-01
2020-01-02-03

timestamp
2020-01-02
2020-01-02 03:04
2020-01-02 03:04:05
2020-01-02 03:04:05.5
2020-01-02 03:04:05.1234567
2020-01-02 03:04:05.9999999
2020-01-02T03:04:05
2020-01-02t03:04:05z
20200102T030405
20200102T030405.25
20200102 030405
20200102 0304
20200102T030405+02
20200102T030405-0230
2020-01-02 03:04:05+05:30
2020-01-02 03:04:05 PM
2020-01-02 12:04:05 AM
2020-01-02 12:04:05 PM
2020-01-02 13:04:05 PM
2020-01-02 13:04:05 AM
2020-01-02 24:00:00
2020-01-02 24:00:01
2020-01-02 23:59:60
2020-01-02 23:60
2020-01-02 10
2020-01-02 10 PM
10:00 2020-01-02
10:00:00 January 8 1999
January 8 10:00:00 1999
Mon Jan 08 10:00:00 1999
Mon Jan 08 10:00:00 1999 PST
Wed, 23 Nov 2016 10:00:00 +0100
0044-03-15 10:00 BC
4714-11-24 00:00 BC
4714-11-23 23:59 BC
294247-01-01 00:00
300000-01-01
infinity
-infinity
epoch
allballs
2020-01-02 allballs
2020-02-30 10:00
now x
2020-01-02 10:00:00.
2020-01-02 10:00:.5
2020-01-02 :10
2020-01-02 10:00:00:00
2020-01-02 10:00 +16
2020-01-02 10:00 +15:59
2020-01-02 10:00 +15:60
y2020 m01 d02
y2020m01d02 h04 mm05 s06
J2451187.5
J2451187 10:00
J2451187-04:30
2020-01-02 990000
2020-01-02 10:00 dst
2020-01-02 10:00 MET DST
2020-01-02 at 10:00
on 2020-01-02
2020-01-02 10:00:00 10:00:00
2020-01-02 2020-01-02
T10:00
2020-01-02 T
2020-01-02T
2020-01-02 10:00 UTC UTC
02-03-2020 10:00
2/3/20 10:00
2020-07-01 10:00 PM Europe/Berlin

timestamp(3) @3
2020-01-02 03:04:05.12345
2020-01-02 03:04:05.9996
1999-12-31 23:59:59.9995
1999-12-31 23:59:59.0005
infinity

timestamp(0) @0
2020-01-02 03:04:05.5
2020-01-02 03:04:04.5
1999-01-02 03:04:05.5

timestamptz
2020-01-02
2020-01-02 03:04:05
2020-07-02 03:04:05
2020-01-02 03:04:05Z
2020-01-02 03:04:05 zulu
2020-01-02 03:04:05+00
2020-01-02 03:04:05-08
2020-01-02 03:04:05-0830
2020-01-02 03:04:05 +08:30:15
2020-01-02 03:04:05 UTC
2020-01-02 03:04:05 GMT
2020-01-02 03:04:05 EST
2020-07-02 03:04:05 EDT
2020-01-02 03:04:05 PST
2020-01-02 03:04:05 MSK
2012-01-02 03:04:05 MSK
2020-01-02 03:04:05 CET
2020-07-02 03:04:05 CEST
2020-01-02 03:04:05 IST
2020-01-02 03:04:05 america/new_york
2020-07-02 03:04:05 America/New_York
2020-01-02 03:04:05 America/Bogus
2020-01-02 03:04:05 EST5EDT
2020-01-02 03:04:05 FOO
2020-01-02 03:04:05 UTC+3
2020-01-02 03:04:05 <+05>-5
2020-03-08 02:30:00 America/New_York
2020-11-01 01:30:00 America/New_York
2020-03-29 02:30:00 Europe/Berlin
2020-10-25 02:30:00 Europe/Berlin
2020-03-08 02:30:00
2020-11-01 01:30:00
2020-03-29 02:30:00
2020-10-25 02:30:00
1800-01-01 00:00:00
1883-11-18 12:03:57
2050-07-01 12:00
2050-01-01 12:00
0044-03-15 10:00 BC
January 8, 1999 04:05:06 PST
Mon Jan 08 04:05:06 1999 PST
20200102T030405Z
20200102T030405.123+0530
2020-01-02T03:04:05.123456789Z
infinity
-infinity
epoch
4714-11-24 00:00 BC
4714-11-24 00:00 BC +1
2020-01-02 24:00 UTC
2020-01-02 10:00 +16
x
2020-01-02 10:00:00+1:2:3
2020-01-02 10:00:00 +1
2020-01-02 10:00:00 - 5
2020-01-02 03:04:05 MSD
2020-01-02 03:04:05 LMT
2020-01-02 03:04:05 AMT

timestamptz(1) @1
2020-01-02 03:04:05.25Z
2020-01-02 03:04:05.35Z

time
10:00
10:00:00
10:00:00.5
10:00:00.123456789
24:00
24:00:01
25:00
100000
1000
10
10:00 PM
10:00 PST
10:00 America/New_York
2020-01-02 10:00 America/New_York
10:60
23:59:60
23:59:60.5
23:59:59.9999999
allballs
10:00:00+02
T10:00
t100000
2020-01-02 10:00
now x
infinity
||
10:00 BC
10 PM
h10 mm5 s3.5
mm:5

time(2) @2
10:00:00.125
10:00:00.124
23:59:59.999

timetz
10:00+02
10:00:00-05:30
10:00 PST
10:00 PDT
10:00 UTC
10:00 MSK
10:00 America/New_York
2020-07-01 10:00 America/New_York
2020-01-01 10:00
2020-07-01 10:00
10:00 zulu
24:00+00
10:00 Asia/Kolkata
100000-08
x
10:00:00+02:03:04
10:00 +16

interval
1 day
1 day 02:03:04
-1 day +3 hours
-1 day +02:03:00
1 year 2 mons 3 days 04:05:06.5
1 year 2 mons
P1Y2M
P1Y2M3DT4H5M6S
P1Y2M3DT4H5M6.789S
P0001-02-03T04:05:06
P00010203T040506
P00010203
PT1H30M
P1W
PT0S
P
PT
P1
P-1Y-2M
PT-1.5S
P1.5Y
P1.5M
P1.5W
P1.5D
P1Y2
p1y
@ 1 hour ago
@ 1 year 2 mons -3 days 4 hours 5 mins 6 secs ago
1-2
-1-2
+1-2
1-13
1-2 3 4:05:06
1-2 3
3 4:05:06
3 4:05
4:05:06
-4:05:06
4:05
-0:30
4:05.5
1.5 days
1.5 hours
1.5 months
1.5 years
1.5 weeks
0.5 decades
1 century
1 millennium
1.1 millennium
1 quarter
1 week 1 day
1
-1
1.5
90 minutes
90
1 day 1 day
1 hour 2 hours
1 hour 02:00
02:00 1 hour
02:00 1.5 days
1.5 days 02:00
1 day day
day
ago
1 day ago ago
ago 1 day
||
x
1 x
5 microseconds
5 us
5 ms
1500 milliseconds
1.5 ms
1.0005 ms
0.0000005 sec
1.0000015 sec
1 s 5 ms
1.5 s 5 ms
2147483647 months
2147483648 months
178956970 years 7 mons
178956971 years
2147483647 days
2147483648 days
9223372036854775807 us
9223372036854775808 us
2562047788 hours
2562047789 hours
99999999999999999999 days
infinity
1 mon -1 day
1 year -1 mon
-1 year -2 mons +3 days -04:05:06
0 years
-0.1 s
-1 day -00:00:00.5
1 day 100:00:00
1 month 5
5 month 1 hour
1d 2h 3m 4s
1d2h
1y2m
1:2:3 day
1 23:59:60
1 24:60
1e3 days
PT1e2S
1,000 days

interval year @327679
5
1-2
1 year 5 months
13 months

interval year to month @458751
1-2
5
14

interval day to second(2) @470286338
1 2:03:04.567
5
1:30

interval hour @67174399
5
5:30
1 day 5:30

interval minute to second @402718719
5:30
5
1:05:30

interval(0) @2147418112
1.5
-1.5
1 day 00:00:00.4

interval day @589823
5
1 day 5:30

_int4
{}
{1,2,3}
{1,NULL,3}
{1,null,3}
{ 1 , 2 }
|  {1}  |
{{1,2},{3,4}}
{{1,2},{3}}
{{1},2}
{1,{2}}
{{}}
{{},{}}
[2:3]={1,2}
[1:2]={1,2}
[0:1][1:1]={{1},{2}}
[1:3]={1,2}
[2:1]={}
[2]={1,2}
1,2
{1,2
{1,2}}
{1,,2}
{1,}
{,1}
{x}
{99999999999}
{1}x
||
{"1"}
{{{{{{{1}}}}}}}

_text
{}
{a,b}
{"a b",c}
{a b , c d}
{"a,b"}
{"a\\"b"}
{"a\\\\b"}
{a\\,b}
{"NULL",NULL}
{""}
{a"b"}
{"a"b}
{"a" }
{a{b}
{a\\ }
{" a"}
{null}
{nUlL,nullx}
{äö}
{"a
{{a},{b}}
{'a'}

_float8
{1,2.5,NaN,-Infinity}
{x}

_timestamptz
{2020-01-02 03:04:05+00}
{"2020-01-02 03:04:05+00",infinity,NULL}
{x}

_bool
{t,f,true}

_numeric
{1.50,NaN}

_jsonb
{"{\\"b\\":1}",null}

_interval
{1 day,"1 day 02:03:04"}

_bytea
{"\\\\x6162",abc}

_date
{2020-01-02,infinity}

int2vector
1 2 3
||

oidvector
1 2 3
`
