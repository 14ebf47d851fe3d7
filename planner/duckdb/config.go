package duckdb

import (
	"errors"
	"log/slog"
	"runtime"

	"github.com/fieldgate/fieldgate/sources"
)

// Config says what an Engine may use.
type Config struct {
	// Directories lists the directories in which a tenant's lake files lie; the
	// tenant's instance can open files in them and no others. Required.
	Directories func(tenant string) []string
	// Files fetches files of the lake to their paths before they are read. Nil: they
	// are there.
	Files sources.Files
	// TempDirectory is where instances spill, each in a folder of its own.
	// Required.
	TempDirectory string
	// TempBytes bounds what one instance may spill. Default: 16 GB.
	TempBytes int64
	// MemoryBytes bounds the memory of all instances together; each open one has
	// an equal share. Default: 1 GB.
	MemoryBytes int64
	// Threads is the number of threads of an instance. Default: one a CPU.
	Threads int
	// IdleConnections is how many unused connections an instance keeps open.
	// Default: 16.
	IdleConnections int
	Logger          *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.TempBytes == 0 {
		c.TempBytes = 16 << 30
	}
	if c.MemoryBytes == 0 {
		c.MemoryBytes = 1 << 30
	}
	if c.Threads == 0 {
		c.Threads = runtime.NumCPU()
	}
	if c.IdleConnections == 0 {
		c.IdleConnections = 16
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Directories == nil:
		return errors.New("duckdb config: Directories is missing")
	case c.TempDirectory == "":
		return errors.New("duckdb config: TempDirectory is missing")
	case c.TempBytes < 0, c.MemoryBytes < 0, c.Threads < 0, c.IdleConnections < 0:
		return errors.New("duckdb config: a negative bound")
	}
	return nil
}
