// Command fieldgate-lambda is a stage of the pipeline as a function of AWS Lambda,
// which event source mappings call with the records of the streams. It is a custom
// runtime's bootstrap; the function's handler names the stage: raw, staging or
// delivery. It is configured as fieldgate is, by the environment and the file that
// FIELDGATE_CONFIG names.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
)

const (
	// fileVariable names the configuration file.
	fileVariable = "FIELDGATE_CONFIG"
	// heapShare is the part of the function's memory, in percent, that Go's heap is
	// kept under unless the configuration says.
	heapShare = 70
)

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(context.Background(), os.Environ(), log); err != nil {
		log.Error("the function cannot start", "err", err)
		os.Exit(1)
	}
}

// run serves invocations until the process is ended.
func run(ctx context.Context, environ []string, log *slog.Logger) error {
	c, err := configure(environ)
	if err != nil {
		return err
	}
	// What the garbage collector may use counts, not how often it runs.
	debug.SetMemoryLimit(int64(c.Limits.HeapMB) << 20)
	// They are open until Lambda ends the process, and so is what they have begun.
	open, err := stores.OpenForCalls(ctx, &c, log)
	if err != nil {
		return err
	}
	h, err := newHandler(open, value(environ, "_HANDLER"), log)
	if err != nil {
		return errors.Join(err, open.Close())
	}
	lambda.StartWithOptions(h.handle, lambda.WithContext(ctx))
	return nil
}

// value is that of a variable.
func value(environ []string, name string) string {
	for _, e := range environ {
		if v, is := strings.CutPrefix(e, name+"="); is {
			return v
		}
	}
	return ""
}

// configure reads the configuration. Of one of a server what a function has no use
// for is passed over: the doors, roles and fan-out, which is its mapping's.
func configure(environ []string) (config.Config, error) {
	settings := slices.DeleteFunc(slices.Clone(environ), func(e string) bool { return strings.HasPrefix(e, fileVariable+"=") })
	c, err := config.Load(value(environ, fileVariable), settings)
	if err != nil {
		return c, err
	}
	if !c.Shared() {
		return c, errors.New("a function needs stores that other processes can use: set stream.kind: kinesis, nearline.kind: dynamodb, keyvalue.kind: dynamodb and objects.kind: s3")
	}
	standard := config.Default()
	c.Roles = []string{config.RoleStage}
	c.Stream.FanOut = false
	c.PGAddr, c.HTTPAddr, c.TLS, c.Dev = standard.PGAddr, standard.HTTPAddr, standard.TLS, false
	if c.DataDir == standard.DataDir {
		c.DataDir = filepath.Join(os.TempDir(), "fieldgate") // nothing else can be written
	}
	if memory := value(environ, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"); memory != "" && c.Limits.HeapMB == standard.Limits.HeapMB {
		n, err := strconv.Atoi(memory)
		if err != nil {
			return c, fmt.Errorf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE is %q: want megabytes", memory)
		}
		c.Limits.HeapMB = n * heapShare / 100
	}
	return c, c.Validate(nil)
}

// newHandler makes the handler of the stage of that name.
func newHandler(open *stores.Stores, name string, log *slog.Logger) (*handler, error) {
	schemas, err := schema.NewStore(open.KV, schema.StoreConfig{CheckPattern: record.CheckPattern})
	if err != nil {
		return nil, err
	}
	observed, err := schema.NewObserved(open.KV, schema.ObservedConfig{Schemas: schemas, Logger: log})
	if err != nil {
		return nil, err
	}
	stages, err := open.Stages(stores.Stages{
		Schemas: schemas, Observed: observed, Profiles: profile.New(open.KV, profile.Config{}),
		Recent: open.Tables, From: pipeline.ConsumerStaging, Events: pipeline.LogEvents(log),
	})
	if err != nil {
		return nil, err
	}
	h := &handler{log: log, logs: map[string]*stores.Log{}}
	// What is put and consumed here one of the processes that compact scales.
	report := func(reporters ...stores.Reporter) {
		for _, r := range reporters {
			if r != nil {
				h.after = append(h.after, r.ReportDue)
			}
		}
	}
	for _, l := range []*stores.Log{open.Raw, open.Staged, open.Errors} {
		h.logs[l.Kinesis.Name()] = l
	}
	switch name {
	case pipeline.StageRaw:
		h.stage = stages.Raw.Batch
		report(open.Staged.Reporter, open.Errors.Reporter)
		delete(h.logs, open.Staged.Kinesis.Name())
		delete(h.logs, open.Errors.Kinesis.Name())
	case pipeline.StageStaging:
		h.stage, h.after = stages.Staging.Batch, append(h.after, observed.FlushAll)
		report(open.TablesReporter)
		delete(h.logs, open.Raw.Kinesis.Name())
	case pipeline.StageDelivery:
		h.stage = stages.Delivery.Batch
	default:
		return nil, fmt.Errorf("the function's handler is %q: name the stage, %s, %s or %s", name, pipeline.StageRaw, pipeline.StageStaging, pipeline.StageDelivery)
	}
	return h, nil
}
