package pgcatalog

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
	"github.com/fieldgate/fieldgate/schema/suggest"
	"github.com/fieldgate/fieldgate/sources"
)

// Config is where a Catalog learns what no snapshot says.
type Config struct {
	// Users lists a tenant's users. Required.
	Users func(ctx context.Context, tenant string) ([]User, error)
	// Observed knows what devices sent; nil: the views over it are empty.
	Observed *schema.Observed
	// Profiles knows what the values are like; nil: that is NULL.
	Profiles *profile.Profiles
	// Files lists the files of a tenant's metrics; nil: none.
	Files func(ctx context.Context, tenant string) ([]File, error)
	// History lists the versions of a tenant's schema, the current one first; nil:
	// none.
	History func(ctx context.Context, tenant string) ([]schema.Version, error)
	// Suggestions lists what an owner has not answered yet; nil: nothing.
	Suggestions func(ctx context.Context, tenant string) ([]suggest.Suggestion, error)
	// Webhook is where the tenant is told of suggestions, nil if nowhere; nil: there
	// are none.
	Webhook func(ctx context.Context, tenant string) (*Webhook, error)
	// Lags says how far the stages are behind, as far as it is the tenant's
	// concern; nil: nothing.
	Lags func(ctx context.Context, tenant string) ([]Lag, error)
}

func (c Config) validate() error {
	if c.Users == nil {
		return errors.New("pgcatalog: no list of users")
	}
	return nil
}

// User is a SQL user of a tenant.
type User struct {
	Name  string
	Owner bool
}

// Webhook is the row of fieldgate.webhook.
type Webhook struct {
	URL    string
	Signed bool
	SetBy  string
	SetAt  time.Time
	// DeliveredAt is zero if nothing was delivered yet.
	DeliveredAt time.Time
	Error       string
}

// File is a row of fieldgate.files.
type File struct {
	// Metric is the sent name of the file's dataset.
	Metric, Path     string
	Rows, Bytes      int64
	MinTime, MaxTime time.Time
	// Columns are the physical columns.
	Columns   []string
	CreatedAt time.Time
}

// Lag is a row of fieldgate.lag.
type Lag struct {
	Stage    string
	Shard    uint64
	Records  int64
	Seconds  float64
	Position string
}

// Catalog has the computed relations. It is safe for concurrent use.
type Catalog struct {
	cfg       Config
	relations map[relationName]*relation
	functions map[string]lookupFunc
	states    *states
	// zones are the time zones, in the order of their names.
	zones func() ([]*time.Location, error)
}

var _ sources.Catalog = (*Catalog)(nil)

type relationName struct{ schema, name string }

// New returns the catalog. It computes nothing yet.
func New(cfg Config) (*Catalog, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	c := &Catalog{cfg: cfg, relations: make(map[relationName]*relation), functions: lookupFunctions(), states: newStates(), zones: sync.OnceValues(loadZones)}
	contents := c.contents()
	for _, table := range [][]description{relationTable, fieldgateTable, functionTable} {
		for i := range table {
			d := &table[i]
			name := relationName{d.schema, d.name}
			c.relations[name] = newRelation(d, contents[name])
		}
	}
	return c, nil
}

// Relation finds a computed relation.
func (c *Catalog) Relation(schemaName, name string) (sources.CatalogRelation, bool) {
	r, ok := c.relations[relationName{schemaName, name}]
	return r, ok
}

// HasFunction says whether there is a function of that signature.
func (c *Catalog) HasFunction(signature string) bool {
	_, ok := c.functions[signature]
	return ok
}

// part is some of what fills a relation; one member of the first five is set.
type part struct {
	// fixed adds rows that are the same for everybody; they are made once.
	fixed func(b *builder)
	// tenant adds rows that are the same whatever the version of the schema and
	// whoever reads.
	tenant func(tenant string, b *builder)
	// shared adds rows that follow from the state; they are made once for it.
	shared func(s *state, b *builder)
	// each adds the rows about one table or view of the tenant's; they are made once
	// for it.
	each func(s *state, o *object, b *builder)
	// own adds rows that differ from statement to statement.
	own func(ctx context.Context, p *pin, b *builder) error

	// key names the column that has the object's name, if it is one of texts, else its
	// number, in all rows of each; keyColumn is its place.
	key       string
	keyColumn int
	// always are the rows of fixed.
	always func() *block
}

// relation is one computed relation.
type relation struct {
	*description
	parts []part
	// places are the columns by their names; forms and none are those of their
	// values, and what a row has that does not name them.
	places map[string]int
	forms  []form
	none   []any
}

func newRelation(d *description, parts []part) *relation {
	r := &relation{description: d, parts: parts, places: make(map[string]int, len(d.columns))}
	for i, col := range d.columns {
		r.places[col.name] = i
		r.forms = append(r.forms, formOf(col.typeOID))
		if col.notNull {
			r.none = append(r.none, none(col.typeOID))
		} else {
			r.none = append(r.none, nil)
		}
	}
	for i := range parts {
		p := &parts[i]
		p.keyColumn = r.places[p.key]
		p.always = sync.OnceValue(func() *block {
			b := newBuilder(r)
			p.fixed(b)
			return b.block()
		})
	}
	return r
}

// OID is the relation's object identifier.
func (r *relation) OID() uint32 { return r.oid }

// IsTable says whether PostgreSQL has the relation as a table.
func (r *relation) IsTable() bool { return r.kind == 'r' }

// IsConcealed says that PostgreSQL lets superusers alone read the relation.
func (r *relation) IsConcealed() bool { return isConcealed(r.schema, r.name) }

// Columns lists the relation's columns.
func (r *relation) Columns() []sources.CatalogColumn {
	out := make([]sources.CatalogColumn, len(r.columns))
	for i, col := range r.columns {
		out[i] = sources.CatalogColumn{Name: col.name, TypeOID: uint32(col.typeOID)}
	}
	return out
}
