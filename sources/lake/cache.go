package lake

import (
	"fmt"
	"math"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// cache keeps what was read last, by key, as long as it is together no larger
// than a number of bytes.
type cache[K comparable, V any] struct {
	size func(V) int
	max  int

	mu    sync.Mutex
	lru   *simplelru.LRU[K, V]
	bytes int
}

func newCache[K comparable, V any](maxBytes int, size func(V) int) (*cache[K, V], error) {
	c := &cache[K, V]{size: size, max: maxBytes}
	var err error
	c.lru, err = simplelru.NewLRU(math.MaxInt, func(_ K, v V) { c.bytes -= size(v) })
	if err != nil {
		return nil, fmt.Errorf("make cache: %w", err)
	}
	return c, nil
}

func (c *cache[K, V]) get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lru.Get(key)
}

// update puts what change makes of the value that is there, or of the zero value,
// and returns it. A value too large for the whole cache is not kept.
func (c *cache[K, V]) update(key K, change func(V, bool) V) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := change(c.lru.Peek(key))
	c.lru.Remove(key)
	c.lru.Add(key, v)
	c.bytes += c.size(v)
	for c.bytes > c.max && c.lru.Len() > 0 {
		c.lru.RemoveOldest()
	}
	return v
}

func (c *cache[K, V]) put(key K, v V) {
	c.update(key, func(V, bool) V { return v })
}

func (c *cache[K, V]) remove(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Remove(key)
}
