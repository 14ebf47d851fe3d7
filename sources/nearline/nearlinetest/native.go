package nearlinetest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/nearline"
)

var _ nearline.Native = (*Native)(nil)

// Native keeps tables in plain memory and holds its caller to the contract. The
// zero Native is ready.
type Native struct {
	// BeforeAppend, if not nil, may fail an Append. Set it before use.
	BeforeAppend func(table string, base int64) error

	mu       sync.Mutex
	tables   map[string]*nativeTable
	violated []error
	made     int
}

type nativeTable struct {
	columns []string
	batches []*sources.Batch
	rows    int64
	failed  bool
}

// Append implements nearline.Native.
func (n *Native) Append(_ context.Context, _ schema.Dataset, table string, base int64, b *sources.Batch) error {
	var failed error
	if n.BeforeAppend != nil {
		failed = n.BeforeAppend(table, base)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	names := make([]string, len(b.Columns))
	for i := range b.Columns {
		names[i] = b.Columns[i].Name
	}
	t := n.tables[table]
	switch {
	case base == 0 && t != nil:
		n.violate("table %s made twice", table)
	case base == 0:
		if n.tables == nil {
			n.tables = map[string]*nativeTable{}
		}
		t = &nativeTable{columns: names}
		n.tables[table] = t
		n.made++
	case t == nil:
		n.violate("append to table %s, which is not there", table)
		return fmt.Errorf("no table %s", table)
	case t.failed:
		n.violate("append to table %s after an error", table)
	case base != t.rows:
		n.violate("append to table %s at %d, which has %d rows", table, base, t.rows)
	case !slices.Equal(names, t.columns):
		n.violate("table %s has columns %v, the batch %v", table, t.columns, names)
	}
	t.batches = append(t.batches, b)
	t.rows += int64(b.Rows)
	t.failed = failed != nil
	return failed
}

// Drop implements nearline.Native.
func (n *Native) Drop(_ context.Context, _ schema.Dataset, table string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.tables, table)
	return nil
}

// Bytes implements nearline.Native.
func (n *Native) Bytes(context.Context) (int64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var bytes int64
	for _, t := range n.tables {
		for _, b := range t.batches {
			bytes += int64(b.Bytes())
		}
	}
	return bytes, nil
}

// Read gives the rows of a split, those that are suspect included.
func (n *Native) Read(s *sources.TableSplit) ([]nearline.Row, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := n.tables[s.Table]
	if t == nil {
		return nil, fmt.Errorf("no table %s", s.Table)
	}
	var out []nearline.Row
	at := int64(0)
	for _, b := range t.batches {
		for r := range b.Rows {
			p := b.Positions[r]
			if s.From <= at && at < s.To && p.Seq.Compare(s.Past[p.Shard]) > 0 {
				out = append(out, rowOf(b, r))
			}
			at++
		}
	}
	return out, nil
}

// Tables counts the tables there are, and those ever made.
func (n *Native) Tables() (now, made int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.tables), n.made
}

// Violations lists how the contract was broken.
func (n *Native) Violations() []error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.violated)
}

func (n *Native) violate(format string, args ...any) {
	n.violated = append(n.violated, fmt.Errorf(format, args...))
}
