package planner

import "context"

// Engine runs plans. It prints its own dialect from the bound tree.
type Engine interface {
	// Check says whether the engine can run the query: nil, or an *Error with
	// 0A000 that names the construct, or a context error. It reads nothing.
	Check(ctx context.Context, q *Query) error
	// Run starts a plan whose scans are pinned. The rows stream; the caller
	// closes them before it releases the plan's pins. When ctx ends the engine
	// stops at once. Errors are *Error, or context errors.
	Run(ctx context.Context, p *Plan) (Rows, error)
	// Explain gives the engine's text of the plan and, by label of each
	// MetricScan, the resolved expression of each of its fields.
	Explain(p *Plan) (*EngineExplain, error)
}

// EngineExplain is what an engine says of a plan.
type EngineExplain struct {
	SQL    string
	Fields map[string][]string
}

// Rows is a running result.
type Rows interface {
	// Next returns the next chunk, valid until the following call, or nil after
	// the last.
	Next(ctx context.Context) (*Chunk, error)
	// Close stops the query if it runs and frees it. It may be called twice.
	Close() error
}

// Chunk is a run of rows by column, in the order of the plan's result columns.
type Chunk struct {
	Rows    int
	Columns []Vector
}

// Vector holds one column of a chunk. The member in use follows from the type:
// Bools for bool; Int16s, Int32s, Int64s for int2, int4 (and date: days since
// 1970-01-01), int8 (and oid, reg*, time: microseconds since midnight,
// timestamp and timestamptz: microseconds since 1970-01-01 UTC); Float32s and
// Float64s; Intervals; UUIDs; Numerics for numeric; Bytes for every other type:
// text types, json and jsonb as their text, bytea as its bytes, and numeric
// values that Numerics cannot hold. Lists is set for arrays of one dimension from 1;
// others, records and time with time zone are in Bytes as postgres.ParseKept reads
// them. Unset rows are NULL.
// The planner adds Bytes beside the Int64s of regclass, regnamespace and regrole:
// what they print as.
type Vector struct {
	T Type
	// Same says that all rows are known to have one value, so that it need be read
	// once only; the slices are whole all the same.
	Same bool
	// Valid has bit r%64 of word r/64 set where row r has a value; nil: all.
	Valid     []uint64
	Bools     []bool
	Int16s    []int16
	Int32s    []int32
	Int64s    []int64
	Float32s  []float32
	Float64s  []float64
	Bytes     [][]byte
	Intervals []Interval
	UUIDs     [][16]byte
	Numerics  []Numeric
	Lists     *ListVector
}

// IsNull says that row r has no value.
func (v *Vector) IsNull(r int) bool {
	return v.Valid != nil && v.Valid[r/64]&(1<<(r%64)) == 0
}

// Interval is PostgreSQL's: months, days and microseconds apart.
type Interval struct {
	Months, Days int32
	Micros       int64
}

// Numeric is Unscaled / 10^Scale with a 128-bit two's-complement Unscaled.
type Numeric struct {
	Hi    int64
	Lo    uint64
	Scale int16
}

// ListVector holds arrays of one dimension: row r is Elems[Offsets[r] : Offsets[r]+Lengths[r]].
type ListVector struct {
	Offsets, Lengths []uint64
	Elems            Vector
}
