package nearline

import (
	"maps"
	"sync"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// through are, by log and shard, the sequences up to which everything was
// written.
type through struct {
	mu sync.Mutex
	at map[logShard]stream.Sequence
}

// logShard is a shard of the staged log or of that of error rows.
type logShard struct {
	errors bool
	shard  stream.ShardID
}

func logShardOf(ds *schema.Dataset, shard stream.ShardID) logShard {
	return logShard{ds.Namespace == schema.NamespaceErrors, shard}
}

// advance notes that the rows are written.
func (t *through) advance(rows []Row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range rows {
		r := &rows[i]
		at := logShardOf(&r.Event.Dataset, r.Position.Shard)
		if next := i + 1; next < len(rows) && at == logShardOf(&rows[next].Event.Dataset, rows[next].Position.Shard) {
			continue // its position is no less
		}
		if r.Position.Seq.Compare(t.at[at]) > 0 {
			t.at[at] = r.Position.Seq
		}
	}
}

// clone is how it is now.
func (t *through) clone() *through {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &through{at: maps.Clone(t.at)}
}

// reaches says that everything up to the watermarks of a dataset is written.
func (t *through) reaches(ds *schema.Dataset, marks sources.Watermarks) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for shard, seq := range marks {
		if t.at[logShardOf(ds, shard)].Compare(seq) < 0 {
			return false
		}
	}
	return true
}
