package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// The sizes of the wide metric: each field has two sources, and each set of columns
// a tenth of all names.
const (
	wideFields = 500
	wideSets   = 1000
	wideColumn = 100
)

// wideHour is the hour of the one file of the wide metric that exists.
func wideHour() time.Time { return time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC) }

// benchWide plans over a metric of many fields and files of many sets of columns, of
// which all but one do not exist: planning opens none.
func benchWide(ctx context.Context, o options, out io.Writer) (err error) {
	s, err := startServer(ctx, o.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	if err := declareFields(ctx, conn); err != nil {
		return err
	}
	if err := errors.Join(conn.Close(ctx), s.end(), listWide(ctx, s.objects()), s.start(ctx, o.binary)); err != nil {
		return err
	}
	if conn, err = s.connect(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if _, err := fmt.Fprintf(out, "%d fields of two sources each, %d files of %d column sets, %d rounds.\n\n| query | files read | planning, ms |\n| --- | --- | --- |\n",
		wideFields, manyFiles, wideSets, o.rounds); err != nil {
		return err
	}
	hour := fmt.Sprintf(" where timestamp >= '%s' and timestamp < '%s'", wideHour().Format(time.RFC3339), wideHour().Add(time.Hour).Format(time.RFC3339))
	for _, q := range []struct{ name, sql string }{
		{"one field, all files", "select avg(f7) from wide"},
		{"ten fields, all files", "select avg(f1), avg(f2), avg(f3), avg(f4), avg(f5), avg(f6), avg(f7), avg(f8), avg(f9), avg(f10) from wide"},
		{"all fields, one hour", "select * from wide" + hour},
	} {
		var times []float64
		files := 0
		for round := range o.rounds + 1 {
			read, _, millis, err := explain(ctx, conn, q.sql)
			if err != nil {
				return err
			}
			if files = read; round > 0 { // the first reads the manifest
				times = append(times, millis)
			}
		}
		if _, err := fmt.Fprintf(out, "| %s | %d | %s |\n", q.name, files, spreadOf(times).format(1)); err != nil {
			return err
		}
	}
	var first []float64
	for round := range o.rounds + 1 {
		begin := time.Now()
		rows, err := conn.Query(ctx, "select timestamp, f1, f2, f3, f4, f5 from wide"+hour)
		if err != nil {
			return err
		}
		if !rows.Next() {
			return errors.Join(errors.New("the hour has no rows"), rows.Err())
		}
		if round > 0 {
			first = append(first, millis(time.Since(begin)))
		}
		rows.Close()
	}
	_, err = fmt.Fprintf(out, "\nFirst row of an hour's query after %s ms.\n", spreadOf(first).format(1))
	return err
}

func declareFields(ctx context.Context, conn *pgx.Conn) error {
	fields := make([]string, wideFields)
	for n := range fields {
		fields[n] = fmt.Sprintf("f%d double precision", n)
	}
	if _, err := conn.Exec(ctx, "create table wide ("+strings.Join(fields, ", ")+")"); err != nil {
		return fmt.Errorf("declare: %w", err)
	}
	for n := range wideFields {
		if _, err := conn.Exec(ctx, fmt.Sprintf("select fieldgate.add_alias('wide', 'f%d', 'g%d')", n, n)); err != nil {
			return fmt.Errorf("declare: %w", err)
		}
	}
	return nil
}

// listWide commits files of an hour each: one that is there, of which the hour is
// wideHour, and others that nobody may open.
func listWide(ctx context.Context, objects string) error {
	bucket, err := objstore.OpenDir(objstore.DirConfig{Root: objects})
	if err != nil {
		return err
	}
	store, err := lake.New(lake.Config{Bucket: bucket, Exclusive: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	ds := schema.Dataset{Tenant: "demo", Metric: "wide"}
	v, err := store.Version(ctx, ds)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // the same in every run
	sets := make([][]string, wideSets)
	for i := range sets {
		columns := []string{sources.ColumnHash, sources.ColumnID, sources.ColumnReceivedAt, sources.ColumnTS}
		for _, n := range random.Perm(2 * wideFields)[:wideColumn] {
			columns = append(columns, sources.PhysicalName(fmt.Sprintf("%c%d", "fg"[n%2], n/2), schema.KindNumber))
		}
		slices.Sort(columns)
		sets[i] = columns
	}
	var b sources.Builder
	for n := range 3600 {
		e := schema.Event{Time: wideHour().UnixMicro() + int64(n)*1e6}
		e.ID[0], e.ID[1] = byte(n), byte(n>>8)
		for f := range 10 {
			e.Values = append(e.Values, schema.Value{Name: fmt.Sprintf("%c%d", "fg"[f%2], f), Kind: schema.KindNumber, Num: float64(n) / 3})
		}
		b.Add(&e, stream.Position{})
	}
	batches := []*sources.Batch{b.Batch()}
	files, err := store.Write(ctx, ds, batches, lake.Order(batches, nil), nil)
	if err != nil {
		return err
	}
	folder := filepath.ToSlash(filepath.Dir(files[0].Key))
	for i := range manyFiles {
		from := wideHour().Add(time.Duration(i+1) * time.Hour)
		files = append(files, &lake.File{
			Key: fmt.Sprintf("%s/data-%026d.parquet", folder, i), Bytes: 64 << 20, Rows: 1_000_000, Memory: 256 << 20, CreatedAt: time.Now(),
			Times:   sources.Bounds{Min: from.UnixMicro(), Max: from.Add(time.Hour).UnixMicro() - 1},
			Columns: sets[i%wideSets], Stats: map[string]sources.Stats{},
		})
	}
	_, err = store.Commit(ctx, v, lake.Commit{Add: files})
	return err
}
