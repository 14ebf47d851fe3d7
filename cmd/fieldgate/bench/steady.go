package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// benchSteady posts 5,000 events a second and measures how long after its
// acknowledgement an event is found, and what the server uses.
func benchSteady(ctx context.Context, o options, out io.Writer) (err error) {
	const perSecond = 5000
	s, err := startServer(ctx, o.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	client := &http.Client{}
	l := &load{url: "http://" + s.httpAddr + "/v1/events/bench"}
	before, err := s.usage()
	if err != nil {
		return err
	}
	var delays []float64
	var polling time.Duration
	b := newBody()
	begin := time.Now()
	tick := time.NewTicker(time.Second / (perSecond / batchEvents))
	defer tick.Stop()
	probe := time.Now()
	for time.Since(begin) < time.Duration(o.seconds)*time.Second {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		first := l.next.Add(batchEvents) - batchEvents
		b.set(first)
		if err := l.post(ctx, client, b.text); err != nil {
			return err
		}
		if time.Since(probe) < 200*time.Millisecond {
			continue
		}
		probe = time.Now()
		for found := 0; found == 0; {
			err := conn.QueryRow(ctx, "select count(*) from bench where timestamp = to_timestamp($1::float8)",
				float64(firstTime+first)/1000).Scan(&found)
			if err != nil {
				return err
			}
		}
		delays = append(delays, millis(time.Since(probe)))
		polling += time.Since(probe)
	}
	elapsed := time.Since(begin)
	after, err := s.usage()
	if err != nil {
		return err
	}
	archived, err := awaitArchive(ctx, s, l.acked.Load())
	if err != nil {
		return err
	}
	slices.Sort(delays)
	_, err = fmt.Fprintf(out, "| | |\n| --- | --- |\n| events | %d in %.0f s, %.0f a second |\n| acknowledged to visible, ms | p50 %.1f, p99 %.1f, most %.1f (%d probes, a query's own time included) |\n"+
		"| acknowledged to archived, s | most %.0f of %d objects |\n"+
		"| server's share of the two cores, probing queries included | %.0f %% |\n",
		l.acked.Load(), elapsed.Seconds(), float64(l.acked.Load())/elapsed.Seconds(),
		delays[len(delays)/2], delays[len(delays)*99/100], delays[len(delays)-1], len(delays),
		archived.most.Seconds(), archived.objects,
		100*(after.cpu-before.cpu).Seconds()/elapsed.Seconds()/2)
	return err
}
