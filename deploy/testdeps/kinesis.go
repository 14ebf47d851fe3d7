package testdeps

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// The local servers of Kinesis' API. Both keep everything in memory, and their
// gaps are complementary: kinesis-local has fan-out, UpdateShardCount and paged
// listings, but wrong error codes and no limit on entries; kinesalite has the
// right codes and is several times faster, but no fan-out and no UpdateShardCount,
// and AT_TIMESTAMP hangs where no record is that young. A call takes kinesis-local 12
// to 22 ms of its one thread, kinesalite 1 to 3, and a GetRecords of 3 MB 2.1 s against
// 47 ms, in which nothing else is answered: on a busy machine that is longer than
// writers wait.
//
// Neither throttles: package faultproxy does.

// apiServer is a local server of an AWS API and what keeps it alive.
type apiServer struct {
	url      string
	lifeline *os.File
}

// errNotInstalled says that make test-deps has not installed a server.
var errNotInstalled = errors.New("not installed")

// shardLimit is what both servers allow all streams together.
const shardLimit = "1000"

var (
	kinesisLocalOnce = sync.OnceValues(startKinesisLocal)
	kinesaliteOnce   = sync.OnceValues(startKinesalite)
)

// KinesisLocal returns the URL of kinesis-local, or skips the test. All tests of a
// process share it, so their streams bear names of their own. Credentials may be
// anything.
func KinesisLocal(t testing.TB) string {
	t.Helper()
	return serverOrSkip(t, "kinesis-local", kinesisLocalOnce)
}

// Kinesalite is KinesisLocal for kinesalite.
func Kinesalite(t testing.TB) string {
	t.Helper()
	return serverOrSkip(t, "kinesalite", kinesaliteOnce)
}

// StartKinesalite is Kinesalite for programs that are no test: an error where
// there is none.
func StartKinesalite() (url string, err error) {
	s, err := kinesaliteOnce()
	return s.url, err
}

// serverOrSkip returns the URL of a server that start starts once.
func serverOrSkip(t testing.TB, name string, start func() (apiServer, error)) string {
	t.Helper()
	s, err := start()
	if errors.Is(err, errNotInstalled) {
		missing(t, name)
	}
	if err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	return s.url
}

// startAPI starts a server on a free port; argv says how.
func startAPI(dir string, env []string, argv func(port string) []string) (apiServer, error) {
	ports, err := freePorts(1)
	if err != nil {
		return apiServer{}, err
	}
	lifeline, err := startProcess(ports[0], dir, env, argv(ports[0])...)
	return apiServer{url: "http://" + loopback(ports[0]), lifeline: lifeline}, err
}

// installed is the absolute path of what make test-deps put below bin.
func installed(name ...string) (string, error) {
	path, err := filepath.Abs(inBin(name...))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", errNotInstalled
	}
	return path, nil
}

// nodeProgram finds node and the folder of a package that npm installed.
func nodeProgram(name string) (node, folder string, err error) {
	if folder, err = installed("clients", "node_modules", name); err != nil {
		return "", "", err
	}
	if node, err = exec.LookPath("node"); err != nil {
		return "", "", errNotInstalled
	}
	return node, folder, nil
}

// outliveClients is a module that node runs first. kinesalite and dynalite end when a
// client leaves amid a request: they throw the error that its connection has then.
const outliveClients = `data:text/javascript,process.on("uncaughtException", (e) => {
	if (e.code !== "ECONNRESET") { console.error(e); process.exit(1) }
})`

func startKinesisLocal() (apiServer, error) {
	node, folder, err := nodeProgram("kinesis-local")
	if err != nil {
		return apiServer{}, err
	}
	ports, err := freePorts(2)
	if err != nil {
		return apiServer{}, err
	}
	env := []string{
		"KINESIS_MOCK_PLAIN_PORT=" + ports[0], "KINESIS_MOCK_TLS_PORT=" + ports[1],
		"KINESIS_MOCK_CERT_PATH=" + filepath.Join(folder, "server.json"), "LOG_LEVEL=ERROR", "SHARD_LIMIT=" + shardLimit,
	}
	for _, action := range []string{
		"CREATE_STREAM", "DELETE_STREAM", "REGISTER_STREAM_CONSUMER", "DEREGISTER_STREAM_CONSUMER", "SPLIT_SHARD",
		"MERGE_SHARDS", "UPDATE_SHARD_COUNT", "START_STREAM_ENCRYPTION", "STOP_STREAM_ENCRYPTION",
	} {
		env = append(env, action+"_DURATION=20ms")
	}
	lifeline, err := startProcess(ports[0], folder, env, node, filepath.Join(folder, "main.js"))
	return apiServer{url: "http://" + loopback(ports[0]), lifeline: lifeline}, err
}

func startKinesalite() (apiServer, error) {
	node, folder, err := nodeProgram("kinesalite")
	if err != nil {
		return apiServer{}, err
	}
	return startAPI(folder, nil, func(port string) []string {
		return []string{
			node, "--import", outliveClients, filepath.Join(folder, "cli.js"), "--port", port,
			"--shardLimit", shardLimit, "--createStreamMs", "20", "--deleteStreamMs", "20", "--updateStreamMs", "20",
		}
	})
}
