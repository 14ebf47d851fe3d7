package testdeps

import (
	"path/filepath"
	"sync"
	"testing"
)

// The local servers of DynamoDB's API. Both keep everything in memory and never
// throttle nor leave items unprocessed: package faultproxy does. dynalite is
// fast, and lacks transactions, TTL and the item of a failed condition; moto has
// all of these and is slow.

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
	program, err := installed("clients", "moto", "bin", "moto_server")
	if err != nil {
		return apiServer{}, err
	}
	return startAPI(filepath.Dir(program), nil, func(port string) []string {
		return []string{program, "--host", "127.0.0.1", "--port", port}
	})
}
