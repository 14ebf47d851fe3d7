// Command fieldgate is a SQL gateway for device data: events come in over HTTP
// and are queried over the Postgres wire protocol. This package reads the
// configuration and wires the parts; it is the only one that knows them all.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the build: -ldflags "-X main.version=...".
var version = "unversioned"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A server that was told to end once lets go of what is under way the second time.
	context.AfterFunc(ctx, stop)
	err := rootCommand().ExecuteContext(ctx)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "fieldgate:", err)
		os.Exit(1)
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "fieldgate",
		Short:         "A SQL gateway for device data",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
	}
	root.AddCommand(serveCommand(), configCommand(), sqlCommand(), tenantCommand(), keyCommand(), userCommand(), schemaCommand(), versionCommand())
	return root
}
