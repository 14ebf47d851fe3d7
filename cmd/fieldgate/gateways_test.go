package main

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// gatewaySession is a session at a gateway, with the notifications that came.
type gatewaySession struct {
	*pgconn.PgConn
	heard []string
}

// sessionAt logs a user, whose password is the name, in at a gateway.
func sessionAt(t *testing.T, n *node, user, tenant string) *gatewaySession {
	t.Helper()
	c, err := pgconn.ParseConfig(fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", user, user, n.c.PGAddr, tenant))
	if err != nil {
		t.Fatal(err)
	}
	s := &gatewaySession{}
	c.OnNotification = func(_ *pgconn.PgConn, m *pgconn.Notification) {
		s.heard = append(s.heard, fmt.Sprintf("%d %s %s", m.PID, m.Channel, m.Payload))
	}
	if s.PgConn, err = pgconn.ConnectConfig(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.WithoutCancel(t.Context())) })
	return s
}

// hear waits until so many notifications came, and takes them.
func (s *gatewaySession) hear(t *testing.T, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(s.heard) < n {
		if err := s.WaitForNotification(ctx); err != nil {
			t.Fatalf("heard %d notifications of %d: %v", len(s.heard), n, err)
		}
	}
	heard := s.heard
	s.heard = nil
	return heard
}

// TestGatewaysAsOne has sessions of two gateways see, stop and end each other, and hear
// each other's notifications, as far as their tenants and users may. A gateway that
// dies takes its sessions along.
func TestGatewaysAsOne(t *testing.T) {
	t.Parallel()
	adjust := onAWS(t)
	launch(t, adjust, config.RoleStage) // makes the tables
	gateways := []*node{launch(t, adjust, config.RoleGateway), launch(t, adjust, config.RoleGateway)}
	for _, g := range gateways {
		g.awaitHealthy(t)
	}
	dir := gateways[0].c.DataDir
	must(t, dir, "guest\n", "user", "add", "guest", "--tenant", "demo", "--password-stdin")
	must(t, dir, "", "tenant", "add", "other")
	must(t, dir, "else\n", "user", "add", "else", "--tenant", "other", "--owner", "--password-stdin")
	here, there := sessionAt(t, gateways[0], "demo", "demo"), sessionAt(t, gateways[1], "demo", "demo")
	guest, stranger := sessionAt(t, gateways[1], "guest", "demo"), sessionAt(t, gateways[1], "else", "other")
	ask(t, guest.PgConn, "BEGIN; SELECT 42")

	t.Run("activity", func(t *testing.T) {
		const list = "SELECT pid, usename, state, query FROM pg_stat_activity WHERE usename = 'guest' OR pid = pg_backend_pid() ORDER BY usename"
		seen := fmt.Sprintf("%%d|demo|active|%s\n%d|guest|idle in transaction|BEGIN; SELECT 42", list, guest.PID())
		for _, s := range []*gatewaySession{here, there} {
			if got, want := ask(t, s.PgConn, list), fmt.Sprintf(seen, s.PID()); got != want {
				t.Errorf("sessions\n%s, want\n%s", got, want)
			}
		}
		if got := ask(t, here.PgConn, "SELECT count(*), count(DISTINCT pid) FROM pg_stat_activity"); got != "3|3" {
			t.Errorf("sessions %s, want 3 of 3 process ids", got)
		}
		if got, want := ask(t, guest.PgConn, fmt.Sprintf("SELECT usename, query FROM pg_stat_activity WHERE pid = %d", here.PID())), "demo|<insufficient privilege>"; got != want {
			t.Errorf("a guest sees %s of another gateway, want %s", got, want)
		}
		if got := ask(t, stranger.PgConn, "SELECT usename FROM pg_stat_activity"); got != "else" {
			t.Errorf("another tenant sees %s", got)
		}
		if out := gateways[0].psql(t, "SELECT 'sees ' || count(*) FROM pg_stat_activity WHERE usename = 'guest'"); !strings.Contains(out, "sees 1") {
			t.Errorf("psql: %s", out)
		}
	})
	ask(t, guest.PgConn, "COMMIT")

	t.Run("signals", func(t *testing.T) {
		_, err := guest.Exec(t.Context(), fmt.Sprintf("SELECT pg_terminate_backend(%d)", here.PID())).ReadAll()
		wantCode(t, "a guest that ends a session of the owner", err, "42501")
		if got := ask(t, stranger.PgConn, fmt.Sprintf("SELECT pg_cancel_backend(%d)", here.PID())); got != "f" {
			t.Errorf("another tenant cancels: %s", got)
		}
		nobody := []any{there.PID() + 500, 7<<20 | 1}
		if got := ask(t, here.PgConn, fmt.Sprintf("SELECT pg_cancel_backend(%d), pg_terminate_backend(%d)", nobody...)); got != "f|f" {
			t.Errorf("nobody's: %s", got)
		}
		for end, code := range map[string]string{"pg_cancel_backend": "57014", "pg_terminate_backend": "57P01"} {
			victim := sessionAt(t, gateways[1], "guest", "demo")
			failed := make(chan error, 1)
			go func() {
				_, err := victim.Exec(context.WithoutCancel(t.Context()), "SELECT pg_sleep(600)").ReadAll()
				failed <- err
			}()
			gateways[0].eventually(t, fmt.Sprintf("SELECT count(*) FROM pg_stat_activity WHERE pid = %d AND state = 'active'", victim.PID()), "1")
			if got := ask(t, here.PgConn, fmt.Sprintf("SELECT %s(%d)", end, victim.PID())); got != "t" {
				t.Errorf("%s: %s", end, got)
			}
			wantCode(t, end, <-failed, code)
		}
	})

	t.Run("notifications", func(t *testing.T) {
		beside := sessionAt(t, gateways[0], "guest", "demo")
		for _, s := range []*gatewaySession{beside, there, stranger} {
			ask(t, s.PgConn, "LISTEN news")
		}
		var want []string
		const rounds = 100
		for n := range rounds {
			ask(t, here.PgConn, fmt.Sprintf("NOTIFY news, '%d'", n))
			want = append(want, fmt.Sprintf("%d news %d", here.PID(), n))
		}
		ask(t, here.PgConn, "BEGIN; NOTIFY news, 'taken back'; ROLLBACK; NOTIFY other, 'unheard'")
		ask(t, here.PgConn, fmt.Sprintf("SELECT pg_notify('news', '%s'); NOTIFY news, 'last'", strings.Repeat("x", 7999)))
		want = append(want, fmt.Sprintf("%d news %s", here.PID(), strings.Repeat("x", 7999)), fmt.Sprintf("%d news last", here.PID()))
		for name, s := range map[string]*gatewaySession{"the same gateway": beside, "another gateway": there} {
			if got := strings.Join(s.hear(t, len(want)), "\n"); got != strings.Join(want, "\n") {
				t.Errorf("at %s was heard\n%s, want\n%s", name, got, strings.Join(want, "\n"))
			}
		}
		// What another gateway's session says comes back the same way, and nothing twice.
		ask(t, there.PgConn, "NOTIFY news, 'back'")
		back := fmt.Sprintf("%d news back", there.PID())
		for _, s := range []*gatewaySession{beside, there} {
			if got := s.hear(t, 1); len(got) != 1 || got[0] != back {
				t.Errorf("heard %q, want %s", got, back)
			}
		}
		ask(t, stranger.PgConn, "NOTIFY news, 'own'")
		if got := stranger.hear(t, 1); len(got) != 1 || got[0] != fmt.Sprintf("%d news own", stranger.PID()) {
			t.Errorf("another tenant heard %q", got)
		}
	})

	t.Run("a gateway that dies", func(t *testing.T) {
		gateways[1].end(syscall.SIGKILL)
		if got := ask(t, here.PgConn, "SELECT count(*) FROM pg_stat_activity WHERE pid = pg_backend_pid()"); got != "1" {
			t.Errorf("own sessions: %s", got)
		}
		gateways[0].eventually(t, fmt.Sprintf("SELECT count(*) FROM pg_stat_activity WHERE pid = %d", there.PID()), "0")
		if got := ask(t, here.PgConn, fmt.Sprintf("SELECT pg_cancel_backend(%d)", there.PID())); got != "f" {
			t.Errorf("a session that died: %s", got)
		}
		ask(t, here.PgConn, "NOTIFY news, 'to nobody'")
	})
}
