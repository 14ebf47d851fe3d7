package main

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// The same answers before, during and after compaction, whatever the order and
// however often the events came. Checked against the feed by jq:
// jq -s '[.[].mag] | map(select(. != null)) | (add/length, max)'.
var earthquakeQuestions = []struct{ sql, want string }{
	{`select count(*) from earthquake`, `1707`},
	{`select count(mag), max(mag), min("geometry.type"), max("geometry.type") from earthquake`, `1707|6.4|Point|Point`},
	{`select round(avg(mag)::numeric, 6) from earthquake`, ``},
	{`select type, count(*) from earthquake group by type order by 2 desc, 1`, ``},
	{`select count(*) from earthquake where mag >= 4.5 and place like '%Alaska%'`, ``},
	{`select mag, place from earthquake order by mag desc nulls last, place limit 5`, ``},
	{`select count(*) from earthquake where timestamp >= '2018-02-05' and timestamp < '2018-02-06'`, ``},
}

// TestEarthquakes posts the whole feed twice, shuffled, with restarts between,
// and compacts at random points.
func TestEarthquakes(t *testing.T) {
	t.Parallel()
	testEarthquakes(t, t.TempDir())
}

// testEarthquakes does so in a data directory of a server that is adjusted.
func testEarthquakes(t *testing.T, dir string, adjust ...func(*config.Config)) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	lines := earthquakes(t)
	twice := append(append([]string{}, lines...), lines...)
	random.Shuffle(len(twice), func(i, j int) { twice[i], twice[j] = twice[j], twice[i] })

	i := start(t, dir, adjust...)
	if status, answer := i.request(t, http.MethodPatch, "/v1/schema", `{"timestamp_aliases":["time"]}`, "Content-Type", "application/merge-patch+json"); status != http.StatusOK {
		t.Fatalf("declare the timestamp alias: %d %s", status, answer)
	}
	const pieces = 6
	for piece := range pieces {
		part := twice[piece*len(twice)/pieces : (piece+1)*len(twice)/pieces]
		i.post(t, part)
		seen := map[string]bool{}
		for _, l := range twice[:(piece+1)*len(twice)/pieces] {
			seen[l] = true
		}
		i.eventually(t, `select count(*) from earthquake`, itoa(len(seen)))
		switch random.IntN(3) {
		case 0:
			i.query(t, `select fieldgate.compact()`)
		case 1:
			i.close(t)
			i = start(t, dir, adjust...)
		}
		if got := i.query(t, `select count(*) from earthquake`); got != itoa(len(seen)) {
			t.Fatalf("after piece %d: %s rows, want %d", piece, got, len(seen))
		}
	}

	answers := make([]string, len(earthquakeQuestions))
	for n, q := range earthquakeQuestions {
		answers[n] = i.query(t, q.sql)
		if q.want != "" && answers[n] != q.want {
			t.Errorf("%s:\n got %s\nwant %s", q.sql, answers[n], q.want)
		}
	}
	same := func(when string) {
		t.Helper()
		for n, q := range earthquakeQuestions {
			if got := i.query(t, q.sql); got != answers[n] {
				t.Errorf("%s, %s:\n got %s\nwant %s", when, q.sql, got, answers[n])
			}
		}
	}
	done := make(chan string, 1)
	go func() { done <- i.query(t, `select fieldgate.compact()`) }()
	for compacting := true; compacting; {
		same("during compaction")
		select {
		case <-done:
			compacting = false
		default:
		}
	}
	same("after compaction")
	i.close(t)
	i = start(t, dir, adjust...)
	same("after a restart")
	if explained := i.query(t, `explain select count(*) from earthquake`); !strings.Contains(explained, "file") {
		t.Errorf("EXPLAIN names no file:\n%s", explained)
	}
}
