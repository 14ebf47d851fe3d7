package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// TestRolesKilled kills and pauses processes of every role at random moments while
// events come in and are compacted. A process that is paused for longer than its
// leases last goes on when another has taken them over. Every acknowledged event is
// found exactly once, and no other.
func TestRolesKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	// Local servers take a few hundred events a second, and those of a round come
	// slowly enough that some come while a process is killed.
	const rounds, batch, writers, pause = 12, 20, 3, 100 * time.Millisecond
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	adjust := onAWS(t)
	c := launchCluster(t, adjust, 2)
	var acked acknowledged
	var next sync.Mutex
	number := 0
	take := func() int {
		next.Lock()
		defer next.Unlock()
		number += batch
		return number - batch
	}
	for round := range rounds {
		ctx, stop := context.WithCancel(t.Context())
		var working sync.WaitGroup
		for w := range writers {
			to := c.ingests[w%len(c.ingests)].c
			working.Go(func() {
				for tick := time.NewTicker(pause); ctx.Err() == nil; <-tick.C {
					from := take()
					if (torture{}).post(ctx, to, from, from+batch) {
						acked.add(from, from+batch)
					}
				}
			})
		}
		compacting := c.gateways[random.IntN(2)].c
		working.Go(func() { compactOnce(ctx, compacting) })
		acked.await(acked.count()+1+random.IntN(1000), 20*time.Second)
		nodes := []*[]*node{&c.stages, &c.ingests, &c.compacts, &c.gateways}[round%4]
		n := random.IntN(2)
		victim := (*nodes)[n]
		paused := random.IntN(2) == 0
		t.Logf("round %d, %d acknowledged: %s, pause %v", round, acked.count(), victim.c.Roles[0], paused)
		if paused {
			if err := victim.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Duration(adjusted(adjust).Limits.LeaseSeconds+2) * time.Second)
			if err := victim.cmd.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
		} else {
			victim.end(syscall.SIGKILL)
			(*nodes)[n] = launch(t, adjust, victim.c.Roles...)
			awaitHealthy(t, (*nodes)[n].c.HTTPAddr)
		}
		stop()
		working.Wait()
	}
	check := func(when string) {
		t.Helper()
		g := c.gateways[0]
		missing := func() (lost, twice, found int) {
			counts := map[int]int{}
			rows, err := g.tryQuery(t, `select n, count(*) from torture group by n`)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(rows, "\n") {
				var n, count int
				if _, err := fmt.Sscanf(line, "%d|%d", &n, &count); err != nil {
					t.Fatalf("row %q: %v", line, err)
				}
				counts[n] = count
				if count > 1 {
					twice++
				}
			}
			for _, n := range acked.numbers {
				if counts[n] == 0 {
					lost++
				}
			}
			return lost, twice, len(counts)
		}
		var lost, twice, found int
		for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
			if lost, twice, found = missing(); lost == 0 {
				break // they become visible
			}
		}
		t.Logf("%s: %d acknowledged, %d found, %d lost, %d found twice", when, acked.count(), found, lost, twice)
		if lost+twice > 0 {
			t.Errorf("%s: %d lost, %d found twice", when, lost, twice)
		}
		if errors := g.query(t, `select count(*) from errors.stream`); errors != "0" {
			t.Errorf("%s: %s error rows", when, errors)
		}
	}
	check("after the last round")
	c.gateways[1].query(t, `select fieldgate.compact()`)
	check("compacted")
}

// adjusted is a configuration as a process of the test has it.
func adjusted(adjust func(*config.Config)) *config.Config {
	c := config.Default()
	adjust(&c)
	return &c
}
