package wire_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/xdg-go/scram"
	"go.uber.org/goleak"

	"github.com/fieldgate/fieldgate/wire"
	"github.com/fieldgate/fieldgate/wire/wiretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a running Server over a script. Users alice and bob of the tenants
// acme and globex have the password secret.
type server struct {
	*script
	addr string
	log  *logs
	stop context.CancelFunc // begins the drain
	done chan error         // what Run returned
}

func startServer(t testing.TB, change ...func(*wire.Config)) *server {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{script: newScript(), addr: l.Addr().String(), log: &logs{}, done: make(chan error, 1)}
	cfg := wire.Config{
		Listener:     l,
		Roles:        newRoles(t),
		NewSession:   s.open,
		DrainTimeout: 200 * time.Millisecond,
		Logger:       slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&cfg)
	}
	srv, err := wire.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	s.stop = stop
	go func() {
		s.done <- srv.Run(ctx)
		close(s.done)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-s.done; err != nil {
			t.Errorf("run: %v", err)
		}
		if n := s.live.Load(); n != 0 {
			t.Errorf("%d sessions left open", n)
		}
		if n := s.results.Load(); n != 0 {
			t.Errorf("%d results left open", n)
		}
	})
	return s
}

// logs is what the server logged.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) contains(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), s)
}

// client speaks the protocol message by message.
type client struct {
	t  testing.TB
	nc net.Conn
	fe *pgproto3.Frontend
	// key is what a cancel request of this client carries.
	key pgproto3.BackendKeyData
}

func dial(t testing.TB, addr string) *client {
	t.Helper()
	nc, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	return newClient(t, nc)
}

// patience is how long a busy machine may take for anything.
const patience = time.Minute

func newClient(t testing.TB, nc net.Conn) *client {
	_ = nc.SetDeadline(time.Now().Add(patience)) // a hanging test says where
	return &client{t: t, nc: nc, fe: pgproto3.NewFrontend(nc, nc)}
}

// login dials and goes through startup as alice of acme, or as told.
func (s *server) login(t testing.TB, parameters map[string]string) *client {
	t.Helper()
	c := dial(t, s.addr)
	c.start(pgproto3.ProtocolVersion30, parameters)
	if got := c.authenticate("secret"); !strings.HasSuffix(got, "ReadyForQuery I\n") {
		t.Fatalf("login: %s", got)
	}
	return c
}

func (c *client) start(version uint32, parameters map[string]string) {
	c.t.Helper()
	all := map[string]string{"user": "alice", "database": "acme"}
	for k, v := range parameters {
		all[k] = v
	}
	c.send(&pgproto3.StartupMessage{ProtocolVersion: version, Parameters: all})
}

func (c *client) send(messages ...pgproto3.FrontendMessage) {
	c.t.Helper()
	for _, m := range messages {
		c.fe.Send(m)
	}
	if err := c.fe.Flush(); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// authenticate answers SCRAM and returns the printed messages up to
// ReadyForQuery or the end of the connection.
func (c *client) authenticate(password string) string {
	c.t.Helper()
	cl, err := scram.SHA256.NewClient("", password, "")
	if err != nil {
		c.t.Fatal(err)
	}
	conv := cl.NewConversation()
	var out strings.Builder
	for {
		m, err := c.fe.Receive()
		if err != nil {
			fmt.Fprintln(&out, "closed")
			return out.String()
		}
		var answer pgproto3.FrontendMessage
		switch m := m.(type) {
		case *pgproto3.AuthenticationSASL:
			first, _ := conv.Step("")
			answer = &pgproto3.SASLInitialResponse{AuthMechanism: m.AuthMechanisms[len(m.AuthMechanisms)-1], Data: []byte(first)}
		case *pgproto3.AuthenticationSASLContinue:
			proof, err := conv.Step(string(m.Data))
			if err != nil {
				c.t.Fatalf("answer the challenge: %v", err)
			}
			answer = &pgproto3.SASLResponse{Data: []byte(proof)}
		case *pgproto3.AuthenticationSASLFinal:
			if _, err := conv.Step(string(m.Data)); err != nil {
				c.t.Fatalf("the server does not know the password: %v", err)
			}
		case *pgproto3.BackendKeyData:
			c.key = pgproto3.BackendKeyData{ProcessID: m.ProcessID, SecretKey: append([]byte(nil), m.SecretKey...)}
		}
		fmt.Fprintln(&out, wiretest.Show(m))
		if answer != nil {
			c.send(answer)
		}
		if _, ready := m.(*pgproto3.ReadyForQuery); ready {
			return out.String()
		}
	}
}

// until reads and prints messages up to the first of that name, or to the end.
func (c *client) until(name string) string {
	c.t.Helper()
	var out strings.Builder
	for {
		m, err := c.fe.Receive()
		if err != nil {
			fmt.Fprintln(&out, "closed")
			return out.String()
		}
		line := wiretest.Show(m)
		fmt.Fprintln(&out, line)
		if word, _, _ := strings.Cut(line, " "); word == name {
			return out.String()
		}
	}
}

// cancel sends a cancel request on a connection of its own.
func (c *client) cancel(addr string) {
	c.t.Helper()
	other := dial(c.t, addr)
	other.send(&pgproto3.CancelRequest{ProcessID: c.key.ProcessID, SecretKey: c.key.SecretKey})
	if got := other.until(""); got != "closed\n" {
		c.t.Errorf("cancel request was answered: %s", got)
	}
}

// startTLS asks for encryption.
func (c *client) startTLS(config *tls.Config) *client {
	c.t.Helper()
	c.send(&pgproto3.SSLRequest{})
	answer := make([]byte, 1)
	if _, err := c.nc.Read(answer); err != nil || answer[0] != 'S' {
		c.t.Fatalf("SSLRequest answered %q, %v", answer, err)
	}
	return newClient(c.t, tls.Client(c.nc, config))
}
