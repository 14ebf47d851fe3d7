// Package peers lets the gateways that serve the same stores act as one where clients
// expect it: Peers tells of sessions at other gateways, stops what they do and carries
// notifications there, and answers the other gateways' Peers for this one.
//
// Gateways ask each other when somebody asks them, over a connection to the port of
// Postgres clients, as cancel requests go; where they are is in the notes of their
// leases. Nothing is stored, so nothing is to be paid while nobody asks, and nothing is
// left of a gateway that dies.
package peers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/pipeline/lease"
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

var _ planner.Peers = (*Peers)(nil)

const (
	// patience bounds one question to one gateway, so that one which hangs holds up no
	// statement for longer. For notifications no statement waits.
	patience       = 2 * time.Second
	notifyPatience = 30 * time.Second
	// maxAnswer bounds an answer, and maxQuestion a question, in bytes.
	maxAnswer   = 64 << 20
	maxQuestion = 4 << 20
)

// Config says who the gateways are. All fields must be given.
type Config struct {
	KV     schema.KV
	Leases *lease.Holder
	// Folder has the leases of the gateways' numbers; each one's note is its address.
	Folder string
	// Own is this gateway's number, Address where the others reach it, and NodeOf the
	// number of the gateway of a process id.
	Own     func() uint16
	Address func() string
	NodeOf  func(pid int32) uint16
	// Local is what this gateway knows and does for the others.
	Local  Local
	Logger *slog.Logger
}

// Local are the sessions of this gateway.
type Local interface {
	// Sessions lists those of the user's tenant, as far as the user may see them.
	Sessions(id planner.Identity) []sources.Activity
	// Signal stops the statement of a session of the user's tenant, or ends that.
	Signal(id planner.Identity, pid int32, end bool) (found bool, err error)
	// Deliver gives notifications to the tenant's sessions that listen.
	Deliver(tenant string, messages []planner.Notification)
}

// Peers are the other gateways.
type Peers struct {
	cfg Config
	out outbox

	mu     sync.Mutex
	secret []byte // that all gateways share; nil: not read yet

	// hearing is held while notifications are delivered, and heard has the number of the
	// last ones of each gateway.
	hearing sync.Mutex
	heard   map[string]uint64
}

// New makes Peers. Notifications go out while Run runs.
func New(cfg Config) *Peers {
	return &Peers{cfg: cfg, out: outbox{wake: make(chan struct{}, 1), links: map[string]*link{}}, heard: map[string]uint64{}}
}

// question is what one gateway asks another: one of its parts.
type question struct {
	Sessions *planner.Identity `json:"sessions,omitempty"`
	Signal   *signal           `json:"signal,omitempty"`
	Notify   []notice          `json:"notify,omitempty"`
	// From is the gateway that notifies, and Number rises from one question of it to the
	// next.
	From   string `json:"from,omitempty"`
	Number uint64 `json:"number,omitempty"`
}

type signal struct {
	Identity planner.Identity `json:"identity"`
	PID      int32            `json:"pid"`
	End      bool             `json:"end,omitempty"`
}

type notice struct {
	Tenant   string                 `json:"tenant"`
	Messages []planner.Notification `json:"messages"`
}

// answer to a question.
type answer struct {
	Sessions []sources.Activity `json:"sessions,omitempty"`
	Found    bool               `json:"found,omitempty"`
	// Code and Message are an error of the user's.
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// Sessions implements planner.Peers. A gateway that does not answer is left out, and
// the log says so.
func (p *Peers) Sessions(ctx context.Context, id planner.Identity) []sources.Activity {
	others, err := p.others(ctx)
	if err != nil {
		p.cfg.Logger.Warn("find the other gateways", "err", err)
		return nil
	}
	var mu sync.Mutex
	var all []sources.Activity
	var g errgroup.Group
	for address := range others {
		g.Go(func() error {
			a, err := p.ask(ctx, address, question{Sessions: &id}, patience)
			if err != nil {
				p.cfg.Logger.Warn("ask another gateway for its sessions", "address", address, "err", err)
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, a.Sessions...)
			return nil
		})
	}
	_ = g.Wait() // they fail one by one
	return all
}

// others are where the other gateways are reached. One that was killed has its number
// until the lease is seen to have run out, and at its address another may be by then,
// or this one: each address is named once, and this one's not.
func (p *Peers) others(ctx context.Context) (map[string]bool, error) {
	notes, err := p.cfg.Leases.Others(ctx, p.cfg.Folder)
	if err != nil {
		return nil, err
	}
	addresses := make(map[string]bool, len(notes))
	for _, address := range notes {
		addresses[address] = true
	}
	delete(addresses, "")
	delete(addresses, p.cfg.Address())
	return addresses, nil
}

// Signal implements planner.Peers.
func (p *Peers) Signal(ctx context.Context, id planner.Identity, pid int32, end bool) (bool, error) {
	node := p.cfg.NodeOf(pid)
	if pid <= 0 || node == 0 || node == p.cfg.Own() {
		return false, nil
	}
	address, err := p.cfg.Leases.Note(ctx, p.cfg.Folder+strconv.Itoa(int(node)))
	if err != nil {
		return false, fmt.Errorf("find gateway %d: %w", node, err)
	}
	if address == "" {
		return false, nil // nobody's: its session has ended
	}
	a, err := p.ask(ctx, address, question{Signal: &signal{Identity: id, PID: pid, End: end}}, patience)
	if err != nil {
		// A gateway that is gone has no sessions.
		p.cfg.Logger.Warn("stop what a session at another gateway does", "gateway", node, "address", address, "err", err)
		return false, ctx.Err()
	}
	if a.Code != "" {
		return false, &postgres.Error{Code: a.Code, Message: a.Message}
	}
	return a.Found, nil
}

// errUnanswered says that a question was put, and may have been heard.
var errUnanswered = errors.New("it does not answer")

// ask puts a question to the gateway at an address, and waits for its answer for so long.
func (p *Peers) ask(ctx context.Context, address string, q question, patience time.Duration) (a answer, err error) {
	secret, err := p.key(ctx)
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return a, err
	}
	defer func() { _ = nc.Close() }() // what was to be said was said, or failed
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c, err := call(nc, secret)
	if err != nil {
		return a, err
	}
	text, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	if err := c.send(toAsked, text); err != nil {
		return a, err
	}
	if text, err = c.receive(toAsker, maxAnswer); err != nil {
		return a, fmt.Errorf("%w: %w", errUnanswered, err)
	}
	return a, json.Unmarshal(text, &a)
}

// Serve answers the question of another gateway on a connection whose startup packet
// said that one follows, and had this after its code.
func (p *Peers) Serve(ctx context.Context, conn io.ReadWriter, opening []byte) {
	if err := p.serve(ctx, conn, opening); err != nil && ctx.Err() == nil {
		p.cfg.Logger.Warn("answer another gateway", "err", err)
	}
}

func (p *Peers) serve(ctx context.Context, conn io.ReadWriter, opening []byte) error {
	secret, err := p.key(ctx)
	if err != nil {
		return err
	}
	c, err := accept(conn, secret, opening)
	if err != nil {
		return err
	}
	text, err := c.receive(toAsked, maxQuestion)
	if err != nil {
		return err
	}
	var q question
	if err := json.Unmarshal(text, &q); err != nil {
		return err
	}
	a, err := p.reply(&q)
	if err != nil {
		return err
	}
	if text, err = json.Marshal(a); err != nil {
		return err
	}
	return c.send(toAsker, text)
}

// reply does what is asked for.
func (p *Peers) reply(q *question) (a answer, err error) {
	switch {
	case q.Sessions != nil:
		a.Sessions = p.cfg.Local.Sessions(*q.Sessions)
	case q.Signal != nil:
		a.Found, err = p.cfg.Local.Signal(q.Signal.Identity, q.Signal.PID, q.Signal.End)
		if refused := (*postgres.Error)(nil); errors.As(err, &refused) {
			return answer{Code: refused.Code, Message: refused.Message}, nil
		}
	case q.Notify != nil:
		p.hear(q)
	default:
		err = errors.New("it asks for nothing that is known here")
	}
	return a, err
}

// hear delivers notifications. Those that come late are lost: the gateway has not waited
// for their answer, and what it sent next may have been delivered before them.
func (p *Peers) hear(q *question) {
	p.hearing.Lock()
	defer p.hearing.Unlock()
	if q.From != "" { // earlier versions do not say it
		if q.Number <= p.heard[q.From] {
			p.cfg.Logger.Warn("notifications of another gateway came late, so sessions miss some", "gateway", q.From)
			return
		}
		p.heard[q.From] = q.Number
	}
	for _, n := range q.Notify {
		p.cfg.Local.Deliver(n.Tenant, n.Messages)
	}
}
