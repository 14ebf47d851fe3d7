package main

import (
	"context"
	"expvar"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	"time"
)

// Rates at which contention is sampled while the debug door is open: one in so
// many lock waits, and one per so many nanoseconds blocked.
const (
	mutexFraction  = 100
	blockRateNanos = 1_000_000
)

// serveDebug serves profiles of the running program under /debug/pprof/, and the
// state of its memory under /debug/vars, until ctx ends.
func serveDebug(ctx context.Context, addr string) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for profiles: %w", err)
	}
	runtime.SetMutexProfileFraction(mutexFraction)
	runtime.SetBlockProfileRate(blockRateNanos)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.Handle("GET /debug/vars", expvar.Handler())
	return runHTTP(ctx, l, mux, time.Second)
}
