package nearline

import (
	"context"
	"sync"
	"time"
)

// askEvery is how often compaction is asked for while a write waits for room.
const askEvery = time.Second

// memory accounts for what the tail holds, against its bound.
type memory struct {
	bound, highWater int64
	// pressure has a token while compaction is asked for.
	pressure chan struct{}

	mu   sync.Mutex
	held int64
	// copies is the part of held that copies of rows take.
	copies int64
	// freed is closed and replaced when less is held than before.
	freed chan struct{}
}

// copiesShare is the part of the bound that copies of rows take at most: one in so
// many bytes.
const copiesShare = 4

// Memory is what a tail holds and may hold, in bytes. Copies is a part of Used.
type Memory struct {
	Used, Copies, HighWater, Bound int64
}

func newMemory(bound, highWater int64) *memory {
	return &memory{bound: bound, highWater: highWater, pressure: make(chan struct{}, 1), freed: make(chan struct{})}
}

// add accounts for bytes more, or fewer.
func (m *memory) add(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held += bytes
	if bytes < 0 {
		close(m.freed)
		m.freed = make(chan struct{})
	}
}

// addCopies accounts for bytes more, or fewer, of copies.
func (m *memory) addCopies(bytes int64) {
	m.mu.Lock()
	m.copies += bytes
	m.mu.Unlock()
	m.add(bytes)
}

// mayCopy says whether copies may take bytes more of their share.
func (m *memory) mayCopy(bytes int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.copies+bytes <= m.bound/copiesShare
}

// over is how much is held above the high-water mark.
func (m *memory) over() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held - m.highWater
}

// signal asks for compaction.
func (m *memory) signal() {
	select {
	case m.pressure <- struct{}{}:
	default:
	}
}

// full gives what is closed when less is held, or nil if there is room.
func (m *memory) full() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held < m.bound {
		return nil
	}
	return m.freed
}

func (m *memory) figures() Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Memory{Used: m.held, Copies: m.copies, HighWater: m.highWater, Bound: m.bound}
}

// Pressure gives a token whenever the tail holds more than its high-water mark
// of what the lake lacks: who compacts should then compact everything, and trim.
func (t *Tail) Pressure() <-chan struct{} { return t.memory.pressure }

// Memory says what the tail holds.
func (t *Tail) Memory() Memory { return t.memory.figures() }

// wait returns when there is room. Meanwhile it asks for compaction again and
// again, lest one that freed too little be the last.
func (t *Tail) wait(ctx context.Context) error {
	freed := t.memory.full()
	if freed == nil {
		return nil
	}
	again := time.NewTicker(askEvery)
	defer again.Stop()
	for freed != nil {
		t.settle()
		select {
		case <-freed:
		case <-again.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		freed = t.memory.full()
	}
	return nil
}
