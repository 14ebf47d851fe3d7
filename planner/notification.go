package planner

import (
	"maps"
	"slices"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// maxPayload is the longest payload of a notification, in bytes, and one more
// (NOTIFY_PAYLOAD_MAX_LENGTH).
const maxPayload = 8000

// Of notifications that wait for a transaction's end, and of those that wait for one
// client to take them, there are at most so many bytes, give or take a transaction's.
// PostgreSQL's queue is bounded too (max_notify_queue_pages), and tells the sender.
const (
	maxQueued = 8 << 20
	// messageBytes is what a notification takes beside its texts.
	messageBytes = 64
)

// Notification is what NOTIFY sends to the sessions of the tenant that listen.
type Notification struct {
	// PID is the process id of the session that sent it.
	PID              int32
	Channel, Payload string
}

// Bytes is the memory that the notification takes.
func (n Notification) Bytes() int { return messageBytes + len(n.Channel) + len(n.Payload) }

// postbox are a transaction's changes of what the session listens to and its
// notifications, until it is committed.
type postbox struct {
	listens  []listenOp
	messages []Notification
	// noted are the messages, and bytes their size.
	noted map[Notification]bool
	bytes int
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
	if s.post.noted[m] {
		return nil
	}
	if s.post.bytes+m.Bytes() > maxQueued || s.planner.activities.crowded(s.id.Tenant, channel) ||
		s.planner.cfg.Peers != nil && s.planner.cfg.Peers.Crowded() {
		return errorf(pgerrcode.ProgramLimitExceeded, "too many notifications in the NOTIFY queue")
	}
	s.post.add(m)
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
	s.planner.deliver(s.id.Tenant, post.messages, func(*activity) bool { return true })
	if s.planner.cfg.Peers != nil {
		s.planner.cfg.Peers.Notify(s.id.Tenant, post.messages)
	}
}

// Deliver gives notifications of another gateway to the tenant's sessions at this one
// that listen. One whose client has left as many waiting as may wait gets no more.
func (p *Planner) Deliver(tenant string, messages []Notification) {
	p.deliver(tenant, messages, func(a *activity) bool { return a.client.Queued == nil || a.client.Queued() <= maxQueued })
}

func (p *Planner) deliver(tenant string, messages []Notification, takes func(a *activity) bool) {
	for _, a := range p.activities.of(tenant) {
		for _, m := range messages {
			if a.client.Notify != nil && a.listensTo(m.Channel) && takes(a) {
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

// crowded says that a session which listens has as many notifications waiting for its
// client as may wait.
func (a *activities) crowded(tenant, channel string) bool {
	return slices.ContainsFunc(a.of(tenant), func(s *activity) bool {
		return s.client.Queued != nil && s.listensTo(channel) && s.client.Queued() >= maxQueued
	})
}

func (p *postbox) add(m Notification) {
	if p.noted == nil {
		p.noted = make(map[Notification]bool)
	}
	p.noted[m] = true
	p.bytes += m.Bytes()
	p.messages = append(p.messages, m)
}

// mark is how much was noted, to go back to.
func (p *postbox) mark() (listens, messages int) { return len(p.listens), len(p.messages) }

// back forgets what was noted after a mark.
func (p *postbox) back(listens, messages int) {
	p.listens = p.listens[:min(listens, len(p.listens))]
	messages = min(messages, len(p.messages))
	for _, m := range p.messages[messages:] {
		delete(p.noted, m)
		p.bytes -= m.Bytes()
	}
	p.messages = p.messages[:messages]
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

// listening lists the channels, in the order of their names.
func (a *activity) listening() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(maps.Keys(a.channels))
}
