package peers_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/peers"
	"github.com/fieldgate/fieldgate/pipeline/lease"
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/bolt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const folder = "gateways/"

// gateway is one with its sessions, reached over loopback. What was sent to it is kept.
type gateway struct {
	*peers.Peers
	addr string

	mu    sync.Mutex
	heard []string
	taken bytes.Buffer
	more  chan struct{} // something was heard
}

func (g *gateway) Sessions(id planner.Identity) []sources.Activity {
	return []sources.Activity{{PID: 2<<20 | 1, User: id.User, State: "active", Query: "of " + id.Tenant, QueryStart: time.Unix(1, 0).UTC()}}
}

func (g *gateway) Signal(id planner.Identity, pid int32, end bool) (bool, error) {
	if !id.Owner {
		return false, &postgres.Error{Code: "42501", Message: "no"}
	}
	return pid == 2<<20|1 && end, nil
}

func (g *gateway) Deliver(tenant string, messages []planner.Notification) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range messages {
		g.heard = append(g.heard, tenant+" "+m.Channel+" "+m.Payload)
	}
	select {
	case g.more <- struct{}{}:
	default:
	}
}

// tee keeps what a connection's other end sends.
type tee struct {
	io.ReadWriter
	g *gateway
}

func (c tee) Read(p []byte) (int, error) {
	n, err := c.ReadWriter.Read(p)
	c.g.mu.Lock()
	defer c.g.mu.Unlock()
	c.g.taken.Write(p[:n])
	return n, err
}

// start starts gateway n of a store.
func start(t *testing.T, kv schema.KV, n uint16, log *slog.Logger) *gateway {
	t.Helper()
	leases, err := lease.New(lease.Config{KV: kv, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{addr: l.Addr().String(), more: make(chan struct{}, 1)}
	if taken, err := leases.Take(t.Context(), folder+fmt.Sprint(n), g.addr); taken == nil || err != nil {
		t.Fatalf("take a number: %v", err)
	}
	g.Peers = peers.New(peers.Config{
		KV: kv, Leases: leases, Folder: folder, Own: func() uint16 { return n }, Address: func() string { return g.addr }, NodeOf: func(pid int32) uint16 { return uint16(pid >> 20) },
		Local: g, Logger: log,
	})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { g.answer(ctx, nc) })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		running.Wait()
	})
	return g
}

// answer reads the startup packet as the server of the protocol does.
func (g *gateway) answer(ctx context.Context, nc net.Conn) {
	defer func() { _ = nc.Close() }()
	head := make([]byte, 8)
	if _, err := io.ReadFull(nc, head); err != nil || binary.BigEndian.Uint32(head[4:]) != peers.RequestCode {
		return
	}
	opening := make([]byte, binary.BigEndian.Uint32(head)-8)
	if _, err := io.ReadFull(nc, opening); err == nil {
		g.Serve(ctx, tee{nc, g}, opening)
	}
}

func newKV(t *testing.T) schema.KV {
	t.Helper()
	db, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "kv.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// leaveNumbers has gateways have died that were reached where these are: their numbers are
// still theirs, as far as anybody knows.
func leaveNumbers(t *testing.T, kv schema.KV, log *slog.Logger, at ...*gateway) {
	t.Helper()
	for n, g := range at {
		leases, err := lease.New(lease.Config{KV: kv, Logger: log})
		if err != nil {
			t.Fatal(err)
		}
		if taken, err := leases.Take(t.Context(), folder+fmt.Sprint(10+n), g.addr); taken == nil || err != nil {
			t.Fatalf("take a number: %v", err)
		}
	}
}

// TestPeers asks another gateway for its sessions, has it end one, and is refused as its
// own sessions are.
func TestPeers(t *testing.T) {
	t.Parallel()
	kv, log := newKV(t), slog.New(slog.DiscardHandler)
	one, two := start(t, kv, 1, log), start(t, kv, 2, log)
	leaveNumbers(t, kv, log, one, two, two)
	owner := planner.Identity{Tenant: "acme", User: "boss", Owner: true}
	if got, want := one.Peers.Sessions(t.Context(), owner), two.Sessions(owner); !reflect.DeepEqual(got, want) {
		t.Errorf("sessions %+v, want %+v", got, want)
	}
	for _, c := range []struct {
		pid   int32
		end   bool
		found bool
	}{{2<<20 | 1, true, true}, {2<<20 | 1, false, false}, {2<<20 | 2, true, false}, {3<<20 | 1, true, false}, {1<<20 | 1, true, false}, {1, true, false}, {-5, true, false}} {
		if found, err := one.Peers.Signal(t.Context(), owner, c.pid, c.end); found != c.found || err != nil {
			t.Errorf("end session %d: %v, %v, want %v", c.pid, found, err, c.found)
		}
	}
	_, err := one.Peers.Signal(t.Context(), planner.Identity{Tenant: "acme", User: "guest"}, 2<<20|1, true)
	if refused := (*postgres.Error)(nil); !errors.As(err, &refused) || refused.Code != "42501" {
		t.Errorf("a guest's signal: %v", err)
	}
}

// TestNotifications come in order and once, also more than go at once.
func TestNotifications(t *testing.T) {
	t.Parallel()
	kv, log := newKV(t), slog.New(slog.DiscardHandler)
	one, two := start(t, kv, 1, log), start(t, kv, 2, log)
	leaveNumbers(t, kv, log, one, two, two)
	var want []string
	for n := range 300 {
		payload := fmt.Sprint(n, strings.Repeat("x", 7000))
		one.Notify("acme", []planner.Notification{{PID: 1, Channel: "c", Payload: payload}, {PID: 1, Channel: "d", Payload: payload}})
		want = append(want, "acme c "+payload, "acme d "+payload)
	}
	for {
		two.mu.Lock()
		heard := len(two.heard)
		two.mu.Unlock()
		if heard >= len(want) {
			break
		}
		select {
		case <-two.more:
		case <-time.After(time.Minute):
			t.Fatalf("%d notifications came, of %d", heard, len(want))
		}
	}
	if !reflect.DeepEqual(two.heard, want) {
		t.Error("they came in another order")
	}
	if one.Crowded() || len(one.heard) > 0 {
		t.Errorf("crowded: %v; came back: %d", one.Crowded(), len(one.heard))
	}
}

// TestStrangers: who does not know the secret of the stores is answered nothing, and what
// was overheard is good for nothing.
func TestStrangers(t *testing.T) {
	t.Parallel()
	kv, log := newKV(t), slog.New(slog.DiscardHandler)
	one, two := start(t, kv, 1, log), start(t, kv, 2, log)
	owner := planner.Identity{Tenant: "acme", User: "boss", Owner: true}
	if len(one.Peers.Sessions(t.Context(), owner)) != 1 {
		t.Fatal("no sessions")
	}
	two.mu.Lock()
	question := bytes.Clone(two.taken.Bytes())
	two.mu.Unlock()
	if bytes.Contains(question, []byte("acme")) {
		t.Error("a question goes in the clear")
	}
	long := binary.BigEndian.AppendUint32(nil, 1<<30)
	for name, said := range map[string][]byte{"overheard": question, "noise": append([]byte{0, 0, 0, 20}, make([]byte, 20)...), "long": long, "nothing": nil} {
		nc, err := net.Dial("tcp", two.addr)
		if err != nil {
			t.Fatal(err)
		}
		opening := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 24), peers.RequestCode)
		if _, err := nc.Write(append(append(opening, make([]byte, 16)...), said...)); err != nil {
			t.Fatal(err)
		}
		if err := nc.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(nc); len(got) > 16 {
			t.Errorf("%s: %d bytes are answered", name, len(got)-16)
		}
		_ = nc.Close()
	}
	// Another store's gateway that was given the address.
	other := newKV(t)
	stranger := start(t, other, 1, log)
	leases, err := lease.New(lease.Config{KV: other, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	if taken, err := leases.Take(t.Context(), folder+"2", two.addr); taken == nil || err != nil {
		t.Fatal(err)
	}
	if got := stranger.Peers.Sessions(t.Context(), owner); len(got) > 0 {
		t.Errorf("another store's gateway is told %v", got)
	}
}
