package sources

import (
	"context"
	"net/netip"
	"time"

	"github.com/fieldgate/fieldgate/schema"
)

// Catalog is the port to relations that are computed and not stored: pg_catalog,
// information_schema and the views of schema fieldgate.
type Catalog interface {
	// Relation finds a relation by schema and name, both as folded by the parser.
	Relation(schemaName, name string) (CatalogRelation, bool)
	// HasFunction says whether a function of pg_catalog looks something up in the
	// relations. Its signature has the names of the argument types as in pg_proc:
	// "pg_get_userbyid(oid)".
	HasFunction(signature string) bool
	// Pin fixes what one statement sees.
	Pin(ctx context.Context, view *CatalogView) (CatalogPin, error)
}

// CatalogRelation is one computed relation.
type CatalogRelation interface {
	OID() uint32
	// IsTable says that it is a table of PostgreSQL's and no view.
	IsTable() bool
	// IsConcealed says that PostgreSQL lets superusers alone read the relation.
	IsConcealed() bool
	Columns() []CatalogColumn
}

// CatalogPin is what one statement sees of the catalog: one version of the schema
// and of the tenant's users.
type CatalogPin interface {
	// Rows computes a relation as the view's user sees it. Statements share the
	// rows; nobody changes them.
	Rows(ctx context.Context, r CatalogRelation) (CatalogRows, error)
	// Function finds a function that looks something up.
	Function(ctx context.Context, signature string) (CatalogFunction, error)
}

// CatalogRows are the rows of a computed relation. They lie in blocks, one of which
// has what follows from one table, say; a block is computed when it is asked for.
type CatalogRows interface {
	// Blocks are all.
	Blocks() []CatalogBlock
	// BlocksInt leaves out blocks that are known to have no row with one of the sorted
	// values in a column of integers, and BlocksText does so for texts.
	BlocksInt(column int, values []int64) []CatalogBlock
	BlocksText(column int, values []string) []CatalogBlock
}

// CatalogBlock is some of the rows of a computed relation.
type CatalogBlock interface {
	// Len counts them.
	Len() int
	// Column is a column, by its place in the relation.
	Column(i int) *CatalogValues
	// WhereInt lists in order the rows of which a column of integers has the value,
	// and WhereText those of a column of texts.
	WhereInt(column int, value int64) []uint32
	WhereText(column int, value string) []uint32
}

// CatalogValues are the values of one column of a block. Its type says which slices
// are set: Ints for booleans (0 or 1), integers, oid, reg* and timestamps in
// microseconds since 1970 UTC, Nums for floating point, Offsets and Text for texts,
// Texts or Lists for arrays of texts and of integers.
type CatalogValues struct {
	// Same says that all rows have one value, which stands once: as row 0.
	Same bool
	// Valid has bit r%64 of word r/64 set where row r has a value.
	Valid []uint64
	Ints  []int64
	Nums  []float64
	// Text of row r is Text[Offsets[r]:Offsets[r+1]].
	Offsets []uint32
	Text    []byte
	// Texts and Lists are the arrays of each row.
	Texts [][]string
	Lists [][]int64
}

// Place is where row r stands in the slices.
func (v *CatalogValues) Place(r int) int {
	if v.Same {
		return 0
	}
	return r
}

// IsValid says that row r has a value.
func (v *CatalogValues) IsValid(r int) bool {
	r = v.Place(r)
	return v.Valid[r/64]&(1<<(r%64)) != 0
}

// IntAt is the integer of row r.
func (v *CatalogValues) IntAt(r int) int64 { return v.Ints[v.Place(r)] }

// BytesAt is the text of row r, which is not to be written to.
func (v *CatalogValues) BytesAt(r int) []byte {
	r = v.Place(r)
	return v.Text[v.Offsets[r]:v.Offsets[r+1]]
}

// TextAt is the text of row r.
func (v *CatalogValues) TextAt(r int) string { return string(v.BytesAt(r)) }

// CatalogFunction computes one call of a function. No argument is NULL. It is safe
// for concurrent use.
type CatalogFunction func(args CatalogArgs) (CatalogResult, error)

// CatalogArgs are the arguments of a call: the integers (oid, integer, boolean as
// 0 and 1) in their order, and the texts in theirs.
type CatalogArgs struct {
	Ints  [3]int64
	Texts [4]string
}

// CatalogResult is what a call returns: Int for integers and booleans, else Text.
type CatalogResult struct {
	Null bool
	Int  int64
	Text string
}

// CatalogColumn is a column of a computed relation.
type CatalogColumn struct {
	Name    string
	TypeOID uint32
}

// CatalogView is who looks at the catalog, and at what.
type CatalogView struct {
	Snapshot *schema.Snapshot
	User     string
	// Limited says that the user is no owner.
	Limited bool
	// Channels lists what the session listens to; nil: nothing.
	Channels func() []string
	// Path lists the schemas in which names without one are looked up, in order.
	Path []string
	// Now is the statement's time.
	Now time.Time
	// SessionID is the backend's process id.
	SessionID int32
	// Settings are the session's parameters by name.
	Settings func() map[string]string
	// Setting is one as SHOW tells it.
	Setting func(name string) (string, error)
	// Cursors and Prepared list what the session has open; nil: nothing.
	Cursors  func() []Cursor
	Prepared func() []PreparedStatement
	// Activity lists the tenant's sessions as far as the user may see them; nil: only
	// this one is known.
	Activity func(ctx context.Context) []Activity
	// Definition is a view's query as pg_get_viewdef prints it: pretty or not, and with
	// lists that go on on another line beyond wrap characters. Nil: as it was written.
	Definition func(v *schema.View, pretty bool, wrap int) string
	// Object finds what a name means as the input of a type such as regclass, which takes the
	// number in place of it. Not ok: there is none, or more than one, which is an error unless
	// it may be missing; then a number is no name.
	Object func(typeName, name string, missing bool) (oid uint32, ok bool, err error)
	// Signal stops the statement of another session of the tenant, or ends that; not
	// found: there is none with that process id. Nil: nothing is found.
	Signal func(ctx context.Context, pid int32, end bool) (found bool, err error)
}

// Activity is a session, as pg_stat_activity tells of it. Times are zero where
// there is none.
type Activity struct {
	PID               int32
	User, Application string
	Address           netip.AddrPort
	// Private says that the user may not see what the session does: State and what
	// follows is empty.
	Private                                                 bool
	State, Query                                            string
	BackendStart, TransactionStart, QueryStart, StateChange time.Time
	// WaitType and Wait are what it waits for, in PostgreSQL's words; "": nothing.
	WaitType, Wait string
	// Relations are those that its transaction has read, by OID.
	Relations []uint32
}

// Cursor is an open cursor or portal of a session, as pg_cursors tells of it.
type Cursor struct {
	Name, Statement      string
	Hold, Binary, Scroll bool
	CreatedAt            time.Time
}

// PreparedStatement is a prepared statement of a session, as
// pg_prepared_statements tells of it.
type PreparedStatement struct {
	Name, Statement string
	PreparedAt      time.Time
	// ParamTypes are the OIDs of the parameters' types.
	ParamTypes []int64
	// FromSQL says that PREPARE made it, and not the protocol.
	FromSQL bool
}
