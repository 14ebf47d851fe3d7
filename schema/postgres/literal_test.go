package postgres_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
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
	list := literals(t)
	r := rand.New(rand.NewPCG(5, 6))
	var questions []string
	var answers []func() string
	for _, s := range all {
		for range 4000 * *live {
			l := mutate(r, list)
			if r.IntN(3) == 0 {
				l = randomValue(r)
			}
			questions = append(questions, l.question(s))
			answers = append(answers, func() string {
				s.env.Now = time.Now() // late, so that the server's answer is of the same day
				return l.answer(s)
			})
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

// literals are those of testdata/literals.txt: blocks of a type, with its modifier as a number after an @, and one text a
// line, with \n, \t and \\ for what a line cannot hold; bars at the ends keep spaces.
func literals(t *testing.T) []literal {
	t.Helper()
	texts, err := os.ReadFile("testdata/literals.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []literal
	for block := range strings.SplitSeq(strings.Trim(string(texts), "\n"), "\n\n") {
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
