package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// freeAddr finds a loopback address nothing listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// awaitHealthy waits until the server answers 200 on /healthz.
func awaitHealthy(t *testing.T, addr string) {
	t.Helper()
	awaitHealthyAt(t, http.DefaultClient, "http://"+addr)
}

// healthyWithin is how long a server may take to become healthy. `make run` builds
// it first, on a machine that tests of other packages are busy on.
const healthyWithin = 5 * time.Minute

func awaitHealthyAt(t *testing.T, client *http.Client, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), healthyWithin)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/healthz", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := client.Do(req); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the server does not become healthy")
		}
	}
}

func TestServeAnswersHealthAndStops(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Dev = true
	c.DataDir = t.TempDir()
	c.HTTPAddr, c.PGAddr = freeAddr(t), freeAddr(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, c, slog.New(slog.DiscardHandler)) }()
	awaitHealthy(t, c.HTTPAddr)
	stop()
	if err := <-done; err != nil {
		t.Fatalf("serve: %v", err)
	}
}
