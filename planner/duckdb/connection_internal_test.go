package duckdb

import (
	"context"
	"runtime"
	"testing"
)

// TestFunctionsStop: a function of ours computes no further row of its chunk once its
// statement was stopped, and all rows of the next statement of that connection.
func TestFunctionsStop(t *testing.T) {
	t.Parallel()
	in, _ := newInstance(t)
	c, err := in.acquire()
	if err != nil {
		t.Fatal(err)
	}
	const stopAt, rows = 10, 2000
	calls, standing := 0, make(chan struct{})
	f, err := parseFunction("fg_counted(BIGINT) BIGINT", func(c *call) error {
		if calls++; calls == stopAt {
			close(standing)
			for !c.stopped.Load() {
				runtime.Gosched()
			}
		}
		c.setInt8(1)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.register(c.conn, &in.connections); err != nil {
		t.Fatal(err)
	}
	const sql = "SELECT sum(fg_counted(n)) FROM range(2000) r(n)"
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-standing
		cancel()
	}()
	stop := c.watch(ctx)
	err = c.exec(sql)
	stop()
	if err == nil || calls != stopAt {
		t.Errorf("stopped at call %d: %d calls, %v", stopAt, calls, err)
	}
	in.release(c)
	again, err := in.acquire()
	if err != nil {
		t.Fatal(err)
	}
	defer in.release(again)
	if again != c {
		t.Fatal("another connection was taken")
	}
	if err := again.exec(sql); err != nil || calls != stopAt+rows {
		t.Errorf("after that %d calls, want %d: %v", calls, stopAt+rows, err)
	}
}
