package peers

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/planner"
)

const (
	// maxWaiting is how many bytes of notifications may wait for the other gateways, and
	// for one of them.
	maxWaiting = 8 << 20
	// sentAtOnce bounds the notifications of one question, in bytes.
	sentAtOnce = 1 << 20
	// gather is between two looks at who the other gateways are, while there is something
	// to send. A look is a read of the key-value store.
	gather = 50 * time.Millisecond
	// tries is how often notifications are sent to a gateway that does not take them.
	tries = 3
)

// outbox has the notifications that are to go to the other gateways.
type outbox struct {
	wake chan struct{}

	mu      sync.Mutex
	waiting []notice
	bytes   int
	links   map[string]*link // by address
	number  uint64           // of the last question
}

// link has what is to go to one gateway, in order.
type link struct {
	waiting []notice
	bytes   int
	busy    bool // somebody sends
}

func bytesOf(messages []planner.Notification) (n int) {
	for _, m := range messages {
		n += m.Bytes()
	}
	return n
}

// Crowded implements planner.Peers.
func (p *Peers) Crowded() bool {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	return p.out.bytes > maxWaiting
}

// Notify implements planner.Peers.
func (p *Peers) Notify(tenant string, messages []planner.Notification) {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	p.out.waiting = append(p.out.waiting, notice{tenant, messages})
	p.out.bytes += bytesOf(messages)
	select {
	case p.out.wake <- struct{}{}:
	default:
	}
}

// Run sends notifications to the other gateways until ctx ends. Whoever listens at one
// has enrolled it before, so it is looked for anew each time.
func (p *Peers) Run(ctx context.Context) error {
	var sending errgroup.Group
	defer func() { _ = sending.Wait() }() // they fail one by one
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.out.wake:
		}
		others, err := p.others(ctx)
		if err != nil && ctx.Err() == nil {
			p.cfg.Logger.Warn("find the other gateways, which have notifications to get", "err", err)
			p.wakeAgain()
		}
		if err == nil {
			for address, l := range p.spread(others) {
				sending.Go(func() error {
					p.drain(ctx, address, l)
					return nil
				})
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(gather):
		}
	}
}

func (p *Peers) wakeAgain() {
	select {
	case p.out.wake <- struct{}{}:
	default:
	}
}

// spread gives what waits to the links of the other gateways, and those links to which
// nobody sends yet.
func (p *Peers) spread(others map[string]bool) map[string]*link {
	o := &p.out
	o.mu.Lock()
	defer o.mu.Unlock()
	idle := map[string]*link{}
	for address := range others {
		l := o.links[address]
		if l == nil {
			l = &link{}
			o.links[address] = l
		}
		if l.bytes > maxWaiting {
			p.cfg.Logger.Warn("a gateway takes no notifications, so its sessions miss some", "address", address, "bytes", o.bytes)
			continue
		}
		l.waiting, l.bytes = append(l.waiting, o.waiting...), l.bytes+o.bytes
		if !l.busy {
			l.busy = true
			idle[address] = l
		}
	}
	o.waiting, o.bytes = nil, 0
	return idle
}

// drain sends what waits for a gateway until nothing does.
func (p *Peers) drain(ctx context.Context, address string, l *link) {
	for {
		batch, number := p.take(address, l)
		if batch == nil {
			return
		}
		q := question{Notify: batch, From: p.cfg.Leases.Owner(), Number: number}
		for try := 1; ; try++ {
			_, err := p.ask(ctx, address, q, notifyPatience)
			if err == nil || ctx.Err() != nil {
				break
			}
			if try == tries || errors.Is(err, errUnanswered) { // or they might come twice
				p.cfg.Logger.Warn("a gateway does not take notifications, so its sessions miss some", "address", address, "err", err)
				break
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Duration(try) * gather):
			}
		}
	}
}

// take is what is sent next, and its number; nil: nothing, and nobody sends to the
// gateway any more.
func (p *Peers) take(address string, l *link) (batch []notice, number uint64) {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	for size := 0; len(l.waiting) > 0 && (batch == nil || size < sentAtOnce); {
		next := &l.waiting[0]
		n := 0
		for n < len(next.Messages) && (n == 0 || size < sentAtOnce) {
			size += next.Messages[n].Bytes()
			n++
		}
		part := notice{next.Tenant, next.Messages[:n]}
		batch = append(batch, part)
		l.bytes -= bytesOf(part.Messages)
		if next.Messages = next.Messages[n:]; len(next.Messages) == 0 {
			l.waiting = l.waiting[1:]
		}
	}
	if batch == nil {
		l.busy = false
		delete(p.out.links, address)
	}
	p.out.number++
	return batch, p.out.number
}
