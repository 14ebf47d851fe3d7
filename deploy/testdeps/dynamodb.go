package testdeps

import (
	"path/filepath"
	"sync"
	"testing"
)

// The local servers of DynamoDB's API. Both keep everything in memory and never
// throttle nor leave items unprocessed: package faultproxy does. dynalite is
// fast, and lacks transactions, TTL and the item of a failed condition; moto has
// all of these and is slow. AWS's DynamoDB Local would be a third, and is left out for
// its licence.

var (
	dynaliteOnce = sync.OnceValues(startDynalite)
	motoOnce     = sync.OnceValues(startMoto)
)

// Dynalite returns the URL of dynalite, or skips the test. All tests of a process
// share it, so their tables bear names of their own. Credentials may be anything.
func Dynalite(t testing.TB) string {
	t.Helper()
	return serverOrSkip(t, "dynalite", dynaliteOnce)
}

// Moto is Dynalite for moto.
func Moto(t testing.TB) string {
	t.Helper()
	return serverOrSkip(t, "moto", motoOnce)
}

// StartDynalite is Dynalite for programs that are no test: an error where there
// is none.
func StartDynalite() (url string, err error) {
	s, err := dynaliteOnce()
	return s.url, err
}

func startDynalite() (apiServer, error) {
	node, folder, err := nodeProgram("dynalite")
	if err != nil {
		return apiServer{}, err
	}
	return startAPI(folder, nil, func(port string) []string {
		return []string{
			node, "--import", outliveClients, filepath.Join(folder, "cli.js"), "--host", "127.0.0.1", "--port", port,
			"--createTableMs", "10", "--deleteTableMs", "10", "--updateTableMs", "10",
		}
	})
}

func startMoto() (apiServer, error) {
	python, err := installed("clients", "moto", "bin", "python")
	if err != nil {
		return apiServer{}, err
	}
	return startAPI(filepath.Dir(python), nil, func(port string) []string {
		return []string{python, "-c", serialMoto, "--host", "127.0.0.1", "--port", port}
	})
}

// serialMoto runs moto's server with one request at a time inside. moto checks the
// condition of a write and then writes, without a lock, in a thread for each
// connection, so that two writers can both pass on one version; DynamoDB's
// conditional writes are atomic.
const serialMoto = `
import threading
from moto import server

lock = threading.Lock()

class Serial(server.DomainDispatcherApplication):
    def __call__(self, environ, start_response):
        with lock:
            return super().__call__(environ, start_response)

server.DomainDispatcherApplication = Serial
server.main()
`
