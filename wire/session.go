package wire

import (
	"context"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Session is what a connection needs of a planner session. It is used by one
// goroutine. Errors are *planner.Error, context errors, or internal.
type Session interface {
	// Parse splits a text into its statements; none if it is empty.
	Parse(ctx context.Context, sql string) ([]*planner.Statement, error)
	// TakeNotices gives what Parse, or the session's start, had to say beside its result.
	TakeNotices() []*planner.Notice
	// Run starts a statement without parameters. ctx governs the start alone; each
	// call for rows has its own.
	Run(ctx context.Context, st *planner.Statement) (*planner.Result, error)
	// Prepare binds a statement without running anything.
	Prepare(ctx context.Context, st *planner.Statement, paramTypes []postgres.OID) (*planner.Prepared, error)
	// Bind reads the parameters of a prepared statement and gives what starts it, as
	// Run does, with the statement as it is now.
	Bind(p *planner.Prepared, params []planner.Param) (*planner.Prepared, func(ctx context.Context) (*planner.Result, error), error)
	// Status is the transaction status as ReadyForQuery sends it.
	Status() byte
	// Fail notes an error that happened here; an open block becomes a failed one.
	Fail()
	// BeginImplicit and EndImplicit bracket statements that are one transaction
	// though no BEGIN says so.
	BeginImplicit()
	EndImplicit(ok bool)
	// Setting is a parameter's value as SHOW gives it.
	Setting(name string) string
	// Reported are the parameters that a client is told at the start, and
	// TakeChanged those of them that changed since the last call.
	Reported() []planner.Setting
	TakeChanged() []planner.Setting
	// Prepared finds a prepared statement by its name, CheckPrepared refuses a name
	// that is taken, AddPrepared keeps one and DropPrepared forgets it.
	Prepared(name string) (*planner.Prepared, error)
	CheckPrepared(name string) error
	AddPrepared(p *planner.Prepared)
	DropPrepared(name string)
	// Portal finds a portal by its name, AddPortal keeps one, ClosePortal ends it,
	// and EndPortals ends those that do not outlive the transaction.
	Portal(name string) (*planner.Portal, error)
	AddPortal(p *planner.Portal) error
	ClosePortal(name string) error
	EndPortals(ok bool) error
	// HasPortals says that a portal is open: outside of a transaction, a cursor that
	// outlived it.
	HasPortals() bool
	// Suspended says that a portal waits with rows for the client, and Spool puts the
	// rest of such portals aside, until stop says so.
	Suspended() bool
	Spool(ctx context.Context, stop func() bool) error
	// Idle notes that the client has its answer and is waited for.
	Idle()
	// Close ends the session and all its portals.
	Close()
}

// NewSessionFunc opens the session of an authenticated client. The settings are
// those of the startup message, a later one over an earlier one. An error refuses
// the connection.
type NewSessionFunc func(id planner.Identity, startup []planner.Setting, client planner.Client) (Session, error)

var _ Session = (*planner.Session)(nil)
