package wire

import (
	"sync"
	"time"
)

// drainingStartup bounds how long a connection may take to say what it wants while
// the server drains: it is a cancel request, or is turned away.
const drainingStartup = 5 * time.Second

// drain counts the sessions, for a server that ends when those there are have ended.
type drain struct {
	mu       sync.Mutex
	begun    bool
	sessions int
	empty    chan struct{} // closed when the drain has begun and no session is left
}

// enter counts a session in, and refuses it once the drain has begun.
func (d *drain) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.begun {
		return false
	}
	d.sessions++
	return true
}

func (d *drain) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sessions--; d.begun && d.sessions == 0 {
		close(d.empty)
	}
}

func (d *drain) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.begun = true; d.sessions == 0 {
		close(d.empty)
	}
}

func (d *drain) hasBegun() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.begun
}

// rest is how a connection ends at the next moment at which that takes nothing from
// its client: outside of a transaction, with no cursor open.
type rest struct {
	mu sync.Mutex
	// leaving: the server drains.
	resting, leaving bool
	end              func()
}

// set says whether the connection rests from now on.
func (r *rest) set(resting bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.resting = resting; resting && r.leaving {
		r.end()
	}
}

// leave ends the connection when it rests.
func (r *rest) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leaving = true; r.resting {
		r.end()
	}
}
