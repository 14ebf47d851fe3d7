package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// connect logs a user of the development tenant in for the length of the test.
func (i *instance) connect(t *testing.T, user, application string) *pgconn.PgConn {
	t.Helper()
	conn, err := i.as(t.Context(), user, user, "demo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	ask(t, conn, "SET application_name = '"+application+"'")
	return conn
}

// ask runs a statement and returns its rows, values joined by bars.
func ask(t *testing.T, conn *pgconn.PgConn, sql string) string {
	t.Helper()
	results, err := conn.Exec(t.Context(), sql).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return lastRows(results)
}

// endless is a statement that runs until it is stopped.
const endless = "SELECT sum(a.g * b.g) FROM generate_series(1, 100000000) a(g), generate_series(1, 100000000) b(g)"

// TestActivity lists sessions, stops their statements and ends them by SQL.
func TestActivity(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := start(t, dir)
	must(t, dir, "guest\n", "user", "add", "guest", "--tenant", "demo", "--password-stdin")
	owner, guest := i.connect(t, "demo", "boss"), i.connect(t, "guest", "bi")
	const named = "SET application_name = 'bo'; SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()"
	if got := ask(t, owner, named); got != "bo" {
		t.Errorf("the name that the session has just taken: %s", got)
	}
	ask(t, owner, "SET application_name = 'boss'")
	const long = "SELECT octet_length(query), right(query, 1) FROM pg_stat_activity WHERE pid = pg_backend_pid() -- "
	if got := ask(t, owner, long+strings.Repeat("é", 1000)); got != "1022|é" && got != "1023|é" {
		t.Errorf("a long text is shown as %s", got)
	}
	ask(t, guest, "BEGIN; SELECT 42")
	const list = "SELECT usename, application_name, state, query, client_addr, client_port > 0, xact_start <= query_start, query_start <= state_change FROM pg_stat_activity ORDER BY pid"
	if got, want := ask(t, owner, list), "demo|boss|active|"+list+"|127.0.0.1|t|t|t\nguest|bi|idle in transaction|BEGIN; SELECT 42|127.0.0.1|t|t|t"; got != want {
		t.Errorf("sessions\n%s, want\n%s", got, want)
	}
	if got := ask(t, guest, "SELECT query, state FROM pg_stat_activity WHERE usename = 'demo'"); got != "<insufficient privilege>|" {
		t.Errorf("a guest sees %s", got)
	}
	ask(t, guest, "COMMIT")
	_, err := guest.Exec(t.Context(), fmt.Sprintf("SELECT pg_terminate_backend(%d)", owner.PID())).ReadAll()
	wantCode(t, "a guest that ends a session of the owner", err, "42501")
	if got := ask(t, owner, "SELECT pg_cancel_backend(2000000000), pg_terminate_backend(2000000000)"); got != "f|f" {
		t.Errorf("nobody's: %s", got)
	}

	const ends = "SELECT inet_client_addr() = client_addr, inet_client_port() = client_port, inet_server_addr(), inet_server_port() FROM pg_stat_activity WHERE pid = pg_backend_pid()"
	if got, want := ask(t, owner, ends), "t|t|"+strings.ReplaceAll(i.c.PGAddr, ":", "|"); got != want {
		t.Errorf("ends of the connection: %s, want %s", got, want)
	}

	failed := make(chan error, 1)
	go func() {
		_, err := guest.Exec(t.Context(), endless).ReadAll()
		failed <- err
	}()
	i.eventually(t, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'guest' AND state = 'active'", "1")
	if got := ask(t, owner, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'guest'"); got != "t" {
		t.Errorf("cancel: %s", got)
	}
	wantCode(t, "a cancelled statement", <-failed, "57014")
	if got := ask(t, guest, "SELECT 1"); got != "1" {
		t.Errorf("after it: %s", got)
	}
	go func() {
		_, err := guest.Exec(t.Context(), endless).ReadAll()
		failed <- err
	}()
	i.eventually(t, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'guest' AND state = 'active'", "1")
	if got := ask(t, owner, fmt.Sprintf("SELECT pg_terminate_backend(%d)", guest.PID())); got != "t" {
		t.Errorf("terminate: %s", got)
	}
	wantCode(t, "a terminated session", <-failed, "57P01")
	_, err = owner.Exec(t.Context(), "SELECT pg_terminate_backend(pg_backend_pid())").ReadAll()
	wantCode(t, "a session that ends itself", err, "57P01")
	i.eventually(t, "SELECT count(*) FROM pg_stat_activity", "1")
}

// TestDroppedUserIsPutOut has a user dropped while a session of it is idle and
// another one runs: both end.
func TestDroppedUserIsPutOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := start(t, dir)
	must(t, dir, "guest\n", "user", "add", "guest", "--tenant", "demo", "--password-stdin")
	idle, busy := i.connect(t, "guest", "bi"), i.connect(t, "guest", "bi")
	failed := make(chan error, 2)
	go func() {
		_, err := busy.Exec(t.Context(), endless).ReadAll()
		failed <- err
	}()
	go func() {
		// It hears of its end while it waits for a notification.
		failed <- idle.WaitForNotification(t.Context())
	}()
	ctx, cancel := context.WithTimeout(t.Context(), visibleWithin)
	defer cancel()
	must(t, dir, "", "user", "drop", "guest", "--tenant", "demo")
	for range 2 {
		select {
		case err := <-failed:
			wantCode(t, "a session of a dropped user", err, "57P01")
		case <-ctx.Done():
			t.Fatal("a session of a dropped user goes on")
		}
	}
}

// TestTerminatedAnswersNothing: once pg_terminate_backend has answered, the session
// answers no statement more, however soon that comes.
func TestTerminatedAnswersNothing(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	owner := i.connect(t, "demo", "")
	for range 30 {
		other := i.connect(t, "demo", "")
		ask(t, owner, fmt.Sprintf("SELECT pg_terminate_backend(%d)", other.PID()))
		if _, err := other.Exec(t.Context(), "SELECT 1").ReadAll(); err == nil || !other.IsClosed() {
			t.Fatalf("a session that was ended answers: %v", err)
		}
	}
}

// TestNotificationsAreBounded: a session that listens and does not take what it is
// sent has those who send refused, until it does; what one transaction sends is
// bounded as well.
func TestNotificationsAreBounded(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	sender := i.connect(t, "demo", "")
	c, err := pgconn.ParseConfig("postgres://demo:demo@" + i.c.PGAddr + "/demo?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	received := 0
	c.OnNotification = func(*pgconn.PgConn, *pgconn.Notification) { received++ }
	idle, err := pgconn.ConnectConfig(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = idle.Close(context.WithoutCancel(t.Context())) }()
	ask(t, idle, "LISTEN slow")
	ask(t, idle, "BEGIN") // nothing is sent to a session in a transaction
	send := func(n int) error {
		_, err := sender.Exec(t.Context(), fmt.Sprintf("NOTIFY slow, '%07900d'", n)).ReadAll()
		return err
	}
	const most = 2000 // of 7,900 bytes each
	sent := 0
	for err = send(0); err == nil && sent < most; err = send(sent) {
		sent++
	}
	wantCode(t, "NOTIFY into a full queue", err, "54000")
	ask(t, sender, "NOTIFY unheard, 'x'") // nobody's queue is full of these
	ask(t, idle, "COMMIT")
	if received != sent {
		t.Errorf("%d notifications of %d were received", received, sent)
	}
	if err := send(sent); err != nil {
		t.Errorf("once they are taken: %v", err)
	}

	var all strings.Builder
	for n := range most {
		fmt.Fprintf(&all, "NOTIFY unheard, '%07900d';", n)
	}
	_, err = sender.Exec(t.Context(), all.String()).ReadAll()
	wantCode(t, "a transaction of too many NOTIFY", err, "54000")
}
