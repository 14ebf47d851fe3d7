package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// cancelled are the statements that are stopped, by what they are doing; ROUND in one
// is another text each time.
func cancelled() map[string]string {
	// The engine looks for what such expressions have in common.
	joined := "n::text"
	for i := range 200 {
		joined = fmt.Sprintf("(%s || '%d')", joined, i)
	}
	const pairs = "generate_series(1, 100000) a(x), generate_series(1, 100000) b(x)"
	return map[string]string{
		"a scan":         "select sum(a.n * b.n) from bench a, bench b",
		"a sort":         "select a.x, b.x from " + pairs + " order by a.x * b.x, a.x limit 5",
		"a hash build":   "select count(*) from (select a.x * 100000 + b.x as k from " + pairs + ") s join (select n from bench) t on s.k = t.n",
		"string_agg":     "select length(string_agg(a.x::text || b.x::text, ',')) from " + pairs,
		"while it sends": "select a.x, b.x from " + pairs,
		// What was planned before is kept.
		"planning": "select " + strings.Repeat(joined+" || 'ROUND', ", 20) + "1 from bench",
	}
}

// cancelsOfKind is how often each kind of statement is stopped in each protocol.
const cancelsOfKind = 200

// benchCancel stops statements 50 ms after they began and measures until the
// client has the answer.
func benchCancel(ctx context.Context, o options, out io.Writer) (err error) {
	s, err := startServer(ctx, o.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	conn, err := wireTable(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	statements := cancelled()
	var b strings.Builder
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeExec} {
		var all []float64
		of := map[string][]float64{}
		for round := range cancelsOfKind {
			for name, sql := range statements {
				sql = strings.ReplaceAll(sql, "ROUND", fmt.Sprintf("%s %d", mode, round))
				took, err := cancelOnce(ctx, conn, sql, mode)
				if err != nil {
					return fmt.Errorf("cancel in %s: %w", name, err)
				}
				all, of[name] = append(all, took), append(of[name], took)
			}
		}
		slices.Sort(all)
		fmt.Fprintf(&b, "\nCancel to 57014, %s, %d times in a scan, a sort, a hash build, string_agg, while sending and planning: p50 %.1f, p99 %.1f, most %.1f ms.\n",
			mode, len(all), all[len(all)/2], all[len(all)*99/100], all[len(all)-1])
		for _, name := range slices.Sorted(maps.Keys(of)) {
			slices.Sort(of[name])
			fmt.Fprintf(&b, "In %s: p50 %.1f, p99 %.1f.\n", name, of[name][len(of[name])/2], of[name][len(of[name])*99/100])
		}
	}
	_, err = io.WriteString(out, b.String())
	return err
}

func cancelOnce(ctx context.Context, conn *pgx.Conn, sql string, mode pgx.QueryExecMode) (float64, error) {
	type sent struct {
		at  time.Time
		err error
	}
	done := make(chan sent, 1)
	timer := time.AfterFunc(50*time.Millisecond, func() {
		at := time.Now()
		done <- sent{at, conn.PgConn().CancelRequest(ctx)}
	})
	defer timer.Stop()
	err := drainMode(ctx, conn, sql, mode)
	ended := time.Now()
	request := <-done
	if request.err != nil {
		return 0, request.err
	}
	if !isCode(err, "57014") {
		return 0, fmt.Errorf("the statement ended with %w", err)
	}
	return millis(ended.Sub(request.at)), nil
}
