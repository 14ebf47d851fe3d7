package postgres

// CoercionContext is how far a value may be converted without being asked to.
type CoercionContext byte

// The contexts, each allowing what those before it allow: in expressions, for storing into a column, and by CAST.
const (
	Implicit CoercionContext = iota
	Assignment
	Explicit
)

// CastMethod is pg_cast.castmethod.
type CastMethod byte

// The methods of casts.
const (
	CastByFunction CastMethod = 'f'
	CastByIO       CastMethod = 'i'
	CastBinary     CastMethod = 'b'
)

// Cast is a row of pg_cast. A cast from a type to itself applies a type modifier.
type Cast struct {
	OID     OID
	Source  OID
	Target  OID
	Func    OID // 0 unless Method is CastByFunction
	Context CoercionContext
	Method  CastMethod
}

type castKey struct{ source, target OID }

// Casts are all built-in casts. Not to be written to.
func Casts() []Cast { return castTable }

// CastBetween finds the row of pg_cast for exactly these two types.
func CastBetween(source, target OID) (*Cast, bool) {
	c, ok := catalog().castsByTypes[castKey{source, target}]
	return c, ok
}
