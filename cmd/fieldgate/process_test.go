package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// serveProcess starts a process that serves what a configuration says, but for its
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
