// Package nearline holds recent events, row by row, from the moment they are
// staged until the lake has them, and longer while there is room. Tables is the
// port through which the staging stage writes; Tail is the embedded
// implementation, a columnar tail in memory that is rebuilt at start from what
// the logs hold past compaction's checkpoint.
//
// The tail drops copies of rows it holds and reports conflicts. Rows that may
// lie in the lake already (the port Known) are only marked; who reads them
// decides. Only before it calls something a conflict with a marked row does the
// tail have the lake's own row looked up, since that one came first. Statements see the tail through pins: a pin has every row whose Write
// returned before it, each once, and keeps it until released, whatever is
// trimmed meanwhile.
//
// Compacted rows stay as a hot window, the newest longest, until their memory is
// needed. The tail knows of which times it lacks rows that the lake may hold:
// what the lake had before the tail began, and what was let go of since. A
// statement that asks for none of those times reads the window alone.
package nearline

import (
	"context"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// Tables is the port to recent events for who writes them.
type Tables interface {
	// Write stores rows and gives an outcome for each, in their order. Rows of one
	// shard come from one goroutine, in rising position; all rows of one identity
	// come from one shard. When Write returns, a new pin has the rows. After an
	// error some rows may be stored: the caller writes all of them again and is
	// told that those are duplicates. The rows' values are not kept.
	//
	// Write waits while the store has no room.
	Write(ctx context.Context, rows []Row) ([]Outcome, error)
}

// Row is a staged event and where it stands.
type Row struct {
	Event    schema.Event
	Position stream.Position
}

// Outcome is what became of a written row.
type Outcome uint8

// The outcomes of a Write.
const (
	// Stored: the row is new here.
	Stored Outcome = iota + 1
	// Duplicate: the same event is stored already; the row is dropped.
	Duplicate
	// Conflict: another event with the same dataset, time and id is stored
	// already; the row is dropped, and the caller makes an error row of it.
	Conflict
	// Suspect: the row is stored, but the lake probably holds it already.
	Suspect
)

func (o Outcome) String() string {
	switch o {
	case Stored:
		return "stored"
	case Duplicate:
		return "duplicate"
	case Conflict:
		return "conflict"
	case Suspect:
		return "suspect"
	default:
		return "none"
	}
}

// Known is the port to the identities that the lake holds.
type Known interface {
	// Suspect says of each (time, id) of a dataset whether the lake may hold it:
	// false is certain. It must know every commit that ended before it was called.
	Suspect(ctx context.Context, dataset schema.Dataset, times []int64, ids []schema.ID) ([]bool, error)
	// Hashes calls found with those of the identities, by index and in any order,
	// that the lake holds by these commits, and with the hash of the event it holds.
	Hashes(ctx context.Context, dataset schema.Dataset, times []int64, ids []schema.ID, found func(i int, hash schema.ID)) error
	// Held gives ranges in which all times of a dataset's rows lie that the lake
	// holds now, by the same commits.
	Held(ctx context.Context, dataset schema.Dataset) ([]sources.Bounds, error)
}
