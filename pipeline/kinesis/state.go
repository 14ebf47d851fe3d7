package kinesis

import (
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// state is what this process knows of a shard. The stream's mutex guards it.
type state struct {
	// tail is the last entry seen or put, and read the last record (as past says).
	tail, read stream.Sequence
	quiet      quiet
	// saved is the quiet that the KV has from here.
	saved quiet
	// changed is closed when an entry is put; nil if nobody waits for one.
	changed chan struct{}
	used    Usage

	// scanning is held while the end is looked for, and guards what follows.
	// scanned is when that was begun last.
	scanning chan struct{}
	scanned  time.Time
	ended    bool // the shard is closed, and its end known
	// empty is behind all of a shard that had no record then; nil if it had.
	empty *poller
}

// Usage counts what a process has put into a shard since it opened the stream.
type Usage struct {
	Bytes   uint64 `json:"bytes"`
	Records uint64 `json:"records"`
	// Throttled counts the records that were refused for the time being.
	Throttled uint64 `json:"throttled,omitempty"`
}

// state gives what is known of a shard. s.mu is held.
func (s *Stream) state(id stream.ShardID) *state {
	st := s.states[id]
	if st == nil {
		st = &state{scanning: make(chan struct{}, 1)}
		s.states[id] = st
	}
	return st
}

// wrote notes that an entry is in a shard; the zero sequence is none.
func (s *Stream) wrote(id stream.ShardID, seq stream.Sequence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.state(id)
	if seq.Compare(st.tail) > 0 {
		st.tail = seq
	}
	if st.changed != nil {
		close(st.changed)
		st.changed = nil
	}
}

func (s *Stream) counted(id stream.ShardID, u Usage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	used := &s.state(id).used
	used.Bytes += u.Bytes
	used.Records += u.Records
	used.Throttled += u.Throttled
}

// Used counts what this process has put into each shard, if anything.
func (s *Stream) Used() map[stream.ShardID]Usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[stream.ShardID]Usage{}
	for id, st := range s.states {
		if st.used != (Usage{}) {
			out[id] = st.used
		}
	}
	return out
}

// saw notes the last entry and record of what was read.
func (s *Stream) saw(id stream.ShardID, entry, read stream.Sequence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.state(id)
	if entry.Compare(st.tail) > 0 {
		st.tail = entry
	}
	if read.Compare(st.read) > 0 {
		st.read = read
	}
}

// known is the last entry of a shard that this process has seen or put.
func (s *Stream) known(id stream.ShardID) stream.Sequence {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state(id).tail
}

// listen gives a channel that is closed when this process puts into a shard.
func (s *Stream) listen(id stream.ShardID) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.state(id)
	if st.changed == nil {
		st.changed = make(chan struct{})
	}
	return st.changed
}
