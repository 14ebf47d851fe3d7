package duckdb

import (
	"fmt"
	"strings"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// preparedCache keeps statements of one connection prepared, those used last:
// planning a small statement takes longer than running it. DuckDB plans anew
// whenever a statement has parameters, so these have none; what differs from run
// to run comes with the rows.
type preparedCache struct {
	lru *simplelru.LRU[string, bindings.PreparedStatement]
}

func newPreparedCache(size int) (*preparedCache, error) {
	lru, err := simplelru.NewLRU(size, func(_ string, s bindings.PreparedStatement) { bindings.DestroyPrepare(&s) })
	if err != nil {
		return nil, fmt.Errorf("make cache of statements: %w", err)
	}
	return &preparedCache{lru}, nil
}

// take gives a statement to its caller, who destroys it or gives it back.
func (c *preparedCache) take(key string) (bindings.PreparedStatement, bool) {
	kept, ok := c.lru.Get(key)
	if !ok || kept.Ptr == nil {
		return bindings.PreparedStatement{}, false
	}
	// Removing it would destroy it, but not what is in its place.
	c.lru.Add(key, bindings.PreparedStatement{})
	return kept, true
}

// give keeps a statement that has run to its end.
func (c *preparedCache) give(key string, s bindings.PreparedStatement) { c.lru.Add(key, s) }

func (c *preparedCache) clear() { c.lru.Purge() }

// preparedKey is the text of a statement with the columns that its row sources
// had when it was prepared.
func preparedKey(sql string, shapes [][]sourceColumn) string {
	var b strings.Builder
	b.WriteString(sql)
	for _, columns := range shapes {
		b.WriteByte(0)
		for _, c := range columns {
			b.WriteString(c.name + " " + c.kind + ",")
		}
	}
	return b.String()
}
