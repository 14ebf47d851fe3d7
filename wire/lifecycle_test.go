package wire_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/wire"
)

func TestCancelRequest(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{"wait", "stall"} {
		t.Run(sql, func(t *testing.T) {
			t.Parallel()
			s := startServer(t)
			c := s.login(t, nil)
			c.send(&pgproto3.Query{String: sql})
			<-s.running
			c.cancel(s.addr)
			if got := c.until("ReadyForQuery"); !strings.Contains(got, "ErrorResponse ERROR 57014 canceling statement due to user request\nReadyForQuery I\n") {
				t.Errorf("after the cancel request: %s", got)
			}
			c.send(&pgproto3.Query{String: "rows 1"})
			if got := c.until("ReadyForQuery"); !strings.Contains(got, "SELECT 1") {
				t.Errorf("the next statement: %s", got)
			}
		})
	}
}

func TestCancelRequestNeedsTheSecret(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c, other := s.login(t, nil), s.login(t, nil)
	c.send(&pgproto3.Query{String: "wait"})
	<-s.running
	right := c.key.SecretKey
	c.key.SecretKey = other.key.SecretKey
	c.cancel(s.addr)
	c.key.SecretKey = right[:0]
	c.cancel(s.addr)
	c.key.SecretKey = right
	other.cancel(s.addr) // nothing runs there
	other.send(&pgproto3.Query{String: "rows 1"})
	if got := other.until("ReadyForQuery"); !strings.Contains(got, "SELECT 1") {
		t.Errorf("a session whose cancel came while it was idle: %s", got)
	}
	c.cancel(s.addr)
	if got := c.until("ReadyForQuery"); !strings.Contains(got, "57014") {
		t.Errorf("the right secret: %s", got)
	}
}

func TestCancelSuspendedPortal(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := s.login(t, nil)
	c.send(&pgproto3.Query{String: "begin"})
	c.until("ReadyForQuery")
	c.send(&pgproto3.Parse{Query: "drip 9"}, &pgproto3.Bind{}, &pgproto3.Execute{MaxRows: 1}, &pgproto3.Sync{})
	if got := c.until("ReadyForQuery"); !strings.Contains(got, "PortalSuspended") {
		t.Fatalf("first row: %s", got)
	}
	c.cancel(s.addr) // hits nothing: the portal waits
	c.send(&pgproto3.Execute{MaxRows: 1}, &pgproto3.Sync{})
	s.more <- struct{}{}
	if got := c.until("ReadyForQuery"); !strings.Contains(got, "PortalSuspended") {
		t.Fatalf("second row: %s", got)
	}
	c.send(&pgproto3.Execute{}, &pgproto3.Sync{})
	s.more <- struct{}{}
	c.until("DataRow")
	c.cancel(s.addr)
	if got := c.until("ReadyForQuery"); !strings.Contains(got, "57014") || !strings.HasSuffix(got, "ReadyForQuery E\n") {
		t.Errorf("cancelled: %s", got)
	}
}

func TestStatementTimeout(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := s.login(t, map[string]string{"statement_timeout": "30ms"})
	c.send(&pgproto3.Query{String: "wait"})
	if got := c.until("ReadyForQuery"); !strings.Contains(got, "ERROR 57014 canceling statement due to statement timeout") {
		t.Errorf("timed out: %s", got)
	}
}

// TestClientGone has a client vanish while its statement runs: the statement ends.
func TestClientGone(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := s.login(t, nil)
	c.send(&pgproto3.Query{String: "wait"})
	<-s.running
	if err := c.nc.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "the session ends", func() bool { return s.live.Load() == 0 })
}

// TestDrain: who is idle leaves at once, who is in a transaction or runs a statement
// when that ends, or when the time is over. Meanwhile cancel requests are served and
// new sessions are not.
func TestDrain(t *testing.T) {
	t.Parallel()
	s := startServer(t, func(c *wire.Config) { c.DrainTimeout = time.Minute })
	idle, inBlock, cancelled := s.login(t, nil), s.login(t, nil), s.login(t, nil)
	quick := s.login(t, nil)
	inBlock.send(&pgproto3.Query{String: "begin"})
	inBlock.until("ReadyForQuery")
	cancelled.send(&pgproto3.Query{String: "wait"})
	<-s.running
	quick.send(&pgproto3.Query{String: "drip 2"})
	quick.until("DataRow")
	s.stop()
	if got := idle.until(""); got != shutdown {
		t.Errorf("idle: %s", got)
	}
	late := dial(t, s.addr)
	late.start(3<<16, map[string]string{"user": "alice", "database": "acme"})
	if got, want := late.until(""), "ErrorResponse FATAL 57P03 the database system is shutting down\nclosed\n"; got != want {
		t.Errorf("a new session: %s", got)
	}
	s.more <- struct{}{}
	if got := quick.until(""); got != "DataRow \"2\" NULL\nCommandComplete SELECT 2\nReadyForQuery I\n"+shutdown {
		t.Errorf("a statement that ends in time: %s", got)
	}
	cancelled.cancel(s.addr)
	if got := cancelled.until(""); !strings.Contains(got, "57014") || !strings.HasSuffix(got, shutdown) {
		t.Errorf("a statement that is cancelled: %s", got)
	}
	inBlock.send(&pgproto3.Query{String: "rows 1"})
	if got := inBlock.until("ReadyForQuery"); !strings.Contains(got, "SELECT 1\nReadyForQuery T\n") {
		t.Errorf("in a block: %s", got)
	}
	inBlock.send(&pgproto3.Query{String: "commit"})
	if got := inBlock.until(""); !strings.HasSuffix(got, "ReadyForQuery I\n"+shutdown) {
		t.Errorf("after the block: %s", got)
	}
	if err := <-s.done; err != nil {
		t.Error(err)
	}
}

const shutdown = "ErrorResponse FATAL 57P01 terminating connection due to administrator command\nclosed\n"

// TestDrainEnds: what does not end by itself is ended, and so is who never said what
// it wants.
func TestDrainEnds(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	inBlock, busy := s.login(t, nil), s.login(t, nil)
	starting := dial(t, s.addr)
	inBlock.send(&pgproto3.Query{String: "begin"})
	inBlock.until("ReadyForQuery")
	busy.send(&pgproto3.Query{String: "wait"})
	<-s.running
	s.stop()
	if got := inBlock.until(""); got != shutdown {
		t.Errorf("in a block: %s", got)
	}
	if got := busy.until(""); !strings.HasSuffix(got, shutdown) {
		t.Errorf("a statement: %s", got)
	}
	starting.until("")
	<-s.done
}

// TestCancelElsewhere has a cancel request come to another server than the
// session's, as by a balancer.
func TestCancelElsewhere(t *testing.T) {
	t.Parallel()
	var addresses [3]string
	node := func(n uint16) func(*wire.Config) {
		return func(c *wire.Config) {
			c.Node = func() uint16 { return n }
			c.Forward = func(ctx context.Context, node uint16, request []byte) {
				nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", addresses[node])
				if err != nil {
					t.Error(err)
					return
				}
				_, err = nc.Write(request)
				if err := errors.Join(err, nc.Close()); err != nil {
					t.Error(err)
				}
			}
		}
	}
	one, two := startServer(t, node(1)), startServer(t, node(2))
	addresses[1], addresses[2] = one.addr, two.addr
	here, there := one.login(t, nil), two.login(t, nil)
	if here.key.ProcessID == there.key.ProcessID {
		t.Errorf("two sessions have the process id %d", here.key.ProcessID)
	}
	there.send(&pgproto3.Query{String: "wait"})
	<-two.running
	there.cancel(one.addr)
	if got := there.until("ReadyForQuery"); !strings.Contains(got, "57014") {
		t.Errorf("after a cancel request at the other server: %s", got)
	}
	there.key.ProcessID++ // nobody's
	there.cancel(one.addr)
}

// TestSlowClient has a client that reads nothing: the engine is asked for no more
// than the buffers between take, and the end of the server does not wait for it.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	const megabytes = 1000
	s := startServer(t)
	c := s.login(t, nil)
	c.send(&pgproto3.Query{String: "fill 1000"})
	stalled := time.NewTicker(50 * time.Millisecond)
	defer stalled.Stop()
	for last := int32(0); last == 0 || s.chunks.Load() != last; <-stalled.C {
		last = s.chunks.Load()
	}
	if n := s.chunks.Load(); n > megabytes/10 {
		t.Errorf("%d MB of %d were read for a client that takes nothing", n, megabytes)
	}
	s.stop()
	<-s.done
}

func TestWriteTimeout(t *testing.T) {
	t.Parallel()
	s := startServer(t, func(c *wire.Config) { c.WriteTimeout, c.DrainTimeout = time.Second, time.Minute })
	c := s.login(t, nil)
	c.send(&pgproto3.Query{String: "fill 1000"})
	c.until("RowDescription")
	await(t, "the session ends", func() bool { return s.live.Load() == 0 })
}

// TestShortAnswersAreOneWrite: a client that cancels at the first row of an answer
// that is complete at once cancels nothing, as with PostgreSQL.
func TestShortAnswersAreOneWrite(t *testing.T) {
	t.Parallel()
	p := &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})}
	startServer(t, func(cfg *wire.Config) {
		_ = cfg.Listener.Close() // pipes keep writes apart
		cfg.Listener = p
	})
	ours, theirs := net.Pipe()
	defer func() { _ = ours.Close() }()
	p.accepted <- theirs
	c := newClient(t, ours)
	c.start(pgproto3.ProtocolVersion30, nil)
	c.authenticate("secret")
	buf := make([]byte, 1<<16)
	// On a machine that is busy enough the rows may well take their time.
	for range 1000 {
		writes := 0
		c.send(&pgproto3.Query{String: "rows 2"})
		for n := 0; n == 0 || !bytes.HasSuffix(buf[:n], []byte{'Z', 0, 0, 0, 5, 'I'}); writes++ {
			read, err := ours.Read(buf[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += read
		}
		if writes == 1 {
			return
		}
	}
	t.Error("rows and their end are always written apart")
}

func TestFirstRowsAreNotHeldBack(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := s.login(t, nil)
	c.send(&pgproto3.Query{String: "drip 2"})
	if got := c.until("DataRow"); !strings.Contains(got, "row 1") {
		t.Errorf("before the second chunk: %s", got)
	}
	s.more <- struct{}{}
	c.until("ReadyForQuery")
}

func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	s := startServer(t, func(c *wire.Config) { c.MaxConnections = 2 })
	first := s.login(t, nil)
	second := s.login(t, nil)
	third := dial(t, s.addr)
	third.start(pgproto3.ProtocolVersion30, nil)
	if got := third.until(""); got != "ErrorResponse FATAL 53300 sorry, too many clients already\nclosed\n" {
		t.Errorf("the third: %s", got)
	}
	first.send(&pgproto3.Query{String: "wait"})
	<-s.running
	first.cancel(s.addr) // needs no session
	first.until("ReadyForQuery")
	second.send(&pgproto3.Terminate{})
	second.until("")
	s.login(t, nil)
}

func TestStartupTimeout(t *testing.T) {
	t.Parallel()
	// The time of the bubble stands while anybody works, however slowly.
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})}
		s := startServer(t, func(c *wire.Config) {
			_ = c.Listener.Close() // what waits for the network keeps the bubble's time from going on
			c.Listener, c.StartupTimeout = p, 50*time.Millisecond
		})
		dial := func() *client {
			ours, theirs := net.Pipe()
			p.accepted <- theirs
			return newClient(t, ours)
		}
		silent, half := dial(), dial()
		half.start(pgproto3.ProtocolVersion30, nil)
		if got := half.until(""); got != "AuthenticationSASL [SCRAM-SHA-256]\nclosed\n" {
			t.Errorf("who does not answer: %s", got)
		}
		if got := silent.until(""); got != "closed\n" {
			t.Errorf("who sends nothing: %s", got)
		}
		s.stop()
		if err := <-s.done; err != nil {
			t.Error(err)
		}
	})
}

func TestMessageLimit(t *testing.T) {
	t.Parallel()
	s := startServer(t, func(c *wire.Config) { c.MaxMessageBytes = 1000 })
	c := s.login(t, nil)
	c.send(&pgproto3.Query{String: "--" + strings.Repeat("x", 997)}) // and its zero byte
	if got := c.until("ReadyForQuery"); !strings.Contains(got, "EmptyQueryResponse") {
		t.Errorf("at the limit: %s", got)
	}
	c.send(&pgproto3.Query{String: "--" + strings.Repeat("x", 998)})
	if got := c.until(""); !strings.Contains(got, "FATAL 54000 message of 1001 bytes is longer than the 1000 that this server takes") {
		t.Errorf("over the limit: %s", got)
	}
}

func TestLargeMessage(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := s.login(t, nil)
	text := strings.Repeat("long ", 1<<18)
	c.send(&pgproto3.Parse{Query: "echo text"}, &pgproto3.Bind{Parameters: [][]byte{[]byte(text)}}, &pgproto3.Execute{}, &pgproto3.Sync{})
	if got := c.until("ReadyForQuery"); !strings.Contains(got, text) {
		t.Errorf("a parameter of %d bytes came back as %d", len(text), len(got))
	}
}

func TestPanicIsLogged(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := s.login(t, nil)
	c.send(&pgproto3.Query{String: "crash"})
	c.until("")
	if !s.log.contains("crash as asked") || !s.log.contains("session_test.go") {
		t.Error("the log has no cause or no stack")
	}
	c = s.login(t, nil)
	c.send(&pgproto3.Query{String: "fail internal"})
	c.until("ReadyForQuery")
	if !s.log.contains("secret detail") {
		t.Error("the log lacks what the client was not told")
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert := selfSigned(t)
	s := startServer(t, func(c *wire.Config) {
		c.TLS = func() *tls.Config {
			return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
		}
		c.RequireTLS = true
	})
	plain := dial(t, s.addr)
	plain.start(pgproto3.ProtocolVersion30, nil)
	if got := plain.until(""); !strings.HasPrefix(got, `ErrorResponse FATAL 28000 connection without encryption is not allowed for user "alice"`) {
		t.Errorf("plain: %s", got)
	}
	roots := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(leaf)
	c := dial(t, s.addr).startTLS(&tls.Config{RootCAs: roots, ServerName: "localhost"})
	c.start(pgproto3.ProtocolVersion30, nil)
	if got := c.authenticate("secret"); !strings.HasSuffix(got, "ReadyForQuery I\n") {
		t.Fatalf("encrypted: %s", got)
	}
	// A read that the watch interrupts must not harm the encryption.
	c.send(&pgproto3.Query{String: "drip 2"})
	c.until("DataRow")
	<-time.After(150 * time.Millisecond)
	s.more <- struct{}{}
	c.until("ReadyForQuery")
	c.send(&pgproto3.Query{String: "rows 1"})
	if got := c.until("ReadyForQuery"); !strings.Contains(got, "SELECT 1") {
		t.Errorf("a statement after a long one: %s", got)
	}
}

func TestEncryptionRefused(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := dial(t, s.addr)
	for _, request := range []pgproto3.FrontendMessage{&pgproto3.SSLRequest{}, &pgproto3.GSSEncRequest{}} {
		c.send(request)
		answer := make([]byte, 1)
		if _, err := c.nc.Read(answer); err != nil || !bytes.Equal(answer, []byte("N")) {
			t.Fatalf("%T answered %q, %v", request, answer, err)
		}
	}
	c.send(&pgproto3.SSLRequest{}) // a second time is no way to begin
	if got := c.until(""); got != "ErrorResponse FATAL 0A000 unsupported frontend protocol 1234.5679: server supports 3.0 to 3.2\nclosed\n" {
		t.Errorf("asked again: %s", got)
	}
}

// await polls for what no message of the protocol tells.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); !is(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
