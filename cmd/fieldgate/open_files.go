package main

import (
	"fmt"
	"syscall"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

const (
	// spareFiles is how many open files a process needs beside its connections: the logs,
	// what queries read and spill, and HTTP connections that are refused.
	spareFiles = 256 + refusedConnections

	// leastHTTPConnections and mostHTTPConnections bound what is taken where the
	// configuration does not say. One that is idle takes about 20 KB.
	leastHTTPConnections = 64
	mostHTTPConnections  = 10_000
)

// openFilesLimit is how many files this process may have open.
func openFilesLimit() (uint64, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("ask for the limit of open files: %w", err)
	}
	return limit.Cur, nil
}

// httpConnections is how many HTTP connections there may be at a time: what the
// configuration says, or what open files leave. It is an error if connections could take
// all of these: then the engine, which starts threads and opens files for each
// statement, ends the whole process.
func httpConnections(c *config.Config, openFiles uint64) (int, error) {
	others := uint64(spareFiles)
	if c.Has(config.RoleGateway) {
		others += uint64(c.Limits.Connections)
	}
	connections := c.Limits.HTTPConnections
	need := others + max(uint64(connections), leastHTTPConnections)
	if openFiles < need {
		return 0, fmt.Errorf("this process may have %d files open and needs %d, for limits.connections, limits.http_connections (%d at least) and %d others: allow more (ulimit -n %d), or fewer connections",
			openFiles, need, leastHTTPConnections, spareFiles, need)
	}
	if connections == 0 {
		connections = int(min(openFiles-others, mostHTTPConnections))
	}
	return connections, nil
}
