package postgres

import (
	"math"
	"time"
)

// Kind says which fields of a Datum hold its value.
type Kind byte

// The kinds of values. The zero Datum is NULL.
const (
	NullKind Kind = iota
	BoolKind
	IntKind
	FloatKind
	TextKind
	BytesKind
	NumericKind
	DateKind
	TimeKind
	TimeTZKind
	TimestampKind
	IntervalKind
	UUIDKind
	ArrayKind
	RecordKind
)

// Datum is one value as PostgreSQL holds it after input: normalised, without the text it was read from.
type Datum struct {
	Kind Kind

	// Int is 0 or 1 for a bool, the number for an integer or oid, days since 1970-01-01 for a date, microseconds since
	// midnight for a time, microseconds since 1970-01-01 00:00 for a timestamp (UTC if it has a zone), and the
	// microseconds of an interval.
	Int   int64
	Float float64
	// Str is the text, the bytes of a bytea, the 16 bytes of a uuid, or a numeric's digits as PostgreSQL prints them.
	Str string

	Months, Days int32 // of an interval
	Zone         int32 // of a time with time zone, seconds east of UTC

	Array  *Array
	Record *Record
}

// Array is a value of an array type: the elements in row-major order.
type Array struct {
	Elem  OID
	Dims  []Dimension // none for an empty array
	Items []Datum
}

// Dimension is the extent of an array in one direction; the first subscript is normally 1.
type Dimension struct {
	Len, Lower int
}

// The infinite dates and timestamps, as the Int of a Datum.
const (
	DateInfinity              = math.MaxInt32
	DateNegativeInfinity      = math.MinInt32
	TimestampInfinity         = math.MaxInt64
	TimestampNegativeInfinity = math.MinInt64
)

// DateOrder is the second part of the DateStyle setting: how 01/02/03 reads.
type DateOrder byte

// The orders of day, month and year.
const (
	MDY DateOrder = iota
	DMY
	YMD
)

// DateFormat is the first part of the DateStyle setting: how dates print.
type DateFormat byte

// The formats of dates.
const (
	ISODates DateFormat = iota
	SQLDates
	PostgresDates
	GermanDates
)

// IntervalStyle is the setting of that name.
type IntervalStyle byte

// The styles of intervals.
const (
	PostgresIntervals IntervalStyle = iota
	PostgresVerboseIntervals
	SQLStandardIntervals
	ISO8601Intervals
)

// Env is what the text of values depends on besides the values: the session's settings and its time. The zero Env reads
// as PostgreSQL does with its own defaults and a zone of UTC; for printing, start from [DefaultEnv].
type Env struct {
	Zone             *time.Location // nil is UTC
	DateOrder        DateOrder
	DateFormat       DateFormat
	IntervalStyle    IntervalStyle
	ExtraFloatDigits int       // 1 and more print the shortest exact form, less print 15 (float4: 6) digits plus this
	ByteaEscape      bool      // bytea_output = escape
	Now              time.Time // the transaction's start, for 'now', 'today' and zones that depend on the date
}

// DefaultEnv is PostgreSQL's default settings, in UTC.
func DefaultEnv() Env { return Env{ExtraFloatDigits: 1} }

// BoolDatum is a bool.
func BoolDatum(b bool) Datum {
	d := Datum{Kind: BoolKind}
	if b {
		d.Int = 1
	}
	return d
}

// IntDatum is an int2, int4, int8 or oid.
func IntDatum(n int64) Datum { return Datum{Kind: IntKind, Int: n} }

// FloatDatum is a float4 or float8.
func FloatDatum(f float64) Datum { return Datum{Kind: FloatKind, Float: f} }

// TextDatum is a value of a string type, json or jsonb (which must be in normal form).
func TextDatum(s string) Datum { return Datum{Kind: TextKind, Str: s} }

// TimestampDatum is a timestamp, with or without zone, of microseconds since 1970.
func TimestampDatum(micros int64) Datum { return Datum{Kind: TimestampKind, Int: micros} }
