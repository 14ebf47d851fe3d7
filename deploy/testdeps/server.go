package testdeps

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// serveScript starts the server and ends it; see there.
//
//go:embed serve.sh
var serveScript string

// startTimeout bounds the second that a start takes, on a busy machine.
const startTimeout = 3 * time.Minute

// serverPorts is how many free ports a start tries: a program that is no test can
// take one before the server listens.
const serverPorts = 3

// A server is a PostgreSQL that this process started.
type server struct {
	dsn string
	// lifeline is the writing end of the script's standard input, which is never
	// written to: the server ends when it is closed. That of the process' server
	// the kernel closes with the process; it is kept here so that it is not
	// collected before.
	lifeline *os.File
}

// startOnce starts this process' server.
var startOnce = sync.OnceValues(startServer)

// Server returns the connection string of a real PostgreSQL 15, or skips the
// test. All tests of a process share it, so they create only what is temporary
// or bears a name of their own. It is the server of FIELDGATE_TEST_POSTGRES if
// that is set; else one of this process on 127.0.0.1, empty, in UTF-8 and UTC,
// whose superuser postgres needs no password, and which ends with the process
// even if that is killed.
func Server(t testing.TB) string {
	t.Helper()
	if dsn := os.Getenv("FIELDGATE_TEST_POSTGRES"); dsn != "" {
		return dsn
	}
	Postgres(t)
	own, err := startOnce()
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	return own.dsn
}

// OwnServer is Server for one test alone, which may change what all databases of a
// server share: roles, settings. It is never that of FIELDGATE_TEST_POSTGRES, and
// ends with the test.
func OwnServer(t testing.TB) string {
	t.Helper()
	Postgres(t)
	own, err := startServer()
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(func() {
		if err := own.lifeline.Close(); err != nil {
			t.Errorf("end PostgreSQL: %v", err)
		}
	})
	return own.dsn
}

// Start is Server for programs that are no test: an error where there is none.
func Start() (dsn string, err error) {
	if dsn := os.Getenv("FIELDGATE_TEST_POSTGRES"); dsn != "" {
		return dsn, nil
	}
	own, err := startOnce()
	return own.dsn, err
}

func startServer() (server, error) {
	owner, err := serverOwner()
	if err != nil {
		return server{}, err
	}
	dir, err := serverDir(owner)
	if err != nil {
		return server{}, err
	}
	ports, err := freePorts(serverPorts)
	if err != nil {
		return server{}, errors.Join(err, os.Remove(dir))
	}
	own, err := runScript(dir, owner, ports)
	if err != nil {
		return server{}, errors.Join(err, os.RemoveAll(dir))
	}
	return own, nil
}

// runScript runs the script until the server is up. No goroutine stays behind.
func runScript(dir string, owner *syscall.Credential, ports []string) (server, error) {
	stdin, lifeline, err := os.Pipe()
	if err != nil {
		return server{}, err
	}
	defer func() { _ = stdin.Close() }()
	answer, stdout, err := os.Pipe()
	if err != nil {
		return server{}, errors.Join(err, lifeline.Close())
	}
	defer func() { _ = answer.Close() }()
	cmd := exec.Command("/bin/sh", append([]string{"-c", serveScript, "serve.sh", postgresBin, dir}, ports...)...)
	// The server takes defaults from PG variables, so it sees none. A session
	// of its own keeps it from the signals of the tests' terminal.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.Dir, cmd.Stdin, cmd.Stdout = dir, stdin, stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Setsid: true}
	err = cmd.Start()
	_ = stdout.Close()
	if err != nil {
		return server{}, errors.Join(err, lifeline.Close())
	}
	port, err := readPort(answer)
	if err != nil {
		return server{}, errors.Join(err, lifeline.Close(), cmd.Wait())
	}
	return server{
		dsn:      "postgres://postgres@127.0.0.1:" + port + "/postgres?sslmode=disable",
		lifeline: lifeline,
	}, nil
}

// readPort reads what the script says until it closes its output, which it does
// once the server is up.
func readPort(answer *os.File) (string, error) {
	if err := answer.SetReadDeadline(time.Now().Add(startTimeout)); err != nil {
		return "", err
	}
	said, err := io.ReadAll(answer)
	if err != nil {
		return "", fmt.Errorf("wait for the server: %w", err)
	}
	port := strings.TrimSpace(string(said))
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("the server said:\n%s", port)
	}
	return port, nil
}

// serverOwner is whom the server runs as: PostgreSQL refuses to be root. Nil is
// the user of this process.
func serverOwner() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("find a user other than root: %w", err)
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user id of %s: %w", u.Username, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("group id of %s: %w", u.Username, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// serverDir makes the server's folder, which the script removes: in the folder
// for temporary files, or in /tmp where that is closed to the owner.
func serverDir(owner *syscall.Credential) (string, error) {
	parent, err := filepath.Abs(os.TempDir())
	if err != nil {
		return "", err
	}
	if owner != nil && !openToAll(parent) {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, "fieldgate-postgres-")
	if err != nil || owner == nil {
		return dir, err
	}
	if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
		return "", errors.Join(err, os.Remove(dir))
	}
	return dir, nil
}

// openToAll says that any user may add files to the folder.
func openToAll(dir string) bool {
	for need := os.FileMode(0o3); ; need = 0o1 {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&need != need {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
		dir = filepath.Dir(dir)
	}
}
