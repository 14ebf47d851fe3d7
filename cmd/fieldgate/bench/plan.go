package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// manyFiles is how many files the lake of the planning run lists.
const manyFiles = 10_000

// explained is the part of EXPLAIN (FORMAT JSON) that is compared.
type explained struct {
	Plan struct {
		Plans []struct {
			Datasets []struct {
				FilesRead  int `json:"Files Read"`
				FilesKnown int `json:"Files Known"`
			} `json:"Datasets"`
		} `json:"Plans"`
	} `json:"Plan"`
	PlanningMillis float64 `json:"Planning Time"`
}

// explain asks for a query's plan.
func explain(ctx context.Context, conn *pgx.Conn, sql string) (read, known int, millis float64, err error) {
	var text string
	if err := conn.QueryRow(ctx, "explain (format json, summary) "+sql, pgx.QueryExecModeSimpleProtocol).Scan(&text); err != nil {
		return 0, 0, 0, fmt.Errorf("explain %s: %w", sql, err)
	}
	var plans []explained
	if err := json.Unmarshal([]byte(text), &plans); err != nil || len(plans) != 1 {
		return 0, 0, 0, errors.Join(fmt.Errorf("explain %s: %d plans", sql, len(plans)), err)
	}
	for _, scan := range plans[0].Plan.Plans {
		for _, d := range scan.Datasets {
			read, known = read+d.FilesRead, known+d.FilesKnown
		}
	}
	return read, known, plans[0].PlanningMillis, nil
}

// benchHour asks for one hour of the loaded rows, and compares the files that are
// read with those whose times overlap it.
func benchHour(ctx context.Context, conn *pgx.Conn, out io.Writer) error {
	from := time.UnixMilli(firstTime).UTC().Truncate(time.Hour)
	to := from.Add(time.Hour)
	var want int
	err := conn.QueryRow(ctx, "select count(*) from fieldgate.files where metric = 'bench' and min_ts < $1 and max_ts >= $2", to, from).Scan(&want)
	if err != nil {
		return err
	}
	read, known, _, err := explain(ctx, conn, fmt.Sprintf("select avg(temperature) from bench where timestamp >= '%s' and timestamp < '%s'",
		from.Format(time.RFC3339), to.Format(time.RFC3339)))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nA query of one hour reads %d of %d files; %d overlap the hour.\n", read, known, want)
	return err
}

// benchPlan lists files that do not exist in a manifest, and plans over them.
func benchPlan(ctx context.Context, o options, out io.Writer) (err error) {
	s, err := startServer(ctx, o.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	l := &load{url: "http://" + s.httpAddr + "/v1/events/bench"}
	b := newBody()
	b.set(0)
	if err := l.post(ctx, http.DefaultClient, b.text); err != nil {
		return err
	}
	if err := s.end(); err != nil {
		return err
	}
	if err := listMany(ctx, s.objects()); err != nil {
		return fmt.Errorf("list %d files: %w", manyFiles, err)
	}
	if err := s.start(ctx, o.binary); err != nil {
		return err
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if _, err := fmt.Fprintf(out, "A manifest of %d files, %d rounds, ms as EXPLAIN tells.\n\n| query | files read | planning |\n| --- | --- | --- |\n", manyFiles, o.rounds); err != nil {
		return err
	}
	for _, q := range []struct{ name, sql string }{
		{"all files", "select avg(temperature) from bench"},
		{"one hour", "select avg(temperature) from bench where timestamp >= '2026-01-01 10:00+00' and timestamp < '2026-01-01 11:00+00'"},
		{"newest first", "select * from bench order by timestamp desc limit 10"},
	} {
		var times []float64
		files := 0
		for range o.rounds {
			read, _, millis, err := explain(ctx, conn, q.sql)
			if err != nil {
				return err
			}
			files, times = read, append(times, millis)
		}
		if _, err := fmt.Fprintf(out, "| %s | %d | %s |\n", q.name, files, spreadOf(times).format(1)); err != nil {
			return err
		}
	}
	return nil
}

// openLake opens the lake of a server that is down.
func openLake(objects string) (*lake.Store, error) {
	bucket, err := objstore.OpenDir(objstore.DirConfig{Root: objects})
	if err != nil {
		return nil, err
	}
	return lake.New(lake.Config{Bucket: bucket, Exclusive: true, Logger: slog.New(slog.DiscardHandler)})
}

// listMany commits files of an hour each, no two of the same hour, that nobody may
// open.
func listMany(ctx context.Context, objects string) error {
	store, err := openLake(objects)
	if err != nil {
		return err
	}
	ds := schema.Dataset{Tenant: "demo", Metric: "bench"}
	v, err := store.Version(ctx, ds)
	if err != nil {
		return err
	}
	folder := filepath.ToSlash(filepath.Dir(lake.TenantPrefix(ds.Tenant) + "-/bench/0/x"))
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	files := make([]*lake.File, manyFiles)
	for i := range files {
		from := begin.Add(time.Duration(i) * time.Hour)
		files[i] = &lake.File{
			Key: fmt.Sprintf("%s/data-%026d.parquet", folder, i), Bytes: 64 << 20, Rows: 1_000_000, Memory: 256 << 20, CreatedAt: time.Now(),
			Times: sources.Bounds{Min: from.UnixMicro(), Max: from.Add(time.Hour).UnixMicro() - 1},
			Columns: []string{
				"_hash", "_id", "_received_at", "_ts", "i_n", "i_timestamp", "n_humidity", "n_pressure", "n_rpm", "n_rpx", "n_temperature",
				"s_device", "s_firmware", "s_message", "s_site", "s_status",
			},
			Stats: map[string]sources.Stats{"n_temperature": {Min: 100, Max: 500}, "n_humidity": {Min: 10, Max: 90}},
		}
	}
	_, err = store.Commit(ctx, v, lake.Commit{Add: files})
	return err
}
