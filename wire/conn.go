package wire

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime/debug"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// conn is one client's session and the state of its protocol.
type conn struct {
	srv     *Server
	t       *transport
	in      *input
	out     *output
	log     *slog.Logger
	backend *backend
	session Session
	end     func() // ends the connection after the statement at hand
	rest    rest
	entered bool // the session is counted
	// spoken is the session's client_encoding when it was last looked at.
	spoken *postgres.Encoding

	// skipping: an error in the extended protocol, and no Sync since.
	skipping bool
	// idle: the client has had its ReadyForQuery and has sent nothing since.
	idle bool
	// executed counts the Execute messages since the last Sync, and implicit says
	// that they were made one transaction.
	executed int
	implicit bool
}

// serve runs a connection from its first byte to its last.
func (s *Server) serve(leaving, running context.Context, nc net.Conn) {
	own, end := context.WithCancel(running)
	defer end()
	t := newTransport(own, running, nc)
	defer t.close()
	c := &conn{
		srv: s,
		end: end,
		t:   t,
		out: &output{t: t, timeout: s.cfg.WriteTimeout},
		log: s.cfg.Logger.With("remote", nc.RemoteAddr().String()),
	}
	c.rest.end = end
	defer context.AfterFunc(leaving, c.rest.leave)()
	defer c.close()
	// A defect that a client's message finds must cost that client alone.
	defer func() {
		if r := recover(); r != nil {
			c.log.Error("connection panicked", "panic", r, "stack", string(debug.Stack()))
			c.sendLast(internalError(nil))
		}
	}()
	err := c.startup(running)
	if err == nil {
		err = c.loop(running)
	}
	c.farewell(err)
}

// farewell sends the last message, if err has one for the client.
func (c *conn) farewell(err error) {
	var last *fatalError
	switch {
	case errors.As(err, &last):
		c.logError(last.err)
		c.sendLast(last.err)
	case errors.Is(err, errGarbage):
		c.log.Info("connection refused", "err", err)
	default:
		c.log.Debug("connection ended", "err", err)
	}
}

// sendLast tells the client why the connection ends. A client that no longer
// listens loses only that.
func (c *conn) sendLast(err *planner.Error) {
	c.out.send(c.errorResponse("FATAL", err))
	_ = c.out.flush()
}

// close ends the session.
func (c *conn) close() {
	if c.session != nil {
		c.session.Close()
	}
	if c.backend != nil {
		c.srv.backends.remove(c.backend)
	}
	if c.entered {
		c.srv.drain.leave()
	}
}

// startup brings the connection to its first ReadyForQuery.
func (c *conn) startup(ctx context.Context) error {
	patience := c.srv.cfg.StartupTimeout
	if c.srv.drain.hasBegun() {
		patience = min(patience, drainingStartup)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	deadline, _ := ctx.Deadline()
	c.t.readBy(deadline)
	c.out.timeout = c.srv.cfg.StartupTimeout
	req, err := c.srv.readStartup(ctx, c.t)
	if err != nil {
		return connectionError(err, c.t)
	}
	if c.entered = c.srv.drain.enter(); !c.entered {
		return fatalf(pgerrcode.CannotConnectNow, "the database system is shutting down")
	}
	c.in = newInput(c.t, c.srv.cfg.MaxMessageBytes)
	secret := shortSecret
	if req.protocol == protocol32 {
		secret = longSecret
	}
	be, ok := c.srv.backends.add(secret, c.end, c.t.interruptRead)
	if !ok {
		return fatalf(pgerrcode.TooManyConnections, "sorry, too many clients already")
	}
	c.backend = be
	c.log = c.log.With("pid", be.pid)
	if req.negotiated() {
		// The field is named for the minor version but carries the whole one.
		c.out.send(&pgproto3.NegotiateProtocolVersion{NewestMinorProtocol: req.protocol, UnrecognizedOptions: req.unknown})
	}
	id, err := c.login(ctx, req)
	if err != nil {
		return err
	}
	client := planner.Client{
		PID: be.pid, Cancel: func() { be.interrupt(errCancelRequest) }, End: be.terminate, Notify: be.notify, Queued: be.queuedBytes,
	}
	if addr, ok := c.t.raw.RemoteAddr().(*net.TCPAddr); ok {
		client.Address = addr.AddrPort()
	}
	if addr, ok := c.t.raw.LocalAddr().(*net.TCPAddr); ok {
		client.Server = addr.AddrPort()
	}
	session, err := c.srv.cfg.NewSession(id, req.settings, client)
	if err != nil {
		return fatal(err)
	}
	c.session = session
	c.log = c.log.With("tenant", id.Tenant, "user", id.User)
	c.t.readBy(time.Time{})
	c.out.timeout = c.srv.cfg.WriteTimeout
	c.notify(c.session.TakeNotices())
	for _, p := range c.session.Reported() {
		c.out.send(&pgproto3.ParameterStatus{Name: p.Name, Value: p.Value})
	}
	c.session.TakeChanged()
	c.out.send(&pgproto3.BackendKeyData{ProcessID: uint32(be.pid), SecretKey: be.secret})
	return c.ready()
}

// loop answers messages until the connection ends, and says why it did.
func (c *conn) loop(ctx context.Context) error {
	for {
		kind, body, err := c.receive(ctx)
		if err != nil {
			return connectionError(err, c.t)
		}
		c.rest.set(false)
		if c.skipping && kind != 'S' && kind != 'X' {
			continue
		}
		m, err := decode(kind, body)
		if err == nil {
			err = c.receiveTexts(m)
		}
		if err == nil {
			err = c.answer(ctx, m)
		}
		if err == nil {
			continue
		}
		if err := c.report(err); err != nil {
			return err
		}
		switch kind {
		case 'P', 'B', 'D', 'E', 'C', 'H':
			c.skipping = true
		default:
			c.skipping = false
			if err := c.ready(); err != nil {
				return err
			}
		}
	}
}

// answer does what one message asks for. Of the error messages only the last,
// the caller's, is not sent yet.
func (c *conn) answer(ctx context.Context, m pgproto3.FrontendMessage) error {
	switch m := m.(type) {
	case *pgproto3.Query:
		return c.query(ctx, m.String)
	case *pgproto3.Parse:
		return c.parse(ctx, m)
	case *pgproto3.Bind:
		return c.bind(m)
	case *pgproto3.Describe:
		return c.describe(m)
	case *pgproto3.Execute:
		return c.execute(ctx, m)
	case *pgproto3.Close:
		return c.closeObject(m)
	case *pgproto3.Flush:
		return c.flush()
	case *pgproto3.Sync:
		return c.sync()
	case *pgproto3.FunctionCall:
		return c.functionCall(ctx, m)
	case *pgproto3.Terminate:
		return errHangup
	}
	// CopyData, CopyDone, CopyFail: left over from a copy that failed.
	return nil
}

// report sends an error to the client. It returns what ends the connection.
func (c *conn) report(err error) error {
	var last *fatalError
	if errors.As(err, &last) || errors.Is(err, errHangup) || c.out.err != nil {
		return err
	}
	c.session.Fail()
	c.endImplicit(false)
	known := asPlannerError(err)
	c.logError(known)
	c.out.send(c.errorResponse("ERROR", known))
	return c.flush()
}

// logError logs what is not the client's own mistake.
func (c *conn) logError(err *planner.Error) {
	switch {
	case err.Code == pgerrcode.InternalError || strings.HasPrefix(err.Code, "58") || err.Code == pgerrcode.CannotConnectNow && err.Err != nil:
		c.log.Error("statement failed", "code", err.Code, "message", err.Message, "err", err.Err)
	case strings.HasPrefix(err.Code, "53"):
		c.log.Warn("statement refused", "code", err.Code, "message", err.Message, "err", err.Err)
	default:
		c.log.Debug("statement refused", "code", err.Code, "message", err.Message)
	}
}

// ready ends a round: parameters that changed, then ReadyForQuery.
func (c *conn) ready() error {
	status := c.session.Status()
	if status == 'I' {
		if err := c.session.EndPortals(true); err != nil {
			c.log.Debug("close portals", "err", err)
		}
	}
	for _, p := range c.session.TakeChanged() {
		c.out.send(&pgproto3.ParameterStatus{Name: p.Name, Value: p.Value})
	}
	if status == 'I' {
		c.sendNotifications()
	}
	c.session.Idle() // who has its ReadyForQuery finds the session idle in pg_stat_activity
	c.out.send(&pgproto3.ReadyForQuery{TxStatus: status})
	if err := c.flush(); err != nil {
		return err
	}
	c.out.rest()
	c.idle = true
	c.rest.set(status == 'I' && !c.session.HasPortals())
	return nil
}

func (c *conn) sendNotifications() {
	show := func(text string) string {
		if e := c.encoding(); e != nil {
			return e.Show(text)
		}
		return text
	}
	for _, n := range c.backend.takeNotifications() {
		c.out.send(&pgproto3.NotificationResponse{PID: uint32(n.PID), Channel: show(n.Channel), Payload: show(n.Payload)})
	}
}

// flush writes what was gathered; if it cannot, the connection is over.
func (c *conn) flush() error {
	if err := c.out.flush(); err != nil {
		return connectionError(err, c.t)
	}
	return nil
}
