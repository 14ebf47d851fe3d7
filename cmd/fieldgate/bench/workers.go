package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
	"github.com/fieldgate/fieldgate/sources/dynamodb"
)

const (
	workersShards = 4
	workersLease  = 5 // seconds
	// workersWarm are the events before the first measurement of new processes,
	// workersFree those of one at full speed, and workersBound, for each worker, of one
	// in which workers are bounded.
	workersWarm, workersFree, workersBound = 4_000, 16_000, 2_500
	// workersPause is then between two of a worker's BatchWriteItem, of 25 events each:
	// 250 events a second. Four workers stay below what dynalite takes.
	workersPause = 100 * time.Millisecond
	// workersIdle is how long it is looked what workers use that have nothing to do.
	workersIdle = 5 * time.Second
	// workersRounds bounds the rounds: one takes two minutes.
	workersRounds = 3
	workersBucket = "bench-workers"
	workersMetric = "spindle"
)

// workerCounts are what is compared.
func workerCounts() []int { return []int{1, 2, 4} }

// benchWorkers carries the same events through 1, 2 and 4 processes of role stage, on
// the same streams and tables.
func benchWorkers(ctx context.Context, o options, out io.Writer) (err error) {
	w, err := startWorkersBench(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.ingest.stop(), w.gateway.stop()) }()
	results := map[int]*workersResult{}
	for _, n := range workerCounts() {
		results[n] = &workersResult{}
	}
	rounds := min(o.rounds, workersRounds)
	for range rounds {
		for _, n := range workerCounts() {
			if err := w.measure(ctx, n, results[n]); err != nil {
				return fmt.Errorf("%d workers: %w", n, err)
			}
		}
	}
	return printWorkers(out, rounds, results)
}

// workersBench are the stores, and the processes that are no workers.
type workersBench struct {
	o               options
	env             []string
	nearline        string // URL
	keys            *dynamodb.KV
	ingest, gateway *server
	posted          int64
}

// workersResult has what each round measured of a number of workers.
type workersResult struct {
	bound, boundMicros              []float64
	free, micros, busy, idle, calls []float64
}

func startWorkersBench(ctx context.Context, o options) (*workersBench, error) {
	streams, err := testdeps.StartKinesalite()
	if err != nil {
		return nil, fmt.Errorf("start kinesalite: %w", err)
	}
	tables, err := testdeps.StartDynalite()
	if err != nil {
		return nil, fmt.Errorf("start dynalite: %w", err)
	}
	objects, err := testdeps.StartVersityGW()
	if err != nil {
		return nil, fmt.Errorf("start versitygw: %w", err)
	}
	keys := credentials.NewStaticCredentialsProvider(testdeps.S3AccessKeyID, testdeps.S3SecretAccessKey, "")
	bucket := awss3.New(awss3.Options{Region: "us-east-1", BaseEndpoint: &objects, UsePathStyle: true, Credentials: keys})
	if _, err := bucket.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: aws.String(workersBucket)}); err != nil {
		return nil, err
	}
	w := &workersBench{o: o, nearline: tables, env: []string{
		"AWS_ACCESS_KEY_ID=" + testdeps.S3AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + testdeps.S3SecretAccessKey,
		"FIELDGATE_STREAM_KIND=kinesis", "FIELDGATE_STREAM_ENDPOINT=" + streams, fmt.Sprint("FIELDGATE_STREAM_SHARDS=", workersShards),
		"FIELDGATE_NEARLINE_KIND=dynamodb", "FIELDGATE_NEARLINE_ENDPOINT=" + tables,
		"FIELDGATE_KEYVALUE_KIND=dynamodb", "FIELDGATE_KEYVALUE_ENDPOINT=" + tables,
		"FIELDGATE_OBJECTS_KIND=s3", "FIELDGATE_OBJECTS_BUCKET=" + workersBucket, "FIELDGATE_OBJECTS_ENDPOINT=" + objects,
		"FIELDGATE_OBJECTS_PATH_STYLE=true", fmt.Sprint("FIELDGATE_LIMITS_LEASE_SECONDS=", workersLease),
	}}
	if w.ingest, err = startServer(ctx, o.binary, w.with("ingest")...); err != nil {
		return nil, err
	}
	w.keys, err = dynamodb.OpenKV(ctx, dynamodb.KVConfig{
		AWS: aws.Config{Region: "us-east-1", BaseEndpoint: &tables, Credentials: keys}, Table: "fieldgate-keyvalue",
	})
	if err != nil {
		return nil, errors.Join(err, w.ingest.stop())
	}
	first, err := w.startWorkers(ctx, 1) // makes the tables that a gateway waits for
	if err == nil {
		w.gateway, err = startServer(ctx, o.binary, w.with("gateway")...)
	}
	if err == nil {
		err = w.post(ctx, workersWarm) // names are new once
	}
	if err == nil {
		err = first.until(ctx, workersWarm)
	}
	if err = errors.Join(err, first.stop()); err != nil {
		return nil, errors.Join(err, w.ingest.stop())
	}
	return w, nil
}

// with is the environment of a process of a role.
func (w *workersBench) with(role string, more ...string) []string {
	return append(append([]string{"FIELDGATE_ROLES=" + role}, w.env...), more...)
}

// post has ingest take so many events of now.
func (w *workersBench) post(ctx context.Context, events int64) error {
	client := &http.Client{}
	defer client.CloseIdleConnections()
	l := &load{url: w.ingest.url("/v1/events/" + workersMetric)}
	b := newBody()
	now := time.Now().UnixMilli()
	for from := int64(0); from < events; from += batchEvents {
		b.set(w.posted)
		for i, at := range b.at {
			digits(b.text[at+b.place.time:], 13, now+from+int64(i))
		}
		if err := l.post(ctx, client, b.text); err != nil {
			return err
		}
		w.posted += batchEvents
	}
	return nil
}

// measure has so many workers carry the events of one round.
func (w *workersBench) measure(ctx context.Context, n int, into *workersResult) (err error) {
	team, err := w.startWorkers(ctx, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, team.stop()) }()
	if _, err := team.carry(ctx, w, workersWarm); err != nil {
		return err
	}
	before, err := team.processor()
	if err != nil {
		return err
	}
	if err := pause(ctx, workersIdle); err != nil {
		return err
	}
	after, err := team.processor()
	if err != nil {
		return err
	}
	idle := (after - before).Seconds() / workersIdle.Seconds()
	free, err := team.carry(ctx, w, workersFree)
	if err != nil {
		return err
	}
	team.pace.Store(int64(workersPause))
	bound, err := team.carry(ctx, w, workersBound*int64(n))
	if err != nil {
		return err
	}
	into.idle = append(into.idle, 1000*idle)
	into.free = append(into.free, free.events/free.took.Seconds())
	into.bound = append(into.bound, bound.events/bound.took.Seconds())
	into.boundMicros = append(into.boundMicros, bound.micros())
	into.micros = append(into.micros, free.micros())
	into.busy = append(into.busy, 1e6*(free.processor.Seconds()-idle*free.took.Seconds())/free.events)
	into.calls = append(into.calls, 1000*float64(free.calls)/free.events)
	return nil
}

// team are workers, each of which reaches the tables of recent events by a proxy of its own.
type team struct {
	workers []*server
	proxies []*faultproxy.Proxy
	pace    atomic.Int64 // the pause between two BatchWriteItem of a worker, in nanoseconds
	written atomic.Int64 // events
	calls   atomic.Int64 // BatchWriteItem
}

func (w *workersBench) startWorkers(ctx context.Context, n int) (*team, error) {
	t := &team{}
	for range n {
		p, err := faultproxy.Open(ctx, w.nearline, t.decide())
		if err != nil {
			return nil, errors.Join(err, t.stop())
		}
		t.proxies = append(t.proxies, p)
		s, err := startServer(ctx, w.o.binary, w.with("stage", "FIELDGATE_NEARLINE_ENDPOINT="+p.URL)...)
		if err != nil {
			return nil, errors.Join(err, t.stop())
		}
		t.workers = append(t.workers, s)
	}
	if err := w.shared(ctx, n); err != nil {
		return nil, errors.Join(err, t.stop())
	}
	return t, nil
}

// decide counts what a worker writes, and lets it pass at the pace of the team.
func (t *team) decide() faultproxy.Decide {
	var mu sync.Mutex
	var slot time.Time
	return func(r faultproxy.Request) faultproxy.Fault {
		if r.Operation != "BatchWriteItem" {
			return faultproxy.Fault{}
		}
		t.calls.Add(1)
		events := int64(bytes.Count(r.Body, []byte(`"PutRequest"`)))
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if slot = slot.Add(time.Duration(t.pace.Load())); slot.Before(now) {
			slot = now
		}
		delay := slot.Sub(now)
		time.AfterFunc(delay, func() { t.written.Add(events) })
		return faultproxy.Fault{Kind: faultproxy.Slow, Delay: delay}
	}
}

// shared returns when each of n workers has its part of the shards of every consumer.
func (w *workersBench) shared(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		items, err := w.keys.List(ctx, "checkpoints/", "", 1000)
		if err != nil {
			return err
		}
		holders := map[string]map[string]int{} // by log and consumer, shards by owner
		for _, item := range items {
			var lease struct{ Owner string }
			if err := json.Unmarshal(item.Value, &lease); err != nil {
				return err
			}
			of := item.Key[:strings.LastIndexByte(item.Key, '/')]
			if strings.HasPrefix(of, "checkpoints/errors/") || lease.Owner == "" {
				continue
			}
			if holders[of] == nil {
				holders[of] = map[string]int{}
			}
			holders[of][lease.Owner]++
		}
		even := len(holders) == 4
		for _, owners := range holders {
			for _, shards := range owners {
				even = even && len(owners) == n && shards == workersShards/n
			}
		}
		if even {
			return nil
		}
		if err := pause(ctx, askEvery); err != nil {
			return fmt.Errorf("the shards are not shared: %w", err)
		}
	}
}

// carried is what a team did.
type carried struct {
	events    float64
	took      time.Duration
	processor time.Duration
	calls     int64
}

// micros is the processor time of an event.
func (c carried) micros() float64 { return float64(c.processor.Microseconds()) / c.events }

// carry has the team carry new events, and looks that each is there once.
func (t *team) carry(ctx context.Context, w *workersBench, events int64) (c carried, err error) {
	before, err := t.processor()
	if err != nil {
		return c, err
	}
	written, calls, began := t.written.Load(), t.calls.Load(), time.Now()
	if err := w.post(ctx, events); err != nil {
		return c, err
	}
	if err := t.until(ctx, written+events); err != nil {
		return c, err
	}
	c = carried{events: float64(events), took: time.Since(began), calls: t.calls.Load() - calls}
	after, err := t.processor()
	if err != nil {
		return c, err
	}
	c.processor = after - before
	return c, w.count(ctx)
}

// until returns when so many events have been written in all.
func (t *team) until(ctx context.Context, events int64) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for t.written.Load() < events {
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return fmt.Errorf("%d of %d events are written: %w", t.written.Load(), events, err)
		}
	}
	return nil
}

// count holds that all events are found once.
func (w *workersBench) count(ctx context.Context) (err error) {
	conn, err := w.gateway.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	var n int64
	for range 50 { // the last calls may be under way
		if err := conn.QueryRow(ctx, "select count(*) from "+workersMetric).Scan(&n); err != nil {
			return err
		}
		if n == w.posted {
			return nil
		}
		if err := pause(ctx, askEvery); err != nil {
			return err
		}
	}
	return fmt.Errorf("%d of %d events are found", n, w.posted)
}

// processor is what the workers have used.
func (t *team) processor() (sum time.Duration, err error) {
	for _, s := range t.workers {
		u, err := s.usage()
		if err != nil {
			return 0, err
		}
		sum += u.cpu
	}
	return sum, nil
}

func (t *team) stop() error {
	var errs []error
	for _, s := range t.workers {
		errs = append(errs, s.stop())
	}
	for _, p := range t.proxies {
		p.Close()
	}
	return errors.Join(errs...)
}

func printWorkers(out io.Writer, rounds int, results map[int]*workersResult) error {
	_, err := fmt.Fprintf(out, "Processes of role stage on %d shards a stream, kinesalite, dynalite and versitygw on the same cores, %d rounds interleaved.\n\n"+
		"Bounded: each worker's BatchWriteItem, of 25 events, pass one every %v, so that one can do %.0f events a second; %d events a worker.\n\n"+
		"| workers | events/s | of one worker's | processor µs an event | of one worker's |\n| --- | --- | --- | --- | --- |\n",
		workersShards, rounds, workersPause, 25/workersPause.Seconds(), workersBound)
	if err != nil {
		return err
	}
	one := results[1]
	for _, n := range workerCounts() {
		r := results[n]
		_, err := fmt.Fprintf(out, "| %d | %s | %s | %s | %s |\n", n, spreadOf(r.bound).format(0), ratiosOf(r.bound, one.bound).format(2),
			spreadOf(r.boundMicros).format(0), ratiosOf(r.boundMicros, one.boundMicros).format(2))
		if err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(out, "\nFree: nothing bounds a worker but the servers; the same %d events whatever the number of workers.\n\n"+
		"| workers | events/s | processor µs an event | less what idle workers use | of one worker's | idle, processor ms a second | BatchWriteItem calls, 1,000 events |\n"+
		"| --- | --- | --- | --- | --- | --- | --- |\n", workersFree)
	for _, n := range workerCounts() {
		r := results[n]
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "| %d | %s | %s | %s | %s | %s | %s |\n", n, spreadOf(r.free).format(0), spreadOf(r.micros).format(0),
			spreadOf(r.busy).format(0), ratiosOf(r.busy, one.busy).format(2), spreadOf(r.idle).format(0), spreadOf(r.calls).format(0))
	}
	return err
}

// ratiosOf are the ratios of each round.
func ratiosOf(values, to []float64) spread {
	ratios := make([]float64, len(values))
	for i := range values {
		ratios[i] = values[i] / to[i]
	}
	return spreadOf(ratios)
}
