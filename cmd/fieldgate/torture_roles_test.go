package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
)

// trouble is what befalls a process.
type trouble struct {
	name string
	// befall does it, and undoes it before it returns.
	befall func(o *ordeal, at int)
}

// troubles are those of TestTorture. Each but the first lasts longer than a lease, so
// that others take over what the process goes on with, or believes to have.
var troubles = []trouble{
	{"killed", func(o *ordeal, at int) {
		o.nodes[at].Load().end(syscall.SIGKILL)
		o.begin(at)
	}},
	{"paused", func(o *ordeal, at int) {
		process := o.nodes[at].Load().cmd.Process
		if err := errors.Join(process.Signal(syscall.SIGSTOP), o.wait(), process.Signal(syscall.SIGCONT)); err != nil {
			o.t.Error(err)
		}
	}},
	{"cut off from its leases", leaseTrouble(faultproxy.Fault{Kind: faultproxy.CutBefore})},
	{"told late of its leases", leaseTrouble(faultproxy.Fault{Kind: faultproxy.Late, Delay: 2 * ordealLease})},
	{"late with its leases", leaseTrouble(faultproxy.Fault{Kind: faultproxy.Slow, Delay: 2 * ordealLease})},
	{"throttled at its leases", leaseTrouble(faultproxy.Fault{Kind: faultproxy.Throttled})},
}

// leaseTrouble has a process's calls of the key-value store meet a fault, while it
// reaches all other stores.
func leaseTrouble(f faultproxy.Fault) func(o *ordeal, at int) {
	return func(o *ordeal, at int) {
		p := o.leases[at].Load()
		p.Set(func(faultproxy.Request) faultproxy.Fault { return f })
		_ = o.wait()
		p.Set(o.storm())
	}
}

// ordealLease is how long leases last in TestTorture.
const ordealLease = 3 * time.Second

// ordeal is a run of TestTorture.
type ordeal struct {
	t      *testing.T
	adjust func(*config.Config)
	random *rand.Rand // of the test's own goroutine
	seed   atomic.Uint64
	roles  []string                           // by process
	nodes  []atomic.Pointer[node]             // by process
	leases []atomic.Pointer[faultproxy.Proxy] // before the key-value store, by process
}

// storm is the weather before one store of one process.
func (o *ordeal) storm() faultproxy.Decide {
	return faultproxy.Random(o.seed.Add(1), faultproxy.Storm())
}

// wait takes one and a half to three leases.
func (o *ordeal) wait() error {
	<-time.After(ordealLease*3/2 + time.Duration(o.random.Int64N(int64(ordealLease*3/2))))
	return nil
}

// begin starts a process, with proxies and a clock of its own: clocks differ by up to
// 50 minutes.
func (o *ordeal) begin(at int) {
	o.nodes[at].Store(launch(o.t, func(c *config.Config) {
		o.adjust(c)
		c.Limits.LeaseSeconds = int(ordealLease / time.Second)
		for _, e := range []*string{&c.Stream.Endpoint, &c.Nearline.Endpoint, &c.Objects.Endpoint, &c.KeyValue.Endpoint} {
			p := faultproxy.Start(o.t, *e, o.storm())
			if e == &c.KeyValue.Endpoint {
				o.leases[at].Store(p)
			}
			*e = p.URL
		}
		c.Now = clockFastBy(time.Duration(o.random.IntN(50)-25) * time.Minute)
	}, o.roles[at]))
}

// any is a process of a role.
func (o *ordeal) any(role string, random *rand.Rand) *node {
	first := slices.Index(o.roles, role)
	return o.nodes[first+random.IntN(2)].Load()
}

// compacting asks for compaction again and again, at any gateway.
func (o *ordeal) compacting(ctx context.Context, random *rand.Rand) {
	for ctx.Err() == nil {
		compactOnce(ctx, o.any(config.RoleGateway, random).c)
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(random.IntN(3000)) * time.Millisecond):
		}
	}
}

// watching asks for all events again and again, at any gateway, while everything
// moves. A statement may fail when its gateway ends or a store does; one that does
// not must find nothing twice, and everything that one before it found.
func (o *ordeal) watching(ctx context.Context, random *rand.Rand) (answers int) {
	seen := map[int]bool{}
	for ctx.Err() == nil {
		rows, err := o.ask(ctx, o.any(config.RoleGateway, random).c)
		var failed *pgconn.PgError
		switch {
		case ctx.Err() != nil:
			return answers
		case errors.As(err, &failed):
			if failed.Code == pgerrcode.InternalError || failed.Code == pgerrcode.UndefinedTable && len(seen) > 0 {
				o.t.Errorf("a statement amid it all: %v", err)
			}
			continue
		case err != nil:
			continue // its gateway was killed
		}
		answers++
		for n := range seen {
			if rows[n] == 0 {
				o.t.Errorf("event %d is no longer found", n)
			}
		}
		for n, times := range rows {
			seen[n] = true
			if times > 1 {
				o.t.Errorf("event %d is found %d times", n, times)
			}
		}
		if o.t.Failed() {
			return answers
		}
	}
	return answers
}

// ask counts events by their numbers.
func (o *ordeal) ask(ctx context.Context, c config.Config) (map[int]int, error) {
	// A gateway that is paused answers nobody.
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, err := pgconn.Connect(ctx, "postgres://demo:demo@"+c.PGAddr+"/demo?sslmode=disable")
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // it may be gone
	results, err := conn.Exec(ctx, `select n, count(*) from torture group by n`).ReadAll()
	if err != nil {
		return nil, err
	}
	rows := map[int]int{}
	for _, row := range results[0].Rows {
		var n, times int
		if _, err := fmt.Sscan(string(row[0])+" "+string(row[1]), &n, &times); err != nil {
			return nil, err
		}
		rows[n] = times
	}
	return rows, nil
}

// TestTorture has two processes of each role, all stores on AWS amid a storm of
// faults, shards that are split and merged, compaction all the time and statements
// over everything, while one process after the other is killed, paused, or cut off
// from its leases, so that another takes over what it still does. Every acknowledged
// event is found exactly once, by every statement that answers.
func TestTorture(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes minutes")
	}
	const writers, pause = 3, 150 * time.Millisecond
	seed, factor := tortureSeed(t), tortureFactor(t)
	adjust := onAWSWith(t, kinesisServer(t, seed+1))
	o := &ordeal{t: t, adjust: adjust, random: rand.New(rand.NewPCG(seed, 2))}
	o.seed.Store(seed)
	for _, role := range []string{config.RoleStage, config.RoleIngest, config.RoleCompact, config.RoleGateway} {
		o.roles = append(o.roles, role, role)
	}
	o.nodes, o.leases = make([]atomic.Pointer[node], len(o.roles)), make([]atomic.Pointer[faultproxy.Proxy], len(o.roles))
	for at := range o.roles {
		o.begin(at)
	}
	serving := func() {
		t.Helper()
		for at := range o.nodes {
			o.nodes[at].Load().awaitHealthy(t)
		}
	}
	serving()

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	k := torture{batch: 20, largeEvery: 100, largeText: 400_000, recent: time.Now()}
	r := newResharder(t, seed, adjust)
	r.pause = time.Second
	var acked acknowledged
	var number, answers atomic.Int64
	var working sync.WaitGroup
	goWith := func(stream uint64, do func(random *rand.Rand)) {
		working.Go(func() { do(rand.New(rand.NewPCG(seed, stream))) })
	}
	working.Go(func() { r.run(ctx) })
	goWith(3, func(random *rand.Rand) { o.compacting(ctx, random) })
	goWith(4, func(random *rand.Rand) { answers.Add(int64(o.watching(ctx, random))) })
	for w := range uint64(writers) {
		goWith(5+w, func(random *rand.Rand) {
			for ctx.Err() == nil {
				to := int(number.Add(int64(k.batch)))
				limit, cancel := context.WithTimeout(ctx, time.Minute) // its process may be paused
				if k.post(limit, o.any(config.RoleIngest, random).c, to-k.batch, to) {
					acked.add(to-k.batch, to)
				}
				cancel()
				<-time.After(pause)
			}
		})
	}
	// Each trouble befalls a third of the roles, in an order of the seed, factor times.
	type blow struct{ trouble, at int }
	var blows []blow
	for range factor {
		for n := range troubles {
			for role := 0; role < len(o.roles); role += 2 {
				blows = append(blows, blow{n, role + o.random.IntN(2)})
			}
		}
	}
	o.random.Shuffle(len(blows), func(i, j int) { blows[i], blows[j] = blows[j], blows[i] })
	blows = blows[:len(blows)/3]
	for n, b := range blows {
		t.Logf("%d of %d, %d acknowledged: %s %d is %s", n+1, len(blows), acked.count(), o.roles[b.at], b.at%2, troubles[b.trouble].name)
		troubles[b.trouble].befall(o, b.at)
		acked.await(acked.count()+1+o.random.IntN(60), 10*time.Second)
		if t.Failed() {
			break
		}
	}
	stop()
	working.Wait()
	serving()
	gateways := []*instance{&o.any(config.RoleGateway, o.random).instance, &o.any(config.RoleGateway, o.random).instance}
	k.settle(t, gateways[0], &acked)
	for _, g := range gateways {
		k.check(t, g, &acked, "staged")
	}
	gateways[0].query(t, `select fieldgate.compact()`)
	for _, g := range gateways {
		k.check(t, g, &acked, "compacted")
	}
	if plan := gateways[0].query(t, `explain select count(*) from torture`); !strings.Contains(plan, " files read") {
		t.Errorf("nothing is in the lake:\n%s", plan)
	}
	t.Logf("%d splits and merges, %d statements answered meanwhile", r.changes, answers.Load())
}
