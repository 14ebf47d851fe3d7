package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// asProgram, in the environment of the test binary, makes it the program itself,
// so that a test can kill it.
const asProgram = "FIELDGATE_TEST_AS_PROGRAM"

// byClock is, in the environment of the program, by how much its clock is fast.
const byClock = "FIELDGATE_TEST_CLOCK_FAST_BY"

func TestMain(m *testing.M) {
	if fast := os.Getenv(byClock); fast != "" {
		if err := serveByClock(fast); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	// The keys of all local servers of AWS' APIs; S3's alone look at them.
	if err := testdeps.SetAWSKeys(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	testscript.Main(m, map[string]func(){"fieldgate": main})
}

// serveByClock serves what the environment configures, by a clock that is fast by
// that much.
func serveByClock(fast string) error {
	by, err := time.ParseDuration(fast)
	if err != nil {
		return err
	}
	c, err := config.Load("", os.Environ())
	if err != nil {
		return err
	}
	if err := c.Validate(nil); err != nil {
		return err
	}
	c.Now = clockFastBy(by)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return serve(ctx, c, slog.New(slog.NewTextHandler(os.Stderr, nil)))
}

// clockFastBy is a clock that is ahead of the machine's.
func clockFastBy(by time.Duration) func() time.Time {
	return func() time.Time { return time.Now().Add(by) }
}
