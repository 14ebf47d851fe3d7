package dynamodb_test

import (
	"fmt"
	"testing"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/dynamodb"
	"github.com/fieldgate/fieldgate/sources/nearline"
	"github.com/fieldgate/fieldgate/sources/nearline/nearlinetest"
)

// BenchmarkWrite writes 500 rows of one dataset that spread over hours.
func BenchmarkWrite(b *testing.B) {
	for _, hours := range []int64{1, 100} {
		b.Run(fmt.Sprintf("hours=%d", hours), func(b *testing.B) {
			s := openTables(b, dynamodb.Config{AWS: awsConfig(b, testdeps.Dynalite(b))})
			ds := schema.Dataset{Tenant: "acme", Metric: "m"}
			for seq := uint64(1); b.Loop(); seq++ {
				rows := make([]nearline.Row, 500)
				for i := range rows {
					at := 1517400000_000_000 + int64(i)*1000 + int64(i)%hours*3600_000_000
					id := seq*1000 + uint64(i)
					rows[i] = nearline.Row{Event: nearlinetest.Event(ds, at, id, id, schema.Value{Name: "f", Kind: schema.KindNumber, Num: 1.5}), Position: nearlinetest.At(0, seq, uint32(i))}
				}
				if _, err := s.Write(b.Context(), rows); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(500*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkRead reads 5,000 rows of one dataset.
func BenchmarkRead(b *testing.B) {
	s := openTables(b, dynamodb.Config{AWS: awsConfig(b, testdeps.Dynalite(b))})
	ds := schema.Dataset{Tenant: "acme", Metric: "m"}
	for seq := uint64(1); seq <= 10; seq++ {
		rows := make([]nearline.Row, 500)
		for i := range rows {
			id := seq*1000 + uint64(i)
			rows[i] = nearline.Row{Event: nearlinetest.Event(ds, 1517400000_000_000+int64(id), id, id, schema.Value{Name: "f", Kind: schema.KindNumber, Num: 1.5}), Position: nearlinetest.At(0, seq, uint32(i))}
		}
		if _, err := s.Write(b.Context(), rows); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		p, err := s.Pin(b.Context(), []schema.Dataset{ds})
		if err != nil {
			b.Fatal(err)
		}
		recent, err := p.Splits(b.Context(), ds, nil, nearlinetest.Within(sources.Unbounded()))
		if err != nil || len(recent.Splits) != 1 || recent.Splits[0].Batch.Batch.Rows != 5000 {
			b.Fatalf("%d splits, error %v", len(recent.Splits), err)
		}
	}
	b.ReportMetric(float64(5000*b.N)/b.Elapsed().Seconds(), "rows/s")
}
