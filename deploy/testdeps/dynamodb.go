package testdeps

import (
	"os"
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
	ports, err := freePorts(1)
	if err != nil {
		return apiServer{}, err
	}
	lifeline, err := startProcess(ports[0], folder, nil, node, filepath.Join(folder, "cli.js"), "--host", "127.0.0.1", "--port", ports[0],
		"--createTableMs", "10", "--deleteTableMs", "10", "--updateTableMs", "10")
	return apiServer{url: "http://" + loopback(ports[0]), lifeline: lifeline}, err
}

func startMoto() (apiServer, error) {
	program, err := filepath.Abs(inBin("clients", "moto", "bin", "moto_server"))
	if err != nil {
		return apiServer{}, err
	}
	if _, err := os.Stat(program); err != nil {
		return apiServer{}, errNotInstalled
	}
	ports, err := freePorts(1)
	if err != nil {
		return apiServer{}, err
	}
	lifeline, err := startProcess(ports[0], filepath.Dir(program), nil, program, "--host", "127.0.0.1", "--port", ports[0])
	return apiServer{url: "http://" + loopback(ports[0]), lifeline: lifeline}, err
}
