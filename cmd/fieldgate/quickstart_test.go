package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// quickStart is the README's section, as blocks of commands and what they print.
type quickStart struct {
	commands, output string
}

var fenced = regexp.MustCompile("(?s)```(sh|text)\n(.*?)```")

func readQuickStart(t *testing.T) []quickStart {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "## Quick start\n")
	if !ok {
		t.Fatal("README.md has no section Quick start")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var blocks []quickStart
	for _, m := range fenced.FindAllStringSubmatch(section, -1) {
		if m[1] == "sh" {
			blocks = append(blocks, quickStart{commands: m[2]})
		} else {
			blocks[len(blocks)-1].output = m[2]
		}
	}
	if len(blocks) < 4 || blocks[0].commands != "make run\n" {
		t.Fatalf("%d blocks, the first %q", len(blocks), blocks[0].commands)
	}
	return blocks
}

// matches compares word for word; an ellipsis stands for any text.
func (q *quickStart) matches(output string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(q.output)), "…", ".*")
	return regexp.MustCompile("^" + pattern + "$").MatchString(strings.TrimSpace(output))
}

// last is the last command of the block, which alone prints.
func (q *quickStart) last() string {
	lines := strings.SplitAfter(strings.TrimSuffix(q.commands, "\n"), "\n")
	n := len(lines) - 1
	for n > 0 && strings.HasSuffix(lines[n-1], "\\\n") {
		n--
	}
	return strings.Join(lines[n:], "")
}

// taken says that something listens on a standard port of this machine.
func taken(addr string) bool {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	_ = c.Close() // it was only asked
	return true
}

// TestQuickStart runs the README's quick start word for word. Where a standard
// port is taken another one stands in for it.
func TestQuickStart(t *testing.T) {
	t.Parallel()
	testQuickStart(t)
}

// testQuickStart does so with more in the environment, and then at ports of its own,
// so that several may run in parallel.
func testQuickStart(t *testing.T, environ ...string) {
	t.Helper()
	testdeps.Psql(t)
	testdeps.Curl(t)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	blocks := readQuickStart(t)
	env := append(os.Environ(), "FIELDGATE_DATA_DIR="+t.TempDir())
	env = append(env, environ...)
	replace := strings.NewReplacer()
	if len(environ) > 0 || taken("127.0.0.1:8080") || taken("127.0.0.1:5433") {
		httpAddr, pgAddr := freeAddr(t), freeAddr(t)
		_, pgPort, _ := strings.Cut(pgAddr, ":")
		env = append(env, "FIELDGATE_HTTP_ADDR="+httpAddr, "FIELDGATE_PG_ADDR="+pgAddr, "PGPORT="+pgPort)
		replace = strings.NewReplacer("127.0.0.1:8080", httpAddr, "-p 5433", "-p "+pgPort)
	}
	shell := func(ctx context.Context, commands string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "bash", "-e", "-o", "pipefail", "-c", replace.Replace(commands))
		cmd.Dir, cmd.Env = root, env
		return cmd
	}
	server, stop := runServer(t, shell(t.Context(), blocks[0].commands))
	defer stop()
	addr := replace.Replace("127.0.0.1:8080")
	awaitHealthy(t, addr, server.ended)
	for _, b := range blocks[1:] {
		var output []byte
		commands := b.commands
		// A reader is slower than what was posted takes to be found, this test is not,
		// nor is a machine that is busy with others. Then it asks again, and declares
		// nothing again.
		for deadline := time.Now().Add(visibleWithin); ; commands = b.last() {
			cmd := shell(t.Context(), commands)
			var errs bytes.Buffer
			cmd.Stderr = &errs
			output, err = cmd.Output()
			if err == nil && (b.output == "" || b.matches(string(output))) {
				break
			}
			if late := time.Now().After(deadline); !late && !strings.Contains(b.commands, "curl") {
				continue
			}
			if err != nil {
				t.Fatalf("%s%v\n%s", commands, err, errs.String())
			}
			t.Fatalf("%s\n got:\n%s\nwant:\n%s", commands, output, b.output)
		}
	}
}

// runServer starts `make run` and returns how to stop it, as Ctrl-C would: the
// signal goes to make and to the server below it.
func runServer(t *testing.T, cmd *exec.Cmd) (server *process, stop func()) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	server = begin(t, cmd)
	return server, func() {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
			t.Error(err)
		}
		server.end(syscall.Signal(0))
		if t.Failed() {
			t.Logf("make run:\n%s", output.String())
		}
	}
}
