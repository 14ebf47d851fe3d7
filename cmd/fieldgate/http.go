package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// maxHeaderBytes bounds what a client without a key makes us keep.
	maxHeaderBytes = 64 << 10
	// bodyGrace and bodyRate bound how long a body may take to come: so long, and longer
	// by a second for so many bytes that have come, of which a slow modem sends more.
	bodyGrace = time.Minute
	bodyRate  = 1 << 10
	// unreadBytes of a body whose request is refused are read all the same: many clients
	// send all of a body before they look for an answer.
	unreadBytes = 16 << 20
	// endGrace is how long requests that are ended may take to tell their clients.
	endGrace = time.Second
)

// runHTTP serves until ctx ends, then waits for the requests under way, as long as
// patience lasts. Those that go on then have their contexts ended and their
// connections closed. No request is handled any more when it returns.
func runHTTP(ctx context.Context, l net.Listener, h http.Handler, patience time.Duration) error {
	handled, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	under := &underWay{handler: h, bodyGrace: bodyGrace}
	srv := &http.Server{
		Handler: under, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		BaseContext: func(net.Listener) context.Context { return handled }, ConnContext: withRefused,
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		err := shutDown(handled, srv, patience)
		if errors.Is(err, context.DeadlineExceeded) {
			end()
			err = shutDown(context.WithoutCancel(handled), srv, endGrace)
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = srv.Close() // of clients that do not take their answers
		}
		stopped <- err
	})
	err := srv.Serve(l)
	if !errors.Is(err, http.ErrServerClosed) {
		stop()
		end()
		under.wait()
		return fmt.Errorf("serve HTTP: %w", errors.Join(err, srv.Close()))
	}
	err = <-stopped
	under.wait()
	if err != nil {
		return fmt.Errorf("drain HTTP: %w", err)
	}
	return nil
}

// shutDown waits for requests under way for so long at most.
func shutDown(ctx context.Context, srv *http.Server, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return srv.Shutdown(ctx)
}

// underWay counts the requests that are handled: closing a server does not wait for
// them, and what they use is closed after it.
type underWay struct {
	handler   http.Handler
	bodyGrace time.Duration

	mu       sync.Mutex
	over     bool // no further one is handled
	requests sync.WaitGroup
}

// ServeHTTP implements http.Handler.
func (u *underWay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !u.enter() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	defer u.requests.Done()
	if refuseConnection(w, r) {
		return
	}
	if r.Body == http.NoBody {
		u.handler.ServeHTTP(w, r)
		return
	}
	body := &movingBody{ReadCloser: r.Body, control: http.NewResponseController(w), until: time.Now().Add(u.bodyGrace)}
	// What the handler leaves is read by the server, which has no bound of its own.
	if err := body.control.SetReadDeadline(body.until); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	// The server tells by the body of its own request whether its sender waits for a word
	// before it sends.
	whole := r.WithContext(r.Context())
	whole.Body = body
	u.handler.ServeHTTP(w, whole)
	if body.ended || r.Header.Get("Expect") != "" || r.ContentLength > unreadBytes {
		return
	}
	if err := body.control.Flush(); err == nil {
		_, _ = io.CopyN(io.Discard, body, unreadBytes)
	}
}

func (u *underWay) enter() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.over {
		u.requests.Add(1)
	}
	return !u.over
}

// wait returns when nothing is handled any more.
func (u *underWay) wait() {
	u.mu.Lock()
	u.over = true
	u.mu.Unlock()
	u.requests.Wait()
}

// movingBody is the body of a request, which fails to be read if it comes too slowly.
type movingBody struct {
	io.ReadCloser
	control *http.ResponseController
	until   time.Time
	ended   bool // there is no more to read
}

func (b *movingBody) Read(p []byte) (int, error) {
	if err := b.control.SetReadDeadline(b.until); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	b.until = b.until.Add(time.Duration(n) * time.Second / bodyRate)
	if err != nil {
		b.ended = true
		// That the client is still there is watched by a read without a bound.
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
