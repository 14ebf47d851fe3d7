package testdeps_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// serverOf names a server to use in place of one's own.
const serverOf = "FIELDGATE_TEST_POSTGRES"

// holdServer makes TestHoldServer what it is in the process that
// startHolder starts.
const holdServer = "FIELDGATE_TESTDEPS_HOLD"

// ask connects to the server and returns a setting and the connection.
func ask(t *testing.T, dsn, setting string) (string, *pgx.Conn) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	var value string
	if err := conn.QueryRow(t.Context(), "show "+setting).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value, conn
}

func TestServer(t *testing.T) {
	t.Setenv(serverOf, "")
	dsn := testdeps.Server(t)
	for setting, want := range map[string]string{
		"server_version_num": "15",
		"server_encoding":    "UTF8",
		"lc_collate":         "C.UTF-8",
		"timezone":           "UTC",
		"datestyle":          "ISO, MDY",
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			got, conn := ask(t, dsn, setting)
			defer func() { _ = conn.Close(t.Context()) }()
			if !strings.HasPrefix(got, want) {
				t.Errorf("%s is %s, want %s", setting, got, want)
			}
		})
	}
	if again := testdeps.Server(t); again != dsn {
		t.Errorf("the second call returned %s, the first %s", again, dsn)
	}
}

func TestServerOfEnvironment(t *testing.T) {
	const given = "postgres://somewhere/else"
	t.Setenv(serverOf, given)
	if got := testdeps.Server(t); got != given {
		t.Errorf("Server = %s, want %s", got, given)
	}
}

// startHolder runs TestHoldServer in a process of its own, and returns the
// process, what it prints, and the folder in which its server makes its own.
func startHolder(t *testing.T) (*exec.Cmd, io.Reader, string) {
	t.Helper()
	testdeps.Postgres(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// t.TempDir is closed to the server's user where that is not ours.
	dir, err := os.MkdirTemp("/tmp", "testdeps-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestHoldServer$")
	cmd.Env = append(os.Environ(), holdServer+"=yes", serverOf+"=", "TMPDIR="+dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stdin.Close() })
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, stdout, dir
}

// kill kills a process that still runs.
func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the process ended by itself")
	}
}

// waitForFiles waits until the folder has n entries.
func waitForFiles(t *testing.T, dir string, n int) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has %v, want %d files", dir, files, n)
		}
	}
}

// waitForLog waits until there is a file.
func waitForLog(t *testing.T, path string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not there", path)
		}
	}
}

func TestServerEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	cmd, stdout, dir := startHolder(t)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	dsn := strings.TrimSpace(line)
	data, conn := ask(t, dsn, "data_directory")
	defer func() { _ = conn.Close(t.Context()) }()
	if !strings.HasPrefix(data, dir+"/") {
		t.Fatalf("the server's data are in %s, want them in %s", data, dir)
	}
	kill(t, cmd)
	if _, err := conn.WaitForNotification(t.Context()); err == nil {
		t.Error("the connection was not closed")
	}
	waitForFiles(t, dir, 0) // the folder goes last
	if _, err := pgx.Connect(t.Context(), dsn); err == nil {
		t.Error("the server outlived its process")
	}
}

// TestServerEndsWithItsStarter kills the process while the server starts: the
// folder goes only after the server. A process that is killed before it has
// begun to start one leaves an empty folder, so the test waits for the log.
func TestServerEndsWithItsStarter(t *testing.T) {
	t.Parallel()
	cmd, _, dir := startHolder(t)
	waitForFiles(t, dir, 1)
	made, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	waitForLog(t, filepath.Join(dir, made[0].Name(), "log"))
	kill(t, cmd)
	waitForFiles(t, dir, 0)
}

// TestHoldServer is the process that is killed: it says where its server is,
// and waits.
func TestHoldServer(t *testing.T) {
	if os.Getenv(holdServer) == "" {
		t.Skip("run by other tests in a process of its own")
	}
	if _, err := os.Stdout.WriteString(testdeps.Server(t) + "\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}
