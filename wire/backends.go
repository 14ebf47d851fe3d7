package wire

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"sync"
	"sync/atomic"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/wire/auth"
)

// Lengths of the secret that a cancel request must carry. Protocol 3.0 has room
// for 4 bytes, 3.2 for up to 256.
const (
	shortSecret = 4
	longSecret  = 32
)

// A process id is the server's number, then that of the session on it. PostgreSQL's
// are positive too, and have 31 bits.
const (
	nodeShift = 20
	// MaxNode is the highest number of a server.
	MaxNode = 1<<(31-nodeShift) - 1
)

// NodeOf is the number of the server of a process id.
func NodeOf(pid int32) uint16 { return uint16(pid >> nodeShift) }

// backends are the live sessions by process id.
type backends struct {
	max  int
	node func() uint16

	mu   sync.Mutex
	last int32
	live map[int32]*backend
}

// backend is what others may do to a session: stop its running statement.
type backend struct {
	pid    int32
	secret []byte
	// end ends the connection, as the end of the server does.
	end func()

	// wake interrupts the connection's wait for its client's next message.
	wake func()

	// role is who has logged in; not set before.
	role atomic.Pointer[auth.Role]

	mu sync.Mutex
	// waiting: the connection waits for its client, outside of any transaction.
	waiting bool
	// notifications wait until the connection sends them, and are so many bytes.
	notifications []planner.Notification
	queued        int
	// stop ends the running statement; nil while none runs.
	stop context.CancelCauseFunc
}

func newBackends(limit int, node func() uint16) *backends {
	if node == nil {
		node = func() uint16 { return 0 }
	}
	return &backends{max: limit, node: node, live: make(map[int32]*backend)}
}

// add registers a session, or says that there are too many.
func (b *backends) add(secretLen int, end, wake func()) (*backend, bool) {
	secret := make([]byte, secretLen)
	_, _ = rand.Read(secret) // never fails
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.live) >= b.max {
		return nil, false
	}
	node := int32(min(b.node(), MaxNode)) << nodeShift
	var pid int32
	for taken := true; taken; {
		b.last = max((b.last+1)%(1<<nodeShift), 1)
		pid = node | b.last
		_, taken = b.live[pid]
	}
	be := &backend{pid: pid, secret: secret, end: end, wake: wake}
	b.live[be.pid] = be
	return be, true
}

func (b *backends) remove(be *backend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.live, be.pid)
}

// cancel stops the running statement of the session with that id and secret, if
// there is one. Like PostgreSQL it does not tell whether there was; elsewhere says
// that the session is another server's, if anybody's, and gives its number.
func (b *backends) cancel(pid int32, secret []byte) (node uint16, elsewhere bool) {
	b.mu.Lock()
	be, ok := b.live[pid]
	b.mu.Unlock()
	if !ok {
		node = NodeOf(pid)
		return node, pid > 0 && node > 0 && node != b.node()
	}
	if subtle.ConstantTimeCompare(be.secret, secret) == 1 {
		be.interrupt(errCancelRequest)
	}
	return 0, false
}

// all lists the sessions that someone has logged in to.
func (b *backends) all() []*backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]*backend, 0, len(b.live))
	for _, be := range b.live {
		if be.role.Load() != nil {
			out = append(out, be)
		}
	}
	return out
}

// notify hands a notification to the connection, which sends it when it waits for
// its client.
func (b *backend) notify(n planner.Notification) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notifications = append(b.notifications, n)
	b.queued += n.Bytes()
	if b.waiting {
		b.wake()
	}
}

// wait says that the connection waits for its client from now on, or not any more.
// It is refused while there are notifications to send.
func (b *backend) wait(on bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = on && len(b.notifications) == 0
	return b.waiting
}

func (b *backend) hasNotifications() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.notifications) > 0
}

// takeNotifications gives what is to be sent.
func (b *backend) takeNotifications() []planner.Notification {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.notifications
	b.notifications, b.queued = nil, 0
	return out
}

// queuedBytes is how much of notifications is to be sent.
func (b *backend) queuedBytes() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.queued
}

// terminate ends the session with 57P01, whatever it does.
func (b *backend) terminate() {
	b.end()
	b.interrupt(errShutdown)
}

func (b *backend) interrupt(cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stop != nil {
		b.stop(cause)
	}
}

// arm says what stops the statement that now runs; nil: none does.
func (b *backend) arm(stop context.CancelCauseFunc) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stop = stop
}
