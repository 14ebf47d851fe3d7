package suggest

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
	"github.com/fieldgate/fieldgate/sources/bolt"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// world profiles events for a test.
type world struct {
	t        *testing.T
	profiles *profile.Profiles
	shard    *profile.Shard
	n        int
	metrics  []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "kv.bolt")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	p := profile.New(db, profile.Config{})
	return &world{t: t, profiles: p, shard: p.Shard(0)}
}

// send profiles an event, a second after the one before.
func (w *world) send(metric string, values map[string]any) {
	w.t.Helper()
	w.n++
	at := start.Add(time.Duration(w.n) * time.Second).UnixMicro()
	e := &schema.Event{Dataset: schema.Dataset{Tenant: "acme", Metric: metric}, Time: at, ReceivedAt: at}
	sum := sha256.Sum256(fmt.Append(nil, w.n))
	copy(e.Hash[:], sum[:])
	for name, v := range values {
		value := schema.Value{Name: name}
		switch v := v.(type) {
		case int:
			value.Kind, value.Int = schema.KindInt, int64(v)
		case float64:
			value.Kind, value.Num = schema.KindNumber, v
			if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
				value.Kind, value.Int = schema.KindInt, int64(v)
			}
		case bool:
			value.Kind = schema.KindBool
		case string:
			value.Kind, value.Text = schema.KindText, []byte(v)
		default:
			continue // null, or nested
		}
		e.Values = append(e.Values, value)
	}
	slices.SortFunc(e.Values, func(a, b schema.Value) int { return strings.Compare(a.Name, b.Name) })
	if !slices.Contains(w.metrics, metric) {
		w.metrics = append(w.metrics, metric)
	}
	if err := w.shard.Note(w.t.Context(), e, profile.Position{0, 0, uint64(w.n)}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) table(metric string, declared ...schema.Field) *table {
	w.t.Helper()
	s, err := w.profiles.Summary(w.t.Context(), schema.Dataset{Tenant: "acme", Metric: metric})
	if err != nil {
		w.t.Fatal(err)
	}
	tb := &table{name: metric, summary: s, ignored: map[string]bool{"timestamp": true, "metrictype": true}}
	if declared != nil {
		tb.metric = &schema.Metric{Name: metric, Fields: declared}
	}
	return tb
}

func field(name, typeName string) schema.Field {
	return schema.Field{Name: name, Type: schema.Type{Name: typeName}, Sources: []schema.Source{{Name: name}}}
}

// lines writes proposals of a kind, a line each.
func lines(list []proposal, kind string) string {
	var out []string
	for _, p := range list {
		if p.Kind == kind {
			out = append(out, fmt.Sprintf("%s -> %s.%s %s [%s]", p.Sent, p.Metric, p.Field, p.Type, p.Convert))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// hidden are three relations that no unit is known for, between names that say
// nothing.
var hidden = []struct {
	from, to string
	linear
	draw func(r *rand.Rand, n int) float64
}{
	{"q7", "a1", linear{2.37, 11}, func(r *rand.Rand, n int) float64 { return 20 + 8*math.Sin(float64(n)/500) + r.NormFloat64() }},
	{"zz", "b2", linear{-0.713, 250}, func(r *rand.Rand, _ int) float64 { return 40 * r.ExpFloat64() }},
	{"k9", "c3", linear{1331, -4}, func(r *rand.Rand, _ int) float64 { return 5 + 90*r.Float64() }},
}

// checkRelations sees that each hidden relation was proposed, its slope within
// a share and its values over the population within that share of their mean size.
func checkRelations(t *testing.T, got []aliasProposal, within float64) {
	t.Helper()
	for _, h := range hidden {
		found := false
		for _, p := range got {
			if p.Sent != h.from || p.Field != h.to {
				continue
			}
			found = true
			slope, offset := p.Evidence["slope"].(float64), p.Evidence["offset"].(float64)
			// What was sent under from is (to - offset) / slope.
			if off := math.Abs(slope/h.slope - 1); off > within {
				t.Errorf("%s: slope %g is off by %.2f %%", h.from, slope, 100*off)
			}
			t.Logf("%s: value * %g + %g, hidden was * %g + %g: %s", h.from, slope, offset, h.slope, h.offset, p.Convert)
		}
		if !found {
			t.Errorf("%s is not proposed for %s", h.from, h.to)
		}
	}
	if len(got) != len(hidden) {
		for _, p := range got {
			t.Logf("proposed: %s for %s", p.Sent, p.Field)
		}
		t.Errorf("%d aliases are proposed, want %d", len(got), len(hidden))
	}
}

func aliasesOf(t *testing.T, tb *table) []aliasProposal {
	t.Helper()
	aliases, err := tb.aliases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return aliases
}

func proposalsOf(t *testing.T, tb *table) []proposal {
	t.Helper()
	proposals, err := tb.proposals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return proposals
}

// TestLookEnds has a look at a table's fields end with its context.
func TestLookEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range minSeen {
		w.send("m", map[string]any{"a": float64(n), "b": float64(n)})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if found, err := w.table("m").proposals(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("proposals %v, %v", found, err)
	}
}

// TestStartLine finds the line that is best of all those which it tries.
func TestStartLine(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 10))
	for range 50 {
		n := 2 + r.IntN(100)
		x, y := make([]float64, n), make([]float64, n)
		for i := range n {
			x[i] = math.Round(10 * r.NormFloat64())
			y[i] = 3*x[i] + math.Round(5*r.ExpFloat64())
		}
		quartile := func(l linear) float64 {
			distances := make([]float64, n)
			for i := range n {
				distances[i] = math.Abs(y[i] - l.of(x[i]))
			}
			slices.Sort(distances)
			return distances[n*3/4]
		}
		least := math.Inf(1)
		for step := 1; step < n; step += 1 + n/24 {
			for i := range n {
				if j := (i + step) % n; x[i] != x[j] && y[i] != y[j] {
					slope := (y[j] - y[i]) / (x[j] - x[i])
					least = min(least, quartile(linear{slope, y[i] - slope*x[i]}))
				}
			}
		}
		l, ok := startLine(x, y)
		if ok != !math.IsInf(least, 1) || ok && quartile(l) != least {
			t.Fatalf("through %v, %v: %v, %v, whose third quartile is %v; the least is %v", x, y, l, ok, quartile(l), least)
		}
	}
}

func TestRelationsInEvents(t *testing.T) {
	t.Parallel()
	for name, noise := range map[string]func(r *rand.Rand, v float64) float64{
		"each value off by 1 %": func(r *rand.Rand, v float64) float64 { return v * (1 + 0.01*r.NormFloat64()) },
		"one value in 100 is wrong": func(r *rand.Rand, v float64) float64 {
			if r.IntN(100) == 0 {
				return 1e4 * r.NormFloat64()
			}
			return v
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := rand.New(rand.NewPCG(3, 4))
			for n := range 4000 {
				event := map[string]any{"dev": fmt.Sprint("d", n%20), "other": r.Float64(), "more": 30 * r.NormFloat64()}
				for _, h := range hidden {
					x := h.draw(r, n)
					event[h.to] = noise(r, h.of(x))
					if n > 500 && n%10 < 2 { // few devices send both
						event[h.from] = x
					}
				}
				w.send("m", event)
			}
			checkRelations(t, aliasesOf(t, w.table("m")), 0.02)
		})
	}
}

func TestRelationsOfPopulations(t *testing.T) {
	t.Parallel()
	noises := map[string]func(r *rand.Rand, v float64) float64{
		"no noise":              func(_ *rand.Rand, v float64) float64 { return v },
		"each value off by 1 %": func(r *rand.Rand, v float64) float64 { return v * (1 + 0.01*r.NormFloat64()) },
		"one value in 100 is wrong": func(r *rand.Rand, v float64) float64 {
			if r.IntN(100) == 0 {
				return 1e9 * r.NormFloat64()
			}
			return v
		},
	}
	for name, noise := range noises {
		for seed := range uint64(6) {
			t.Run(fmt.Sprint(name, ", ", seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				r := rand.New(rand.NewPCG(5, seed))
				for n := range 6000 {
					event := map[string]any{"dev": fmt.Sprint("d", n%40), "other": r.Float64()}
					for _, h := range hidden {
						x := h.draw(r, n)
						if device := n % 40; device < 25 {
							event[h.to] = noise(r, h.of(x))
						} else {
							event[h.from] = noise(r, x)
						}
					}
					w.send("m", event)
				}
				checkRelations(t, aliasesOf(t, w.table("m")), 0.1)
			})
		}
	}
}

func TestSimilarNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := rand.New(rand.NewPCG(7, 8))
	for n := range 2000 {
		temperature := 20 + 5*r.NormFloat64()
		event := map[string]any{"temperature": temperature, "door": "open", "window": r.Float64() * 100, "sensor1": r.Float64()}
		switch n % 4 {
		case 1:
			event = map[string]any{"temp": temperature, "wind": r.ExpFloat64() * 100, "sensor2": r.Float64() * r.Float64(), "Door": "shut"}
		case 2:
			event = map[string]any{"temp_f": temperature*1.8 + 32, "door_state": "x"}
		case 3:
			event = map[string]any{"temprature": temperature, "min_temperature": temperature - 10}
		}
		w.send("m", event)
	}
	got := proposalsOf(t, w.table("m", field("temperature", "double precision"), field("door", "text"), field("window", "real"), field("sensor1", "real")))
	const want = `Door -> m.door text []
temp -> m.temperature double precision []
temp_f -> m.temperature double precision [(value - 32) * 5 / 9]
temprature -> m.temperature double precision []`
	if lines := lines(got, KindAlias); lines != want {
		t.Errorf("got\n%s\nwant\n%s", lines, want)
	}
	const fields = `door_state -> m.door_state text []
min_temperature -> m.min_temperature double precision []
sensor2 -> m.sensor2 double precision []
wind -> m.wind double precision []`
	if lines := lines(got, KindField); lines != fields {
		t.Errorf("got\n%s\nwant\n%s", lines, fields)
	}
}

func TestBestTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 100 {
		w.send("m", map[string]any{
			"i": n, "x": float64(n) / 2, "b": n%2 == 0, "ti": fmt.Sprint(n + 1), "tx": fmt.Sprint(float64(n) / 4), "zip": fmt.Sprintf("%05d", n),
			"at": start.Add(time.Duration(n) * time.Hour).Format(time.RFC3339), "day": start.AddDate(0, 0, n).Format(time.DateOnly),
			"uuid": fmt.Sprintf("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a%02d", n%90), "on": []string{"true", "false"}[n%2], "doc": fmt.Sprintf(`{"a":%d}`, n),
			"name": fmt.Sprint("dev-", n), "mixed": map[bool]any{true: n, false: fmt.Sprint(n)}[n%3 > 0],
		})
	}
	const want = `at timestamptz
b boolean
day date
doc jsonb
i bigint
mixed bigint
name text
on boolean
ti bigint
tx double precision
uuid uuid
x double precision
zip text`
	var got []string
	for _, p := range proposalsOf(t, w.table("m", schema.Field{Name: "none"})) {
		got = append(got, p.Sent+" "+p.Type)
	}
	slices.Sort(got)
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

func TestMetricsThatAreOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := rand.New(rand.NewPCG(9, 1))
	for range 100 {
		for _, name := range []string{"thermo", "x41"} {
			w.send(name, map[string]any{"temp": 20 + r.NormFloat64(), "hum": 40 + 5*r.NormFloat64(), "battery": r.Float64(), "dev": "a"})
		}
		w.send("oven", map[string]any{"temp": 200 + r.NormFloat64(), "hum": 4 + r.NormFloat64(), "battery": r.Float64(), "dev": "a"})
		w.send("pressure", map[string]any{"value": 1000 + r.NormFloat64(), "dev": "a"})
		w.send("humidity", map[string]any{"value": 40 + r.NormFloat64(), "dev": "a"})
	}
	var tables []*table
	for _, m := range w.metrics {
		tables = append(tables, w.table(m))
	}
	got := metricProposals(tables)
	if text := lines(got, KindMetricAlias); text != "x41 -> thermo.  []" {
		t.Errorf("aliases:\n%s", text)
	}
	if text := lines(got, KindMetric); strings.Count(text, "\n") != 3 {
		t.Errorf("metrics:\n%s", text)
	}
}

// TestPublicData proposes no alias on data that has none: the earthquakes of the
// demo, and what lies beside the repository, if it does.
func TestPublicData(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	files, err := filepath.Glob("../../../shared/data/*")
	if err != nil {
		t.Fatal(err)
	}
	quakes := "../../deploy/demo/earthquakes.ndjson.gz"
	for line := range strings.Lines(unpack(t, quakes)) {
		var event map[string]any
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatal(err)
		}
		w.send("earthquake", event)
	}
	for _, file := range files {
		if filepath.Ext(file) != ".csv" {
			continue
		}
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			event := map[string]any{}
			for i, cell := range row {
				event[rows[0][i]] = cell
				if x, err := strconv.ParseFloat(cell, 64); err == nil {
					event[rows[0][i]] = x
				}
			}
			w.send(strings.TrimSuffix(filepath.Base(file), ".csv"), event)
		}
	}
	var tables []*table
	for _, metric := range w.metrics {
		tb := w.table(metric)
		tables = append(tables, tb)
		for _, p := range aliasesOf(t, tb) {
			t.Errorf("%s: %s is proposed for %s: %v", metric, p.Sent, p.Field, p.Evidence)
		}
	}
	for _, p := range metricProposals(tables) {
		if p.Kind == KindMetricAlias {
			t.Errorf("%s is proposed as %s", p.Sent, p.Metric)
		}
	}
	t.Logf("%d metrics", len(w.metrics))
}
