// Package ingest takes events over HTTP and puts them into the raw stream: Handler answers POST /v1/events and
// /v1/events/{metric}. An answer of 200 means that every accepted event is durable. Only size and syntax are judged
// here; what else may be wrong with an event is found by the raw stage and becomes an error row.
//
// Keys are the API keys by which requests are let in, here and in the other HTTP interfaces; WriteProblem is how all of
// them say no. What an event is in bytes is for package record, the log for package stream, and what the schema says
// of an event for the raw stage: ingest only notes which version of it was current.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// Schemas tells which version of a tenant's schema is current, and what earlier ones were.
type Schemas interface {
	// Current returns it; schema.ErrNotFound if there is no such tenant.
	Current(ctx context.Context, tenant string) (*schema.Snapshot, error)
	// At gives the version of that number, whether the tenant is still there or not; schema.ErrNotFound if there was none.
	At(ctx context.Context, tenant string, version uint64) (*schema.Snapshot, error)
}

// Config is what a Handler needs and may be told.
type Config struct {
	// Log is the raw stream, Keys let requests in, Schemas knows the tenants and KV keeps what Idempotency-Key needs.
	// All must be given.
	Log     stream.Log
	Keys    *Keys
	Schemas Schemas
	KV      schema.KV
	// Gate is asked before a request is read, and may take its time: that slows senders down without a refusal. Its error
	// refuses the request with 503 and is its reason, for the sender to read. Optional.
	Gate func(ctx context.Context) error
	// Limits are those of a request's events. Default: record.StreamingLimits.
	Limits record.Limits
	// BodyBytes bounds a body, as sent and decompressed. Default: 5 MiB.
	BodyBytes int
	// Partition says which events meet in one shard. Default: those of a request, at random.
	Partition record.Partitioning
	// RecordBytes is where the events of a large request go on in another raw record. Default: 1 MiB.
	RecordBytes int
	// PendingBytes bounds the memory of all requests at once. Default: 256 MiB.
	PendingBytes int
	// PutTimeout is how long a request waits for memory, and then for the log, before it is refused with 503.
	// Default: 10 s.
	PutTimeout time.Duration
	// EventsPerSecond is how many events a key may send, with bursts of ten seconds' worth. 0: as many as it likes.
	EventsPerSecond int
	// BusyEvents is how many events a second are too many for the stages to follow
	// beside them, see Busy. Default: 80,000 a processor; fewer, sent evenly, they
	// keep up with, and should.
	BusyEvents int
	// Retention is how long an Idempotency-Key is kept. Default: 24 hours.
	Retention time.Duration
	// Now tells the time. Default: time.Now.
	Now func() time.Time
	// Logger gets what goes wrong on our side. Default: discarded.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Limits == (record.Limits{}) {
		c.Limits = record.StreamingLimits()
	}
	if c.BodyBytes == 0 {
		c.BodyBytes = 5 << 20
	}
	if c.RecordBytes == 0 {
		c.RecordBytes = 1 << 20
	}
	if c.PendingBytes == 0 {
		c.PendingBytes = 256 << 20
	}
	if c.PutTimeout == 0 {
		c.PutTimeout = 10 * time.Second
	}
	if c.BusyEvents == 0 {
		c.BusyEvents = 80_000 * runtime.GOMAXPROCS(0)
	}
	if c.Retention == 0 {
		c.Retention = 24 * time.Hour
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c *Config) validate() error {
	switch {
	case c.Log == nil || c.Keys == nil || c.Schemas == nil || c.KV == nil:
		return errors.New("ingest: log, keys, schemas or key-value store is not given")
	case c.BodyBytes < 0 || c.RecordBytes < 0 || c.PutTimeout < 0 || c.EventsPerSecond < 0 || c.BusyEvents < 0 || c.Retention < 0:
		return errors.New("ingest: a limit is negative")
	case c.PendingBytes < copies*c.BodyBytes:
		return fmt.Errorf("ingest: %d bytes for all requests do not suffice for one of %d", c.PendingBytes, c.BodyBytes)
	}
	return nil
}

// Handler takes events over HTTP. It starts no goroutines; Run does its housekeeping.
type Handler struct {
	cfg     Config
	limiter *limiter
	repeats *repeats
	memory  *semaphore.Weighted
	work    sync.Pool // of *work
	busy    *busy
}

// New makes a Handler.
func New(cfg Config) (*Handler, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	h := &Handler{
		cfg: cfg, repeats: newRepeats(&cfg), busy: newBusy(cfg.BusyEvents, cfg.Now), memory: semaphore.NewWeighted(int64(cfg.PendingBytes)),
	}
	if cfg.EventsPerSecond > 0 {
		var err error
		if h.limiter, err = newLimiter(cfg.EventsPerSecond, cfg.Now); err != nil {
			return nil, fmt.Errorf("make rate limiter: %w", err)
		}
	}
	h.work.New = func() any { return new(work) }
	return h, nil
}

// Busy says that more comes in than what follows the log can keep up with: several requests wait to be durable, or
// events come faster than they are worked off. Work that can wait should.
func (h *Handler) Busy() bool { return h.busy.now() }

// Mount adds the routes to mux.
func (h *Handler) Mount(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/events", h.serveEvents)
	mux.HandleFunc("POST /v1/events/{metric}", h.serveEvents)
}

// Run forgets Idempotency-Keys that are past their time, until ctx ends.
func (h *Handler) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := h.repeats.sweep(ctx); err != nil && ctx.Err() == nil {
			h.cfg.Logger.Warn("old idempotency keys not removed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
