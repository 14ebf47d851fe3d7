package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

const (
	tortureRounds  = 30
	tortureWriters = 8
)

// torture is what is posted while the server is killed again and again.
type torture struct {
	acked int // events at least
	batch int // events a request
	// largeEvery has every so many events carry largeText letters, which lie in
	// an object beside the log; 0: none.
	largeEvery, largeText int
	// recent, if set, is the time of the newest events; the others lie in the seven
	// weeks before. By default all are of one old minute.
	recent time.Time
	// rounds is how often at least the server is killed; 0: tortureRounds.
	rounds int
	// adjust, if set, changes the server's configuration.
	adjust func(*config.Config)
	// meanwhile, if set, runs beside the writers of each round until ctx ends.
	meanwhile func(ctx context.Context)
}

func itoa(n int) string { return strconv.Itoa(n) }

// environment has the variables by which a program is configured so.
func environment(c *config.Config) []string {
	var variables []string
	for _, s := range config.SettingsOf(c) {
		if s.IsDefault() {
			continue
		}
		text := fmt.Sprint(s.Value.Interface())
		if list, ok := s.Value.Interface().([]string); ok {
			text = strings.Join(list, ",")
		}
		variables = append(variables, s.Variable()+"="+text)
	}
	return variables
}

// acknowledged collects the numbers of events that were answered with 200.
type acknowledged struct {
	mu      sync.Mutex
	numbers []int
}

func (a *acknowledged) add(from, to int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for n := from; n < to; n++ {
		a.numbers = append(a.numbers, n)
	}
}

func (a *acknowledged) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.numbers)
}

// await returns when there are so many, or when the time is over.
func (a *acknowledged) await(n int, limit time.Duration) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); a.count() < n && time.Now().Before(deadline); {
		<-tick.C
	}
}

// TestKill kills the server at random moments of ingest and compaction, and
// finds every acknowledged event exactly once.
func TestKill(t *testing.T) {
	t.Parallel()
	torture{acked: 200_000, batch: 100}.run(t)
}

// TestKillLarge is TestKill with events among others whose staged records do not
// stay in the log.
func TestKillLarge(t *testing.T) {
	t.Parallel()
	torture{acked: 15_000, batch: 20, largeEvery: 100, largeText: 400_000}.run(t)
}

func (k torture) run(t *testing.T) {
	t.Helper()
	if k.rounds == 0 {
		k.rounds = tortureRounds
	}
	if k.adjust == nil {
		k.adjust = func(*config.Config) {}
	}
	if testing.Short() {
		t.Skip("takes a minute")
	}
	random := rand.New(rand.NewPCG(tortureSeed(t), 0))
	c := config.Default()
	c.Dev, c.Limits.TailMB = true, 32
	c.DataDir, c.HTTPAddr, c.PGAddr = t.TempDir(), freeAddr(t), freeAddr(t)
	k.adjust(&c)
	var acked acknowledged
	var next sync.Mutex
	number := 0
	take := func() int {
		next.Lock()
		defer next.Unlock()
		number += k.batch
		return number - k.batch
	}
	rounds := 0
	for ; rounds < k.rounds || acked.count() < k.acked; rounds++ {
		// Every other round kills the program as users have it.
		binary := testBinary(t)
		if rounds%2 == 1 {
			binary = plainBinary(t)
		}
		p := begin(t, serveProcess(t, binary, &c))
		awaitHealthy(t, c.HTTPAddr, p.ended)
		ctx, stop := context.WithCancel(t.Context())
		var writers sync.WaitGroup
		for range tortureWriters {
			writers.Go(func() {
				for ctx.Err() == nil {
					from := take()
					if k.post(ctx, c, from, from+k.batch) {
						acked.add(from, from+k.batch)
					}
				}
			})
		}
		if random.IntN(2) == 0 {
			writers.Go(func() { compactOnce(ctx, c) })
		}
		if k.meanwhile != nil {
			writers.Go(func() { k.meanwhile(ctx) })
		}
		acked.await(acked.count()+1+random.IntN(2*k.acked/k.rounds), 30*time.Second)
		p.end(syscall.SIGKILL)
		stop()
		writers.Wait()
	}
	t.Logf("%d rounds", rounds)
	i := start(t, c.DataDir, k.adjust)
	if c.Shared() {
		k.settle(t, i, &acked) // such a server does not wait for others' stages
	}
	k.check(t, i, &acked, "after the last restart")
	i.query(t, `select fieldgate.compact()`)
	k.check(t, i, &acked, "compacted")
}

// tortureSeed decides what goes wrong when, as far as that can be decided. The
// environment may give it, to run the same again.
func tortureSeed(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("FIELDGATE_TORTURE_SEED"); text != "" {
		given, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = given
	}
	t.Logf("FIELDGATE_TORTURE_SEED=%d", seed)
	return seed
}

// found is what of the acknowledged events is not as it should be.
type found struct{ all, lost, twice, wrong int }

// find looks for the acknowledged events.
func (k torture) find(t *testing.T, i *instance, acked *acknowledged) (f found, err error) {
	t.Helper()
	counts := map[int]int{}
	rows, err := i.tryQuery(t, `select n, count(*), max(length(text)) from torture group by n`)
	if err != nil {
		return f, err
	}
	for _, line := range strings.Split(rows, "\n") {
		var number, count, length int
		if _, err := fmt.Sscanf(line, "%d|%d|%d", &number, &count, &length); err != nil {
			t.Fatalf("row %q: %v", line, err)
		}
		counts[number] = count
		if count > 1 {
			f.twice++
		}
		if length != len(k.text(number)) {
			f.wrong++
		}
	}
	f.all = len(counts)
	for _, n := range acked.numbers {
		if counts[n] == 0 {
			f.lost++
		}
	}
	return f, nil
}

// settledWithin is how long it may take until more of what was acknowledged is
// found, once nobody is killed any more.
const settledWithin = 3 * time.Minute

// settle waits until all acknowledged events are found, or no more of them.
func (k torture) settle(t *testing.T, i *instance, acked *acknowledged) {
	t.Helper()
	least := acked.count() + 1
	for deadline := time.Now().Add(settledWithin); time.Now().Before(deadline); <-time.After(200 * time.Millisecond) {
		f, err := k.find(t, i, acked)
		if err == nil && f.lost == 0 {
			return
		}
		if err == nil && f.lost < least {
			least, deadline = f.lost, time.Now().Add(settledWithin)
		}
	}
}

// check holds that every acknowledged event is there exactly once, and no error
// row.
func (k torture) check(t *testing.T, i *instance, acked *acknowledged, when string) {
	t.Helper()
	f, err := k.find(t, i, acked)
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	result := fmt.Sprintf("%s: %d acknowledged, %d found, %d lost, %d found twice, %d with another text", when, acked.count(), f.all, f.lost, f.twice, f.wrong)
	t.Log(result)
	if f.lost+f.twice+f.wrong > 0 {
		t.Error(result)
	}
	if errors := i.query(t, `select count(*) from errors.stream`); errors != "0" {
		t.Errorf("%s: %s error rows", when, errors)
	}
}

// millis is an event's time.
func (k torture) millis(n int) int64 {
	if k.recent.IsZero() {
		return 1_700_000_000_000 + int64(n)
	}
	return k.recent.AddDate(0, 0, -7*(n%8)).UnixMilli() - int64(n)
}

// text is what an event carries beside its numbers.
func (k torture) text(n int) string {
	if k.largeEvery > 0 && n%k.largeEvery == 0 {
		return strings.Repeat("x", k.largeText)
	}
	return "short"
}

// post posts events with the numbers from (included) to to (excluded) and says
// whether they were acknowledged.
func (k torture) post(ctx context.Context, c config.Config, from, to int) bool {
	var body strings.Builder
	for n := from; n < to; n++ {
		fmt.Fprintf(&body, `{"n":%d,"timestamp":%d,"device":"d%d","value":%d.5,"text":%q}`+"\n", n, k.millis(n), n%100, n%1000, k.text(n))
	}
	return postBody(ctx, c, "torture", body.String())
}

// postBody posts a body and says whether it was acknowledged. It fails no test,
// so that any goroutine may call it.
func postBody(ctx context.Context, c config.Config, metric, body string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.HTTPAddr+"/v1/events/"+metric, strings.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("X-Api-Key", "demo-key")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close() // only the status counts
	return res.StatusCode == http.StatusOK
}

// compactOnce asks for a compaction, which the kill may cut.
func compactOnce(ctx context.Context, c config.Config) {
	conn, err := pgconn.Connect(ctx, "postgres://demo:demo@"+c.PGAddr+"/demo?sslmode=disable")
	if err != nil {
		return
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // the server is gone
	if _, err := conn.Exec(ctx, `select fieldgate.compact()`).ReadAll(); err != nil && !errors.Is(err, context.Canceled) {
		return
	}
}
