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
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/peers"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/rest"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
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

// tempFolder of a data directory is empty when a server starts.
const tempFolder = "temp"

// server are the parts that the roles of this process need, wired.
type server struct {
	c       config.Config
	log     *slog.Logger
	stores  *stores.Stores
	admin   *admin
	schemas *schema.Store
	// sharing is what this process does to share the work with others; nil: it has
	// its stores for itself.
	sharing *sharing
	learned learned
	writing writing
	reading reading
	rest    *rest.API
	ready   atomic.Bool
}

// learned is what devices were seen to send, and what follows.
type learned struct {
	observed *schema.Observed
	profiles *profile.Profiles
	advisor  *suggest.Advisor
	hooks    *webhook.Hooks
}

// writing are the parts from ingest to the lake.
type writing struct {
	// tail has recent events in memory; nil: they are in the stores' tables.
	tail   *nearline.Tail
	ingest *ingest.Handler
	// drain waits for the stages of this process, and pace has ingest wait for them;
	// nil: others run them, and the streams keep what they have not handled.
	drain pipeline.Drain
	pace  *pipeline.Pace
	// backlog says how far behind the stages are that other processes may run; nil: none
	// do.
	backlog *pipeline.BacklogGate
	// compactors follow the staged and the error archive.
	compactors []*compact.Compactor
	// stages are all that runs behind the doors.
	stages []stores.Runner
}

// reading are the parts from the wire to the engine.
type reading struct {
	engine  *duckdb.Engine
	planner *planner.Planner
}

// newServer wires the parts over open stores. The engine is the server's to
// close, by run.
func newServer(c config.Config, s *stores.Stores, log *slog.Logger) (*server, error) {
	a, err := newAdmin(s.KV)
	if err != nil {
		return nil, err
	}
	srv := &server{c: c, log: log, stores: s, admin: a, schemas: a.schemas}
	if c.Shared() {
		if srv.sharing, err = newSharing(&c, s, log); err != nil {
			return nil, err
		}
	}
	if err := srv.learn(); err != nil {
		return nil, err
	}
	if err := srv.wireWriting(); err != nil {
		return nil, err
	}
	if c.Has(config.RoleGateway) {
		if err := srv.wireReading(); err != nil {
			return nil, err
		}
	}
	return srv, nil
}

// openEngine opens the engine over an empty temporary directory.
func (s *server) openEngine() (err error) {
	temp := filepath.Join(s.c.DataDir, tempFolder)
	if err := os.RemoveAll(temp); err != nil {
		return fmt.Errorf("empty temporary directory: %w", err)
	}
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return fmt.Errorf("make temporary directory: %w", err)
	}
	s.reading.engine, err = duckdb.New(duckdb.Config{
		Directories: s.lakeDirectories, Files: s.stores.Files, TempDirectory: temp, MemoryBytes: int64(s.c.Limits.EngineMB) << 20, Logger: s.log,
	})
	return err
}

// learn opens what is known of what devices send.
func (s *server) learn() (err error) {
	l := &s.learned
	if l.observed, err = schema.NewObserved(s.stores.KV, schema.ObservedConfig{Schemas: s.schemas, Logger: s.log}); err != nil {
		return err
	}
	l.profiles = profile.New(s.stores.KV, profile.Config{})
	l.advisor, err = suggest.New(s.stores.KV, suggest.Config{Schemas: s.schemas, Observed: l.observed, Profiles: l.profiles, Logger: s.log})
	l.hooks = webhook.NewHooks(s.stores.KV, s.schemas, nil)
	return err
}

// forgetTenant lets go of what queries of a dropped tenant have left.
func (s *server) forgetTenant(tenant string) error {
	err := s.reading.engine.CloseTenant(tenant)
	if s.stores.Cache != nil {
		s.stores.Cache.Remove(lake.TenantPrefix(tenant))
	}
	return err
}

// lakeDirectories are the folders whose files a tenant's queries may open.
func (s *server) lakeDirectories(tenant string) []string {
	path, err := s.stores.Path(lake.TenantPrefix(tenant) + "-")
	if err != nil {
		return nil // a tenant without a valid folder has no files
	}
	return []string{filepath.Dir(path)}
}

// wireWriting wires what this process does from ingest to the lake.
func (s *server) wireWriting() (err error) {
	if s.c.Nearline.Kind == config.Embedded {
		s.writing.tail, err = nearline.NewTail(nearline.Config{
			Known: s.stores.Lake, MemoryBytes: int64(s.c.Limits.TailMB) << 20,
		})
		if err != nil {
			return err
		}
	}
	for _, role := range []struct {
		name string
		wire func() error
	}{{config.RoleIngest, s.wireIngest}, {config.RoleStage, s.wireStages}, {config.RoleCompact, s.wireCompaction}} {
		if !s.c.Has(role.name) {
			continue
		}
		if err := role.wire(); err != nil {
			return err
		}
	}
	for _, l := range []*stores.Log{s.stores.Raw, s.stores.Staged, s.stores.Errors} {
		if l != nil && l.Reporter != nil {
			s.writing.stages = append(s.writing.stages, l.Reporter)
		}
	}
	if s.stores.TablesReporter != nil {
		s.writing.stages = append(s.writing.stages, s.stores.TablesReporter)
	}
	if s.sharing != nil {
		if s.c.Has(config.RoleStage) || s.c.Has(config.RoleCompact) {
			meter, err := pipeline.NewBacklogMeter(s.backlogConfig(), s.sharing.positions)
			if err != nil {
				return err
			}
			s.writing.stages = append(s.writing.stages, s.once("backlog", meter))
		}
		s.writing.stages = append(s.writing.stages, s.sharing.leases)
		if s.c.Has(config.RoleGateway) {
			s.writing.stages = append(s.writing.stages, runFunc(s.sharing.keepNumber))
		}
	}
	return nil
}

func (s *server) wireIngest() (err error) {
	w := &s.writing
	doors := ingest.Config{
		Log: s.stores.Raw, Keys: s.admin.keys, Schemas: s.schemas, KV: s.stores.KV, Gate: s.gate, Logger: s.log, Now: s.c.Now,
		Partition: s.stores.Partition,
	}
	if s.c.Stream.Kind == config.Kinesis {
		doors.RecordBytes = stores.RawBytes
	}
	if w.ingest, err = ingest.New(doors); err != nil {
		return err
	}
	w.stages = append(w.stages, w.ingest)
	if s.sharing == nil {
		return nil
	}
	if w.backlog, err = pipeline.NewBacklogGate(s.backlogConfig()); err != nil {
		return err
	}
	w.stages = append(w.stages, w.backlog)
	return nil
}

func (s *server) backlogConfig() pipeline.BacklogConfig {
	return pipeline.BacklogConfig{KV: s.stores.KV, Limit: s.c.MaxBehind(), Logger: s.log}
}

// gate refuses events while none can be stored yet, and when the stages are
// behind and stay so: for want of time, because recent events fill their
// memory and compaction is under way, or because no process runs them.
func (s *server) gate(ctx context.Context) error {
	switch {
	case !s.ready.Load():
		return errors.New("the server is starting")
	case s.writing.pace != nil && !s.writing.pace.Wait(ctx, gateWait):
		return errors.New("more events are waiting than become visible in time; send fewer, or later")
	case s.writing.backlog != nil:
		return s.writing.backlog.Err()
	default:
		return nil
	}
}

func (s *server) wireStages() error {
	w, st := &s.writing, s.stores
	var yield *pipeline.Yield
	if w.ingest != nil {
		yield = pipeline.NewYield(w.ingest.Busy)
	}
	// The tail is empty when the server starts, tables are not.
	var recent nearline.Tables = w.tail
	from := compact.Consumer
	if st.Tables != nil {
		recent, from = st.Tables, pipeline.ConsumerStaging
	}
	var err error
	w.drain, err = st.Stages(stores.Stages{
		Schemas: s.schemas, Observed: s.learned.observed, Profiles: s.learned.profiles, Recent: recent, From: from,
		Leases: s.workers(), Yield: yield, Events: pipeline.LogEvents(s.log),
	})
	if err != nil {
		return err
	}
	w.stages = append(w.stages, s.learned.observed, w.drain.Raw, w.drain.Staging, w.drain.Delivery)
	if s.sharing != nil {
		w.stages = append(w.stages, s.sharing.askDelivery(w.drain.Delivery))
		return nil
	}
	w.pace = pipeline.NewPace(w.drain, maxLag, s.paceEvery())
	w.stages = append(w.stages, w.pace)
	return nil
}

// paceEvery is how often it is looked how far the stages are: where a log ends
// costs a read of each shard on Kinesis, of which there are five a second.
func (s *server) paceEvery() time.Duration {
	if s.c.Stream.Kind == config.Kinesis {
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
	err = errors.Join(err, g.Wait())
	if s.reading.engine != nil {
		err = errors.Join(err, s.reading.engine.Close())
	}
	return err
}

// serveDoors opens the doors and answers until ctx ends. Until a tail in memory is
// rebuilt /healthz says no and the Postgres door stays closed.
func (s *server) serveDoors(ctx context.Context) error {
	doors, err := s.listen(ctx)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	patience := time.Duration(s.c.Limits.DrainSeconds) * time.Second
	g.Go(func() error { return runHTTP(ctx, doors.http, s.routes(), patience) })
	g.Go(func() error { return runHTTP(ctx, doors.admin, s.admin, patience) })
	if s.c.DebugAddr != "" {
		g.Go(func() error { return serveDebug(ctx, s.c.DebugAddr) })
	}
	g.Go(func() error {
		if err := s.prepare(ctx, doors.pg); err != nil {
			if doors.pg != nil {
				_ = doors.pg.Close() // nobody was let in
			}
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		s.ready.Store(true)
		about := []any{"roles", strings.Join(s.c.Roles, ","), "http", doors.http.Addr().String(), "data", s.c.DataDir}
		if doors.pg == nil {
			s.log.Info("serving", about...)
			return nil
		}
		s.log.Info("serving", append(about, "postgres", doors.pg.Addr().String())...)
		return doors.wire.Run(ctx)
	})
	return g.Wait()
}

// prepare returns when the doors can be opened: recent events in memory are rebuilt,
// or a gateway among others has its number.
func (s *server) prepare(ctx context.Context, pg net.Listener) error {
	if s.sharing != nil {
		if pg == nil {
			return nil
		}
		return s.sharing.enrol(ctx, advertised(&s.c, pg.Addr()))
	}
	if err := s.writing.drain.Visible(ctx); err != nil {
		return fmt.Errorf("rebuild recent events: %w", err)
	}
	return nil
}

// doors are where requests come in. Postgres clients have one at a gateway.
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
	d.http = &countedListener{Listener: d.http, limit: int64(s.c.Limits.HTTPConnections)}
	if s.c.Has(config.RoleGateway) {
		if d.pg, err = listen("tcp", s.c.PGAddr); err != nil {
			return d, fmt.Errorf("listen for Postgres: %w", err)
		}
	}
	socket := socketPath(s.c.DataDir)
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return d, fmt.Errorf("remove old admin socket: %w", err)
	}
	if d.admin, err = listen("unix", socket); err != nil {
		return d, fmt.Errorf("listen for administration: %w", err)
	}
	var files *tlsFiles
	if s.c.TLS.Cert != "" {
		if files, err = newTLSFiles(s.c.TLS, s.log); err != nil {
			return d, err
		}
		d.http = tls.NewListener(d.http, &tls.Config{
			MinVersion:         tls.VersionTLS12,
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return files.current(), nil },
		})
	}
	if d.pg != nil {
		d.wire, err = s.newWire(d.pg, files)
	}
	return d, err
}

// newWire makes what serves Postgres clients; without files they get no TLS.
func (s *server) newWire(l net.Listener, files *tlsFiles) (*wire.Server, error) {
	w := wire.Config{
		Listener: l, Roles: s.admin.roles, NewSession: s.newSession, MaxConnections: s.c.Limits.Connections, Logger: s.log,
		DrainTimeout: time.Duration(s.c.Limits.DrainSeconds) * time.Second,
	}
	if s.sharing != nil {
		w.Node, w.Forward = s.sharing.node, s.sharing.forward
		w.Peer, w.PeerCode = s.sharing.peers.Serve, peers.RequestCode
	}
	if files != nil {
		loopback, err := config.IsLoopback(s.c.PGAddr)
		if err != nil {
			return nil, err
		}
		w.TLS, w.RequireTLS = files.current, s.c.TLS.Mode == config.TLSRequire || s.c.TLS.Mode == "" && !loopback
	}
	return wire.New(w)
}

func (s *server) newSession(id planner.Identity, startup []planner.Setting, client planner.Client) (wire.Session, error) {
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

// wireReading wires what a gateway answers with. The engine is open if it succeeds.
func (s *server) wireReading() (err error) {
	if err := s.openEngine(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.reading.engine.Close())
		}
	}()
	s.admin.dropped = s.forgetTenant
	catalog, err := s.newCatalog()
	if err != nil {
		return err
	}
	var recent sources.Nearline = s.writing.tail
	if s.stores.Tables != nil {
		recent = s.stores.Tables
	} else {
		s.writing.tail.Share(s.reading.engine)
	}
	c := planner.Config{
		Schemas: s.schemas, Observed: s.learned.observed, Nearline: recent, Lake: s.stores.Lake, Catalog: catalog,
		Engine: s.reading.engine, Admin: s, Advisor: s.learned.advisor, Hooks: s.learned.hooks, SpoolFile: s.spoolFile, Logger: s.log,
	}
	s.joinGateways(&c)
	if s.reading.planner, err = planner.New(c); err != nil {
		return err
	}
	s.admin.plans = s.reading.planner
	s.rest, err = rest.New(rest.Config{
		Advisor: s.learned.advisor, Hooks: s.learned.hooks,
		Schemas: s.schemas, Planner: s.reading.planner, Keys: s.admin.keys, NewSession: s.newQuerySession, Logger: s.log,
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
