package main

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// balancer passes TCP connections on to gateways in turn, as a network load balancer
// does.
type balancer struct {
	addr string
	to   []string
	// next is the gateway that the next connection goes to.
	next atomic.Int64
	// failed is a gateway that gets none any more, since its health check fails.
	failed atomic.Pointer[string]
}

func startBalancer(t *testing.T, to ...string) *balancer {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{addr: l.Addr().String(), to: to}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			to := b.take()
			if failed := b.failed.Load(); failed != nil && *failed == to {
				to = b.take()
			}
			open.Go(func() { relay(client, to) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		open.Wait()
	})
	return b
}

// take is the gateway whose turn it is.
func (b *balancer) take() string { return b.to[(b.next.Add(1)-1)%int64(len(b.to))] }

// relay copies both ways until both sides have ended.
func relay(client net.Conn, to string) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		both.Go(func() {
			_, _ = io.Copy(way[1], way[0])
			_ = way[1].(*net.TCPConn).CloseWrite()
		})
	}
	both.Wait()
}

// dial connects through the balancer to a gateway.
func (b *balancer) dial(t *testing.T, gateway int) (*pgconn.PgConn, error) {
	t.Helper()
	b.next.Store(int64(gateway))
	c, err := pgconn.Connect(t.Context(), "postgres://demo:demo@"+b.addr+"/demo?sslmode=disable")
	if err == nil {
		t.Cleanup(func() { _ = c.Close(context.WithoutCancel(t.Context())) })
	}
	return c, err
}

// rowsOf runs a statement and counts its rows.
func rowsOf(t *testing.T, c *pgconn.PgConn, sql string) (int, error) {
	t.Helper()
	results, err := c.Exec(t.Context(), sql).ReadAll()
	if err != nil {
		return 0, err
	}
	return len(results[len(results)-1].Rows), nil
}

// TestBalancer has clients reach two gateways through a balancer. A connection stays
// with its gateway, and with it the session's cursors; a cancel request, which is a
// connection of its own, works at whichever it reaches. A gateway that is told to
// end lets open transactions and cursors finish.
func TestBalancer(t *testing.T) {
	t.Parallel()
	adjust := onAWS(t)
	launch(t, adjust, config.RoleStage) // makes the tables
	gateways := []*node{launch(t, adjust, config.RoleGateway), launch(t, adjust, config.RoleGateway)}
	b := startBalancer(t, gateways[0].c.PGAddr, gateways[1].c.PGAddr)
	for _, g := range gateways {
		g.awaitHealthy(t)
	}
	open := func(gateway int) *pgconn.PgConn {
		t.Helper()
		c, err := b.dial(t, gateway)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	must := func(c *pgconn.PgConn, sql string, rows int) {
		t.Helper()
		if n, err := rowsOf(t, c, sql); err != nil || n != rows {
			t.Errorf("%s: %d rows, %v, want %d", sql, n, err, rows)
		}
	}
	for session := range gateways {
		for reached := range gateways {
			c := open(session)
			failed := make(chan error, 1)
			go func() {
				_, err := c.Exec(context.WithoutCancel(t.Context()), `select pg_sleep(600)`).ReadAll()
				failed <- err
			}()
			var err error
			for waiting := true; waiting; {
				b.next.Store(int64(reached))
				if err := c.CancelRequest(t.Context()); err != nil {
					t.Fatal(err)
				}
				select {
				case err = <-failed:
					waiting = false
				case <-time.After(100 * time.Millisecond): // it may not have begun
				}
			}
			wantCode(t, "a cancelled statement", err, "57014")
		}
	}

	_, err := rowsOf(t, open(0), `select fieldgate.compact()`)
	wantCode(t, "compact() without a process that compacts", err, "55000")

	block, held, idle, elsewhere := open(0), open(0), open(0), open(1)
	must(block, `begin; declare c cursor for select * from generate_series(1, 100000); fetch 10 from c`, 10)
	must(held, `declare h cursor with hold for select * from generate_series(1, 100000); fetch 10 from h`, 10)
	_, err = rowsOf(t, elsewhere, `begin; fetch 10 from c`)
	wantCode(t, "a cursor of another gateway's session", err, "34000")
	if err := gateways[0].cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, err = idle.ReceiveMessage(t.Context())
	wantCode(t, "an idle session of a gateway that ends", err, "57P01")
	_, err = b.dial(t, 0)
	wantCode(t, "a new session there", err, "57P03")
	must(open(1), `select 1`, 1)
	must(block, `fetch 10 from c`, 10)
	must(held, `fetch 20 from h`, 20)
	must(block, `fetch all from c; commit`, 0)
	must(held, `close h`, 0)
	for name, c := range map[string]*pgconn.PgConn{"transaction": block, "cursor": held} {
		_, err := c.ReceiveMessage(t.Context())
		wantCode(t, "a session after its "+name, err, "57P01")
	}
	gateways[0].end(syscall.Signal(0))
	if !gateways[0].cmd.ProcessState.Success() {
		t.Errorf("the gateway ended with %s", gateways[0].cmd.ProcessState)
	}
}
