// Package lambda runs functions of AWS Lambda on this machine: Function starts the
// programs and serves them the runtime API ("Lambda runtime API", AWS Lambda
// developer guide), Mapping calls a function with the records of a Kinesis stream
// as an event source mapping does. Both can be told to have the accidents that
// Lambda documents.
package lambda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Function is a function: a program, of which as many run as there are calls at
// once. One that has answered waits for the next call, frozen in Lambda.
type Function struct {
	// Program is the bootstrap, Handler the function's handler, Env what is configured.
	Program, Handler string
	Env              []string
	// Timeout is how long a call may take; then the program is killed.
	Timeout time.Duration
	// Stderr takes what the programs log.
	Stderr io.Writer

	dir  string
	mu   sync.Mutex
	idle []*sandbox
	all  map[*sandbox]bool
	// made counts the programs that were started.
	made   int
	starts []Start
}

// Start is what a program took until it asked for its first call: what it adds to
// Lambda's own part of a cold start.
type Start struct {
	Wall time.Duration
	CPU  time.Duration // of all its threads, in steps of 10 ms
}

// Start readies the function; its programs end with the test.
func (f *Function) Start(t testing.TB) {
	t.Helper()
	f.dir, f.all = t.TempDir(), map[*sandbox]bool{}
	t.Cleanup(func() {
		f.mu.Lock()
		all := f.all
		f.all = nil
		f.mu.Unlock()
		for s := range all {
			s.end()
		}
	})
}

// errFunction is what Lambda calls a function error.
var errFunction = errors.New("function error")

// Invoke calls the function and gives its answer. A function error is also that it
// was killed or took too long.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	s, err := f.sandbox()
	if err != nil {
		return nil, err
	}
	call := &invocation{payload: payload, deadline: time.Now().Add(f.Timeout), done: make(chan struct{})}
	timeout := time.NewTimer(f.Timeout)
	defer timeout.Stop()
	// The first call waits for the program to be ready.
	select {
	case s.calls <- call:
	case <-s.ended:
		return nil, f.lose(s, "the program ended")
	case <-timeout.C:
		return nil, f.lose(s, "it was not ready in time")
	case <-ctx.Done():
		return nil, f.lose(s, "the test is over")
	}
	select {
	case <-call.done:
	case <-s.ended:
		return nil, f.lose(s, "the program ended")
	case <-timeout.C:
		return nil, f.lose(s, "it took too long")
	case <-ctx.Done():
		return nil, f.lose(s, "the test is over")
	}
	f.mu.Lock()
	f.idle = append(f.idle, s)
	f.mu.Unlock()
	if call.failed {
		return nil, fmt.Errorf("%w: %s", errFunction, call.answer)
	}
	return call.answer, nil
}

// Kill kills a program, if one runs, also amid a call.
func (f *Function) Kill() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.all { // in no order
		_ = s.cmd.Process.Kill() // it may have ended
		return true
	}
	return false
}

// Made counts the programs that were started so far.
func (f *Function) Made() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.made
}

// Starts are the starts of all programs so far that became ready.
func (f *Function) Starts() []Start {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.starts)
}

// processorTime is what a process has used (proc_pid_stat(5)), in hundredths of a
// second; 0 where that cannot be read.
func processorTime(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name, in brackets, may have spaces; utime and stime are the 12th and 13th
	// fields behind it.
	var user, system int64
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		return 0
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// lose ends a program.
func (f *Function) lose(s *sandbox, why string) error {
	f.mu.Lock()
	delete(f.all, s)
	f.mu.Unlock()
	s.end()
	return fmt.Errorf("%w: %s", errFunction, why)
}

// sandbox gives a program that waits, or starts one.
func (f *Function) sandbox() (*sandbox, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil {
		return nil, errors.New("the function is not started")
	}
	if n := len(f.idle); n > 0 {
		s := f.idle[n-1]
		f.idle = f.idle[:n-1]
		return s, nil
	}
	f.made++
	s := &sandbox{calls: make(chan *invocation), ended: make(chan struct{})}
	began := time.Now()
	s.first = sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.starts = append(f.starts, Start{time.Since(began), processorTime(s.cmd.Process.Pid)})
	})
	s.server = httptest.NewServer(s)
	temp := filepath.Join(f.dir, strconv.Itoa(f.made))
	if err := os.Mkdir(temp, 0o700); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(f.Program)
	s.cmd.Env = append(append(os.Environ(), f.Env...),
		"AWS_LAMBDA_RUNTIME_API="+s.server.Listener.Addr().String(), "_HANDLER="+f.Handler, "TMPDIR="+temp,
		"AWS_LAMBDA_FUNCTION_NAME=fieldgate-"+f.Handler, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/fieldgate", "AWS_LAMBDA_LOG_STREAM_NAME="+strconv.Itoa(f.made))
	s.cmd.Stderr = f.Stderr
	if err := s.cmd.Start(); err != nil {
		s.server.Close()
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait() // however it ended
		close(s.ended)
	}()
	f.all[s] = true
	return s, nil
}

// sandbox is a program and the runtime API that it has to itself.
type sandbox struct {
	cmd    *exec.Cmd
	server *httptest.Server
	calls  chan *invocation
	ended  chan struct{} // closed when the program has ended
	first  func()        // called when it asks for a call

	mu      sync.Mutex
	current *invocation
	number  int
}

// invocation is one call.
type invocation struct {
	payload  []byte
	deadline time.Time
	// answer and failed are set when done is closed.
	answer []byte
	failed bool
	done   chan struct{}
}

func (s *sandbox) end() {
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.ended
	s.server.CloseClientConnections()
	s.server.Close()
}

const apiPath = "/2018-06-01/runtime/"

// ServeHTTP serves the runtime API.
func (s *sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet && r.URL.Path == apiPath+"invocation/next":
		s.next(w, r)
	case r.Method == http.MethodPost && r.URL.Path == apiPath+"init/error":
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodPost && r.URL.Path == apiPath+"invocation/"+s.id()+"/response":
		s.answer(w, r, false)
	case r.Method == http.MethodPost && r.URL.Path == apiPath+"invocation/"+s.id()+"/error":
		s.answer(w, r, true)
	default:
		http.Error(w, `{"errorType":"InvalidRequestID"}`, http.StatusBadRequest)
	}
}

// id is the running invocation's.
func (s *sandbox) id() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", s.number)
}

func (s *sandbox) next(w http.ResponseWriter, r *http.Request) {
	s.first()
	var call *invocation
	select {
	case call = <-s.calls:
	case <-r.Context().Done():
		return
	}
	s.mu.Lock()
	s.current = call
	s.number++
	s.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", s.id())
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(call.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:fieldgate")
	h.Set("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0")
	_, _ = io.Copy(w, bytes.NewReader(call.payload)) // a program that is gone does not answer
}

func (s *sandbox) answer(w http.ResponseWriter, r *http.Request, failed bool) {
	answer, err := io.ReadAll(r.Body)
	s.mu.Lock()
	call := s.current
	s.current = nil
	s.mu.Unlock()
	if err != nil || call == nil {
		http.Error(w, `{"errorType":"InvalidRequestID"}`, http.StatusBadRequest)
		return
	}
	call.answer, call.failed = answer, failed
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`) // the answer counts
	close(call.done)
}
