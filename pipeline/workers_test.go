package pipeline_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/pipeline"
)

// startWorker runs the raw stage and delivery as one worker of several, and gives
// what stops it.
func (h *house) startWorker(t *testing.T) (stop func()) {
	t.Helper()
	leases, err := pipeline.NewLeases(pipeline.LeasesConfig{KV: h.kv, Duration: 300 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	rawConfig, deliveryConfig := h.rawConfig, h.deliveryConfig
	rawConfig.Leases, rawConfig.CheckpointEvery = leases, 20*time.Millisecond
	deliveryConfig.Leases, deliveryConfig.FlushAge = leases, 50*time.Millisecond
	raw, err := pipeline.NewRaw(rawConfig)
	if err != nil {
		t.Fatal(err)
	}
	delivery, err := pipeline.NewDelivery(deliveryConfig)
	if err != nil {
		t.Fatal(err)
	}
	h.drain.Raw, h.drain.Delivery = raw, delivery
	ctx, cancel := context.WithCancel(t.Context())
	g, within := errgroup.WithContext(ctx)
	g.Go(func() error { return raw.Run(within) })
	g.Go(func() error { return delivery.Run(within) })
	return func() {
		cancel()
		if err := g.Wait(); err != nil {
			t.Errorf("run: %v", err)
		}
	}
}

// TestWorkersComeAndGo has workers share the shards, start and stop at random
// while events come in. The archive is an unbroken chain with every event.
func TestWorkersComeAndGo(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	random := rand.New(rand.NewPCG(1, 1))
	var workers []func()
	var want []string
	for round := range 12 {
		for len(workers) > 0 && random.IntN(2) == 0 {
			n := random.IntN(len(workers))
			workers[n]()
			workers = slices.Delete(workers, n, n+1)
		}
		for len(workers) < 1+random.IntN(3) {
			workers = append(workers, h.startWorker(t))
		}
		for i := range 20 {
			event := fmt.Sprintf(`{"n":%d}`, 20*round+i)
			h.post(t, fmt.Sprintf("r%d-%d", round, i), event)
			want = append(want, event)
		}
		if err := h.drain.Raw.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.drain.Delivery.FlushLogs(t.Context(), pipeline.LogStaged); err != nil {
		t.Fatal(err)
	}
	for _, stop := range workers {
		stop()
	}
	slices.Sort(want)
	equal(t, "staged archive", h.archivedRows(t, pipeline.LogStaged, h.staged), want...)
}
