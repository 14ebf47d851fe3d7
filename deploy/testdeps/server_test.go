package testdeps_test

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// serverOf names a server to use in place of one's own.
const serverOf = "FIELDGATE_TEST_POSTGRES"

// holdServer makes TestHoldServer what it is in the process that
// TestServerEndsWithItsProcess kills.
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

func TestServerEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	testdeps.Postgres(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestHoldServer$")
	cmd.Env = append(os.Environ(), holdServer+"=yes", serverOf+"=")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	dsn, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	dir, conn := ask(t, strings.TrimSpace(dsn), "data_directory")
	defer func() { _ = conn.Close(t.Context()) }()

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the process ended by itself")
	}
	// The server's end reaches its clients, and its folder goes last.
	if _, err := conn.WaitForNotification(t.Context()); err == nil {
		t.Error("the connection was not closed")
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		if _, err := os.Stat(strings.TrimSuffix(dir, "/data")); errors.Is(err, fs.ErrNotExist) {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("%s is still there", dir)
		}
	}
	if _, err := pgx.Connect(t.Context(), strings.TrimSpace(dsn)); err == nil {
		t.Error("the server outlived its process")
	}
}

// TestHoldServer is the process that is killed: it says where its server is,
// and waits.
func TestHoldServer(t *testing.T) {
	if os.Getenv(holdServer) == "" {
		t.Skip("part of TestServerEndsWithItsProcess")
	}
	if _, err := os.Stdout.WriteString(testdeps.Server(t) + "\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}
