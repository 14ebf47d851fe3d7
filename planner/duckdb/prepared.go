package duckdb

import (
	"fmt"
	"strings"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// preparedCache keeps statements of one connection prepared, those used last:
// planning a small statement takes longer than running it. DuckDB plans anew
// whenever a statement has parameters, so those over memory alone have none; what
// differs from run to run comes with the rows. One that reads files is planned when
// it is prepared and again whenever it runs: keeping it saves the first, so it may
// have parameters.
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

// bindParameters gives a statement the values of its parameters, constants that
// canHoist.
func bindParameters(s bindings.PreparedStatement, parameters []*planner.Const) error {
	for i, c := range parameters {
		n := bindings.IdxT(i + 1)
		var state bindings.State
		switch c.T.OID {
		case postgres.TextOID:
			state = bindings.BindVarchar(s, n, c.Value.Str)
		case postgres.Float8OID:
			state = bindings.BindDouble(s, n, c.Value.Float)
		case postgres.Int8OID:
			state = bindings.BindInt64(s, n, c.Value.Int)
		default:
			state = bindings.BindTimestamp(s, n, bindings.NewTimestamp(c.Value.Int))
		}
		if state == bindings.StateError {
			return fmt.Errorf("bind parameter %d: %s", n, bindings.PrepareError(s))
		}
	}
	return nil
}
