package planner

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// Client is the connection behind a session, as other sessions see and stop it.
// The zero value is a session that nobody else sees.
type Client struct {
	// PID is the backend's process id.
	PID int32
	// Address is the client's; not valid if it has none.
	Address netip.AddrPort
	// Server is the address that the client connected to; not valid likewise.
	Server netip.AddrPort
	// Cancel stops the running statement, if there is one, and End the connection.
	// Both may be called at any time and return at once.
	Cancel, End func()
	// Notify hands over a notification that the session listens to; nil: nobody takes
	// them. It may be called at any time and returns at once.
	Notify func(Notification)
	// Queued is how many bytes of notifications wait until the client takes them; nil:
	// none. It may be called at any time and returns at once.
	Queued func() int
}

// activities are the open sessions of all tenants.
type activities struct {
	mu       sync.Mutex
	sessions map[string]map[int32]*activity // by tenant and process id
}

// activity is what a session does, for others to see.
type activity struct {
	id      Identity
	client  Client
	started time.Time

	mu                       sync.Mutex
	application, state, text string
	began, queried, changed  time.Time // transaction, statement, state
	sleeps                   bool
	relations                []uint32 // that the transaction has read
	channels                 map[string]bool
}

func (a *activities) add(of *activity) {
	if of.client.PID == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sessions == nil {
		a.sessions = make(map[string]map[int32]*activity)
	}
	if a.sessions[of.id.Tenant] == nil {
		a.sessions[of.id.Tenant] = make(map[int32]*activity)
	}
	a.sessions[of.id.Tenant][of.client.PID] = of
}

func (a *activities) remove(of *activity) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.sessions[of.id.Tenant], of.client.PID)
	if len(a.sessions[of.id.Tenant]) == 0 {
		delete(a.sessions, of.id.Tenant)
	}
}

// of lists a tenant's sessions by process id.
func (a *activities) of(tenant string) []*activity {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]*activity, 0, len(a.sessions[tenant]))
	for _, s := range a.sessions[tenant] {
		out = append(out, s)
	}
	slices.SortFunc(out, func(x, y *activity) int { return cmp.Compare(x.client.PID, y.client.PID) })
	return out
}

// find is a tenant's session, nil if there is none.
func (a *activities) find(tenant string, pid int32) *activity {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sessions[tenant][pid]
}

// sharedWith says that a user may see and stop what the session does.
func (a *activity) sharedWith(id Identity) bool { return id.Owner || id.User == a.id.User }

// shownQuery is how many bytes of a text others see (track_activity_query_size).
const shownQuery = 1023

// cutText is the start of a text, of whole characters.
func cutText(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

func (a *activity) show(to Identity) sources.Activity {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := sources.Activity{PID: a.client.PID, User: a.id.User, Application: a.application}
	if !a.sharedWith(to) {
		out.Private = true
		return out
	}
	out.Address, out.State, out.Query = a.client.Address, a.state, cutText(a.text, shownQuery)
	out.BackendStart, out.TransactionStart, out.QueryStart, out.StateChange = a.started, a.began, a.queried, a.changed
	out.Relations = slices.Clone(a.relations)
	switch {
	case a.sleeps:
		out.WaitType, out.Wait = "Timeout", "PgSleep"
	case a.state != stateActive:
		out.WaitType, out.Wait = "Client", "ClientRead"
	}
	return out
}

// query is the text that the session runs.
func (a *activity) query() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.text
}

// named notes the name that the session's application gives itself.
func (a *activity) named(application string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.application = application
}

// stateActive is the state of a session that runs a statement.
const stateActive = "active"

// arrive notes that a text has come, or its parameters, which the session now runs.
func (s *Session) arrive(text string) {
	s.arrived = s.planner.cfg.Now()
	s.run(text)
}

// run notes that the session runs a text that has come before.
func (s *Session) run(text string) {
	a := s.activity
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state, a.text, a.queried, a.changed = stateActive, text, s.arrived, s.planner.cfg.Now()
	if a.began.IsZero() && !s.tx.isOver() {
		a.began = s.tx.now(s.arrived)
	}
}

// read notes what the transaction reads.
func (a *activity) read(bound *boundQuery) {
	a.mu.Lock()
	defer a.mu.Unlock()
	note := func(oid uint32) {
		if oid != 0 && !slices.Contains(a.relations, oid) {
			a.relations = append(a.relations, oid)
		}
	}
	visitQueries(bound.query, func(q *Query) {
		for _, f := range q.From {
			visitRelations(f, func(r Relation) {
				if view, ok := r.(*SubqueryScan); ok {
					note(view.OID)
				}
			})
		}
	})
	for _, scan := range bound.metrics {
		note(scan.OID)
	}
	for _, scan := range bound.catalogs {
		note(scan.Relation.OID())
	}
}

// sleep waits in a statement.
func (a *activity) sleep(ctx context.Context, seconds float64) error {
	sleeps := func(is bool) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.sleeps = is
	}
	sleeps(true)
	defer sleeps(false)
	return sleep(ctx, seconds)
}

// Idle notes that the session waits for its client.
func (s *Session) Idle() {
	state := "idle"
	switch s.Status() {
	case 'T':
		state = "idle in transaction"
	case 'E':
		state = "idle in transaction (aborted)"
	}
	a := s.activity
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state, a.changed, a.application = state, s.planner.cfg.Now(), s.settings.get("application_name")
	if state == "idle" || s.tx.isOver() {
		a.began, a.relations = time.Time{}, nil
	}
}

// others lists the tenant's sessions as pg_stat_activity does, those of other gateways
// too.
func (s *Session) others(ctx context.Context) []sources.Activity {
	s.activity.named(s.settings.get("application_name"))
	own := s.planner.Sessions(s.id)
	if s.planner.cfg.Peers == nil {
		return own
	}
	return append(own, s.planner.cfg.Peers.Sessions(ctx, s.id)...)
}

// signal stops the statement of a session of the tenant at any gateway, or ends that.
func (s *Session) signal(ctx context.Context, pid int32, end bool) (bool, error) {
	found, err := s.planner.Signal(s.id, pid, end)
	if found || err != nil || s.planner.cfg.Peers == nil {
		return found, err
	}
	return s.planner.cfg.Peers.Signal(ctx, s.id, pid, end)
}

// Sessions lists the sessions of the user's tenant at this gateway, by process id, as
// far as the user may see them.
func (p *Planner) Sessions(id Identity) []sources.Activity {
	all := p.activities.of(id.Tenant)
	out := make([]sources.Activity, 0, len(all))
	for _, a := range all {
		out = append(out, a.show(id))
	}
	return out
}

// Signal stops the statement of a session of the user's tenant at this gateway, or ends
// that; not found: there is none of that process id here. The error is a
// postgres.Error.
func (p *Planner) Signal(id Identity, pid int32, end bool) (found bool, err error) {
	a := p.activities.find(id.Tenant, pid)
	if a == nil {
		return false, nil
	}
	if !a.sharedWith(id) {
		what := "query is being canceled"
		if end {
			what = "process is being terminated"
		}
		return false, &postgres.Error{
			Code:    pgerrcode.InsufficientPrivilege,
			Message: "must be a member of the role whose " + what + " or member of pg_signal_backend",
		}
	}
	if end {
		a.client.End()
	} else {
		a.client.Cancel()
	}
	return true, nil
}
