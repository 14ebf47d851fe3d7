package planner

import (
	"slices"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// maxPayload is the longest payload of a notification, in bytes, and one more
// (NOTIFY_PAYLOAD_MAX_LENGTH).
const maxPayload = 8000

// Notification is what NOTIFY sends to the sessions of the tenant that listen.
type Notification struct {
	// PID is the process id of the session that sent it.
	PID              int32
	Channel, Payload string
}

// postbox are a transaction's changes of what the session listens to and its
// notifications, until it is committed.
type postbox struct {
	listens  []listenOp
	messages []Notification
}

// listenOp is LISTEN or UNLISTEN; without a channel it is UNLISTEN *.
type listenOp struct {
	listen  bool
	channel string
}

// listen notes a LISTEN or UNLISTEN.
func (s *Session) listen(op listenOp) {
	s.post.listens = append(s.post.listens, op)
	s.postIfAlone()
}

// notify notes a notification; one that is there already is sent once.
func (s *Session) notify(channel, payload string) error {
	switch {
	case channel == "":
		return errorf(pgerrcode.InvalidParameterValue, "channel name cannot be empty")
	case len(channel) > maxIdentifier:
		return errorf(pgerrcode.InvalidParameterValue, "channel name too long")
	case len(payload) >= maxPayload:
		return errorf(pgerrcode.InvalidParameterValue, "payload string too long")
	}
	m := Notification{PID: s.activity.client.PID, Channel: channel, Payload: payload}
	if !slices.Contains(s.post.messages, m) {
		s.post.messages = append(s.post.messages, m)
	}
	return nil
}

// notifyStmt runs NOTIFY.
func (s *Session) notifyStmt(n *pgquery.NotifyStmt) (*Result, error) {
	if err := s.notify(n.Conditionname, n.Payload); err != nil {
		return nil, err
	}
	s.postIfAlone()
	return &Result{Tag: "NOTIFY"}, nil
}

// postIfAlone commits what a statement outside of any transaction did.
func (s *Session) postIfAlone() {
	if !s.tx.block && !s.tx.implicit {
		s.commitPost(true)
	}
}

// commitPost does what the transaction noted, or forgets it.
func (s *Session) commitPost(ok bool) {
	post := s.post
	s.post = postbox{}
	if !ok {
		return
	}
	s.activity.listenTo(post.listens)
	if len(post.messages) == 0 {
		return
	}
	for _, a := range s.planner.activities.of(s.id.Tenant) {
		for _, m := range post.messages {
			if a.client.Notify != nil && a.listensTo(m.Channel) {
				a.client.Notify(m)
			}
		}
	}
}

func (a *activity) listenTo(ops []listenOp) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, op := range ops {
		switch {
		case op.listen:
			if a.channels == nil {
				a.channels = make(map[string]bool)
			}
			a.channels[op.channel] = true
		case op.channel == "":
			clear(a.channels)
		default:
			delete(a.channels, op.channel)
		}
	}
}

func (a *activity) listensTo(channel string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.channels[channel]
}

// mark is how much was noted, to go back to.
func (p *postbox) mark() (listens, messages int) { return len(p.listens), len(p.messages) }

// back forgets what was noted after a mark.
func (p *postbox) back(listens, messages int) {
	p.listens, p.messages = p.listens[:min(listens, len(p.listens))], p.messages[:min(messages, len(p.messages))]
}

// pgNotify is the function pg_notify.
func pgNotify(b *binder, _ *callSite, args []*Const) (Expr, error) {
	if b.env.notify == nil {
		return nullConst(plainType(postgres.VoidOID)), nil
	}
	text := func(c *Const) string {
		if c.Null {
			return ""
		}
		return c.Value.Str
	}
	if err := b.env.notify(text(args[0]), text(args[1])); err != nil {
		return nil, err
	}
	return textConst(postgres.VoidOID, ""), nil
}
