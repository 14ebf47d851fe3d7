package testdeps

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// lifelineScript runs a program until its standard input ends. The other end of
// the input is held by the process that asked, so the program ends with it,
// however that ends. Then the folder that removeVariable names, if it does, goes.
const lifelineScript = `"$@" < /dev/null > /dev/null 2>&1 & pid=$!
read -r _
kill -9 $pid
wait $pid 2> /dev/null
cd / && [ -n "$` + removeVariable + `" ] && rm -rf "$` + removeVariable + `"`

const removeVariable = "FIELDGATE_TESTDEPS_REMOVE"

// connectPause is the pause between two looks whether a server listens.
const connectPause = 10 * time.Millisecond

// loopback is the address of a local server's port.
func loopback(port string) string { return net.JoinHostPort("127.0.0.1", port) }

// startProcess starts a server that ends with this process, and returns once it
// listens on the port. dir is its working directory; of the environment it sees
// PATH, HOME and env. The file is its lifeline: it must be kept, and the server
// ends when it is closed.
func startProcess(port, dir string, env []string, argv ...string) (*os.File, error) {
	stdin, lifeline, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = stdin.Close() }()
	cmd := exec.Command("/bin/sh", append([]string{"-c", lifelineScript, "sh"}, argv...)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	cmd.Dir, cmd.Stdin = dir, stdin
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, lifeline.Close())
	}
	if err := waitForPort(port); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", argv[0], err), lifeline.Close(), cmd.Wait())
	}
	return lifeline, nil
}

// waitForPort returns once somebody listens on the port.
func waitForPort(port string) error {
	tick := time.NewTicker(connectPause)
	defer tick.Stop()
	for deadline := time.Now().Add(startTimeout); ; <-tick.C {
		conn, err := net.DialTimeout("tcp", loopback(port), time.Second)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}
