package kinesis

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestPacer reads as fast as it may for a minute.
func TestPacer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reads float64
		burst time.Duration
		want  int
	}{
		"a stage's":    {4, time.Second, 4*60 + 4},
		"delivery's":   {1, slowBurst * time.Second, 60 + slowBurst},
		"of few reads": {0.2, slowBurst * 5 * time.Second, 60/5 + slowBurst},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, began, got := newPacer(c.reads, c.burst), time.Now(), 0
				for {
					if err := p.wait(t.Context(), 1); err != nil {
						t.Fatal(err)
					}
					if time.Since(began) > time.Minute {
						break
					}
					got++
				}
				if got != c.want {
					t.Errorf("%d reads in a minute, want %d", got, c.want)
				}
				if err := p.wait(t.Context(), 2); err != nil || time.Since(began) > time.Minute+time.Duration(float64(time.Second)/c.reads) {
					t.Errorf("another shard waits for the first, until %s: %v", time.Since(began), err)
				}
			})
		})
	}
}
