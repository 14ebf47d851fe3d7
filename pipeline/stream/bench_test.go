package stream_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// BenchmarkPut puts entries of 30 KB, about 100 events each, durably, from some goroutines.
func BenchmarkPut(b *testing.B) {
	data := make([]byte, 30<<10)
	random := rand.New(rand.NewPCG(1, 1))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	for _, writers := range []int{1, 32} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			d, err := stream.OpenDisk(stream.DiskConfig{Dir: filepath.Join(b.TempDir(), "log")})
			if err != nil {
				b.Fatal(err)
			}
			var n atomic.Uint64
			b.SetParallelism(max(1, writers/runtime.GOMAXPROCS(0)))
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					hash := n.Add(1) * 0x9e3779b97f4a7c15
					if _, err := d.Put(b.Context(), []stream.Entry{{Hash: hash, Data: data}}); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(100*float64(b.N)/b.Elapsed().Seconds(), "events/s")
			if err := d.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkNext reads records of 300 bytes from the page cache.
func BenchmarkNext(b *testing.B) {
	d, err := stream.OpenDisk(stream.DiskConfig{Dir: filepath.Join(b.TempDir(), "log"), Shards: 1})
	if err != nil {
		b.Fatal(err)
	}
	entries := make([]stream.Entry, 1000)
	for i := range entries {
		entries[i].Data = make([]byte, 300)
	}
	for range 100 {
		if _, err := d.Put(b.Context(), entries); err != nil {
			b.Fatal(err)
		}
	}
	const all = 100 * 1000
	b.SetBytes(all * 300)
	b.ReportAllocs()
	for b.Loop() {
		it, err := d.Iterate(b.Context(), 0, stream.FromOldest())
		if err != nil {
			b.Fatal(err)
		}
		for read := 0; read < all; {
			records, err := it.Next(b.Context(), math.MaxInt, 1<<20)
			if err != nil {
				b.Fatal(err)
			}
			read += len(records)
		}
		if err := it.Close(); err != nil {
			b.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
}
