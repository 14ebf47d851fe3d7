// Package sources says what can be scanned: the physical columns of events, the
// ports to the two places where they lie (Nearline and Lake), the splits a plan
// reads from them, and the computed relations of a Catalog.
//
// A statement sees one version of each: it pins nearline first, then loads the
// manifest of the lake, then reads the pinned rows past the manifest's
// watermarks. Read in this order a row that moves from nearline to the lake
// meanwhile is found exactly once.
package sources

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// Bounds is an inclusive range of event time in microseconds since 1970 UTC.
type Bounds struct {
	Min int64 `json:"min"`
	Max int64 `json:"max"`
}

// Unbounded is the range of all times.
func Unbounded() Bounds { return Bounds{Min: math.MinInt64, Max: math.MaxInt64} }

// Empty says that no time lies in b.
func (b Bounds) Empty() bool { return b.Min > b.Max }

// Contains says that the time t lies in b.
func (b Bounds) Contains(t int64) bool { return b.Min <= t && t <= b.Max }

// Overlaps says that some time lies in both ranges.
func (b Bounds) Overlaps(o Bounds) bool {
	return !b.Empty() && !o.Empty() && b.Min <= o.Max && o.Min <= b.Max
}

// Intersect is the range of the times that lie in both.
func (b Bounds) Intersect(o Bounds) Bounds {
	return Bounds{Min: max(b.Min, o.Min), Max: min(b.Max, o.Max)}
}

// Watermarks are, by shard, the position up to which the lake holds every staged
// record of a dataset. A shard without one starts at the zero Sequence.
type Watermarks map[stream.ShardID]stream.Sequence

// ErrMoved says that rows which nearline had when a statement began have left it
// for the lake: the statement pins again and loads the manifests anew.
var ErrMoved = errors.New("recent rows have moved to the lake")

// Nearline is the port to recent events for who reads them.
type Nearline interface {
	// Pin fixes what a statement sees of the datasets: every row whose Write
	// returned before, each once. Where nearline lies on other machines it is fixed
	// when a time is first read, and may have rows that came meanwhile; what has been
	// read once stays as it is. Nothing of it is trimmed until the pin is released or
	// the longest statement allowed is over; then a read is ErrMoved.
	Pin(ctx context.Context, datasets []schema.Dataset) (Pin, error)
}

// Pin is what one statement sees of nearline. It is for one goroutine at a time.
type Pin interface {
	// Splits lists the pinned rows of a dataset that lie past the watermarks and
	// that the filter lets through. Others that it does not may come too.
	Splits(ctx context.Context, dataset schema.Dataset, past Watermarks, filter Filter) (Recent, error)
	// Window lists likewise the pinned rows on both sides of the watermarks, if
	// those are all rows of the dataset within the filter's bounds that staged
	// records brought, up to the watermarks and after: then no file needs to be
	// read for them, and complete is true. A store may say that it is not although it
	// could, where reading the lake costs less.
	Window(ctx context.Context, dataset schema.Dataset, watermarks Watermarks, filter Filter) (recent Recent, complete bool, err error)
	// Release ends the pin. Splits must not be read afterwards.
	Release()
}

// Recent is what nearline has for a scan of a dataset.
type Recent struct {
	Splits []Split
	// Tables are the tables of rows that were read for it, in order, and Why says in
	// a few words why nearline alone does or does not answer. Both are empty where
	// nearline lies in memory.
	Tables []string
	Why    string
}

// Lake is the port to compacted events for who reads them.
type Lake interface {
	// Load returns one version of a dataset's manifest. A dataset the lake does
	// not know has an empty one. Files stay readable for the sweeper's grace.
	Load(ctx context.Context, dataset schema.Dataset) (Manifest, error)
}

// ErrNoRoom means that what a statement reads of files has no room on this machine.
var ErrNoRoom = errors.New("no room for files")

// FileRead is what a statement reads of a file.
type FileRead struct {
	File *FileSplit
	// Columns are physical names. Those that the file does not have are not read.
	Columns []string
	// Bounds are the times of the rows that are read: of row groups that have none
	// of them, nothing is.
	Bounds Bounds
}

// Files is the port to the bytes of lake files that are not on this machine.
type Files interface {
	// Fetch sees to it that what is read of files is at their paths, and stays there
	// until it is released.
	Fetch(ctx context.Context, reads []FileRead) (release func(), err error)
}

// Manifest is one version of what the lake holds of a dataset.
type Manifest interface {
	Version() uint64
	Watermarks() Watermarks
	// Files lists the files whose time range overlaps the bounds, newest first,
	// and says how many the manifest knows in all. Statements share the splits;
	// nobody changes them.
	Files(ctx context.Context, bounds Bounds) (files []*FileSplit, known int, err error)
	// FilesKnown is how many files the manifest knows.
	FilesKnown() int
	// Unstaged says that rows within the bounds may have come into the lake other
	// than by staged records, which alone pass through nearline.
	Unstaged(bounds Bounds) bool
}

// Filter is what rows must meet to matter to a scan.
type Filter struct {
	Bounds Bounds
	// Columns all hold.
	Columns []ColumnFilter
}

// ColumnFilter says that a row matters only if its value in a physical column is
// one of some texts, or lies in a range. It says nothing of rows where another
// one of the others is there too: what is compared may come from that.
type ColumnFilter struct {
	Column string
	// Others may list Column too.
	Others []string
	// Texts are the values of a text column; nil: it is a number in [Min, Max].
	Texts    []string
	Min, Max float64
}

// Split is a piece of a scan that one engine operator reads. Exactly one member
// is set.
type Split struct {
	File  *FileSplit
	Batch *BatchSplit
}

// FileSplit is a Parquet file of the lake.
type FileSplit struct {
	// Path is a local path the engine can open. Where the lake is on other machines,
	// the file holds what Files has fetched of it.
	Path string
	// Key is the object's.
	Key   string
	Bytes int64
	Rows  int64
	Times Bounds
	// Columns are the physical columns of the file, sorted. Stats has an entry
	// for those whose minimum and maximum the manifest knows.
	Columns []string
	Stats   map[string]Stats
	// Full are those of Columns, sorted, that have a value in every row.
	Full []string
	// More are the physical names that lie in the JSON column _more, sorted.
	More []string
	// Zeros are those of Columns and More, sorted, in which a text may have U+0000. Such
	// a text is in the file as it was sent.
	Zeros []string
}

// Stats are bounds of a numeric column's non-null values: no value lies outside,
// be it a double or an integer that no double equals.
type Stats struct {
	Min, Max float64
}

// BatchSplit is a batch of rows in Go memory.
type BatchSplit struct {
	Batch *Batch
	// Select lists the rows to read, or nil for all of them.
	Select []uint32
	// Suspect marks rows (by index in Batch) that may stand in the lake too;
	// they are read only if no file of the statement holds their _ts and _id.
	Suspect []uint32
	// Kept says that later statements may read the same batch, until nearline lets go
	// of it and tells Copies.
	Kept bool
}

// Copies is the port to what an engine copies of nearline's batches, in a form that it
// scans faster. A statement reads a copy to its end, whatever becomes of it meanwhile.
type Copies interface {
	// Share gives the room in which copies are counted. Without it there are none.
	Share(room Room)
	// Forget says that nearline lets go of batches of a dataset.
	Forget(dataset schema.Dataset, batches []*Batch)
	// Drop lets go of the copies that no statement has begun to read for so long.
	Drop(unread time.Duration)
}

// Room is the memory that copies share with the rows themselves.
type Room interface {
	// Reserve counts bytes more, if copies may take them.
	Reserve(bytes int64) bool
	// Count counts bytes more, or fewer, that copies take in any case.
	Count(bytes int64)
}

// Batch is a run of one dataset's rows by column. It is never changed once it
// can be seen by a reader.
type Batch struct {
	Rows       int
	Times      Bounds
	TS         []int64 // microseconds since 1970 UTC
	ReceivedAt []int64
	IDs        []schema.ID
	Hashes     []schema.ID
	// Positions are nil for rows read from a file of the lake.
	Positions []stream.Position
	Columns   []Column
}

// Column holds the values of one (sent name, kind) of a Batch.
type Column struct {
	Sent string
	Kind schema.Kind
	// Name is the physical name, PhysicalName(Sent, Kind).
	Name string
	// Valid has bit r%64 of word r/64 set where row r has a value.
	Valid []uint64
	// Ints holds KindInt and KindBool (0 or 1), Nums holds KindNumber, one a row.
	Ints []int64
	Nums []float64
	// Text of row r is Text[Offsets[r]:Offsets[r+1]], for KindText and KindJSON.
	Offsets []uint32
	Text    []byte
}

// IsValid says that row r has a value.
func (c *Column) IsValid(r int) bool { return c.Valid[r/64]&(1<<(r%64)) != 0 }
