package main

import (
	"context"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	awskinesis "github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/lambda"
	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources/dynamodb"
)

// functions are the stages as functions, and the mappings that call them.
type functions struct {
	stages   map[string]*lambda.Function
	mappings []*lambda.Mapping
}

// startFunctions has functions do what stage processes would. again is how often a
// batch comes twice.
func startFunctions(t *testing.T, adjust func(*config.Config), timeout time.Duration, again float64) *functions {
	t.Helper()
	program := filepath.Join(t.TempDir(), "bootstrap")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-o", program, "../fieldgate-lambda").CombinedOutput(); err != nil {
		t.Fatalf("build fieldgate-lambda: %v\n%s", err, out)
	}
	stderr := io.Discard
	if testing.Verbose() {
		stderr = os.Stderr
	}
	c := adjusted(adjust)
	access, err := stores.AWSConfig(t.Context(), c.Stream.Region, c.Stream.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	f := &functions{stages: map[string]*lambda.Function{}}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, of := range []struct {
		stage  string
		window time.Duration
		logs   []string
	}{
		{pipeline.StageRaw, 0, []string{pipeline.LogRaw}},
		{pipeline.StageStaging, 0, []string{pipeline.LogStaged, pipeline.LogErrors}},
		{pipeline.StageDelivery, 2 * time.Second, []string{pipeline.LogRaw, pipeline.LogStaged, pipeline.LogErrors}},
	} {
		fn := &lambda.Function{Program: program, Handler: of.stage, Env: environment(c), Timeout: timeout, Stderr: stderr}
		fn.Start(t)
		f.stages[of.stage] = fn
		for _, log := range of.logs {
			m := &lambda.Mapping{
				Client: awskinesis.NewFromConfig(access), Stream: c.Stream.Prefix + "-" + log, Function: fn,
				BatchSize: 100, Window: of.window, Bisect: true, Again: again,
			}
			f.mappings = append(f.mappings, m)
			running.Go(func() { m.Run(ctx) })
		}
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return f
}

// launchAround starts one process of each role but the stages.
func launchAround(t *testing.T, adjust func(*config.Config)) *cluster {
	t.Helper()
	c := &cluster{
		adjust:   adjust,
		compacts: []*node{launch(t, adjust, config.RoleCompact)}, ingests: []*node{launch(t, adjust, config.RoleIngest)},
		gateways: []*node{launch(t, adjust, config.RoleGateway)},
	}
	for _, n := range c.all() {
		n.awaitHealthy(t)
	}
	return c
}

// TestLambda has functions stage, and gives the same rows as one process does with
// the embedded stores, before and after a compaction. It is on kinesalite alone: the
// mappings poll, and each function reads for itself, some thirty calls a second in
// all, which take half a processor of kinesis-local (testdeps.KinesisLocal). Where
// other programs leave it less, a function's call gets no answer in its time.
func TestLambda(t *testing.T) {
	t.Parallel()
	lines := earthquakes(t)
	want := earthquakeAnswers(t, lines)
	onStores := onAWSWith(t, testdeps.Kinesalite(t))
	adjust := func(c *config.Config) {
		onStores(c)
		c.Stream.Scaling, c.Nearline.Capacity, c.Nearline.Scaling = config.ScalingDryRun, config.CapacityProvisioned, config.ScalingDryRun
	}
	c := launchAround(t, adjust)
	g := c.gateways[0]
	f := startFunctions(t, adjust, 30*time.Second, 0.3)
	declareTime(t, &g.instance)
	<-time.After(schemaSeen)
	c.ingests[0].post(t, lines)
	c.ingests[0].post(t, lines[:100])
	check := func(when string) {
		t.Helper()
		g.eventually(t, `select count(*) from earthquake`, "1707")
		for sql, rows := range want {
			if got := g.query(t, sql); got != rows {
				t.Errorf("%s, %s:\n got %s\nwant %s", when, sql, got, rows)
			}
		}
	}
	check("before compaction")
	// What is wrong with an event is a row of errors.stream.
	c.ingests[0].post(t, []string{`{"mag":1,"mag":2}`})
	g.eventually(t, `select count(*) from errors.stream where kind = 'malformed'`, "1")
	g.query(t, `select fieldgate.compact()`)
	check("after compaction")
	if plan := g.query(t, `explain select count(*) from earthquake`); !strings.Contains(plan, "file") {
		t.Errorf("EXPLAIN names no file:\n%s", plan)
	}
	if lag := g.query(t, `select count(distinct stage), max(records) from fieldgate.lag`); lag != "3|0" && lag != "6|0" {
		t.Errorf("lag is told of stages and records %s", lag)
	}
	// Who scales streams and tables is told what functions put and consume.
	checkTold(t, adjust)
	for stage, fn := range f.stages {
		t.Logf("%s: starts until ready, and processor time: %v", stage, fn.Starts())
	}
}

// checkTold holds that somebody has told of records put into the staged stream, and of
// units written into a table, which only stages do.
func checkTold(t *testing.T, adjust func(*config.Config)) {
	t.Helper()
	c := adjusted(adjust)
	access, err := stores.AWSConfig(t.Context(), c.KeyValue.Region, c.KeyValue.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := dynamodb.OpenKV(t.Context(), dynamodb.KVConfig{AWS: access, Table: c.KeyValue.Prefix + "-keyvalue"})
	if err != nil {
		t.Fatal(err)
	}
	for folder, field := range map[string]string{
		"streams/" + c.Stream.Prefix + "-staged/load/": `"records":`,
		"tables/" + c.Nearline.Prefix + "/usage/":      `"` + c.Nearline.Prefix + "-",
	} {
		items, err := kv.List(t.Context(), folder, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(items, func(i schema.Item) bool { return strings.Contains(string(i.Value), field) }) {
			t.Errorf("of %d reports in %s none has %s", len(items), folder, field)
		}
	}
}

// TestLambdaKilled kills functions at random moments, has them run out of time,
// calls them again with what was handled, and splits and merges the shards, while
// events come in and are compacted. Every acknowledged event is found exactly once.
func TestLambdaKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a minute")
	}
	const rounds, batch, pause = 12, 20, 100 * time.Millisecond
	seed := tortureSeed(t)
	random := rand.New(rand.NewPCG(seed, 0))
	adjust := onAWSWith(t, testdeps.Kinesalite(t))
	c := launchAround(t, adjust)
	f := startFunctions(t, adjust, 4*time.Second, 0.2)
	resharding := newResharder(t, seed, adjust)
	var acked acknowledged
	number := 0
	for round := range rounds {
		ctx, stop := context.WithCancel(t.Context())
		var working sync.WaitGroup
		working.Go(func() {
			for tick := time.NewTicker(pause); ctx.Err() == nil; <-tick.C {
				if (torture{}).post(ctx, c.ingests[0].c, number, number+batch) {
					acked.add(number, number+batch)
				}
				number += batch
			}
		})
		if round%4 == 1 {
			working.Go(func() { compactOnce(ctx, c.gateways[0].c) })
		}
		if round%3 == 2 {
			working.Go(func() {
				logs := []string{pipeline.LogRaw, pipeline.LogStaged, pipeline.LogErrors}
				if resharding.change(ctx, resharding.prefix+"-"+logs[round/3%3]) == nil {
					resharding.changes++
				}
			})
		}
		for range 3 {
			<-time.After(time.Duration(random.IntN(1000)) * time.Millisecond)
			stages := []string{pipeline.StageRaw, pipeline.StageStaging, pipeline.StageDelivery}
			f.stages[stages[random.IntN(len(stages))]].Kill()
		}
		stop()
		working.Wait()
	}
	g := &c.gateways[0].instance
	(torture{}).settle(t, g, &acked)
	(torture{}).check(t, g, &acked, "after the last round")
	g.query(t, `select fieldgate.compact()`)
	(torture{}).check(t, g, &acked, "compacted")
	for _, m := range f.mappings {
		failures, errs, repeats := m.Counts()
		t.Logf("%s, %s: %d calls named failures, %d ended in errors, %d came again", m.Function.Handler, m.Stream, failures, errs, repeats)
	}
	for stage, fn := range f.stages {
		if fn.Made() < 2 {
			t.Errorf("no function of stage %s was killed", stage)
		}
	}
	t.Logf("%d splits and merges", resharding.changes)
}
