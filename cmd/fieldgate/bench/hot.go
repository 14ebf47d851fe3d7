package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	hotRows = 1_000_000
	// hotTailMB has room for all of the rows and their copy.
	hotTailMB = 1024
	// hotBatchScans are the scans before the one that copies the rows.
	hotBatchScans = 3
)

// hotGroup is the number of the question of which the first scans are told.
const hotGroup = 2

// hotQuestions are asked of the hot window, and of a table of DuckDB with the same
// rows.
func hotQuestions() []question {
	const ours, theirs = ` from bench where timestamp >= '2000-01-01'`, ` from hot where _ts >= TIMESTAMP '2000-01-01'`
	return []question{
		{"count", `select count(*)` + ours, `select count(*)` + theirs},
		{"avg, max", `select avg(temperature), max(humidity)` + ours, `select avg(n_temperature), max(n_humidity)` + theirs},
		{
			"group by 1,000 devices", `select device, count(*), avg(temperature)` + ours + ` group by device`,
			`select s_device, count(*), avg(n_temperature)` + theirs + ` group by s_device`,
		},
		{
			"hour buckets", `select date_trunc('hour', timestamp), avg(temperature)` + ours + ` group by 1`,
			`select date_trunc('hour', _ts), avg(n_temperature)` + theirs + ` group by 1`,
		},
		{
			"filter", `select count(*), avg(humidity)` + ours + ` and temperature > 300 and device like 'd1%'`,
			`select count(*), avg(n_humidity)` + theirs + ` and n_temperature > 300 and s_device like 'd1%'`,
		},
		{
			"top 10", `select timestamp, device, temperature` + ours + ` order by temperature desc nulls last, timestamp limit 10`,
			`select _ts, s_device, n_temperature` + theirs + ` order by n_temperature desc nulls last, _ts limit 10`,
		},
	}
}

// benchHot scans the hot window: in batches, with the rows copied into a table, and
// beside a table that DuckDB has made itself.
func benchHot(ctx context.Context, o options, out io.Writer) (err error) {
	s, err := startServer(ctx, o.binary, fmt.Sprintf("FIELDGATE_LIMITS_TAIL_MB=%d", hotTailMB))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	rows := min(o.rows, hotRows)
	conn, err := compactedPoints(ctx, s, int64(rows))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	raw, err := rawOf(ctx, s, conn)
	if err != nil {
		return err
	}
	defer raw.close()
	if _, err := raw.drain("create table hot as from " + raw.files); err != nil {
		return err
	}
	if err := isHot(ctx, conn); err != nil {
		return err
	}
	return compareHot(ctx, o, conn, raw, rows, out)
}

// isHot checks that the questions open no file.
func isHot(ctx context.Context, conn *pgx.Conn) error {
	var plan string
	if err := conn.QueryRow(ctx, `explain (format json) `+hotQuestions()[0].sql).Scan(&plan); err != nil {
		return err
	}
	if !strings.Contains(plan, `"Hot Window": true`) {
		return errors.New("the questions read files")
	}
	return nil
}

func compareHot(ctx context.Context, o options, conn *pgx.Conn, raw *rawEngine, rows int, out io.Writer) error {
	group := hotQuestions()[hotGroup]
	var first []float64
	for range hotBatchScans + 1 {
		begin := time.Now()
		if _, err := drain(ctx, conn, group.sql); err != nil {
			return fmt.Errorf("%s: %w", group.name, err)
		}
		first = append(first, millis(time.Since(begin)))
	}
	_, err := fmt.Fprintf(out, "%d rows of the hot window, %s in batches: %s ms; the scan that copies them: %.1f ms. Then, %d rounds, ms:\n\n"+
		"| query | Fieldgate | DuckDB's own table | ratio of medians |\n| --- | --- | --- | --- |\n",
		rows, group.name, spreadOf(first[:hotBatchScans]).format(1), first[hotBatchScans], o.rounds)
	if err != nil {
		return err
	}
	for _, q := range hotQuestions() {
		for range hotBatchScans + 1 { // until its columns are copied too
			if _, err := drain(ctx, conn, q.sql); err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
		}
		if _, _, err := compare(ctx, o, conn, raw, q, out); err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
	}
	return nil
}
