package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// process is a process that a test started.
type process struct {
	cmd *exec.Cmd
	// ended gets how the process ended, and is closed then.
	ended chan error
}

// begin starts a process. It is killed with the test, if it has not ended before.
func begin(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, ended: make(chan error, 1)}
	go func() {
		p.ended <- cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() { p.end(syscall.SIGKILL) })
	return p
}

// end signals the process and waits for its end, of which cmd.ProcessState tells then.
func (p *process) end(signal os.Signal) {
	_ = p.cmd.Process.Signal(signal) // it may have ended
	for range p.ended {              // until it is closed
	}
}

// serveProcess is a process to be that serves what a configuration says, but for its
// clock: the test binary, or the program of make build, which takes less of the
// processor than one under the race detector. A data race in it fails the test, in
// whatever way it ends.
func serveProcess(t *testing.T, binary string, c *config.Config, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"serve"}, args...)...)
	cmd.Env = append(append(os.Environ(), asProgram+"=1", raceLog(t)), environment(c)...)
	if testing.Verbose() {
		cmd.Stderr = os.Stderr
	}
	return cmd
}

// raceLog is the variable by which a process writes what races it finds into a file,
// and fails the test if there is one at its end.
func raceLog(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "race")
	t.Cleanup(func() {
		logs, err := filepath.Glob(path + ".*") // the process' id
		if err != nil {
			t.Error(err)
		}
		for _, log := range logs {
			text, err := os.ReadFile(log)
			t.Errorf("a process that the test started: %s, %v", text, err)
		}
	})
	return strings.TrimSpace("GORACE=" + os.Getenv("GORACE") + " log_path=" + path)
}

// testBinary is the path of this process' program.
func testBinary(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return self
}

var makeBuild = sync.OnceValues(func() ([]byte, error) {
	cmd := exec.Command("make", "build")
	cmd.Dir = filepath.Join("..", "..")
	return cmd.CombinedOutput()
})

// plainBinary is the path of the program as make build makes it.
func plainBinary(t *testing.T) string {
	t.Helper()
	if out, err := makeBuild(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	return filepath.Join("..", "..", "bin", "fieldgate")
}
