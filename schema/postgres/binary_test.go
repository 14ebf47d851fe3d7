package postgres_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// TestBinary compares the binary form of the literals with the server's, and reads it back.
func TestBinary(t *testing.T) {
	t.Parallel()
	env := sessions(t)[0].env
	var questions, answers []string
	for _, l := range literals(t) {
		d, err := postgres.ParseLiteral(l.oid, l.typmod, l.text, env)
		if err != nil || len(l.text) > 60 || l.text == "-nan" || l.oid == postgres.Int2VectorOID || l.oid == postgres.OIDVectorOID {
			continue
		}
		question := l.question(session{name: "default"})
		b := postgres.AppendBinary(nil, l.oid, d)
		if len(b) > 200 {
			continue
		}
		questions, answers = append(questions, question), append(answers, hex.EncodeToString(b))
		back, err := postgres.DecodeBinary(l.oid, b)
		if err != nil {
			t.Errorf("%s: reading back %x: %v", question, b, err)
			continue
		}
		if got, want := postgres.AppendText(nil, l.oid, back, env), postgres.AppendText(nil, l.oid, d, env); string(got) != string(want) {
			t.Errorf("%s: reading back gives %s, want %s", question, got, want)
		}
	}
	ask := func(conn *pgx.Conn, question string) string {
		if _, err := conn.Exec(t.Context(), sessions(t)[0].sets); err != nil {
			t.Fatal(err)
		}
		r := conn.PgConn().ExecParams(t.Context(), "select "+question[len("default: "):], nil, nil, nil, []int16{1}).Read()
		if r.Err != nil {
			return verdictOf(r.Err)
		}
		return hex.EncodeToString(r.Rows[0][0])
	}
	checkVerdicts(t, "binary.tsv", questions, ask, func(i int) string { return answers[i] })
}

func TestDecodeBinaryErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, hex, code string
		oid             postgres.OID
	}{
		{"int4 too short", "0000", "08P01", postgres.Int4OID},
		{"int4 too long", "0000000000", "22P03", postgres.Int4OID},
		{"empty bool", "", "08P01", postgres.BoolOID},
		{"numeric with bad digit", "0001000000000000ffff", "22P03", postgres.NumericOID},
		{"numeric with bad sign", "0000000012340000", "22P03", postgres.NumericOID},
		{"numeric with fewer digits than said", "0003000000000000", "08P01", postgres.NumericOID},
		{"text of broken UTF-8", "c328", "22021", postgres.TextOID},
		{"text with a zero byte", "6100", "22021", postgres.TextOID},
		{"jsonb of unknown version", "027b7d", "XX000", postgres.JSONBOID},
		{"jsonb of bad syntax", "017b", "22P02", postgres.JSONBOID},
		{"time past midnight", "7fffffffffffffff", "22008", postgres.TimeOID},
		{"timestamp before all", "8000000000000001", "22008", postgres.TimestampOID},
		{"array of other elements", "000000000000000000000019", "42804", postgres.Int4ArrayOID},
		{"array of too many dimensions", "000000070000000000000017", "54000", postgres.Int4ArrayOID},
		{"array larger than the message", "00000001000000000000001700ffffff00000001", "08P01", postgres.Int4ArrayOID},
		{"array item larger than the message", "0000000100000000000000170000000100000001000000ff", "22P03", postgres.Int4ArrayOID},
		{"array with a short item", "0000000100000000000000170000000100000001000000020001", "22P03", postgres.Int4ArrayOID},
		{"point", "", "0A000", postgres.PointOID},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, err := hex.DecodeString(c.hex)
			if err != nil {
				t.Fatal(err)
			}
			d, err := postgres.DecodeBinary(c.oid, b)
			var e *postgres.Error
			if !errors.As(err, &e) || e.Code != c.code {
				t.Fatalf("DecodeBinary = %+v, %v, want an error of code %s", d, err, c.code)
			}
		})
	}
}
