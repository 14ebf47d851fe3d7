package wire_test

import (
	"bufio"
	"encoding/hex"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/wire/wiretest"
)

var ask = flag.Bool("ask", false, "ask the server of FIELDGATE_TEST_POSTGRES anew how values are encoded, and store what it answers")

// sample is a value with what PostgreSQL 15 sends for it under settings, which
// are name=value pairs.
type sample struct {
	oid                    postgres.OID
	typeName, literal      string
	settings, text, binary string
}

// TestEncoding compares the text and the binary form of values with what a real
// PostgreSQL sent (testdata/encoding.tsv, made with -ask).
func TestEncoding(t *testing.T) {
	t.Parallel()
	path := filepath.Join("testdata", "encoding.tsv")
	if *ask {
		askPostgres(t, path)
	}
	s := startServer(t)
	s.values = map[string]planner.Vector{}
	for _, sm := range readSamples(t, path) {
		name := strings.ReplaceAll(sm.typeName+" "+sm.literal+" "+sm.settings, "/", "|")
		t.Run(name, func(t *testing.T) {
			env := postgres.DefaultEnv()
			input := sm.oid
			if input == postgres.RegtypeOID {
				input = postgres.OIDOID // names are the planner's to read
			}
			d, err := postgres.ParseLiteral(input, -1, sm.literal, env)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range vectorsOf(sm.oid, d) {
				s.mu.Lock()
				s.values["x"] = v
				s.mu.Unlock()
				parameters := map[string]string{}
				for _, setting := range strings.Split(sm.settings, "; ") {
					if k, v, ok := strings.Cut(setting, "="); ok {
						parameters[k] = v
					}
				}
				c := s.login(t, parameters)
				text, binary := c.fetch(pgproto3.TextFormat), c.fetch(pgproto3.BinaryFormat)
				if string(text) != sm.text {
					t.Errorf("text of form %d: %q, PostgreSQL sends %q", i, text, sm.text)
				}
				if got := hex.EncodeToString(binary); got != sm.binary {
					t.Errorf("binary of form %d: %s, PostgreSQL sends %s", i, got, sm.binary)
				}
			}
		})
	}
}

// fetch reads the one value of the statement value x.
func (c *client) fetch(format int16) []byte {
	c.t.Helper()
	c.send(&pgproto3.Parse{Query: "value x"}, &pgproto3.Bind{ResultFormatCodes: []int16{format}}, &pgproto3.Execute{}, &pgproto3.Sync{})
	var value []byte
	for {
		m, err := c.fe.Receive()
		if err != nil {
			c.t.Fatal(err)
		}
		switch m := m.(type) {
		case *pgproto3.DataRow:
			value = append([]byte{}, m.Values[0]...)
		case *pgproto3.ErrorResponse:
			c.t.Fatal(wiretest.Show(m))
		case *pgproto3.ReadyForQuery:
			return value
		}
	}
}

// vectorsOf are the vectors that can hold a value: one, or for a numeric that fits
// both of its forms.
func vectorsOf(oid postgres.OID, d postgres.Datum) []planner.Vector {
	v := planner.Vector{T: planner.Type{OID: oid, Typmod: -1}}
	switch d.Kind {
	case postgres.ArrayKind:
		if len(d.Array.Dims) > 1 {
			v.Bytes = [][]byte{postgres.AppendText(nil, oid, d, postgres.DefaultEnv())}
			break
		}
		v.Lists = listOf(d.Array)
	case postgres.NumericKind:
		v.Bytes = [][]byte{[]byte(d.Str)}
		if n, ok := numericOf(d.Str); ok {
			small := planner.Vector{T: v.T, Numerics: []planner.Numeric{n}}
			return []planner.Vector{v, small}
		}
	default:
		add(&v, oid, &d)
	}
	return []planner.Vector{v}
}

// add appends a value to the member of v that its type uses.
func add(v *planner.Vector, oid postgres.OID, d *postgres.Datum) {
	switch oid {
	case postgres.BoolOID:
		v.Bools = append(v.Bools, d.Int != 0)
	case postgres.Int2OID:
		v.Int16s = append(v.Int16s, int16(d.Int))
	case postgres.Int4OID, postgres.DateOID:
		v.Int32s = append(v.Int32s, int32(d.Int))
	case postgres.Int8OID, postgres.OIDOID, postgres.TimeOID, postgres.TimestampOID, postgres.TimestampTZOID:
		v.Int64s = append(v.Int64s, d.Int)
	case postgres.RegtypeOID:
		v.Int64s = append(v.Int64s, d.Int)
		v.Bytes = append(v.Bytes, postgres.AppendRegistered(nil, oid, postgres.OID(d.Int))) // as the planner puts it beside
	case postgres.Float4OID:
		v.Float32s = append(v.Float32s, float32(d.Float))
	case postgres.Float8OID:
		v.Float64s = append(v.Float64s, d.Float)
	case postgres.IntervalOID:
		v.Intervals = append(v.Intervals, planner.Interval{Months: d.Months, Days: d.Days, Micros: d.Int})
	case postgres.UUIDOID:
		v.UUIDs = append(v.UUIDs, [16]byte([]byte(max(d.Str, strings.Repeat("\x00", 16)))))
	case postgres.NumericOID:
		n, _ := numericOf(d.Str)
		v.Numerics = append(v.Numerics, n)
	default:
		v.Bytes = append(v.Bytes, []byte(d.Str))
	}
}

func listOf(a *postgres.Array) *planner.ListVector {
	n := uint64(len(a.Items))
	return &planner.ListVector{Offsets: []uint64{0}, Lengths: []uint64{n}, Elems: elements(a.Elem, a.Items)}
}

func elements(oid postgres.OID, items []postgres.Datum) planner.Vector {
	v := planner.Vector{T: planner.Type{OID: oid, Typmod: -1}, Valid: make([]uint64, len(items)/64+1)}
	for i := range items {
		add(&v, oid, &items[i])
		if items[i].Kind != postgres.NullKind {
			v.Valid[i/64] |= 1 << (i % 64)
		}
	}
	return v
}

// numericOf reads a numeric that fits 128 bits.
func numericOf(text string) (planner.Numeric, bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	n, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok || n.BitLen() > 126 {
		return planner.Numeric{}, false
	}
	hi := new(big.Int).Rsh(n, 64).Int64()
	lo := new(big.Int).And(n, new(big.Int).SetUint64(^uint64(0))).Uint64()
	return planner.Numeric{Hi: hi, Lo: lo, Scale: int16(len(fraction))}, true
}

func readSamples(t *testing.T, path string) []sample {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var out []sample
	for lines := bufio.NewScanner(f); lines.Scan(); {
		p := strings.Split(lines.Text(), "\t")
		if len(p) != 5 {
			t.Fatalf("%s: %d columns in %q", path, len(p), lines.Text())
		}
		ty, ok := postgres.TypeByName(p[0])
		if !ok {
			t.Fatalf("%s: type %s", path, p[0])
		}
		unescape := strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\\`, `\`)
		out = append(out, sample{oid: ty.OID, typeName: p[0], literal: unescape.Replace(p[1]), settings: p[2], text: unescape.Replace(p[3]), binary: p[4]})
	}
	return out
}

// askPostgres fills the last two columns of the samples.
func askPostgres(t *testing.T, path string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), os.Getenv("FIELDGATE_TEST_POSTGRES"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	escape := strings.NewReplacer("\t", `\t`, "\n", `\n`, `\`, `\\`)
	var b strings.Builder
	for _, sm := range readSamples(t, path) {
		if _, err := conn.Exec(t.Context(), "discard all"); err != nil {
			t.Fatal(err)
		}
		// What the literal means is decided in UTC and by the default settings.
		cast := fmt.Sprintf("select %s::%s", quote(sm.literal), sm.typeName)
		var sql strings.Builder
		sql.WriteString("create temp table v as " + cast + " as v;")
		settings := append([]string{"TimeZone=UTC"}, strings.Split(sm.settings, "; ")...)
		for _, setting := range settings {
			if k, v, ok := strings.Cut(setting, "="); ok {
				fmt.Fprintf(&sql, "set %s = %s;", k, quote(v))
			}
		}
		pg := conn.PgConn()
		if _, err := pg.Exec(t.Context(), "set timezone = 'UTC';"+sql.String()).ReadAll(); err != nil {
			t.Fatalf("%s %s: %v", sm.typeName, sm.literal, err)
		}
		text := pg.ExecParams(t.Context(), "select v from v", nil, nil, nil, []int16{0}).Read()
		binary := pg.ExecParams(t.Context(), "select v from v", nil, nil, nil, []int16{1}).Read()
		if text.Err != nil || binary.Err != nil {
			t.Fatalf("%s %s: %v, %v", sm.typeName, sm.literal, text.Err, binary.Err)
		}
		b.WriteString(strings.Join([]string{sm.typeName, escape.Replace(sm.literal), sm.settings, escape.Replace(string(text.Rows[0][0])), hex.EncodeToString(binary.Rows[0][0])}, "\t") + "\n")
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
