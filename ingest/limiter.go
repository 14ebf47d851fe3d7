package ingest

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// burstSeconds is how many seconds' worth of events a key may send at once after it was quiet.
	burstSeconds = 10
	// maxBuckets is how many keys are watched. A key that is forgotten begins with a full bucket.
	maxBuckets = 10_000
)

// limiter bounds the events a second of each key, by one token bucket each.
type limiter struct {
	rate float64 // tokens a second
	now  func() time.Time

	mu      sync.Mutex
	buckets *simplelru.LRU[string, *bucket]
}

type bucket struct {
	tokens float64
	at     time.Time // when tokens was right
}

func newLimiter(eventsPerSecond int, now func() time.Time) (*limiter, error) {
	buckets, err := simplelru.NewLRU[string, *bucket](maxBuckets, nil)
	if err != nil {
		return nil, err
	}
	return &limiter{rate: float64(eventsPerSecond), now: now, buckets: buckets}, nil
}

// take takes n events from the bucket of a key. If there is less, nothing is taken and wait says when there will be
// enough. More than a full bucket is taken from a full one, which then is in debt: else a request of 500 events could
// never pass a limit of 10 a second.
func (l *limiter) take(key string, n int) (wait time.Duration) {
	now := l.now()
	full := l.rate * burstSeconds
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets.Get(key)
	if !ok {
		b = &bucket{tokens: full, at: now}
		l.buckets.Add(key, b)
	}
	b.tokens = min(full, b.tokens+now.Sub(b.at).Seconds()*l.rate)
	b.at = now
	if need := min(float64(n), full); b.tokens < need {
		return time.Duration((need - b.tokens) / l.rate * float64(time.Second))
	}
	b.tokens -= float64(n)
	return 0
}
