package compact_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/compact"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

const (
	benchObjects = 4
	benchEvents  = 200_000 // of an object
	benchRecord  = 1_000   // of a staged record
)

// weather makes events of 12 fields, about 300 bytes as JSON, of 1,000 stations
// that report a little out of order.
func weather(from int) []schema.Event {
	random := rand.New(rand.NewPCG(1, uint64(from)))
	number := func(name string, v float64) schema.Value {
		return schema.Value{Name: name, Kind: schema.KindNumber, Num: v}
	}
	text := func(name, v string) schema.Value {
		return schema.Value{Name: name, Kind: schema.KindText, Text: []byte(v)}
	}
	integer := func(name string, v int) schema.Value {
		return schema.Value{Name: name, Kind: schema.KindInt, Int: int64(v)}
	}
	events := make([]schema.Event, benchEvents)
	for i := range events {
		n := from + i
		e := &events[i]
		e.Dataset = hot
		e.ReceivedAt = 1_800_000_000e6 + int64(n)*10
		e.Time = e.ReceivedAt - int64(random.IntN(200_000))
		binary.BigEndian.PutUint64(e.ID[:], random.Uint64())
		binary.BigEndian.PutUint64(e.ID[8:], random.Uint64())
		binary.BigEndian.PutUint64(e.Hash[:], random.Uint64())
		binary.BigEndian.PutUint64(e.Hash[8:], random.Uint64())
		e.Values = []schema.Value{
			integer("battery", n%101), text("device", fmt.Sprintf("station-%05d", random.IntN(1000))),
			text("firmware", fmt.Sprintf("v2.%d.7-release", n%9)), integer("humidity", random.IntN(100)),
			number("location.lat", 47+random.Float64()), number("location.lon", 8+random.Float64()),
			{Name: "ok", Kind: schema.KindBool, Int: int64(n % 2)},
			number("pressure", 900+float64(random.IntN(400))/4),
			text("status", "operating normally"), number("temp", float64(random.IntN(400))/10),
			integer("timestamp", int(e.Time/1000)), text("wind.direction", []string{"north", "east", "south-south-west"}[n%3]),
		}
	}
	return events
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCompact compacts 800,000 events an op from archive to lake. What
// counts is events/cpu-s: how many events a second of one core does.
func BenchmarkCompact(b *testing.B) {
	var cpu time.Duration
	var bytes int64
	archives := make([][]byte, benchObjects)
	for i := range archives {
		w, err := record.NewStagedWriter()
		if err != nil {
			b.Fatal(err)
		}
		events := weather(i * benchEvents)
		var s record.StagedEncoder
		for n := range events {
			s.Add(&events[n])
			if (n+1)%benchRecord != 0 {
				continue
			}
			if err := w.Add(0, stream.SequenceOf(uint64(i*benchEvents+n+1)), s.Bytes()); err != nil {
				b.Fatal(err)
			}
			s.Reset()
		}
		if archives[i], _, err = w.Finish(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		f := setup(b)
		for i, data := range archives {
			key := record.ObjectKey(record.Object{
				Stage: record.StageStaged, Hour: f.now,
				After: stream.SequenceOf(uint64(i * benchEvents)), Through: stream.SequenceOf(uint64((i + 1) * benchEvents)),
			})
			f.log.put(0, uint64((i+1)*benchEvents), f.now)
			if _, err := f.bucket.Put(b.Context(), key, data); err != nil {
				b.Fatal(err)
			}
		}
		c, err := compact.New(f.cfg)
		if err != nil {
			b.Fatal(err)
		}
		before := cpuTime(b)
		b.StartTimer()
		if err := c.Compact(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		cpu += cpuTime(b) - before
		v, err := f.lake.Version(b.Context(), hot)
		if err != nil {
			b.Fatal(err)
		}
		_, rows, size := v.Totals()
		if rows != benchObjects*benchEvents {
			b.Fatalf("%d rows, want %d", rows, benchObjects*benchEvents)
		}
		bytes = size
		b.StartTimer()
	}
	events := float64(b.N * benchObjects * benchEvents)
	b.ReportMetric(events/cpu.Seconds(), "events/cpu-s")
	b.ReportMetric(float64(bytes)/(benchObjects*benchEvents), "lake-B/event")
}
