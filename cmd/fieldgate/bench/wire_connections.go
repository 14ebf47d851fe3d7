package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// certificate is a server's, in files.
type certificate struct{ dir, cert, key string }

func newCertificate() (*certificate, error) {
	dir, err := os.MkdirTemp("", "fieldgate-bench-tls-")
	if err != nil {
		return nil, err
	}
	c := &certificate{dir: dir, cert: filepath.Join(dir, "cert"), key: filepath.Join(dir, "key")}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return c, errors.Join(
		os.WriteFile(c.cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(c.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

func (c *certificate) remove() error { return os.RemoveAll(c.dir) }

// trusting is an HTTP client that takes any certificate: the server is our own.
func trusting() *http.Client {
	return &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: connections, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // our own server
	}}
}

// The sizes of the measurements of connections.
const (
	logins       = 300
	atOnce       = 16
	idleClients  = 10_000
	activeCount  = 1000
	activeLength = 10 * time.Second
)

// benchConnections measures logging in, idle connections, and many active ones.
func benchConnections(ctx context.Context, _ options, s *server, out io.Writer) error {
	dsn := "postgres://demo:demo@" + s.pgAddr + "/demo?sslmode=require"
	times := make([]float64, 0, logins)
	for range logins {
		begin := time.Now()
		conn, err := pgconn.Connect(ctx, dsn)
		if err != nil {
			return err
		}
		times = append(times, millis(time.Since(begin)))
		if err := conn.Close(ctx); err != nil {
			return err
		}
	}
	var mu sync.Mutex
	failures := 0
	for range 20 {
		var wg sync.WaitGroup
		for range atOnce {
			wg.Go(func() {
				conn, err := pgconn.Connect(ctx, dsn)
				if err == nil {
					err = conn.Close(ctx)
				}
				if err != nil {
					mu.Lock()
					failures++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
	}
	if _, err := fmt.Fprintf(out, "Connecting by SCRAM over TLS: %s ms; %d of %d failed, %d at once.\n", spreadOf(times).format(1), failures, 20*atOnce, atOnce); err != nil {
		return err
	}
	if err := benchIdle(ctx, s, out); err != nil {
		return err
	}
	return benchActive(ctx, s, out)
}

// benchIdle opens many connections and looks at the server's memory.
func benchIdle(ctx context.Context, s *server, out io.Writer) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	n := min(idleClients, int(limit.Cur)-500)
	// The first ones make what all share.
	open := make([]*pgconn.PgConn, 0, n)
	defer func() {
		for _, conn := range open {
			_ = conn.Close(ctx)
		}
	}()
	connect := func(count int) error {
		for len(open) < count {
			conn, err := pgconn.Connect(ctx, "postgres://demo:demo@"+s.pgAddr+"/demo?sslmode=disable")
			if err != nil {
				return err
			}
			open = append(open, conn)
			if _, err := conn.Exec(ctx, "select 1").ReadAll(); err != nil {
				return err
			}
		}
		return nil
	}
	warm := n / 20
	if err := connect(warm); err != nil {
		return err
	}
	before, err := s.usage()
	if err != nil {
		return err
	}
	if err := connect(n); err != nil {
		return err
	}
	after, err := s.usage()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\n%d idle connections: %.1f KB each.\n", n, float64(after.rss-before.rss)/float64(n-warm)/1024)
	return err
}

// benchActive has many clients ask at once, and tells how evenly they are served.
func benchActive(ctx context.Context, s *server, out io.Writer) error {
	conns := make([]*pgx.Conn, activeCount)
	for i := range conns {
		var err error
		if conns[i], err = s.connect(ctx); err != nil {
			return err
		}
	}
	counts, worst := make([]float64, activeCount), make([]float64, activeCount)
	errs := make([]error, activeCount)
	until := time.Now().Add(activeLength)
	var wg sync.WaitGroup
	for i, conn := range conns {
		wg.Go(func() {
			defer func() { _ = conn.Close(ctx) }()
			for time.Now().Before(until) {
				begin := time.Now()
				if errs[i] = drainMode(ctx, conn, "select g from generate_series(1, 100) g", pgx.QueryExecModeSimpleProtocol); errs[i] != nil {
					return
				}
				counts[i]++
				worst[i] = max(worst[i], millis(time.Since(begin)))
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%d active connections for %v: %s statements each, the slowest of each took %s ms.\n\n",
		activeCount, activeLength, spreadOf(counts).format(0), spreadOf(worst).format(0))
	return err
}

func isCode(err error, code string) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == code
}
