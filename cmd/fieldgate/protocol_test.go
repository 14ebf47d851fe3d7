package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/wire/wiretest"
)

// TestProtocol has the same conversations with Fieldgate and with a real
// PostgreSQL 15, and wants the same answers, message by message. Its commands:
//
//	connect [NAME=VALUE ...]
//	    opens a new session with the parameters, and those that lines of the input
//	    give; prints what it is told meanwhile
//	query
//	    sends the input as one Query message
//	messages
//	    sends a message a line (see wiretest.Message)
//	bytes
//	    sends the bytes that the input has as hexadecimal digits
//
// Each prints what comes back up to ReadyForQuery. An answer of ours that differs
// from PostgreSQL's is printed with PostgreSQL's after it, so that each difference
// is on record; "differs" as argument says that it is meant.
func TestProtocol(t *testing.T) {
	t.Parallel()
	reference := testdeps.Server(t)
	i := start(t, t.TempDir())
	ours := "postgres://demo:demo@" + i.c.PGAddr + "/demo?sslmode=disable"
	datadriven.Walk(t, "testdata/protocol", func(t *testing.T, path string) {
		t.Parallel()
		sides := [2]*talk{{dsn: ours}, {dsn: reference}}
		for _, s := range sides {
			if told := s.connect(t, nil); told != "" {
				t.Fatal(told)
			}
		}
		var differences []string // told at the end: the first failure would end the file
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var answers [2]string
			for n, s := range sides {
				answers[n] = s.command(t, d)
			}
			if answers[0] == answers[1] {
				return answers[0]
			}
			if !d.HasArg("differs") {
				differences = append(differences, fmt.Sprintf("%s: ours\n%sPostgreSQL's\n%s", d.Pos, answers[0], answers[1]))
			}
			return answers[0] + "PostgreSQL:\n" + answers[1]
		})
		for _, difference := range differences {
			t.Error(difference)
		}
	})
}

// talk is a conversation with one of the servers.
type talk struct {
	dsn string
	nc  net.Conn
	fe  *pgproto3.Frontend
}

// connect opens a session, and says what the client is told of it.
func (s *talk) connect(t *testing.T, parameters map[string]string) (told string) {
	t.Helper()
	cfg, err := pgconn.ParseConfig(s.dsn)
	if err != nil {
		t.Fatal(err)
	}
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		told += fmt.Sprintf("%s %s %s\n", n.Severity, n.Code, n.Message)
	}
	for name, value := range parameters {
		cfg.RuntimeParams[name] = value
	}
	conn, err := pgconn.ConnectConfig(t.Context(), cfg)
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return told + fmt.Sprintf("%s %s %s\n", refused.Severity, refused.Code, refused.Message)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"application_name", "client_encoding"} {
		if value := conn.ParameterStatus(name); value != parameters[name] && (value != "UTF8" || parameters[name] != "") {
			told += fmt.Sprintf("%s is %s\n", name, value)
		}
	}
	hijacked, err := conn.Hijack()
	if err != nil {
		t.Fatal(err)
	}
	if s.nc != nil {
		_ = s.nc.Close()
	}
	s.nc, s.fe = hijacked.Conn, hijacked.Frontend
	nc := s.nc
	t.Cleanup(func() { _ = nc.Close() })
	return told
}

func (s *talk) command(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	switch d.Cmd {
	case "connect":
		parameters := map[string]string{}
		for _, arg := range d.CmdArgs {
			parameters[arg.Key] = strings.Join(arg.Vals, ",")
		}
		for line := range strings.Lines(d.Input) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			parameters[name] = value
		}
		return s.connect(t, parameters)
	case "query":
		s.fe.Send(&pgproto3.Query{String: d.Input})
	case "bytes":
		sent, err := hex.DecodeString(strings.Join(strings.Fields(d.Input), ""))
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		if _, err := s.nc.Write(sent); err != nil {
			d.Fatalf(t, "send: %v", err)
		}
	case "messages":
		for line := range strings.Lines(d.Input) {
			s.fe.Send(wiretest.Message(t, d, strings.TrimSpace(line)))
		}
	default:
		d.Fatalf(t, "unknown command %s", d.Cmd)
	}
	_ = s.nc.SetDeadline(time.Now().Add(time.Minute)) // a hanging test says where
	if err := s.fe.Flush(); err != nil {
		d.Fatalf(t, "send: %v", err)
	}
	var b strings.Builder
	for {
		m, err := s.fe.Receive()
		if err != nil {
			fmt.Fprintln(&b, "closed")
			return b.String()
		}
		switch m := m.(type) {
		case *pgproto3.ErrorResponse:
			m.Routine = "" // a place in PostgreSQL's source
		case *pgproto3.NoticeResponse:
			m.Routine = ""
		}
		fmt.Fprintln(&b, visible(wiretest.Show(m)))
		if _, ready := m.(*pgproto3.ReadyForQuery); ready {
			return b.String()
		}
	}
}

// visible writes bytes that are no text in UTF-8 as \xHH.
func visible(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, text[0])
		} else {
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}
