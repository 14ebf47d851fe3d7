package wire

import (
	"context"
	"crypto/x509"
	"net"
	"time"
)

// closeGrace is how long a connection may take its last message.
const closeGrace = time.Second

// transport is a client's connection, whose deadlines yield to the server's end:
// once draining, nothing waits for the client's next message, and once stopping,
// nothing waits for it to take what is written.
type transport struct {
	net.Conn          // encrypted if TLS was agreed; used by one goroutine
	raw      net.Conn // what was accepted; carries the deadlines
	// certificate is what the server showed, to which the client may bind its proof;
	// nil if the connection is not encrypted.
	certificate *x509.Certificate
	draining    <-chan struct{}
	stopping    <-chan struct{}
	release     []func() bool
}

func newTransport(draining, stopping context.Context, nc net.Conn) *transport {
	t := &transport{Conn: nc, raw: nc, draining: draining.Done(), stopping: stopping.Done()}
	// Errors of setting a deadline mean that the connection is gone, which the
	// read or write at hand finds out.
	t.release = []func() bool{
		context.AfterFunc(draining, t.interruptRead),
		context.AfterFunc(stopping, func() { _ = nc.SetWriteDeadline(time.Now().Add(closeGrace)) }),
	}
	return t
}

// interruptRead makes a waiting or coming read fail with a timeout.
func (t *transport) interruptRead() { _ = t.raw.SetReadDeadline(time.Unix(1, 0)) }

// readBy bounds reads to come; the zero time removes the bound.
func (t *transport) readBy(deadline time.Time) {
	_ = t.raw.SetReadDeadline(deadline)
	if ended(t.draining) {
		t.interruptRead()
	}
}

// writeWithin bounds a write to come.
func (t *transport) writeWithin(d time.Duration) {
	_ = t.raw.SetWriteDeadline(time.Now().Add(d))
	if ended(t.stopping) {
		_ = t.raw.SetWriteDeadline(time.Now().Add(closeGrace))
	}
}

// ending says that the server's end, and not a deadline, is why a read failed.
func (t *transport) ending() bool { return ended(t.draining) || ended(t.stopping) }

// close lets go of the connection.
func (t *transport) close() {
	for _, f := range t.release {
		f()
	}
	t.writeWithin(closeGrace) // for the close alert of TLS
	_ = t.Close()             // nobody is left to tell
}

func ended(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
