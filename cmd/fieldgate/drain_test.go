package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// TestDrainOfClients tells one of two gateways to end while psql copies from it and
// asks again and again, and while clients of PgBouncer in transaction mode work
// through it. The copy comes whole, psql is told why its session ends, and clients of
// the pool notice nothing, but for a transaction that begins at the very moment at
// which the pool's idle connection ends.
func TestDrainOfClients(t *testing.T) {
	t.Parallel()
	psql := testdeps.Psql(t)
	testdeps.PgBouncer(t)
	aws := onAWS(t)
	adjust := func(c *config.Config) {
		aws(c)
		c.Limits.DrainSeconds = 300
	}
	launch(t, adjust, config.RoleStage) // makes the tables
	gateways := []*node{launch(t, adjust, config.RoleGateway), launch(t, adjust, config.RoleGateway)}
	for _, g := range gateways {
		g.awaitHealthy(t)
	}
	b := startBalancer(t, gateways[0].c.PGAddr, gateways[1].c.PGAddr)
	pool := bouncer(t, "postgres://demo:demo@"+b.addr+"/demo?sslmode=disable", "transaction")

	// The pool's two connections go to both gateways.
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var done, refused atomic.Int64
	var clients sync.WaitGroup
	for range 6 {
		clients.Go(func() {
			for ctx.Err() == nil {
				began, err := throughPool(ctx, pool)
				if failed := serverError(err); failed != nil && failed.Code == pgerrcode.AdminShutdown && !began {
					refused.Add(1)
					continue
				}
				if err != nil && ctx.Err() == nil {
					t.Errorf("a client of the pool: %v", err)
					return
				}
				done.Add(1)
			}
		})
	}
	const pooled = `select count(*) > 0 from pg_stat_activity where query like 'declare c%' or query like 'fetch 10%' or query = 'commit'`
	for _, g := range gateways {
		g.eventually(t, pooled, "t")
	}

	// psql, at the gateway that is to end.
	const rows = 3_000_000
	type session struct {
		cmd *exec.Cmd
		out bytes.Buffer
		err bytes.Buffer
	}
	run := func(input string) *session {
		s := &session{cmd: exec.CommandContext(t.Context(), psql, "-X", "-q", "-t", "-A", "postgres://demo:demo@"+gateways[0].c.PGAddr+"/demo?sslmode=disable")}
		s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = strings.NewReader(input), &s.out, &s.err
		if err := s.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	copying := run("copy (select g, repeat('x', 20) from generate_series(1, " + itoa(rows) + ") g) to stdout;\nselect 'not reached';\n")
	watching := run("select 'seen' \\watch 0.1\n")
	gateways[0].eventually(t, `select count(*) from pg_stat_activity where query like 'copy%' and state = 'active' or query like 'select ''seen''%'`, "2")
	b.failed.Store(&gateways[0].c.PGAddr)
	if err := gateways[0].cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	before := done.Load()
	if err := copying.cmd.Wait(); err == nil || !strings.Contains(copying.err.String(), "terminating connection due to administrator command") {
		t.Errorf("the session after its copy: %v, %s", err, &copying.err)
	}
	if lines := bytes.Count(copying.out.Bytes(), []byte("\n")); lines != rows || bytes.Contains(copying.out.Bytes(), []byte("not reached")) {
		t.Errorf("the copy has %d rows, want %d", lines, rows)
	}
	if err := watching.cmd.Wait(); err == nil || !strings.Contains(watching.err.String(), "terminating connection due to administrator command") ||
		!strings.Contains(watching.out.String(), "seen") {
		t.Errorf("\\watch: %v, %s", err, &watching.err)
	}
	gateways[0].end(syscall.Signal(0))
	if !gateways[0].cmd.ProcessState.Success() {
		t.Errorf("the gateway ended with %s", gateways[0].cmd.ProcessState)
	}
	for deadline := time.Now().Add(visibleWithin); done.Load() < before+50 && !t.Failed(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("clients of the pool stand")
		}
	}
	stop()
	clients.Wait()
	if n := refused.Load(); n > poolSize {
		t.Errorf("%d transactions were refused, of a pool of %d connections", n, poolSize)
	}
}

// throughPool opens a session at a pool, and has a transaction with a cursor.
func throughPool(ctx context.Context, dsn string) (began bool, err error) {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return false, err
	}
	c.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return false, err
	}
	for _, sql := range []string{"declare c cursor for select g from generate_series(1, 1000) g", "fetch 10 from c", "fetch 10 from c"} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return true, err
		}
	}
	return true, tx.Commit(ctx)
}

// TestDrainOfQuery has a server end amid a query over HTTP that would go on for long,
// whether its client reads on or not: the answer ends once the server's patience is
// over, and the server ends as it should.
func TestDrainOfQuery(t *testing.T) {
	t.Parallel()
	for _, reads := range []bool{true, false} {
		t.Run(fmt.Sprintf("reads %v", reads), func(t *testing.T) {
			t.Parallel()
			i := start(t, t.TempDir())
			body := `{"sql":"select g, repeat('x', 100) as x from generate_series(1, 1000000000) g"}`
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+i.c.HTTPAddr+"/v1/query", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Api-Key", "demo-key")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }() // it was cut off
			if _, err := io.ReadFull(res.Body, make([]byte, 10_000)); err != nil {
				t.Fatal(err)
			}
			answer := make(chan string, 1)
			if reads {
				go func() {
					text, err := io.ReadAll(res.Body)
					answer <- fmt.Sprintf("%s, %v", text[max(0, len(text)-300):], err)
				}()
			}
			i.close(t)
			if !reads {
				return
			}
			if end := <-answer; !strings.Contains(end, "57P01") {
				t.Errorf("the answer ends with %s", end)
			}
		})
	}
}
