package pipeline_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/sources/nearline"
)

const (
	benchRequests = 500
	benchEvents   = 100 // of a request
)

// fill puts requests of events of about 300 bytes into the raw log.
func (h *house) fill(t testing.TB, from int) {
	t.Helper()
	current, err := h.schemas.Current(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	entries := make([]stream.Entry, benchRequests)
	for r := range entries {
		raw := record.Raw{Tenant: tenant, SchemaVersion: current.Version, ArrivedAt: arrival, Receipt: fmt.Sprint("r", r)}
		for i := range benchEvents {
			n := from + r*benchEvents + i
			raw.Events = append(raw.Events, fmt.Appendf(nil, `{"metrictype":"weather","timestamp":%d,"device":"station-%05d",`+
				`"temp":%d.%d,"humidity":%d,"pressure":%d.25,"wind":{"speed":%d.5,"direction":"north-north-west"},"battery":%d,`+
				`"firmware":"v2.%d.7-release","status":"operating normally","ok":true,"location":{"lat":47.%06d,"lon":8.%06d}}`,
				1_700_000_000_000+n, n%1000, n%40, n%10, n%100, 900+n%100, n%30, n%101, n%9, n%1000000, n%1000000))
			raw.Indexes = append(raw.Indexes, uint32(i))
		}
		entries[r] = stream.Entry{Hash: uint64(r) << 55, Data: record.AppendRaw(nil, &raw)}
	}
	if _, err := h.raw.Put(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkStages passes 50,000 events an op through one stage. What counts is the
// processor time an event: stages share the processors with each other.
func BenchmarkStages(b *testing.B) {
	var used time.Duration // by the stage that ran last
	run := func(b *testing.B, stage func(ctx context.Context) error, wait func(ctx context.Context) error) {
		b.Helper()
		before := processorTime(b)
		defer func() { used = processorTime(b) - before }()
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error, 1)
		go func() { done <- stage(ctx) }()
		if err := wait(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	h := open(b, b.TempDir())
	raw := func() *pipeline.Raw {
		s, err := pipeline.NewRaw(h.rawConfig)
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	ops := 0
	for _, c := range []struct {
		name  string
		bench func(b *testing.B)
	}{
		{"raw", func(b *testing.B) {
			s := raw()
			run(b, s.Run, s.Wait)
		}},
		{"staging", func(b *testing.B) {
			s := raw()
			run(b, s.Run, s.Wait)
			tail, err := nearline.NewTail(nearline.Config{MemoryBytes: 4 << 30})
			if err != nil {
				b.Fatal(err)
			}
			cfg := h.stagingConfig
			cfg.Tables, cfg.From = tail, pipeline.ConsumerStaging
			staging, err := pipeline.NewStaging(cfg)
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			run(b, staging.Run, staging.Wait)
		}},
		{"delivery", func(b *testing.B) {
			s := raw()
			run(b, s.Run, s.Wait)
			d, err := pipeline.NewDelivery(h.deliveryConfig)
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			run(b, d.Run, d.Flush)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var all time.Duration
			for range b.N {
				b.StopTimer()
				h.fill(b, ops*benchRequests*benchEvents)
				ops++
				if c.name == "raw" {
					b.StartTimer()
				}
				c.bench(b)
				all += used
			}
			events := float64(b.N * benchRequests * benchEvents)
			b.ReportMetric(events/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(all.Nanoseconds())/events, "cpu-ns/event")
		})
	}
}
