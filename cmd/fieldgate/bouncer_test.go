package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/browse"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// poolSize is how many connections to the server a pool has.
const poolSize = 2

// bouncer starts PgBouncer in front of a server, on a port and in a folder of its
// own, and returns a connection string that goes through it.
func bouncer(t *testing.T, dsn, mode string) string {
	t.Helper()
	program := testdeps.PgBouncer(t)
	c := address(t, dsn)
	dir, err := os.MkdirTemp("", "fieldgate-bouncer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	_, port, err := net.SplitHostPort(freeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"users.txt": fmt.Sprintf("%q %q\n", c.User, c.Password),
		"bouncer.ini": fmt.Sprintf(`[databases]
%[1]s = host=%[2]s port=%[3]d dbname=%[1]s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %[4]s
unix_socket_dir =
auth_type = scram-sha-256
auth_file = %[5]s/users.txt
pool_mode = %[6]s
default_pool_size = %[7]d
server_tls_sslmode = disable
ignore_startup_parameters = extra_float_digits
`, c.Database, c.Host, c.Port, port, dir, mode, poolSize),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, filepath.Join(dir, "bouncer.ini"))
	if os.Geteuid() == 0 {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd.Args = append([]string{program, "-u", "nobody"}, cmd.Args[1:]...)
	}
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 1)
	go func() {
		var all strings.Builder
		for s := bufio.NewScanner(log); s.Scan(); {
			all.WriteString(s.Text() + "\n")
			if strings.Contains(s.Text(), "process up") {
				said <- ""
			}
		}
		said <- all.String()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if failure := <-said; failure != "" {
		t.Fatalf("pgbouncer: %s", failure)
	}
	return strings.Replace(dsn, fmt.Sprintf("@%s:%d/", c.Host, c.Port), "@127.0.0.1:"+port+"/", 1)
}

// TestPgBouncer asks what clients browse, and reads, through PgBouncer: with a
// server's connection for each transaction, and for each session.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	testdeps.PgBouncer(t)
	queries, err := browse.Queries()
	if err != nil {
		t.Fatal(err)
	}
	w := startTwin(t)
	for _, mode := range []string{"transaction", "session"} {
		t.Run(mode, func(t *testing.T) {
			through := bouncer(t, w.ours, mode)
			direct, pooled := w.side(t, w.ours), w.side(t, through)
			for i := range queries {
				q := &queries[i]
				if q.Shape {
					continue
				}
				sql := q.Fill("press", w.table(t, direct, "press"), twinName)
				_, want, err := direct.ask(t, q, sql)
				if err != nil {
					t.Fatal(err)
				}
				// Extended queries and those of the simple protocol alike.
				_, got, err := pooled.ask(t, q, sql)
				if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
					t.Errorf("%s: %d rows instead of %d, %v", q.Name, len(got), len(want), err)
				}
				if _, err := pooled.conn.Exec(t.Context(), sql).ReadAll(); err != nil {
					t.Errorf("%s: %v", q.Name, err)
				}
			}
			sessions(t, through, mode)
		})
	}
}

// sessions has more clients than the pool has connections, in turn.
func sessions(t *testing.T, dsn, mode string) {
	t.Helper()
	for n := range 5 {
		config, err := pgx.ParseConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		if mode == "transaction" {
			// A prepared statement does not stay with the client there.
			config.DefaultQueryExecMode = pgx.QueryExecModeExec
		}
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "declare c cursor for select g from generate_series(1, 10) g"); err != nil {
			t.Fatal(err)
		}
		var got int
		if err := tx.QueryRow(t.Context(), "fetch 1 from c").Scan(&got); err != nil || got != 1 {
			t.Errorf("session %d fetched %d, %v", n, got, err)
		}
		if _, err := tx.Exec(t.Context(), "set local statement_timeout = '5s'"); err != nil {
			t.Error(err)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Error(err)
		}
		var timeout string
		if err := conn.QueryRow(t.Context(), "show statement_timeout").Scan(&timeout); err != nil || timeout != "0" {
			t.Errorf("session %d: statement_timeout %s, %v", n, timeout, err)
		}
		if _, err := conn.Exec(t.Context(), "select * from nowhere"); serverError(err) == nil || serverError(err).Code != pgerrcode.UndefinedTable {
			t.Errorf("session %d: %v", n, err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
