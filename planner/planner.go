package planner

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/schema/suggest"
	"github.com/fieldgate/fieldgate/schema/webhook"
	"github.com/fieldgate/fieldgate/sources"
)

// Config configures a Planner.
type Config struct {
	// Schemas holds what is declared. Required.
	Schemas *schema.Store
	// Observed knows what devices sent. Required.
	Observed *schema.Observed
	// Nearline and Lake hold the events. Required to execute queries.
	Nearline sources.Nearline
	Lake     sources.Lake
	// Catalog has the computed relations. Default: none.
	Catalog sources.Catalog
	// Engine runs plans. Required to execute queries.
	Engine Engine
	// Admin does what the functions of schema fieldgate ask for. Default: none,
	// and those functions are refused.
	Admin Admin
	// Advisor has the suggestions and their answers. Default: none, and the functions
	// that answer are refused.
	Advisor *suggest.Advisor
	// Hooks has where owners are told of suggestions. Default: none, and the functions
	// that set it are refused.
	Hooks *webhook.Hooks
	// Peers are the other gateways whose sessions belong to the same tenants. Default:
	// none.
	Peers Peers
	// SpoolFile makes a temporary file for rows that a cursor keeps and memory should
	// not. Default: none, and few are kept.
	SpoolFile func() (SpoolFile, error)
	// SpoolBytes bounds what all sessions' cursors keep. Default 4 GiB.
	SpoolBytes int64
	// Logger takes what no statement returns. Default: none.
	Logger *slog.Logger
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Admin is the port to what owners can ask for by SQL.
type Admin interface {
	// Compact returns when every event of the tenant that was acknowledged before
	// the call is in the lake.
	Compact(ctx context.Context, tenant string) error
}

// Peers is the port to the other gateways. What cannot be reached is as if it had no
// sessions.
type Peers interface {
	// Sessions lists those of the user's tenant, as far as the user may see them.
	Sessions(ctx context.Context, id Identity) []sources.Activity
	// Signal stops the statement of a session of the user's tenant, or ends that; not
	// found: there is none of that process id.
	Signal(ctx context.Context, id Identity, pid int32, end bool) (found bool, err error)
	// Notify has notifications of one transaction reach the sessions that listen, in the
	// order of the calls, and returns at once.
	Notify(tenant string, messages []Notification)
	// Crowded says that as many notifications wait to be sent as may wait.
	Crowded() bool
}

// Identity is who a session acts for.
type Identity struct {
	Tenant, User string
	// Owner may change the schema and call the functions of schema fieldgate.
	Owner bool
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.SpoolBytes == 0 {
		c.SpoolBytes = 4 << 30
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c Config) validate() error {
	if c.Schemas == nil || c.Observed == nil {
		return errors.New("planner: no schema store or no observed names")
	}
	return nil
}

// Planner makes the sessions of all tenants. It is safe for concurrent use.
type Planner struct {
	cfg         Config
	started     time.Time
	conversions *lru.Cache[conversion, Expr]
	space       *space
	activities  activities
}

// cachedConversions is how many bound conversions are kept.
const cachedConversions = 4096

// New returns a Planner.
func New(cfg Config) (*Planner, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	conversions, err := lru.New[conversion, Expr](cachedConversions)
	if err != nil {
		return nil, err
	}
	return &Planner{cfg: cfg, started: cfg.Now(), conversions: conversions, space: &space{open: cfg.SpoolFile, max: cfg.SpoolBytes}}, nil
}

// lookup is what names mean to a tenant now. The functions in it end with ctx.
func (p *Planner) lookup(ctx context.Context, tenant string, path []string) (*lookup, error) {
	snapshot, err := p.cfg.Schemas.Current(ctx, tenant)
	if errors.Is(err, schema.ErrNotFound) {
		return nil, errorf(pgerrcode.InvalidCatalogName, "database %q does not exist", tenant)
	}
	if err != nil {
		return nil, unreadable(ctx, "the schema", err)
	}
	return p.lookupIn(ctx, snapshot, path), nil
}

// lookupIn is what names mean under a schema.
func (p *Planner) lookupIn(ctx context.Context, snapshot *schema.Snapshot, path []string) *lookup {
	return &lookup{
		snapshot: snapshot,
		catalog:  p.cfg.Catalog,
		path:     path,
		observed: func() ([]schema.ObservedMetric, error) {
			metrics, err := p.cfg.Observed.Metrics(ctx, snapshot.Tenant)
			return metrics, unreadable(ctx, "the metrics that devices sent", err)
		},
		isSent: func(ds schema.Dataset) (bool, error) {
			is, err := p.cfg.Observed.Has(ctx, ds)
			return is, unreadable(ctx, "the metrics that devices sent", err)
		},
		conversions: p.conversions,
		fields: func(ds schema.Dataset) ([]schema.ObservedField, error) {
			fields, err := p.cfg.Observed.Fields(ctx, ds)
			return fields, unreadable(ctx, "the fields that devices sent", err)
		},
	}
}

// NewSession opens a session. The startup parameters become settings, a later one over an
// earlier one; TakeNotices has what is to be said of them.
func (p *Planner) NewSession(id Identity, startup []Setting, client Client) (*Session, error) {
	s := &Session{
		Objects: Objects{space: p.space}, planner: p, id: id, settings: newSettings(id),
		activity: &activity{id: id, client: client, started: p.cfg.Now()},
	}
	s.arrived = s.activity.started
	if err := s.settings.start(startup); err != nil {
		return nil, err
	}
	s.settings.markReported()
	s.Idle()
	p.activities.add(s.activity)
	return s, nil
}

// Session is one client's conversation: its settings, its transaction, and the
// statements and portals that it named. It is used by one goroutine at a time.
type Session struct {
	Objects

	planner  *Planner
	id       Identity
	activity *activity
	settings *settings
	tx       transaction
	parsing  parsing
	// arrived is when the text came that is run, or later its parameters: the time of
	// statement_timestamp().
	arrived time.Time
	notices []*Notice // of Parse
	post    postbox
}

// Parse splits a text into its statements; an empty text has none. The error is
// an *Error, mostly 42601 with its position, or that of ctx.
func (s *Session) Parse(ctx context.Context, sql string) ([]*Statement, error) {
	s.arrive(sql)
	statements, err := s.parsing.parse(ctx, sql)
	if err != nil {
		s.Fail()
		return nil, err
	}
	s.notices = append(s.notices, cutNotices(sql)...)
	return statements, nil
}

// TakeNotices gives what the last call of Parse, or the session's start, had to say
// beside its result.
func (s *Session) TakeNotices() []*Notice {
	out := slices.Concat(s.notices, s.settings.takeNotices())
	s.notices = nil
	return out
}

// Close ends the session, its portals first.
func (s *Session) Close() {
	if err := s.closeAll(); err != nil {
		s.planner.cfg.Logger.Debug("close portals", "err", err)
	}
	s.planner.activities.remove(s.activity)
	s.tx = transaction{}
}

// environment is what a statement can ask of the session now.
func (s *Session) environment() *environment {
	now := s.arrived
	env := &environment{
		database:  s.id.Tenant,
		user:      s.id.User,
		query:     s.activity.query(),
		limited:   !s.id.Owner,
		pid:       s.activity.client.PID,
		client:    s.activity.client.Address,
		server:    s.activity.client.Server,
		now:       s.tx.now(now),
		statement: now,
		started:   s.planner.started,
		setting:   s.settings.show,
		path:      s.settings.searchPath(),
	}
	env.values = s.settings.values(env.now)
	return env
}

// catalogPath is the search path with what is implicit in it.
func catalogPath(path []string) []string {
	for _, s := range path {
		if s == schemaCatalog {
			return path
		}
	}
	return append([]string{schemaCatalog}, path...)
}

// params of a statement that is prepared with the types that the client gave.
func newParameters(types []postgres.OID) *parameters {
	return &parameters{types: append([]postgres.OID(nil), types...)}
}
