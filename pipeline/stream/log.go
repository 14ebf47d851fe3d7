// Package stream is the ordered, sharded log between the stages of the pipeline. Log is the port, shaped so that Kinesis
// fits behind it; Disk is the embedded implementation, segments of CRC-guarded frames with one fsync for all who wait.
// Checkpoints is the port under which consumers keep how far they are, Retention frees what all of them have passed.
// What the records hold is for others: to this package they are bytes.
package stream

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var (
	// ErrTrimmed means that an iterator was asked for records which retention has freed. It is never answered with the
	// oldest there is instead: the caller would not see the gap.
	ErrTrimmed = errors.New("position trimmed from the log")

	// ErrBeyondTail means that an iterator was asked to start after a record the shard has not reached: the log is not
	// the one that the position is from, or it has lost its end.
	ErrBeyondTail = errors.New("position beyond the end of the log")

	// ErrBusy means that a Put's context ended while it waited for room among the entries not yet durable.
	// Ask again later.
	ErrBusy = errors.New("log is busy")

	// ErrTooLarge means that an entry, or what one Put brings to one shard, is over the log's limit.
	ErrTooLarge = errors.New("entry too large for the log")

	// ErrNoShard means that the log has no shard of that number.
	ErrNoShard = errors.New("no such shard")

	// ErrFailed means that the log has stopped for good because a write to its store went wrong in a way that leaves
	// unknown what is durable. Nothing put in the failed write was acknowledged. Opening the log anew finds out.
	ErrFailed = errors.New("log has failed")

	// ErrClosed means that the log, or the iterator, is closed.
	ErrClosed = errors.New("log is closed")
)

// ShardID numbers a shard within its log. It is never used again for another shard.
type ShardID uint64

// Shard is one ordered part of a log. It holds the entries whose hash lies in its range.
type Shard struct {
	ID       ShardID
	Parents  []ShardID // split or merged into this one; a consumer finishes them before it starts on the shard
	HashFrom uint64    // first hash of the range
	HashTo   uint64    // last hash of the range
	Open     bool      // takes entries; a closed shard is read to its end
}

// Entry is what a writer puts: bytes, and the hash that chooses their shard.
type Entry struct {
	Hash uint64 // partition hash; equal hashes meet in one shard
	Data []byte // not kept after Put has returned, nor changed
}

// Placed is where an entry of a Put went.
type Placed struct {
	Shard ShardID
	Seq   Sequence
}

// Record is what a reader gets.
type Record struct {
	Shard     ShardID
	Seq       Sequence
	ArrivedAt int64  // when the log took it, microseconds since 1970 UTC; never less than the record's before it
	Data      []byte // see Iterator.Next for how long it stays
}

// Log is an ordered, sharded, durable log. All methods may be called at once from many goroutines.
type Log interface {
	// Put stores entries and returns when they are durable and readable: one Placed for each entry, in their order. The
	// entries of one shard keep their order and, on Disk, are stored all or none. Put waits while too much is under
	// way; when ctx ends meanwhile, the error is ErrBusy and ctx's. After any error the caller must take no entry as
	// stored, though some may be: it puts all of them again, and readers drop what they have seen. What a full disk
	// refused (syscall.ENOSPC) can be put again once there is room.
	Put(ctx context.Context, entries []Entry) ([]Placed, error)

	// Shards lists all shards that can be read or written, by ID.
	Shards(ctx context.Context) ([]Shard, error)

	// Iterate opens an iterator on a shard. ErrTrimmed if records between the start and the oldest were freed,
	// ErrBeyondTail, ErrNoShard. The caller closes the iterator.
	Iterate(ctx context.Context, shard ShardID, start Start) (Iterator, error)

	// Oldest is the first sequence still readable in the shard; Tail's next if there is none. An iterator After(s) can
	// be had for every s from the one before Oldest up to Tail.
	Oldest(ctx context.Context, shard ShardID) (Sequence, error)

	// Tail is the last sequence acknowledged in the shard, also when its record is trimmed; zero if there never was one.
	// known is a sequence that the shard has had, a consumer's checkpoint for example, or zero: a log that does not keep
	// its end looks for it from there on.
	Tail(ctx context.Context, shard ShardID, known Sequence) (Sequence, error)

	// Waiting is when the first record after a sequence arrived, in microseconds since 1970 UTC; 0 if there is none yet.
	// It costs no more if many are there. After a sequence that retention has passed it tells of the oldest record, or
	// is ErrTrimmed.
	Waiting(ctx context.Context, shard ShardID, after Sequence) (arrivedAt int64, err error)

	// Trim lets go of the shard's records up to and including through, as far as they arrived before the given time in
	// microseconds (NoAgeLimit: whenever). Less may be freed, never more: Oldest tells. Kinesis, which frees by age
	// alone, does nothing here.
	Trim(ctx context.Context, shard ShardID, through Sequence, arrivedBefore int64) error
}

// NoAgeLimit is the arrivedBefore of a Trim that goes by the sequence alone.
const NoAgeLimit = int64(1<<63 - 1)

// Iterator reads one shard in order. It is for one goroutine at a time; Close may be called from another.
type Iterator interface {
	// Next returns the next records, at least one, at most maxRecords, and more than one only while their data together
	// is at most maxBytes. It waits for the first until ctx ends; ending so, it has consumed nothing and may be called
	// again. Sequences rise strictly from call to call. io.EOF, not wrapped, is the end of a closed shard, and
	// no other error wraps it; ErrTrimmed says that retention overtook the iterator.
	//
	// The slice and every Data belong to the iterator and stay as they are until its next Next or Close: a consumer
	// that keeps bytes copies them. This saves an allocation a record at 100,000 records a second.
	Next(ctx context.Context, maxRecords, maxBytes int) ([]Record, error)

	// Close releases what the iterator holds and ends a Next that waits. A second Close does nothing.
	Close() error
}

// Start says where an iterator begins: Oldest, After a sequence or At a time. The zero Start is FromOldest.
type Start struct {
	kind   startKind
	after  Sequence
	micros int64
}

type startKind uint8

const (
	startOldest startKind = iota
	startAfter
	startAt
)

// FromOldest starts at the oldest record there is, whichever that is.
func FromOldest() Start { return Start{kind: startOldest} }

// After starts at the record that follows s. After the zero Sequence is from the very first on: ErrTrimmed once that
// is freed.
func After(s Sequence) Start { return Start{kind: startAfter, after: s} }

// At starts at the first record that arrived at the time, microseconds since 1970 UTC, or later. ErrTrimmed if such
// records may have been freed.
func At(micros int64) Start { return Start{kind: startAt, micros: micros} }

// Sequence gives the sequence that the start is after; false if it is another kind of start.
func (s Start) Sequence() (Sequence, bool) { return s.after, s.kind == startAfter }

// Micros gives the time that the start is at; false if it is another kind of start.
func (s Start) Micros() (int64, bool) { return s.micros, s.kind == startAt }

// String describes the start for logs and messages.
func (s Start) String() string {
	switch s.kind {
	case startAfter:
		return "after " + s.after.String()
	case startAt:
		return "at " + time.UnixMicro(s.micros).UTC().Format(time.RFC3339Nano)
	default:
		return "oldest"
	}
}

// ShardFor finds the open shard whose range holds the hash.
func ShardFor(shards []Shard, hash uint64) (ShardID, error) {
	for i := range shards {
		if s := &shards[i]; s.Open && s.HashFrom <= hash && hash <= s.HashTo {
			return s.ID, nil
		}
	}
	return 0, fmt.Errorf("%w: no open one for hash %d", ErrNoShard, hash)
}
