package wire

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"sync"
)

// Lengths of the secret that a cancel request must carry. Protocol 3.0 has room
// for 4 bytes, 3.2 for up to 256.
const (
	shortSecret = 4
	longSecret  = 32
)

// backends are the live sessions by process id.
type backends struct {
	max int

	mu   sync.Mutex
	last int32
	live map[int32]*backend
}

// backend is what others may do to a session: stop its running statement.
type backend struct {
	pid    int32
	secret []byte

	mu sync.Mutex
	// stop ends the running statement; nil while none runs.
	stop context.CancelCauseFunc
}

func newBackends(limit int) *backends {
	return &backends{max: limit, live: make(map[int32]*backend)}
}

// add registers a session, or says that there are too many.
func (b *backends) add(secretLen int) (*backend, bool) {
	secret := make([]byte, secretLen)
	_, _ = rand.Read(secret) // never fails
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.live) >= b.max {
		return nil, false
	}
	for {
		b.last = max(b.last+1, 1)
		if _, taken := b.live[b.last]; !taken {
			break
		}
	}
	be := &backend{pid: b.last, secret: secret}
	b.live[be.pid] = be
	return be, true
}

func (b *backends) remove(be *backend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.live, be.pid)
}

// cancel stops the running statement of the session with that id and secret, if
// there is one. Like PostgreSQL it does not tell whether there was.
func (b *backends) cancel(pid int32, secret []byte) {
	b.mu.Lock()
	be, ok := b.live[pid]
	b.mu.Unlock()
	if ok && subtle.ConstantTimeCompare(be.secret, secret) == 1 {
		be.interrupt(errCancelRequest)
	}
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
