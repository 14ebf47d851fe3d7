package lake_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// manifestOf commits files that are listed and do not exist.
func manifestOf(b *testing.B, s *lake.Store, files int) {
	b.Helper()
	var add []*lake.File
	columns := []string{"_hash", "_id", "_received_at", "_ts"}
	stats := map[string]sources.Stats{}
	for i := range 12 {
		name := fmt.Sprintf("n_field_%02d", i)
		columns = append(columns, name)
		stats[name] = sources.Stats{Min: float64(i) / 3, Max: float64(i) * 1e6}
	}
	for i := range files {
		add = append(add, &lake.File{
			Key: fmt.Sprintf("lake/acme/-/$54hermo$2d1/0/data-%026d.parquet", i), Bytes: 20 << 20, Rows: 400_000, Memory: 100 << 20,
			Times:   sources.Bounds{Min: int64(i) * 60e6, Max: int64(i+2) * 60e6},
			Columns: columns, More: []string{}, Stats: stats,
		})
	}
	v, err := s.Version(b.Context(), thermo)
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range add {
		f.CreatedAt = time.Now()
	}
	if _, err := s.Commit(b.Context(), v, lake.Commit{Add: add}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkPlanFiles lists what a statement reads out of 10,000 files: all of
// them, those of an hour, and all by a process that has read nothing yet.
func BenchmarkPlanFiles(b *testing.B) {
	const files = 10_000
	s, bucket, _ := setup(b)
	manifestOf(b, s, files)
	plan := func(b *testing.B, s *lake.Store, bounds sources.Bounds, want int) {
		b.Helper()
		m, err := s.Load(b.Context(), thermo)
		if err != nil {
			b.Fatal(err)
		}
		splits, known, err := m.Files(b.Context(), bounds)
		if err != nil || known != files || len(splits) != want {
			b.Fatalf("%d files of %d, %v", len(splits), known, err)
		}
	}
	fresh := func(b *testing.B, bucket objstore.Bucket) *lake.Store {
		b.Helper()
		s, err := lake.New(lake.Config{Bucket: bucket, Exclusive: true, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	b.Run("all", func(b *testing.B) {
		s := fresh(b, bucket)
		plan(b, s, sources.Unbounded(), files)
		for b.Loop() {
			plan(b, s, sources.Unbounded(), files)
		}
	})
	b.Run("hour", func(b *testing.B) {
		s := fresh(b, bucket)
		plan(b, s, sources.Unbounded(), files)
		for b.Loop() {
			plan(b, s, sources.Bounds{Min: 5000 * 60e6, Max: 5060 * 60e6}, 63)
		}
	})
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			plan(b, fresh(b, bucket), sources.Unbounded(), files)
		}
	})
}
