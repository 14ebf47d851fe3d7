package wire

import (
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	// outputChunk is how much is gathered before it is written: large enough
	// that a long result costs few system calls.
	outputChunk = 128 << 10
	// flushDelay is how long first rows wait for those that follow.
	flushDelay = time.Millisecond
	// keptOutput is the largest buffer an idle connection keeps.
	keptOutput = 16 << 10
)

// output gathers what is sent to a client. The first error stays.
type output struct {
	t       *transport
	timeout time.Duration // for one write
	buf     []byte
	err     error
}

// send appends a message.
func (o *output) send(m pgproto3.BackendMessage) {
	if o.err != nil {
		return
	}
	buf, err := m.Encode(o.buf)
	if err != nil {
		o.err = fmt.Errorf("encode %T: %w", m, err)
		return
	}
	o.buf = buf
}

// flush writes what was gathered, and waits until the client's side takes it.
func (o *output) flush() error {
	if o.err != nil || len(o.buf) == 0 {
		return o.err
	}
	o.t.writeWithin(o.timeout)
	_, o.err = o.t.Write(o.buf)
	if cap(o.buf) > 2*outputChunk {
		o.buf = nil // one huge row must not be kept
	}
	o.buf = o.buf[:0]
	return o.err
}

// flushDuring runs wait, and meanwhile writes what was gathered if it takes longer
// than flushDelay. An error of writing stays.
func (o *output) flushDuring(wait func()) {
	var mu sync.Mutex
	over := false
	timer := time.AfterFunc(flushDelay, func() {
		mu.Lock()
		defer mu.Unlock()
		if !over {
			_ = o.flush()
		}
	})
	wait()
	timer.Stop()
	mu.Lock() // until what began to be written is
	over = true
	mu.Unlock()
}

// flushIfLong writes once enough is gathered.
func (o *output) flushIfLong() error {
	if len(o.buf) < outputChunk {
		return o.err
	}
	return o.flush()
}

// rest lets go of the memory that only a result needs.
func (o *output) rest() {
	if cap(o.buf) > keptOutput && len(o.buf) == 0 {
		o.buf = nil
	}
}
