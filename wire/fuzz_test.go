package wire_test

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/xdg-go/scram"

	"github.com/fieldgate/fieldgate/wire"
)

// pipes is a listener whose connections are made in memory.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// watched tells when the server has closed its end.
type watched struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func (w *watched) Close() error {
	w.once.Do(func() { close(w.closed) })
	return w.Conn.Close()
}

// fuzzed is a server that is sent whatever comes.
type fuzzed struct {
	pipes *pipes
	log   *logs
	login *scram.Client
}

func startFuzzed(f *testing.F) *fuzzed {
	login, err := scram.SHA256.NewClient("", "secret", "")
	if err != nil {
		f.Fatal(err)
	}
	z := &fuzzed{pipes: &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})}, log: &logs{}, login: login}
	s := newScript()
	s.calm = true
	srv, err := wire.New(wire.Config{
		Listener:        z.pipes,
		Roles:           newRoles(f),
		NewSession:      s.open,
		MaxMessageBytes: 1 << 20,
		Logger:          slog.New(slog.NewTextHandler(z.log, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		f.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(f.Context()))
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	f.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			f.Errorf("run: %v", err)
		}
	})
	return z
}

// play sends data, logged in or not, then hangs up. The server must be done with
// the connection soon, without a panic.
func (z *fuzzed) play(t *testing.T, data []byte, loggedIn bool) {
	ours, theirs := net.Pipe()
	w := &watched{Conn: theirs, closed: make(chan struct{})}
	z.pipes.accepted <- w
	if loggedIn {
		z.logIn(t, ours)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, ours) // ends when either side closes
	}()
	_ = ours.SetWriteDeadline(time.Now().Add(patience))
	_, _ = ours.Write(data) // the server may hang up at any byte
	if err := ours.Close(); err != nil {
		t.Fatal(err)
	}
	<-drained
	select {
	case <-w.closed:
	case <-time.After(patience):
		t.Fatal("the server holds on to the connection")
	}
	if z.log.contains("panic") {
		t.Fatal(z.log.text.String())
	}
}

func (z *fuzzed) logIn(t *testing.T, nc net.Conn) {
	fe := pgproto3.NewFrontend(nc, nc)
	send := func(m pgproto3.FrontendMessage) {
		fe.Send(m)
		if err := fe.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "alice", "database": "acme"}})
	conv := z.login.NewConversation()
	for {
		m, err := fe.Receive()
		if err != nil {
			t.Fatal(err)
		}
		switch m := m.(type) {
		case *pgproto3.AuthenticationSASL:
			first, _ := conv.Step("")
			send(&pgproto3.SASLInitialResponse{AuthMechanism: m.AuthMechanisms[0], Data: []byte(first)})
		case *pgproto3.AuthenticationSASLContinue:
			proof, err := conv.Step(string(m.Data))
			if err != nil {
				t.Fatal(err)
			}
			send(&pgproto3.SASLResponse{Data: []byte(proof)})
		case *pgproto3.ReadyForQuery:
			return
		}
	}
}

// FuzzStartup sends bytes to a server that expects a startup packet.
func FuzzStartup(f *testing.F) {
	for _, m := range []pgproto3.FrontendMessage{
		&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "alice", "database": "acme", "options": `-c a=b --c=d\ e`}},
		&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion32, Parameters: map[string]string{"user": "nobody", "_pq_.x": "1"}},
		&pgproto3.SSLRequest{},
		&pgproto3.GSSEncRequest{},
		&pgproto3.CancelRequest{ProcessID: 1, SecretKey: []byte("1234")},
	} {
		packet, err := m.Encode(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packet)
		sasl, err := (&pgproto3.SASLInitialResponse{AuthMechanism: "SCRAM-SHA-256", Data: []byte("n,,n=,r=abc")}).Encode(packet)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sasl)
	}
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add(binary.BigEndian.AppendUint32(nil, 0xffffffff))
	z := startFuzzed(f)
	f.Fuzz(func(t *testing.T, data []byte) { z.play(t, data, false) })
}

// FuzzFrontendMessages sends bytes to a server that expects messages.
func FuzzFrontendMessages(f *testing.F) {
	for _, round := range [][]pgproto3.FrontendMessage{
		{&pgproto3.Query{String: "rows 3; begin; fail 22012"}, &pgproto3.Query{String: "rollback"}},
		{
			&pgproto3.Parse{Name: "s", Query: "echo int8", ParameterOIDs: []uint32{20}}, &pgproto3.Describe{ObjectType: 'S', Name: "s"},
			&pgproto3.Bind{PreparedStatement: "s", DestinationPortal: "p", Parameters: [][]byte{[]byte("1")}, ParameterFormatCodes: []int16{0}, ResultFormatCodes: []int16{1}},
			&pgproto3.Describe{ObjectType: 'P', Name: "p"}, &pgproto3.Execute{Portal: "p", MaxRows: 1}, &pgproto3.Execute{Portal: "p"}, &pgproto3.Close{ObjectType: 'P', Name: "p"}, &pgproto3.Sync{},
		},
		{&pgproto3.Parse{Query: "rows 9"}, &pgproto3.Bind{Parameters: [][]byte{nil}}, &pgproto3.Execute{MaxRows: 0xffffffff}, &pgproto3.Flush{}, &pgproto3.Sync{}},
		{&pgproto3.FunctionCall{Function: 1}, &pgproto3.CopyData{}, &pgproto3.CopyDone{}, &pgproto3.CopyFail{}, &pgproto3.Terminate{}},
	} {
		var data []byte
		for _, m := range round {
			var err error
			if data, err = m.Encode(data); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(data)
		f.Add(data[:len(data)-3])
	}
	f.Add([]byte{'B', 0, 0, 0, 12, 0, 0, 0, 0, 0xff, 0xff, 0, 0})
	z := startFuzzed(f)
	f.Fuzz(func(t *testing.T, data []byte) { z.play(t, data, true) })
}
