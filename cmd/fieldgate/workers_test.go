package main

import (
	"bytes"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
)

// workerCalls counts what a stage process asks of its stores.
type workerCalls struct {
	rows, batches atomic.Int64 // of BatchWriteItem
	puts          atomic.Int64 // PutRecords
}

func (c *workerCalls) decide(r faultproxy.Request) faultproxy.Fault {
	switch r.Operation {
	case "BatchWriteItem":
		c.batches.Add(1)
		c.rows.Add(int64(bytes.Count(r.Body, []byte(`"PutRequest"`))))
	case "PutRecords":
		c.puts.Add(1)
	}
	return faultproxy.Fault{}
}

// TestWorkersShareWork carries the same events through one stage process and through
// four, on logs of four shards. Four write no more rows, by no more calls that matter,
// than one does: nobody does another's work, and no batch is cut smaller. How fast they
// are is the benchmark's to say (bench -only workers).
func TestWorkersShareWork(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a minute")
	}
	const events, perBatch, requests = 10_000, 25, 20
	for _, workers := range []int{1, 4} {
		aws := onAWS(t)
		adjust := func(c *config.Config) {
			aws(c)
			c.Stream.Shards = 4
		}
		counts := make([]workerCalls, workers)
		var nodes []*node
		for i := range counts {
			nodes = append(nodes, launch(t, func(c *config.Config) {
				adjust(c)
				c.Nearline.Endpoint = faultproxy.Start(t, c.Nearline.Endpoint, counts[i].decide).URL
				c.Stream.Endpoint = faultproxy.Start(t, c.Stream.Endpoint, counts[i].decide).URL
			}, config.RoleStage))
		}
		ingest, gateway := launch(t, adjust, config.RoleIngest), launch(t, adjust, config.RoleGateway)
		nodes = append(nodes, ingest, gateway)
		for _, n := range nodes {
			n.awaitHealthy(t)
		}
		sum := func() (rows, batches, puts int64) {
			for i := range counts {
				rows, batches, puts = rows+counts[i].rows.Load(), batches+counts[i].batches.Load(), puts+counts[i].puts.Load()
			}
			return rows, batches, puts
		}
		// Each worker has shards of both logs once it has done the work of both stages.
		posted, now := 0, time.Now()
		post := func(n int) {
			ingest.post(t, gauges(now, posted, n))
			posted += n
			gateway.eventually(t, `select count(*) from gauge`, itoa(posted))
		}
		idle := func() bool {
			for i := range counts {
				if counts[i].rows.Load() == 0 || counts[i].puts.Load() == 0 {
					return true
				}
			}
			return false
		}
		for deadline := time.Now().Add(settledWithin); posted == 0 || idle(); post(500) {
			if time.Now().After(deadline) {
				t.Fatalf("of %d workers one has no part of the work", workers)
			}
		}
		rowsBefore, batchesBefore, putsBefore := sum()
		post(events)
		rows, batches, puts := sum()
		rows, batches, puts = rows-rowsBefore, batches-batchesBefore, puts-putsBefore
		t.Logf("%d workers: %d rows by %d BatchWriteItem, %d PutRecords", workers, rows, batches, puts)
		// Who loses a shard to another has done up to a second's work for nothing.
		if rows < events || rows > events*3/2 {
			t.Errorf("%d workers write %d rows of %d events", workers, rows, events)
		}
		if batches > 2*events/perBatch {
			t.Errorf("%d workers need %d BatchWriteItem for %d events, more than twice those that hold %d each", workers, batches, events, perBatch)
		}
		// A raw record is a request's; the raw stage puts what it makes of it together.
		if puts > 4*requests {
			t.Errorf("%d workers need %d PutRecords for %d requests of events", workers, puts, requests)
		}
		for _, n := range nodes {
			n.end(os.Kill)
		}
	}
}
