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
	// sends fills the names that are sent by a row, number gives the values of row n.
	sends  func(r *rand.Rand, stretch int, row *boundRow)
	number func(r *rand.Rand, n int) float64
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
	subset := func(r *rand.Rand, _ int, row *boundRow) {
		for i := range row.sources {
			row.sources[i] = r.IntN(2) == 0
		}
	}
	return []boundTable{
		{"by_file", "each file has one of the three", func(_ *rand.Rand, stretch int, row *boundRow) { row.sources[stretch%3] = true }, twoDigits},
		{"by_row", "each row has one, as it comes", oneOf, twoDigits},
		{"mixed", "the same, and any of two other names", mixed, twoDigits},
		{"digits", "the same, numbers with all digits of a double", mixed, allDigits},
		{"every", "every row has all three", func(_ *rand.Rand, _ int, row *boundRow) { row.sources = [3]bool{true, true, true} }, twoDigits},
		{"subset", "each row has any of the three, which divides them by nothing; all digits", subset, allDigits},
	}
}

// What numbers a bound table has.
func twoDigits(r *rand.Rand, _ int) float64 { return math.Round(r.Float64()*1e5) / 100 }
func allDigits(r *rand.Rand, _ int) float64 { return r.Float64() * 1000 }
func rising(_ *rand.Rand, n int) float64    { return float64(n) }

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
	read, others := boundNames()
	var b sources.Builder
	for n := range rows {
		number := func() float64 { return t.number(r, stretch*rows+n) }
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
	ordered := boundTable{"ordered", "", func(*rand.Rand, int, *boundRow) {}, rising}
	if err := ordered.write(ctx, store, o.rows/10); err != nil {
		return fmt.Errorf("write %s: %w", ordered.name, err)
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
	return ordered.prune(ctx, o.rows/10, s, conn, out)
}

// prune tells how many row groups a predicate on the stored column reads, and the same
// on the converted one: each group has as many bytes of a column as another, so that
// what the server reads between nothing and all tells their number.
func (t *boundTable) prune(ctx context.Context, rows int, s *server, conn *pgx.Conn, out io.Writer) error {
	if err := t.declare(ctx, conn); err != nil {
		return err
	}
	celsius := func(n int) float64 { return (float64(n) - 32) * 5 / 9 }
	low := rows/2 + rows/stretches/2 // the middle of a row group, as high is
	high := low + rows/20
	var groups [2]float64
	for i, of := range []struct {
		field                string
		nothing, least, most float64
	}{{"plain", -1, float64(low), float64(high)}, {"celsius", celsius(-1), celsius(low), celsius(high)}} {
		read := func(condition string) (float64, error) {
			sql := fmt.Sprintf(`select count(*), sum(%s) from %s where %s`, of.field, t.name, condition)
			if _, err := drain(ctx, conn, sql); err != nil { // which also reads what is kept, as footers
				return 0, err
			}
			before, err := s.usage()
			if err != nil {
				return 0, err
			}
			_, err = drain(ctx, conn, sql)
			after, err2 := s.usage()
			return float64(after.read - before.read), errors.Join(err, err2)
		}
		none, err1 := read(fmt.Sprintf("%s < %v", of.field, of.nothing))
		some, err2 := read(fmt.Sprintf("%s >= %v and %s < %v", of.field, of.least, of.field, of.most))
		all, err3 := read(fmt.Sprintf("%s > %v", of.field, of.nothing))
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
		groups[i] = (some - none) / (all - none) * stretches
	}
	_, err := fmt.Fprintf(out, "\nOf %d row groups, a predicate on the stored column reads %.0f, and the same on the converted one %.0f.\n",
		stretches, groups[0], groups[1])
	return err
}

// declare declares the table.
func (t *boundTable) declare(ctx context.Context, conn *pgx.Conn) error {
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
	return nil
}

// compare times the table's fields in turns.
func (t *boundTable) compare(ctx context.Context, o options, s *server, conn *pgx.Conn, out io.Writer) error {
	if err := t.declare(ctx, conn); err != nil {
		return err
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
