package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// askEvery is the pause between two looks for what is not visible yet.
const askEvery = 100 * time.Millisecond

// benchIngest measures events acknowledged after fsync beside a bare loop that
// reads a body and puts it into the same kind of log, nothing else.
func benchIngest(ctx context.Context, o options, out io.Writer) error {
	const each = 4 * time.Second
	var ours, bare, serverMicros, clientMicros []float64
	for range o.rounds {
		rate, server, client, err := ingestRate(ctx, o, each)
		if err != nil {
			return err
		}
		ours = append(ours, rate/1000)
		serverMicros, clientMicros = append(serverMicros, server), append(clientMicros, client)
		if rate, err = bareRate(ctx, each); err != nil {
			return err
		}
		bare = append(bare, rate/1000)
	}
	a, b := spreadOf(ours), spreadOf(bare)
	_, err := fmt.Fprintf(out, "Acknowledged after fsync, batches of %d, %d connections, client on the same cores, %d rounds of %v.\n\n"+
		"| | thousand events/s |\n| --- | --- |\n| Fieldgate | %s |\n| bare HTTP and log loop | %s |\n| ratio of medians | %.2f |\n\n"+
		"Processor µs an event acknowledged: %s of the server, what the stages do meanwhile included, and %s of the client.\n",
		batchEvents, connections, o.rounds, each, a.format(0), b.format(0), a.median/b.median,
		spreadOf(serverMicros).format(1), spreadOf(clientMicros).format(1))
	return err
}

// ingestRate gives events acknowledged a second, and the processor microseconds an
// event of server and client.
func ingestRate(ctx context.Context, o options, d time.Duration) (rate, server, client float64, err error) {
	s, err := startServer(ctx, o.binary)
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	before, err := s.usage()
	if err != nil {
		return 0, 0, 0, err
	}
	ownBefore, err := ownProcessor()
	if err != nil {
		return 0, 0, 0, err
	}
	begin := time.Now()
	if rate, err = loadFor(ctx, "http://"+s.httpAddr+"/v1/events/bench", d); err != nil {
		return 0, 0, 0, err
	}
	events := rate * time.Since(begin).Seconds()
	after, err := s.usage()
	if err != nil {
		return 0, 0, 0, err
	}
	ownAfter, err := ownProcessor()
	return rate, micros(after.cpu-before.cpu) / events, micros(ownAfter-ownBefore) / events, err
}

// ownProcessor is the processor time that this process has used.
func ownProcessor() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("read own processor time: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func loadFor(ctx context.Context, url string, d time.Duration) (float64, error) {
	l := &load{url: url}
	within, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	begin := time.Now()
	err := l.run(within)
	return float64(l.acked.Load()) / time.Since(begin).Seconds(), err
}

func bareRate(ctx context.Context, d time.Duration) (rate float64, err error) {
	dir, err := os.MkdirTemp("", "fieldgate-bench-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	log, err := stream.OpenDisk(stream.DiskConfig{Dir: dir, Shards: 2})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	var hash uint64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err == nil {
			hash += 0x9E3779B97F4A7C15
			_, err = log.Put(r.Context(), []stream.Entry{{Hash: hash, Data: text}})
		}
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer srv.Close()
	return loadFor(ctx, srv.URL, d)
}

// benchSustained drives the server for a minute and waits until every
// acknowledged event is found by SQL.
func benchSustained(ctx context.Context, o options, out io.Writer) (err error) {
	s, err := startServer(ctx, o.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	l := &load{url: "http://" + s.httpAddr + "/v1/events/bench"}
	within, cancel := context.WithTimeout(ctx, time.Duration(o.seconds)*time.Second)
	defer cancel()
	stopHeap := s.watchHeap(ctx)
	begin := time.Now()
	if err := l.run(within); err != nil {
		return err
	}
	loaded := time.Since(begin)
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	var rows, files int64
	for rows < l.acked.Load() {
		if err := pause(ctx, askEvery); err != nil { // asking costs the server time as well
			return err
		}
		if err := conn.QueryRow(ctx, "select count(*) from bench").Scan(&rows); err != nil {
			return err
		}
	}
	all := time.Since(begin)
	if err := conn.QueryRow(ctx, "select count(*) from fieldgate.files where metric = 'bench'").Scan(&files); err != nil {
		return err
	}
	u, err := s.usage()
	if err != nil {
		return err
	}
	heap, err := stopHeap()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "| | |\n| --- | --- |\n| acknowledged | %d events in %.1f s |\n| requests refused for the time being | %d |\n| until all are queryable | %.1f s: %.0f thousand events/s |\n"+
		"| found by count(*) | %d |\n| lake files | %d |\n| processor seconds a million rows, server | %.1f |\n| peak Go heap, looked at every %v | %d MB |\n| peak resident memory | %d MB |\n",
		l.acked.Load(), loaded.Seconds(), l.refused.Load(), all.Seconds(), float64(rows)/all.Seconds()/1000, rows, files,
		u.cpu.Seconds()/float64(rows)*1e6, heapEvery, heap>>20, u.peakRSS>>20)
	return err
}
