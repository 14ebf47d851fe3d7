package planner

import (
	"net/netip"
	"strconv"
	"time"

	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

type catalogRelation = sources.CatalogRelation

// binder turns a parsed query into a bound one. It blocks nowhere but in the
// lookups that names gives it, and is used for one statement.
type binder struct {
	names  *lookup
	env    *environment
	params *parameters
	labels map[string]int
	// scalars are the scalar queries bound so far; their column gives a name.
	scalars map[*pgquery.SubLink]*Query
	// viewing are the views whose queries are being bound.
	viewing []string
	// uses, if not nil, gets what the query itself uses of tables and views.
	uses map[use]bool
	// definer: a view is being bound that reads with its owner's rights.
	definer bool
	// denied is the first thing that the user may not read.
	denied error
	// converting are the fields whose conversions are being bound.
	converting []string
	// metrics and catalogs are the scans met, in order.
	metrics  []*MetricScan
	catalogs []*CatalogScan
	// stopped says, if not nil, that nobody waits for the statement any more.
	stopped func() error
	// trace, if not nil, gets what the parser's nodes were bound to.
	trace *trace
	// lookups are the calls that look into the catalog.
	lookups []*CatalogCall
}

// environment is what a statement can ask of its session, frozen while the
// statement is bound.
type environment struct {
	database, user string
	// query is the text that the client sent.
	query string
	// limited: the user is no owner, and reads what it may.
	limited bool
	pid     int32
	// client and server are the ends of the connection; not valid if it has none.
	client, server netip.AddrPort
	// now is the transaction's start, statement the statement's.
	now, statement time.Time
	// started is when the server began.
	started time.Time
	values  postgres.Env
	// setting reads a setting as SHOW does, set changes it.
	setting func(name string) (string, error)
	set     func(name, value string, local bool) error
	// sleep waits, notify sends a notification; nil, as set is, while a statement is
	// prepared or explained.
	sleep  func(seconds float64) error
	notify func(channel, payload string) error
	// path is the search path without what is implicit.
	path []string
}

// zone is the session's time zone.
func (e *environment) zone() *time.Location {
	if e.values.Zone == nil {
		return time.UTC
	}
	return e.values.Zone
}

func newBinder(names *lookup, env *environment, params *parameters) *binder {
	return &binder{names: names, env: env, params: params, labels: map[string]int{}, scalars: map[*pgquery.SubLink]*Query{}}
}

// label makes a relation's label of its name, unique within the plan.
func (b *binder) label(name string) string {
	label := name
	for b.labels[label] > 0 {
		b.labels[name]++
		label = name + "_" + strconv.Itoa(b.labels[name])
	}
	b.labels[label] = 1
	return label
}

// query binds a whole query.
func (b *binder) query(n *pgquery.SelectStmt) (*Query, error) {
	return b.selectStmt(nil, n, resolveUnknowns)
}
