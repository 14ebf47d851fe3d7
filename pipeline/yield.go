package pipeline

import (
	"runtime"
	"time"
)

// While requests are under way, stages together work for yieldAfter and then
// pause for yieldFor: a quarter of the time is theirs, on every core.
const (
	yieldAfter = 500 * time.Microsecond
	yieldFor   = 1500 * time.Microsecond
)

// Yield is how stages let ingest go first. Stages call it between records. On few
// cores what they do in one go adds up to what a request waits for at each of its
// steps: to be read, to be written, to be answered. So while requests are under
// way all stages pause now and then at the same time. What they put off is bounded
// by Pace, which keeps requests out when the stages are too far behind.
type Yield struct {
	busy func() bool
	// turn has when the last pause ended. Who takes it pauses for all: the others
	// wait for it meanwhile.
	turn chan time.Time
}

// NewYield makes a Yield that pauses while busy says so.
func NewYield(busy func() bool) *Yield {
	y := &Yield{busy: busy, turn: make(chan time.Time, 1)}
	y.turn <- time.Time{}
	return y
}

// pass lets go of the processor for a moment, and pauses if it is time to. A nil
// Yield never pauses.
func (y *Yield) pass() {
	runtime.Gosched()
	if y == nil || !y.busy() {
		return
	}
	last := <-y.turn
	if time.Since(last) >= yieldAfter {
		<-time.After(yieldFor)
		last = time.Now()
	}
	y.turn <- last
}
