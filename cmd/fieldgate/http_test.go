package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/ingest"
)

// pipes are connections in memory that a server accepts until they are closed.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, open := <-p; open {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error {
	close(p)
	return nil
}

func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// TestSlowBody: a body that does not come is waited for no longer than its grace, one
// that comes slowly but steadily is read whole, and then the client is watched without
// a bound.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	// The time of the bubble stands while anybody works, however slowly.
	synctest.Test(t, func(t *testing.T) {
		const grace = 300 * time.Millisecond
		read := make(chan error, 1)
		srv := &http.Server{Handler: &underWay{bodyGrace: grace, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			select {
			case <-time.After(2 * grace):
			case <-r.Context().Done():
				err = context.Cause(r.Context())
			}
			read <- err
			w.WriteHeader(http.StatusNoContent)
		})}}
		connections := make(pipes)
		served := make(chan error, 1)
		go func() { served <- srv.Serve(connections) }()
		send := func(pieces int) error {
			c, theirs := net.Pipe()
			defer func() { _ = c.Close() }()
			connections <- theirs
			write := func(text string) {
				if _, err := io.WriteString(c, text); err != nil {
					t.Error(err)
				}
			}
			write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5120\r\n\r\n")
			for range pieces {
				write(strings.Repeat("x", 1024))
				<-time.After(grace / 3)
			}
			return <-read
		}
		if err := send(5); err != nil {
			t.Errorf("a slow body: %v", err)
		}
		if err := send(0); err == nil {
			t.Error("a body that never came was read")
		}
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// TestRefusedBody has a request refused before its body is read. A client that sends all
// of a large one before it looks for an answer hears why, as does one that asks before it
// sends, and a body that never comes is not waited for longer than the grace.
func TestRefusedBody(t *testing.T) {
	t.Parallel()
	const size = unreadBytes / 2
	for name, test := range map[string]struct {
		grace        time.Duration
		header, body string
	}{
		"large":            {grace: bodyGrace, body: strings.Repeat("x", size)},
		"asked for before": {grace: time.Hour, header: "Expect: 100-continue\r\n"},
		"never sent":       {grace: 300 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(&underWay{bodyGrace: test.grace, handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				ingest.WriteProblem(w, &ingest.Problem{Status: http.StatusUnauthorized})
			})})
			defer srv.Close()
			c, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\n"+test.header+"Content-Length: "+itoa(size)+"\r\n\r\n"+test.body); err != nil {
				t.Fatal(err)
			}
			wantStatus(t, c, http.StatusUnauthorized)
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Errorf("after the answer: %v", err)
			}
		})
	}
}

// TestConnectionLimit: a connection over the limit is told so, many more are closed, and
// one that ends makes room.
func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	counted := &countedListener{Listener: l, limit: 2}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- runHTTP(ctx, counted, http.NewServeMux(), time.Second) }()
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	ask := func(status int) net.Conn {
		t.Helper()
		c := dial()
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		wantStatus(t, c, status)
		return c
	}
	first := ask(http.StatusNotFound)
	ask(http.StatusNotFound)
	ask(http.StatusServiceUnavailable)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); counted.open.Load() > 1; {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are open, want 1", counted.open.Load())
		}
	}
	ask(http.StatusNotFound)
	for range refusedConnections { // without a request they stay
		dial()
	}
	if n, err := dial().Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes of a connection that is closed at once", n)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// wantStatus reads an answer.
func wantStatus(t *testing.T, c net.Conn, status int) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != status {
		t.Errorf("status %d, want %d", res.StatusCode, status)
	}
}

// TestHTTPConnections: what the configuration does not say, open files do.
func TestHTTPConnections(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name             string
		configured, want int
		roles            []string
		openFiles        uint64
		refused          bool
	}{
		{name: "many files", openFiles: 1 << 20, want: mostHTTPConnections},
		{name: "few files", openFiles: 1024, want: 1024 - spareFiles - 500},
		{name: "too few files", openFiles: spareFiles + 500 + leastHTTPConnections - 1, refused: true},
		{name: "no gateway", roles: []string{config.RoleIngest}, openFiles: 1024, want: 1024 - spareFiles},
		{name: "configured", configured: 50, openFiles: 1 << 20, want: 50},
		{name: "more configured than files", configured: 1000, openFiles: 1024, refused: true},
	} {
		c := config.Default()
		c.Limits.HTTPConnections = test.configured
		if test.roles != nil {
			c.Roles = test.roles
		}
		got, err := httpConnections(&c, test.openFiles)
		if (err != nil) != test.refused || got != test.want {
			t.Errorf("%s: %d, %v, want %d", test.name, got, err, test.want)
		}
	}
}
