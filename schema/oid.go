package schema

import "hash/fnv"

const (
	// firstTableOID is where PostgreSQL starts to number what users create
	// (FirstNormalObjectId).
	firstTableOID = 16384
	// oidsPerTable leaves room for what belongs to a table: its row type and the
	// array of that.
	oidsPerTable = 8
	// errorTableOID lies below every user's table and above PostgreSQL's own.
	errorTableOID = 16000
	// undeclaredOIDs is the half of the numbers that undeclared metrics share.
	undeclaredOIDs = 1 << 31
)

// TableOID is the object identifier of a declared metric's table. It follows
// from the metric's ID alone, so it is the same on every machine and never
// changes; the numbers up to the next table's are free for what belongs to it.
func TableOID(m *Metric) uint32 {
	if m.ID == 0 {
		return errorTableOID
	}
	return firstTableOID + oidsPerTable*m.ID
}

// RowTypeOID is the object identifier of the type of a table's or view's rows, and
// RowArrayOID that of arrays of them.
func RowTypeOID(table uint32) uint32 { return table + 1 }

// RowArrayOID is described with [RowTypeOID].
func RowArrayOID(table uint32) uint32 { return table + 2 }

// ViewOID is the object identifier of a view.
func ViewOID(v *View) uint32 { return firstTableOID + oidsPerTable*v.ID }

// UndeclaredTableOID is the object identifier of the table of a metric that
// nobody declared: a hash of its name, above every declared one's.
func UndeclaredTableOID(sent string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(sent)) // never fails
	return undeclaredOIDs | h.Sum32()&^(oidsPerTable-1)
}

// UndeclaredAttribute is the attribute number of an observed field in the table
// of an undeclared metric, whose timestamp is number 1.
func UndeclaredAttribute(f *ObservedField) int { return f.Order + 2 }
