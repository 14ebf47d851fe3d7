package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// TestSessionViews has one session look at what another does in pg_stat_activity and
// pg_locks: a real PostgreSQL shows the same, but for what its system views are made of
// there.
func TestSessionViews(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	reference := testdeps.Server(t)
	ask(t, dialURL(t, reference), "CREATE DATABASE session_views")
	c := address(t, reference)
	theirs := sessionViews(t, fmt.Sprintf("postgres://%s@%s:%d/session_views?sslmode=disable", c.User, c.Host, c.Port))
	mine := sessionViews(t, "postgres://demo:demo@"+i.c.PGAddr+"/demo?sslmode=disable")
	for step, want := range theirs {
		if got := mine[step]; got != want {
			t.Errorf("%s\n--- here\n%s\n--- PostgreSQL\n%s", step, got, want)
		}
	}
}

// sessionViews is what is seen of a session after each of its steps.
func sessionViews(t *testing.T, url string) map[string]string {
	t.Helper()
	watched, watcher := dialURL(t, url), dialURL(t, url)
	ask(t, watcher, "CREATE TABLE looked_at (n bigint)")
	ask(t, watcher, "CREATE VIEW looked_through AS SELECT n FROM looked_at")
	seen := func() string {
		return ask(t, watcher, fmt.Sprintf(`SELECT state, wait_event_type, wait_event, xact_start IS NULL, xact_start = query_start, xact_start < query_start,
			query_start <= state_change, query FROM pg_stat_activity WHERE pid = %[1]d`, watched.PID())) + "\n" +
			ask(t, watcher, fmt.Sprintf(`SELECT locktype, CASE locktype WHEN 'relation' THEN relation::regclass::text END, virtualxid = virtualtransaction, mode, granted, fastpath
			FROM pg_locks WHERE pid = %d AND (locktype <> 'relation' OR relation >= 16384) ORDER BY 1, 2`, watched.PID()))
	}
	out := map[string]string{"connected": seen()}
	for _, sql := range []string{
		"BEGIN", "SELECT count(*) FROM looked_at", "SELECT now() = xact_start, now() < statement_timestamp() FROM pg_stat_activity WHERE pid = pg_backend_pid()",
		"SAVEPOINT s", "SELECT 1/0", "ROLLBACK TO s", "COMMIT",
		"BEGIN; SELECT n FROM looked_through", "SELECT nope", "ROLLBACK", "SELECT count(*) FROM looked_at",
	} {
		answer := "an error"
		if results, err := watched.Exec(t.Context(), sql).ReadAll(); err == nil {
			answer = lastRows(results)
		}
		out[fmt.Sprintf("%d %s", len(out), sql)] = answer + "\n" + seen()
	}
	slept := make(chan error, 1)
	go func() {
		_, err := watched.Exec(t.Context(), "SELECT pg_sleep(300)").ReadAll()
		slept <- err
	}()
	sleeps := fmt.Sprintf("SELECT count(*) FROM pg_stat_activity WHERE pid = %d AND wait_event = 'PgSleep'", watched.PID())
	for until := time.Now().Add(visibleWithin); ask(t, watcher, sleeps) != "1" && time.Now().Before(until); {
		<-time.After(10 * time.Millisecond)
	}
	out["sleeps"] = seen()
	ask(t, watcher, fmt.Sprintf("SELECT pg_cancel_backend(%d)", watched.PID()))
	wantCode(t, "a cancelled sleep", <-slept, "57014")
	return out
}

// lastRows are the rows of the last of the results, values joined by bars.
func lastRows(results []*pgconn.Result) string {
	var lines []string
	for _, row := range results[len(results)-1].Rows {
		values := make([]string, len(row))
		for n, v := range row {
			values[n] = string(v)
		}
		lines = append(lines, strings.Join(values, "|"))
	}
	return strings.Join(lines, "\n")
}
