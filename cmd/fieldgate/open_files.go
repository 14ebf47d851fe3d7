package main

import (
	"fmt"
	"syscall"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// spareFiles is how many open files a process needs beside its Postgres connections:
// the logs, what queries read and spill, and connections of HTTP.
const spareFiles = 256

// checkOpenFiles refuses to serve where connections could take all the open files that
// the process may have: then the engine, which starts threads and opens files for each
// statement, ends the whole process.
func checkOpenFiles(c *config.Config) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("ask for the limit of open files: %w", err)
	}
	need := uint64(spareFiles)
	if c.Has(config.RoleGateway) {
		need += uint64(c.Limits.Connections)
	}
	if limit.Cur >= need {
		return nil
	}
	return fmt.Errorf("this process may have %d files open and needs %d, for limits.connections and %d others: allow more (ulimit -n %d), or fewer connections",
		limit.Cur, need, spareFiles, need)
}
