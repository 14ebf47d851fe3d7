package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
)

func serveCommand() *cobra.Command {
	var file string
	flags := config.Default()
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, loaded := config.Load(file, os.Environ())
			set := cmd.Flags().Changed
			if set("dev") {
				c.Dev = flags.Dev
			}
			if set("data") {
				c.DataDir = flags.DataDir
			}
			if set("pg-addr") {
				c.PGAddr = flags.PGAddr
			}
			if set("http-addr") {
				c.HTTPAddr = flags.HTTPAddr
			}
			if set("roles") {
				c.Roles = flags.Roles
			}
			if err := c.Validate(loaded); err != nil {
				return err
			}
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			return serve(cmd.Context(), c, log)
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "YAML file of settings")
	cmd.Flags().BoolVar(&flags.Dev, "dev", false, "development mode: tenant, user and password demo, API key demo-key")
	cmd.Flags().StringVar(&flags.DataDir, "data", flags.DataDir, "data directory")
	cmd.Flags().StringVar(&flags.PGAddr, "pg-addr", flags.PGAddr, "address of the Postgres protocol")
	cmd.Flags().StringVar(&flags.HTTPAddr, "http-addr", flags.HTTPAddr, "address of the HTTP API")
	cmd.Flags().StringSliceVar(&flags.Roles, "roles", flags.Roles, "what this process does")
	return cmd
}

// gcPercent is how much the heap may grow between two collections. Where recent events
// are in memory most of it are batches without pointers, which cost a collection nothing,
// so that collecting twice as often as Go does by itself is cheap and keeps a third of the
// memory free. Where they are elsewhere the heap is small, of what is under way, and
// would be collected all the time.
func gcPercent(c *config.Config) int {
	if c.Nearline.Kind == config.Embedded {
		return 50
	}
	return 400
}

// serve runs a server until ctx ends, then drains it.
func serve(ctx context.Context, c config.Config, log *slog.Logger) error {
	debug.SetGCPercent(gcPercent(&c))
	if c.Limits.HeapMB > 0 {
		debug.SetMemoryLimit(int64(c.Limits.HeapMB) << 20)
	}
	openFiles, err := openFilesLimit()
	if err != nil {
		return err
	}
	if c.Limits.HTTPConnections, err = httpConnections(&c, openFiles); err != nil {
		return err
	}
	open, err := stores.Open(ctx, &c, log)
	if err != nil {
		return err
	}
	s, err := newServer(c, open, log)
	if err == nil && c.Dev {
		err = s.prepareDevelopment(ctx)
	}
	if err == nil {
		err = s.run(ctx)
	}
	return errors.Join(err, open.Close())
}

// routes are the HTTP API, as far as the roles of this process go.
func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.serveHealth)
	if s.c.Has(config.RoleIngest) {
		s.writing.ingest.Mount(mux)
	} else {
		elsewhere(mux, config.RoleIngest, "/v1/events")
	}
	if s.c.Has(config.RoleGateway) {
		s.rest.Register(mux)
	} else {
		elsewhere(mux, config.RoleGateway, "/v1/schema", "/v1/query", "/v1/openapi.json")
	}
	return problems(mux)
}
