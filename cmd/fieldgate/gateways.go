package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/peers"
	"github.com/fieldgate/fieldgate/pipeline/lease"
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/wire"
)

// gatewaysFolder has the leases of gateways' numbers, with where each is reached.
const gatewaysFolder = "gateways/"

// enrol gives this gateway a number that no other has, and has the others know where
// it is reached. The number is part of the process ids that clients get, so that a
// cancel request says whose it is; a lease that was lost, by a process that was
// paused, is followed by another number, which new sessions get.
func (sh *sharing) enrol(ctx context.Context, address string) error {
	sh.address.Store(&address)
	l, err := sh.takeNumber(ctx, address)
	if err != nil {
		return fmt.Errorf("find a number among the gateways: %w", err)
	}
	sh.numbers <- l
	return nil
}

// keepNumber renews the number until ctx ends, and then lets go of it.
func (sh *sharing) keepNumber(ctx context.Context) error {
	var l *lease.Lease
	select {
	case l = <-sh.numbers:
	case <-ctx.Done():
		return nil
	}
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := l.Release(last); err != nil {
				sh.log.Warn("release the number of this gateway", "err", err) // it will run out
			}
			return nil
		case <-l.Lost():
		}
		next, err := sh.takeNumber(ctx, l.Note())
		if err != nil {
			return nil // ctx has ended
		}
		l = next
	}
}

// takeNumber takes the lowest number that is free. It tries until ctx ends.
func (sh *sharing) takeNumber(ctx context.Context, address string) (*lease.Lease, error) {
	for {
		for n := 1; n <= wire.MaxNode; n++ {
			l, err := sh.leases.Take(ctx, gatewaysFolder+strconv.Itoa(n), address)
			if l != nil {
				sh.number.Store(uint32(n))
				return l, nil
			}
			if err != nil {
				sh.log.Warn("take a number among the gateways", "err", err)
				break
			}
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (sh *sharing) node() uint16 { return uint16(sh.number.Load()) }

// reached is where others reach this gateway; "" before it has enrolled.
func (sh *sharing) reached() string {
	if address := sh.address.Load(); address != nil {
		return *address
	}
	return ""
}

// forwardPatience bounds how long a cancel request is passed on.
const forwardPatience = 5 * time.Second

// forward passes a cancel request on to the gateway of a number. It goes in the
// clear, as those of most clients do: what it tells is good for nothing but to cancel
// the statement once more.
func (sh *sharing) forward(ctx context.Context, node uint16, request []byte) {
	ctx, cancel := context.WithTimeout(ctx, forwardPatience)
	defer cancel()
	if err := sh.passOn(ctx, node, request); err != nil {
		sh.log.Warn("pass a cancel request on", "gateway", node, "err", err)
	}
}

func (sh *sharing) passOn(ctx context.Context, node uint16, request []byte) error {
	address, err := sh.leases.Note(ctx, gatewaysFolder+strconv.Itoa(int(node)))
	if err != nil || address == "" {
		return err // nobody's: its session has ended
	}
	nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("reach it at %s: %w", address, err)
	}
	defer func() { _ = nc.Close() }() // what was to be said was said, or failed
	if deadline, ok := ctx.Deadline(); ok {
		if err := nc.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if _, err := nc.Write(request); err != nil {
		return fmt.Errorf("write to %s: %w", address, err)
	}
	// It is done when the other one closes.
	_, _ = io.Copy(io.Discard, nc)
	return nil
}

// localSessions are the sessions of this gateway, for the others.
type localSessions struct{ s *server }

var _ peers.Local = localSessions{}

func (l localSessions) Sessions(id planner.Identity) []sources.Activity {
	return l.s.reading.planner.Sessions(id)
}

func (l localSessions) Signal(id planner.Identity, pid int32, end bool) (bool, error) {
	return l.s.reading.planner.Signal(id, pid, end)
}

func (l localSessions) Deliver(tenant string, messages []planner.Notification) {
	l.s.reading.planner.Deliver(tenant, messages)
}

// joinGateways makes this gateway and the others act as one, if there can be others.
func (s *server) joinGateways(c *planner.Config) {
	if s.sharing == nil {
		return
	}
	s.sharing.peers = peers.New(peers.Config{
		KV: s.stores.KV, Leases: s.sharing.leases, Folder: gatewaysFolder, Own: s.sharing.node, Address: s.sharing.reached, NodeOf: wire.NodeOf,
		Local: localSessions{s}, Logger: s.log,
	})
	c.Peers = s.sharing.peers
	s.writing.stages = append(s.writing.stages, s.sharing.peers)
}

// advertised is where other gateways reach this one.
func advertised(c *config.Config, listening net.Addr) string {
	if c.PGAdvertise != "" {
		return c.PGAdvertise
	}
	at, err := netip.ParseAddrPort(listening.String())
	if err != nil || !at.Addr().IsUnspecified() {
		return listening.String()
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return listening.String()
	}
	for _, a := range addresses {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil && prefix.Addr().IsGlobalUnicast() {
			return netip.AddrPortFrom(prefix.Addr(), at.Port()).String()
		}
	}
	return netip.AddrPortFrom(netip.IPv6Loopback(), at.Port()).String()
}
