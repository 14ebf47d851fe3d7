package main

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// freeAddr is a loopback address for the test alone, which nothing listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	return testdeps.Address(t)
}

// awaitHealthy waits until the server answers 200 on /healthz, and fails the test at
// once if it ends.
func awaitHealthy(t *testing.T, addr string, ended <-chan error) {
	t.Helper()
	awaitHealthyAt(t, http.DefaultClient, "http://"+addr, ended)
}

// healthyWithin is how long a server may take to become healthy. `make run` builds
// it first, on a machine that tests of other packages are busy on.
const healthyWithin = 5 * time.Minute

// awaitHealthyAt is awaitHealthy by a client of its own.
func awaitHealthyAt(t *testing.T, client *http.Client, url string, ended <-chan error) {
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
		case err := <-ended:
			t.Fatalf("the server ended: %v", err)
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
	awaitHealthy(t, c.HTTPAddr, done)
	stop()
	if err := <-done; err != nil {
		t.Fatalf("serve: %v", err)
	}
}
