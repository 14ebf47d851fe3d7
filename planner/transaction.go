package planner

import (
	"strings"
	"time"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// transaction is the state of a session's transaction. Nothing here writes data:
// what a transaction holds is its time, its settings and whether it failed.
type transaction struct {
	block    bool // BEGIN was said
	implicit bool // several statements of one message
	failed   bool
	queried  bool // it has seen data, so its modes stand
	start    time.Time
	// savepoints by name; each has its saved settings, after those of the start.
	savepoints []savepoint
}

// savepoint is where ROLLBACK TO goes back to.
type savepoint struct {
	name              string
	listens, messages int // noted before it
}

// now is the time that now() gives: frozen within a transaction.
func (t *transaction) now(clock time.Time) time.Time {
	if t.block || t.implicit {
		return t.start
	}
	return clock
}

// isOver says that a block has failed and has no savepoint to go back to: it only
// waits for its end.
func (t *transaction) isOver() bool { return t.block && t.failed && len(t.savepoints) == 0 }

// Status is the transaction status as ReadyForQuery sends it: I, T or E.
func (s *Session) Status() byte {
	switch {
	case s.tx.block && s.tx.failed:
		return 'E'
	case s.tx.block:
		return 'T'
	}
	return 'I'
}

// Fail notes an error that happened outside Prepare and Execute: an open block
// becomes a failed one.
func (s *Session) Fail() {
	if s.tx.block && !s.tx.failed {
		s.tx.failed = true
		s.settings.fail()
	}
	if !s.tx.block && !s.tx.implicit {
		s.post = postbox{}
	}
}

// BeginImplicit begins the transaction that several statements of one message
// are, if no block is open.
func (s *Session) BeginImplicit() {
	if s.tx.block || s.tx.implicit {
		return
	}
	s.tx = transaction{implicit: true, start: s.arrived}
	s.settings.beginTransaction()
}

// EndImplicit ends it, unless it became a block meanwhile.
func (s *Session) EndImplicit(ok bool) {
	if !s.tx.implicit {
		return
	}
	s.tx.implicit = false
	if !s.tx.block {
		s.endTransaction(ok)
	}
}

func (s *Session) endTransaction(ok bool) {
	s.tx = transaction{implicit: s.tx.implicit, start: s.tx.start}
	s.endPortals(ok)
	s.commitPost(ok)
	s.settings.end(ok)
	if s.tx.implicit {
		s.settings.beginTransaction()
	}
}

// endPortals ends the portals that end with the transaction.
func (s *Session) endPortals(ok bool) {
	if err := s.EndPortals(ok); err != nil {
		s.planner.cfg.Logger.Debug("close portals", "err", err)
	}
}

// endPortalsAfter ends the portals that are younger than a savepoint.
func (s *Session) endPortalsAfter(level int) {
	if err := s.closePortals(func(p *Portal) bool { return !p.held && p.level > level }); err != nil {
		s.planner.cfg.Logger.Debug("close portals", "err", err)
	}
}

// checkFailed refuses everything but an end in a failed block.
func (s *Session) checkFailed(st *Statement) error {
	if !s.tx.failed {
		return nil
	}
	if t := st.node.GetTransactionStmt(); t != nil {
		switch t.Kind {
		case pgquery.TransactionStmtKind_TRANS_STMT_COMMIT, pgquery.TransactionStmtKind_TRANS_STMT_ROLLBACK,
			pgquery.TransactionStmtKind_TRANS_STMT_ROLLBACK_TO:
			return nil
		}
	}
	return errorf(pgerrcode.InFailedSQLTransaction, "current transaction is aborted, commands ignored until end of transaction block")
}

// transactionStmt runs BEGIN, COMMIT, ROLLBACK and the statements on savepoints.
func (s *Session) transactionStmt(n *pgquery.TransactionStmt) (*Result, error) {
	switch n.Kind {
	case pgquery.TransactionStmtKind_TRANS_STMT_BEGIN:
		return s.begin(n, "BEGIN")
	case pgquery.TransactionStmtKind_TRANS_STMT_START:
		return s.begin(n, "START TRANSACTION")
	case pgquery.TransactionStmtKind_TRANS_STMT_COMMIT:
		return s.endBlock(n, !s.tx.failed)
	case pgquery.TransactionStmtKind_TRANS_STMT_ROLLBACK:
		return s.endBlock(n, false)
	case pgquery.TransactionStmtKind_TRANS_STMT_SAVEPOINT:
		if !s.tx.block {
			return nil, errorf(pgerrcode.NoActiveSQLTransaction, "SAVEPOINT can only be used in transaction blocks")
		}
		sp := savepoint{name: n.SavepointName}
		sp.listens, sp.messages = s.post.mark()
		s.tx.savepoints = append(s.tx.savepoints, sp)
		s.settings.save()
		return &Result{Tag: "SAVEPOINT"}, nil
	case pgquery.TransactionStmtKind_TRANS_STMT_RELEASE:
		level, err := s.savepoint("RELEASE SAVEPOINT", n.SavepointName)
		if err != nil {
			return nil, err
		}
		s.tx.savepoints = s.tx.savepoints[:level]
		for _, p := range s.portals {
			p.level = min(p.level, level)
		}
		s.settings.saved = s.settings.saved[:1+level]
		return &Result{Tag: "RELEASE"}, nil
	case pgquery.TransactionStmtKind_TRANS_STMT_ROLLBACK_TO:
		level, err := s.savepoint("ROLLBACK TO SAVEPOINT", n.SavepointName)
		if err != nil {
			return nil, err
		}
		s.tx.savepoints = s.tx.savepoints[:level+1]
		s.settings.restore(1 + level)
		s.endPortalsAfter(level)
		s.post.back(s.tx.savepoints[level].listens, s.tx.savepoints[level].messages)
		s.tx.failed = false
		return &Result{Tag: "ROLLBACK"}, nil
	}
	if n.Kind == pgquery.TransactionStmtKind_TRANS_STMT_PREPARE {
		return s.prepareTransaction()
	}
	return nil, errorf(pgerrcode.UndefinedObject, "prepared transaction with identifier \"%s\" does not exist", n.Gid)
}

// prepareTransaction answers as a server does that keeps no prepared transactions,
// which is the default.
func (s *Session) prepareTransaction() (*Result, error) {
	if !s.tx.block {
		return &Result{Tag: "ROLLBACK", Notices: []*Notice{noTransaction()}}, nil
	}
	s.endTransaction(false)
	return nil, errorf(pgerrcode.ObjectNotInPrerequisiteState, "prepared transactions are disabled").
		withHint("Set max_prepared_transactions to a nonzero value.")
}

func noTransaction() *Notice {
	return &Notice{Severity: "WARNING", Code: pgerrcode.NoActiveSQLTransaction, Message: "there is no transaction in progress"}
}

// savepoint finds the latest savepoint of a name.
func (s *Session) savepoint(command, name string) (int, error) {
	if !s.tx.block {
		return 0, errorf(pgerrcode.NoActiveSQLTransaction, "%s can only be used in transaction blocks", command)
	}
	for i := len(s.tx.savepoints) - 1; i >= 0; i-- {
		if s.tx.savepoints[i].name == name {
			return i, nil
		}
	}
	return 0, errorf(pgerrcode.InvalidSavepointSpecification, "savepoint %q does not exist", name)
}

func (s *Session) begin(n *pgquery.TransactionStmt, tag string) (*Result, error) {
	r := &Result{Tag: tag}
	if s.tx.block {
		r.Notices = append(r.Notices, &Notice{
			Severity: "WARNING", Code: pgerrcode.ActiveSQLTransaction, Message: "there is already a transaction in progress",
		})
		return r, s.transactionModes(n.Options)
	}
	start := s.tx.start
	if !s.tx.implicit {
		start = s.arrived
		s.settings.beginTransaction()
	}
	s.tx = transaction{block: true, implicit: s.tx.implicit, start: start}
	return r, s.transactionModes(n.Options)
}

// transactionModes applies the modes of BEGIN: settings of the transaction.
func (s *Session) transactionModes(options []*pgquery.Node) error {
	for _, o := range options {
		d := o.GetDefElem()
		if err := s.checkMode(d.GetDefname(), constText(d.GetArg())); err != nil {
			return err
		}
		if err := s.settings.set(d.GetDefname(), constText(d.GetArg()), true); err != nil {
			return err
		}
	}
	return nil
}

// checkMode refuses a mode that comes too late.
func (s *Session) checkMode(name, value string) error {
	early := func(format string, args ...any) error {
		return errorf(pgerrcode.ActiveSQLTransaction, format, args...)
	}
	switch {
	case name == "transaction_isolation" && value != s.settings.get(name):
		if s.tx.queried {
			return early("SET TRANSACTION ISOLATION LEVEL must be called before any query")
		}
		if len(s.tx.savepoints) > 0 {
			return early("SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction")
		}
	case name == "transaction_read_only" && (value == "0" || value == "off") && s.settings.get(name) == "on":
		if len(s.tx.savepoints) > 0 {
			return early("cannot set transaction read-write mode inside a read-only transaction")
		}
		if s.tx.queried {
			return early("transaction read-write mode must be set before any query")
		}
	case name == "transaction_deferrable":
		if len(s.tx.savepoints) > 0 {
			return early("SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction")
		}
		if s.tx.queried {
			return early("SET TRANSACTION [NOT] DEFERRABLE must be called before any query")
		}
	}
	return nil
}

// endBlock ends the block; a failed one ends in ROLLBACK whatever is said.
func (s *Session) endBlock(n *pgquery.TransactionStmt, ok bool) (*Result, error) {
	r := &Result{Tag: "COMMIT"}
	if !ok {
		r.Tag = "ROLLBACK"
	}
	if !s.tx.block {
		if n.Chain {
			return nil, errorf(pgerrcode.NoActiveSQLTransaction, "%s AND CHAIN can only be used in transaction blocks", r.Tag)
		}
		r.Notices = append(r.Notices, noTransaction())
		return r, nil
	}
	s.endTransaction(ok)
	if n.Chain {
		_, err := s.begin(&pgquery.TransactionStmt{}, r.Tag)
		return r, err
	}
	return r, nil
}

// preventInBlock refuses a statement that cannot be undone where it would have to be.
func (s *Session) preventInBlock(st *Statement) error {
	if !s.tx.block {
		return nil
	}
	return errorf(pgerrcode.ActiveSQLTransaction, "%s cannot run inside a transaction block", strings.ToUpper(statementName(st.node)))
}
