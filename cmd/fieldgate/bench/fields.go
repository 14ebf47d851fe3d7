package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// stretches is over how many writes the rows of a table of bound fields are
// divided.
const stretches = 100

// boundTable is a metric whose field `speed` has three sources.
type boundTable struct {
	name, means string
	// sends fills the names that are sent by a row; full says whether numbers have
	// all digits of a double, or two after the point.
	sends func(r *rand.Rand, stretch int, row *boundRow)
	full  bool
}

// boundRow is which of the names of a row are there: of the three that the field
// reads, and of two that nothing reads.
type boundRow struct {
	sources [3]bool
	others  [2]bool
}

func boundTables() []boundTable {
	oneOf := func(r *rand.Rand, _ int, row *boundRow) { row.sources[r.IntN(3)] = true }
	mixed := func(r *rand.Rand, stretch int, row *boundRow) {
		oneOf(r, stretch, row)
		row.others = [2]bool{r.IntN(2) == 0, r.IntN(2) == 0}
	}
	return []boundTable{
		{"by_file", "each file has one of the three", func(_ *rand.Rand, stretch int, row *boundRow) { row.sources[stretch%3] = true }, false},
		{"by_row", "each row has one, as it comes", oneOf, false},
		{"mixed", "all three in every file: rows have too many shapes to be divided", mixed, false},
		{"digits", "the same, numbers with all digits of a double", mixed, true},
		{"every", "every row has all three", func(_ *rand.Rand, _ int, row *boundRow) { row.sources = [3]bool{true, true, true} }, false},
	}
}

// boundNames are the sent names of a bound table.
func boundNames() (sources [3]string, others [2]string) {
	return [3]string{"speed", "velocity", "v"}, [2]string{"alarm", "note"}
}

// write makes the rows' files. Events follow each other by a second.
func (t *boundTable) write(ctx context.Context, store *lake.Store, rows int) error {
	ds := schema.Dataset{Tenant: "demo", Metric: t.name}
	v, err := store.Version(ctx, ds)
	if err != nil {
		return err
	}
	var all []*lake.File
	for n := range stretches {
		batches := []*sources.Batch{t.batch(n, rows/stretches)}
		files, err := store.Write(ctx, ds, batches, lake.Order(batches, nil), nil)
		if err != nil {
			return err
		}
		all = append(all, files...)
	}
	_, err = store.Commit(ctx, v, lake.Commit{Add: all})
	return err
}

func (t *boundTable) batch(stretch, rows int) *sources.Batch {
	r := rand.New(rand.NewPCG(uint64(stretch), 1)) //nolint:gosec // the same rows in every run
	number := func() float64 {
		if t.full {
			return r.Float64() * 1000
		}
		return math.Round(r.Float64()*1e5) / 100
	}
	read, others := boundNames()
	var b sources.Builder
	for n := range rows {
		e := schema.Event{Time: firstTime*1000 + int64(stretch*rows+n)*1e6}
		binary.BigEndian.PutUint64(e.ID[:], r.Uint64())
		e.Hash, e.ReceivedAt = e.ID, e.Time
		var row boundRow
		t.sends(r, stretch, &row)
		e.Values = append(e.Values, schema.Value{Name: "plain", Kind: schema.KindNumber, Num: number()},
			schema.Value{Name: "fahrenheit", Kind: schema.KindNumber, Num: number()})
		for i, sent := range row.sources {
			if sent {
				e.Values = append(e.Values, schema.Value{Name: read[i], Kind: schema.KindNumber, Num: number()})
			}
		}
		for i, sent := range row.others {
			if sent {
				e.Values = append(e.Values, schema.Value{Name: others[i], Kind: schema.KindBool, Int: 1})
			}
		}
		b.Add(&e, stream.Position{})
	}
	return b.Batch()
}

// benchFields compares fields over several sources, and a converted one, with a
// plain column of the same rows.
func benchFields(ctx context.Context, o options, out io.Writer) (err error) {
	s, err := startServer(ctx, o.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.end(); err != nil {
		return err
	}
	bucket, err := objstore.OpenDir(objstore.DirConfig{Root: s.objects()})
	if err != nil {
		return err
	}
	store, err := lake.New(lake.Config{Bucket: bucket, Exclusive: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "%d rows over %d writes a table, avg of a field, warm, %d rounds: ms, and processor ms of the server a query.\n\n"+
		"| rows | files | plain column | three sources | ratio | of processor | linear conversion | ratio | of processor |\n"+
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
		o.rows, stretches, o.rounds); err != nil {
		return err
	}
	for _, t := range boundTables() {
		if err := t.write(ctx, store, o.rows); err != nil {
			return fmt.Errorf("write %s: %w", t.name, err)
		}
	}
	if err := s.start(ctx, o.binary); err != nil {
		return err
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for _, t := range boundTables() {
		if err := t.compare(ctx, o, s, conn, out); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

// compare declares the table and times its fields in turns.
func (t *boundTable) compare(ctx context.Context, o options, s *server, conn *pgx.Conn, out io.Writer) error {
	declare := []string{
		fmt.Sprintf(`create table %s (plain double precision, speed double precision, celsius double precision)`, t.name),
		fmt.Sprintf(`select fieldgate.add_alias('%s', 'speed', 'velocity')`, t.name),
		fmt.Sprintf(`select fieldgate.add_alias('%s', 'speed', 'v')`, t.name),
		fmt.Sprintf(`select fieldgate.add_alias('%s', 'celsius', 'fahrenheit', '(value - 32) * 5 / 9')`, t.name),
	}
	for _, sql := range declare {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	var files int
	if err := conn.QueryRow(ctx, `select count(*) from fieldgate.files where metric = $1`, t.name).Scan(&files); err != nil {
		return err
	}
	fields := []string{"plain", "speed", "celsius"}
	times, cpu := make([][]float64, len(fields)), make([]float64, len(fields))
	for round := range o.rounds + 1 {
		for i, field := range fields {
			before, err := s.usage()
			if err != nil {
				return err
			}
			begin := time.Now()
			if _, err := drain(ctx, conn, fmt.Sprintf(`select avg(%s) from %s`, field, t.name)); err != nil {
				return err
			}
			took := millis(time.Since(begin))
			after, err := s.usage()
			if err != nil {
				return err
			}
			if round > 0 { // the first warms up
				times[i] = append(times[i], took)
				cpu[i] += millis(after.cpu-before.cpu) / float64(o.rounds)
			}
		}
	}
	text := fmt.Sprintf("| %s | %d ", t.means, files)
	plain := spreadOf(times[0])
	for i := range fields {
		took := spreadOf(times[i])
		text += fmt.Sprintf("| %s, %.0f ", took.format(1), cpu[i])
		if i > 0 {
			text += fmt.Sprintf("| %.2f | %.2f ", took.median/plain.median, cpu[i]/cpu[0])
		}
	}
	_, err := fmt.Fprintln(out, text+"|")
	return err
}
