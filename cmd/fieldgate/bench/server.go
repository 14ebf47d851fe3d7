package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// server is a running Fieldgate of its own.
type server struct {
	dir       string
	httpAddr  string
	pgAddr    string
	debugAddr string
	env       []string
	cmd       *exec.Cmd
}

// startServer serves an empty directory with the binary, with more in its
// environment.
func startServer(ctx context.Context, binary string, env ...string) (*server, error) {
	dir, err := os.MkdirTemp("", "fieldgate-bench-")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, env: env}
	return s, s.start(ctx, binary)
}

// start serves the directory, and waits until the server is healthy.
func (s *server) start(ctx context.Context, binary string) error {
	for _, addr := range []*string{&s.httpAddr, &s.pgAddr, &s.debugAddr} {
		var err error
		if *addr, err = freeAddr(ctx); err != nil {
			return err
		}
	}
	s.cmd = exec.CommandContext(ctx, binary, "serve", "--dev", "--data", s.data(), "--http-addr", s.httpAddr, "--pg-addr", s.pgAddr)
	s.cmd.Env = append(os.Environ(), "FIELDGATE_DEBUG_ADDR="+s.debugAddr)
	s.cmd.Env = append(s.cmd.Env, s.env...)
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		return err
	}
	return s.awaitHealthy(ctx)
}

// data is the data directory.
func (s *server) data() string { return filepath.Join(s.dir, "data") }

// objects is where objects lie.
func (s *server) objects() string { return filepath.Join(s.data(), "objects") }

func freeAddr(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (s *server) awaitHealthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	client := trusting()
	defer client.CloseIdleConnections()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url("/healthz"), http.NoBody)
		if err != nil {
			return err
		}
		if res, err := client.Do(req); err == nil {
			_ = res.Body.Close() // it has none
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.New("the server does not become healthy")
		}
	}
}

// url is where the HTTP API has a path.
func (s *server) url(path string) string {
	scheme := "http"
	if slices.ContainsFunc(s.env, func(v string) bool { return strings.HasPrefix(v, "FIELDGATE_TLS_CERT=") }) {
		scheme = "https"
	}
	return scheme + "://" + s.httpAddr + path
}

// end ends the server and leaves its directory.
func (s *server) end() error {
	return errors.Join(s.cmd.Process.Signal(syscall.SIGTERM), s.cmd.Wait())
}

// stop ends the server and removes its directory.
func (s *server) stop() error { return errors.Join(s.end(), os.RemoveAll(s.dir)) }

func (s *server) connect(ctx context.Context) (*pgx.Conn, error) {
	return pgx.Connect(ctx, "postgres://demo:demo@"+s.pgAddr+"/demo?sslmode=disable")
}

// usage is what the process has used: processor time, memory, and what it read.
type usage struct {
	cpu     time.Duration
	rss     int64 // bytes now
	peakRSS int64 // bytes at most
	read    int64 // bytes of files and sockets
}

// usage reads /proc (proc_pid_stat(5), proc_pid_status(5), proc_pid_io(5)).
func (s *server) usage() (usage, error) {
	var u usage
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return u, err
	}
	fields := strings.Fields(string(stat)[strings.LastIndexByte(string(stat), ')')+2:])
	const ticksPerSecond = 100 // USER_HZ
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return u, err
		}
		u.cpu += time.Duration(n) * time.Second / ticksPerSecond
	}
	const kilobytes = 1 << 10
	for _, of := range []struct {
		file, name string
		unit       int64
		to         *int64
	}{{"status", "VmRSS", kilobytes, &u.rss}, {"status", "VmHWM", kilobytes, &u.peakRSS}, {"io", "rchar", 1, &u.read}} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.cmd.Process.Pid, of.file))
		if err != nil {
			return u, err
		}
		_, rest, _ := strings.Cut("\n"+string(text), "\n"+of.name+":")
		if _, err := fmt.Sscan(rest, of.to); err != nil {
			return u, fmt.Errorf("%s of /proc/%d/%s: %w", of.name, s.cmd.Process.Pid, of.file, err)
		}
		*of.to *= of.unit
	}
	return u, nil
}
