package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldgate/fieldgate/ingest"
)

const (
	// refusedConnections beyond the limit are told so, each by one answer; further ones
	// are closed at once, since telling takes memory too.
	refusedConnections = 100
	// connectionRetry is when a client may find a connection free.
	connectionRetry = 5 * time.Second
)

// countedListener bounds how many of its connections are open at a time.
type countedListener struct {
	net.Listener
	limit int64
	open  atomic.Int64
}

// Accept implements net.Listener. What it gives is a *countedConn.
func (l *countedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		n := l.open.Add(1)
		release := sync.OnceFunc(func() { l.open.Add(-1) })
		if n <= l.limit+refusedConnections {
			return &countedConn{Conn: c, release: release, refused: n > l.limit}, nil
		}
		release()
		_ = c.Close()
	}
}

// countedConn is a connection of a countedListener.
type countedConn struct {
	net.Conn
	release func()
	refused bool // it is one too many
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}

// refusedKey is, in a request's context, whether its connection is one too many.
type refusedKey struct{}

// withRefused is an http.Server's ConnContext.
func withRefused(ctx context.Context, c net.Conn) context.Context {
	if secured, ok := c.(*tls.Conn); ok {
		c = secured.NetConn()
	}
	counted, ok := c.(*countedConn)
	return context.WithValue(ctx, refusedKey{}, ok && counted.refused)
}

// refuseConnection answers a request of a connection that is one too many, and says
// whether it has.
func refuseConnection(w http.ResponseWriter, r *http.Request) bool {
	if refused, _ := r.Context().Value(refusedKey{}).(bool); !refused {
		return false
	}
	w.Header().Set("Connection", "close")
	ingest.WriteProblem(w, &ingest.Problem{
		Status: http.StatusServiceUnavailable, Detail: "too many connections; leave fewer open", RetryAfter: connectionRetry,
	})
	return true
}
