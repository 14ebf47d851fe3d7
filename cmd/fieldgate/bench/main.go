// Command bench measures Fieldgate as its users would: it starts bin/fieldgate
// on an empty directory, drives it over HTTP and the Postgres protocol, and
// prints medians with their spread as Markdown. What is compared runs
// interleaved in one run, so that a noisy machine is noisy to both.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// options are the sizes of a run.
type options struct {
	binary  string
	seconds int
	rows    int
	rounds  int
}

// benchmark is one section of the report.
type benchmark struct {
	name string
	run  func(ctx context.Context, o options, out io.Writer) error
}

func benchmarks() []benchmark {
	return []benchmark{
		{"ingest", benchIngest},
		{"sustained", benchSustained},
		{"steady", benchSteady},
		{"queries", benchQueries},
		{"fields", benchFields},
		{"wire", benchWire},
		{"cancel", benchCancel},
		{"planning", benchPlan},
		{"wide", benchWide},
		{"browse", benchBrowse},
		{"point", benchPoint},
		{"hot", benchHot},
		{"objects", benchObjects},
		{"nearline", benchNearline},
		{"kinesis", benchKinesis},
		{"workers", benchWorkers},
	}
}

func main() {
	var o options
	only := flag.String("only", "", "comma-separated sections: ingest, sustained, steady, queries, fields, planning, wide, browse, point, hot, wire, cancel, objects, nearline, kinesis, workers")
	flag.StringVar(&o.binary, "binary", "bin/fieldgate", "the program to measure")
	flag.IntVar(&o.seconds, "seconds", 60, "length of the sustained and the steady run")
	flag.IntVar(&o.rows, "rows", 10_000_000, "rows of the query run")
	flag.IntVar(&o.rounds, "rounds", 7, "rounds of what is interleaved")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o, *only, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, only string, out io.Writer) error {
	chosen := strings.Split(only, ",")
	for _, b := range benchmarks() {
		if only != "" && !slices.Contains(chosen, b.name) {
			continue
		}
		if _, err := fmt.Fprintf(out, "## %s\n\n", b.name); err != nil {
			return err
		}
		if err := b.run(ctx, o, out); err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		if _, err := fmt.Fprintln(out); err != nil {
			return err
		}
	}
	return nil
}

// spread is a median with the least and the greatest of several measurements.
type spread struct{ min, median, max float64 }

func spreadOf(values []float64) spread {
	v := slices.Clone(values)
	slices.Sort(v)
	return spread{v[0], v[len(v)/2], v[len(v)-1]}
}

func (s spread) format(digits int) string {
	return fmt.Sprintf("%.*f (%.*f–%.*f)", digits, s.median, digits, s.min, digits, s.max)
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
