package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// processorTime is what a process has used, user and system, in seconds. Linux counts
// in hundredths (USER_HZ, proc_pid_stat(5)).
func (n *node) processorTime(t *testing.T) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	// The name, in brackets, may have spaces; utime and stime are the 12th and 13th
	// fields behind it.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return float64(ticks) / 100
}

// TestWorkersCPU carries the same events through 1, 2 and 4 stage processes, on logs
// of four shards. What an event costs them together stays flat, so that twice as
// many have twice the throughput, as far as the stores go along.
func TestWorkersCPU(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	const events, most = 20_000, 1.5
	cost := map[int]float64{}
	for _, workers := range []int{1, 2, 4} {
		aws := onAWS(t)
		adjust := func(c *config.Config) {
			aws(c)
			c.Stream.Shards, c.Stream.ReadsPerSecond = 4, 5
		}
		var stages []*node
		for range workers {
			stages = append(stages, launch(t, adjust, config.RoleStage))
		}
		ingest, gateway := launch(t, adjust, config.RoleIngest), launch(t, adjust, config.RoleGateway)
		for _, n := range append(stages, ingest, gateway) {
			awaitHealthy(t, n.c.HTTPAddr)
		}
		used := func() (sum float64) {
			for _, s := range stages {
				sum += s.processorTime(t)
			}
			return sum
		}
		// The first events make names and tables, and meanwhile the shards are shared.
		ingest.post(t, gauges(time.Now(), 0, 500))
		gateway.eventually(t, `select count(*) from gauge`, "500")
		<-time.After(3 * time.Duration(ingest.c.Limits.LeaseSeconds) * time.Second)
		before, began := used(), time.Now()
		ingest.post(t, gauges(time.Now(), 500, events))
		gateway.eventually(t, `select count(*) from gauge`, itoa(events+500))
		cost[workers] = (used() - before) / events
		t.Logf("%d workers: %.1f µs of processor time an event, in %.1f s", workers, 1e6*cost[workers], time.Since(began).Seconds())
		for _, n := range append(stages, ingest, gateway) {
			n.end(os.Kill)
		}
	}
	if cost[4] > most*cost[1] {
		t.Errorf("an event costs 4 workers %.2f times what it costs one, more than %.1f", cost[4]/cost[1], most)
	}
}
