package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/fieldgate/fieldgate/wire/auth"
)

// Config is what a Server needs.
type Config struct {
	// Listener accepts the connections. Run closes it.
	Listener net.Listener
	// TLS gives what the next SSLRequest is answered with, which has one certificate;
	// nil: encryption is refused.
	TLS func() *tls.Config
	// RequireTLS turns away sessions that are not encrypted.
	RequireTLS bool
	// Roles says who may connect.
	Roles *auth.Roles
	// NewSession opens the planner session of a client.
	NewSession NewSessionFunc
	// MaxConnections counts sessions; one more is answered 53300. Default 100.
	MaxConnections int
	// StartupTimeout bounds the time from accept to the end of authentication.
	// Default 20 s.
	StartupTimeout time.Duration
	// WriteTimeout is how long a client may take none of a result's bytes before
	// it is cut off: a result holds what its statement pinned. Default 1 h.
	WriteTimeout time.Duration
	// SpoolAfter is how long a client may let a portal wait before its rows are put
	// aside, so that it no longer holds what they are read from. Default 10 s.
	SpoolAfter time.Duration
	// DrainTimeout is how long statements, transactions and cursors may go on once
	// Run's context has ended. Default 10 s.
	DrainTimeout time.Duration
	// Node gives the number of this server among those behind one balancer, 1 to
	// MaxNode; it is part of the process ids of sessions that begin then, so that a
	// cancel request which reaches another server can be passed on. 0, or nil: there is
	// no other.
	Node func() uint16
	// Forward passes a cancel request, as it was sent, on to the server of a number.
	// Whether a session is cancelled is never told. Optional.
	Forward func(ctx context.Context, node uint16, request []byte)
	// Peer answers another server of those behind one balancer, on a connection that
	// begins with a startup packet of PeerCode; opening is what the packet has after that.
	// It returns when the connection is to be closed. Optional, with PeerCode.
	Peer     func(ctx context.Context, conn io.ReadWriter, opening []byte)
	PeerCode uint32
	// MaxMessageBytes bounds one message of a client. Default 64 MiB.
	MaxMessageBytes int
	// Logger receives what clients are not told. Required.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.MaxConnections == 0 {
		c.MaxConnections = 100
	}
	if c.StartupTimeout == 0 {
		c.StartupTimeout = 20 * time.Second
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = time.Hour
	}
	if c.SpoolAfter == 0 {
		c.SpoolAfter = 10 * time.Second
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = 10 * time.Second
	}
	if c.MaxMessageBytes == 0 {
		c.MaxMessageBytes = 64 << 20
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Listener == nil:
		return errors.New("wire: no listener")
	case c.Roles == nil:
		return errors.New("wire: no roles")
	case c.NewSession == nil:
		return errors.New("wire: no sessions")
	case c.Logger == nil:
		return errors.New("wire: no logger")
	case c.RequireTLS && c.TLS == nil:
		return errors.New("wire: TLS is required but not configured")
	case c.MaxConnections < 0 || c.StartupTimeout < 0 || c.WriteTimeout < 0 || c.DrainTimeout < 0 || c.SpoolAfter < 0 || c.MaxMessageBytes < 0:
		return errors.New("wire: a limit is negative")
	}
	return nil
}

// Server serves the Postgres protocol.
type Server struct {
	cfg      Config
	backends *backends
	drain    drain
	// sockets bounds accepted connections, sessions or not: beyond the sessions
	// there is room for cancel requests and for those who are turned away.
	sockets chan struct{}
}

// spareSockets are for connections that have no session (yet).
const spareSockets = 64

// New checks the configuration. Nothing runs before Run.
func New(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Server{
		cfg:      cfg,
		backends: newBackends(cfg.MaxConnections, cfg.Node),
		drain:    drain{empty: make(chan struct{})},
		sockets:  make(chan struct{}, cfg.MaxConnections+spareSockets),
	}, nil
}

// Run serves until ctx ends. Then idle sessions are told so (57P01) and closed;
// those in a transaction, or with a cursor open, go on until that ends, at most for
// DrainTimeout. Cancel requests are still served, new sessions are refused (57P03).
// Run returns nil when every connection is gone. It fails if the listener does.
func (s *Server) Run(ctx context.Context) error {
	// Statements outlive ctx until the drain timeout, hence a context of their own.
	running, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	draining, drain := context.WithCancel(ctx)
	defer drain()
	accepting, drained := context.WithCancel(context.WithoutCancel(ctx))
	defer drained()
	// Of accepting: what closes the listener must be known before it is.
	closed := context.AfterFunc(accepting, func() { _ = s.cfg.Listener.Close() })
	defer closed()
	// Who is told to leave finds that no session begins any more.
	leaving, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-draining.Done()
		s.drain.begin()
		leave()
		patience := time.NewTimer(s.cfg.DrainTimeout)
		defer patience.Stop()
		select {
		case <-s.drain.empty:
		case <-patience.C:
		}
		drained()
	}()

	var connections sync.WaitGroup
	connections.Go(func() { s.evict(accepting) })
	err := s.accept(accepting, leaving, running, &connections)
	drain()
	<-ended
	stop(errShutdown)
	connections.Wait()
	return err
}

// accept starts a goroutine for each connection until accepting ends.
func (s *Server) accept(accepting, leaving, running context.Context, connections *sync.WaitGroup) error {
	const maxPause = time.Second
	pause := 5 * time.Millisecond
	for {
		select {
		case s.sockets <- struct{}{}:
		case <-accepting.Done():
			return nil
		}
		nc, err := s.cfg.Listener.Accept()
		if err == nil {
			pause = 5 * time.Millisecond
			connections.Go(func() {
				defer func() { <-s.sockets }()
				s.serve(leaving, running, nc)
			})
			continue
		}
		<-s.sockets
		if accepting.Err() != nil {
			return nil
		}
		if errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("accept: %w", err)
		}
		// Mostly a process out of file descriptors: it passes as others close.
		s.cfg.Logger.Warn("accept postgres connection", "err", err, "retry_in", pause)
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-accepting.Done():
			t.Stop()
			return nil
		}
		pause = min(2*pause, maxPause)
	}
}
