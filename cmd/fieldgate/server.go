package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/rest"
	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/compact"
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/planner/duckdb"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
	"github.com/fieldgate/fieldgate/schema/suggest"
	"github.com/fieldgate/fieldgate/schema/webhook"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/nearline"
	"github.com/fieldgate/fieldgate/sources/vfs"
	"github.com/fieldgate/fieldgate/wire"
	"github.com/fieldgate/fieldgate/wire/auth"
)

// Events are taken as fast as they come until a stage is maxLag behind; from
// then on requests wait for up to gateWait, and are refused after that.
const (
	maxLag   = 5 * time.Second
	gateWait = 2 * time.Second
)

// runner is a part that runs until its context ends.
type runner interface {
	Run(ctx context.Context) error
}

// server is the embedded default, all parts wired.
type server struct {
	c       config
	log     *slog.Logger
	stores  *stores
	admin   *admin
	schemas *schema.Store
	writing writing
	reading reading
	rest    *rest.API
	ready   atomic.Bool
}

// writing are the parts from ingest to the lake.
type writing struct {
	observed *schema.Observed
	profiles *profile.Profiles
	advisor  *suggest.Advisor
	hooks    *webhook.Hooks
	notices  *webhook.Sender
	// tail has recent events in memory; nil: they are in the stores' tables.
	tail   *nearline.Tail
	ingest *ingest.Handler
	drain  pipeline.Drain
	pace   *pipeline.Pace
	// compactors follow the staged and the error archive.
	compactors []*compact.Compactor
	// stages are all that runs behind the doors.
	stages []runner
}

// reading are the parts from the wire to the engine.
type reading struct {
	engine  *duckdb.Engine
	planner *planner.Planner
}

// newServer wires the parts over open stores. The engine is the server's to
// close.
func newServer(c config, s *stores, log *slog.Logger) (*server, error) {
	a, err := newAdmin(s.kv)
	if err != nil {
		return nil, err
	}
	srv := &server{c: c, log: log, stores: s, admin: a, schemas: a.schemas}
	temp := filepath.Join(c.DataDir, tempFolder)
	if err := os.RemoveAll(temp); err != nil {
		return nil, fmt.Errorf("empty temporary directory: %w", err)
	}
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return nil, fmt.Errorf("make temporary directory: %w", err)
	}
	srv.reading.engine, err = duckdb.New(duckdb.Config{
		Directories: srv.lakeDirectories, Files: s.files, TempDirectory: temp, MemoryBytes: int64(c.Limits.EngineMB) << 20, Logger: log,
	})
	if err != nil {
		return nil, err
	}
	a.dropped = srv.forgetTenant
	if err := errors.Join(srv.wireWriting(), srv.wireReading()); err != nil {
		return nil, errors.Join(err, srv.reading.engine.Close())
	}
	return srv, nil
}

// forgetTenant lets go of what queries of a dropped tenant have left.
func (s *server) forgetTenant(tenant string) error {
	err := s.reading.engine.CloseTenant(tenant)
	if s.stores.cache != nil {
		s.stores.cache.Remove(lake.TenantPrefix(tenant))
	}
	return err
}

// lakeDirectories are the folders whose files a tenant's queries may open.
func (s *server) lakeDirectories(tenant string) []string {
	path, err := s.stores.path(lake.TenantPrefix(tenant) + "-")
	if err != nil {
		return nil // a tenant without a valid folder has no files
	}
	return []string{filepath.Dir(path)}
}

func (s *server) wireWriting() error {
	w := &s.writing
	var err error
	if w.observed, err = schema.NewObserved(s.stores.kv, schema.ObservedConfig{Schemas: s.schemas, Logger: s.log}); err != nil {
		return err
	}
	w.profiles = profile.New(s.stores.kv, profile.Config{})
	w.advisor, err = suggest.New(s.stores.kv, suggest.Config{Schemas: s.schemas, Observed: w.observed, Profiles: w.profiles, Logger: s.log})
	if err != nil {
		return err
	}
	w.hooks = webhook.NewHooks(s.stores.kv, s.schemas, nil)
	w.notices, err = webhook.NewSender(webhook.Config{Hooks: w.hooks, Advisor: w.advisor, Schemas: s.schemas, Logger: s.log})
	if err != nil {
		return err
	}
	if s.stores.tables == nil {
		w.tail, err = nearline.NewTail(nearline.Config{
			Known: s.stores.lake, MemoryBytes: int64(s.c.Limits.TailMB) << 20,
		})
		if err != nil {
			return err
		}
	}
	doors := ingest.Config{
		Log: s.stores.raw, Keys: s.admin.keys, Schemas: s.schemas, KV: s.stores.kv, Gate: s.gate, Logger: s.log,
	}
	if s.c.Stream.Kind == kinesisKind {
		doors.RecordBytes = kinesisRawBytes
	}
	w.ingest, err = ingest.New(doors)
	if err != nil {
		return err
	}
	if err := s.wireStages(); err != nil {
		return err
	}
	return s.wireCompaction()
}

// gate refuses events while none can be stored yet, and when the stages are
// behind and stay so: for want of time, or because recent events fill their
// memory and compaction is under way.
func (s *server) gate(ctx context.Context) error {
	switch {
	case !s.ready.Load():
		return errors.New("the server is starting")
	case !s.writing.pace.Wait(ctx, gateWait):
		return errors.New("more events are waiting than become visible in time; send fewer, or later")
	default:
		return nil
	}
}

func (s *server) wireStages() error {
	w, st := &s.writing, s.stores
	events := pipeline.LogEvents(s.log)
	yield := pipeline.NewYield(w.ingest.Busy)
	raw, err := pipeline.NewRaw(pipeline.RawConfig{
		Raw: st.raw.reader(pipeline.ConsumerRaw), Staged: st.staged, Errors: st.errors, Checkpoints: st.checkpoints(pipeline.LogRaw),
		Schemas: s.schemas, Observed: w.observed, Yield: yield, Events: events,
	})
	if err != nil {
		return err
	}
	// The tail is empty when the server starts, tables are not.
	var recent nearline.Tables = w.tail
	from := compact.Consumer
	if st.tables != nil {
		recent, from = st.tables, pipeline.ConsumerStaging
		w.stages = append(w.stages, st.tables)
	}
	staging, err := pipeline.NewStaging(pipeline.StagingConfig{
		Staged: st.staged.reader(pipeline.ConsumerStaging), Errors: st.errors.reader(pipeline.ConsumerStaging),
		StagedCheckpoints: st.checkpoints(pipeline.LogStaged), ErrorsCheckpoints: st.checkpoints(pipeline.LogErrors),
		From: from, Tables: recent, Observed: w.observed, Profiles: w.profiles, Schemas: s.schemas, Yield: yield, Events: events,
	})
	if err != nil {
		return err
	}
	delivery, err := pipeline.NewDelivery(pipeline.DeliveryConfig{
		Raw: st.raw.reader(pipeline.ConsumerDelivery), Staged: st.staged.reader(pipeline.ConsumerDelivery),
		Errors:         st.errors.reader(pipeline.ConsumerDelivery),
		RawCheckpoints: st.checkpoints(pipeline.LogRaw), StagedCheckpoints: st.checkpoints(pipeline.LogStaged),
		ErrorsCheckpoints: st.checkpoints(pipeline.LogErrors), Bucket: st.objects, Yield: yield, Events: events,
	})
	if err != nil {
		return err
	}
	w.drain = pipeline.Drain{Raw: raw, Staging: staging, Delivery: delivery}
	w.pace = pipeline.NewPace(w.drain, maxLag, s.paceEvery())
	w.stages = append(w.stages, w.observed, w.advisor, w.notices, w.ingest, raw, staging, delivery, w.pace)
	return nil
}

// paceEvery is how often it is looked how far the stages are: where a log ends
// costs a read of each shard on Kinesis, of which there are five a second.
func (s *server) paceEvery() time.Duration {
	if s.c.Stream.Kind == kinesisKind {
		return time.Second
	}
	return 50 * time.Millisecond
}

func (s *server) serveHealth(w http.ResponseWriter, _ *http.Request) {
	if !s.ready.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// run serves until ctx ends: the doors first, so that nothing new comes in, then
// what stands behind them.
func (s *server) run(ctx context.Context) error {
	doors, closeDoors := context.WithCancelCause(ctx)
	defer closeDoors(nil)
	behind, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, running := errgroup.WithContext(behind)
	for _, r := range s.writing.stages {
		g.Go(func() error { return r.Run(running) })
	}
	context.AfterFunc(running, func() { closeDoors(errors.New("a part of the pipeline has failed")) })
	err := s.serveDoors(doors)
	stop()
	return errors.Join(err, g.Wait(), s.reading.engine.Close())
}

// serveDoors opens the doors and answers until ctx ends. Until the tail is
// rebuilt /healthz says no and the Postgres door stays closed.
func (s *server) serveDoors(ctx context.Context) error {
	doors, err := s.listen(ctx)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return runHTTP(ctx, doors.http, s.routes()) })
	g.Go(func() error { return runHTTP(ctx, doors.admin, s.admin) })
	if s.c.DebugAddr != "" {
		g.Go(func() error { return serveDebug(ctx, s.c.DebugAddr) })
	}
	g.Go(func() error {
		if err := s.writing.drain.Visible(ctx); err != nil {
			_ = doors.pg.Close() // nobody was let in
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("rebuild recent events: %w", err)
		}
		s.ready.Store(true)
		s.log.Info("serving", "http", doors.http.Addr().String(), "postgres", doors.pg.Addr().String(), "data", s.c.DataDir)
		return doors.wire.Run(ctx)
	})
	return g.Wait()
}

// doors are where requests come in.
type doors struct {
	http, pg, admin net.Listener
	wire            *wire.Server
}

func (s *server) listen(ctx context.Context) (d doors, err error) {
	var open []net.Listener
	defer func() {
		if err != nil {
			for _, l := range open {
				err = errors.Join(err, l.Close())
			}
		}
	}()
	listen := func(network, addr string) (net.Listener, error) {
		l, err := (&net.ListenConfig{}).Listen(ctx, network, addr)
		if err == nil {
			open = append(open, l)
		}
		return l, err
	}
	if d.http, err = listen("tcp", s.c.HTTPAddr); err != nil {
		return d, fmt.Errorf("listen for HTTP: %w", err)
	}
	if d.pg, err = listen("tcp", s.c.PGAddr); err != nil {
		return d, fmt.Errorf("listen for Postgres: %w", err)
	}
	socket := socketPath(s.c.DataDir)
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return d, fmt.Errorf("remove old admin socket: %w", err)
	}
	if d.admin, err = listen("unix", socket); err != nil {
		return d, fmt.Errorf("listen for administration: %w", err)
	}
	w := wire.Config{
		Listener: d.pg, Roles: s.admin.roles, NewSession: s.newSession, MaxConnections: s.c.Limits.Connections, Logger: s.log,
	}
	if s.c.TLS.Cert != "" {
		files, err := newTLSFiles(s.c.TLS, s.log)
		if err != nil {
			return d, err
		}
		d.http = tls.NewListener(d.http, &tls.Config{
			MinVersion:         tls.VersionTLS12,
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return files.current(), nil },
		})
		loopback, err := isLoopback(s.c.PGAddr)
		if err != nil {
			return d, err
		}
		w.TLS, w.RequireTLS = files.current, s.c.TLS.Mode == tlsRequire || s.c.TLS.Mode == "" && !loopback
	}
	d.wire, err = wire.New(w)
	return d, err
}

func (s *server) newSession(id planner.Identity, startup map[string]string, client planner.Client) (wire.Session, error) {
	return s.reading.planner.NewSession(id, startup, client)
}

// prepareDevelopment makes what the quick start uses. Everything may be there
// already.
func (s *server) prepareDevelopment(ctx context.Context) error {
	const demo = "demo"
	if err := s.schemas.AddTenant(ctx, demo); err != nil && !errors.Is(err, schema.ErrExists) {
		return fmt.Errorf("make development tenant: %w", err)
	}
	if err := s.admin.roles.AddUser(ctx, demo, demo, auth.Password(demo), true); err != nil && !errors.Is(err, schema.ErrExists) {
		return fmt.Errorf("make development user: %w", err)
	}
	if err := s.admin.keys.AddFixed(ctx, "demo-key", demo, ingest.AllScopes()); err != nil && !errors.Is(err, schema.ErrExists) {
		return fmt.Errorf("make development key: %w", err)
	}
	return nil
}

func (s *server) wireReading() error {
	catalog, err := s.newCatalog()
	if err != nil {
		return err
	}
	var recent sources.Nearline = s.writing.tail
	if s.stores.tables != nil {
		recent = s.stores.tables
	}
	s.reading.planner, err = planner.New(planner.Config{
		Schemas: s.schemas, Observed: s.writing.observed, Nearline: recent, Lake: s.stores.lake, Catalog: catalog,
		Engine: s.reading.engine, Admin: s, Advisor: s.writing.advisor, Hooks: s.writing.hooks, SpoolFile: s.spoolFile, Logger: s.log,
	})
	if err != nil {
		return err
	}
	s.admin.checkDraft = s.reading.planner.CheckDraft
	s.rest, err = rest.New(rest.Config{
		Advisor: s.writing.advisor, Hooks: s.writing.hooks,
		Schemas: s.schemas, CheckDraft: s.reading.planner.CheckDraft, Keys: s.admin.keys, NewSession: s.newQuerySession, Logger: s.log,
	})
	return err
}

// spoolFile makes a file that has no name any more, so that it is gone with the
// process however that ends.
func (s *server) spoolFile() (planner.SpoolFile, error) {
	var files vfs.OS
	name := filepath.Join(s.c.DataDir, tempFolder, "spool-"+rand.Text())
	f, err := files.Create(name)
	if err != nil {
		return nil, err
	}
	if err := files.Remove(name); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (s *server) newQuerySession(id planner.Identity) (rest.Session, error) {
	return s.reading.planner.NewSession(id, nil, planner.Client{})
}
