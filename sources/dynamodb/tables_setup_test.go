package dynamodb_test

import (
	"context"
	"sync"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/sources/dynamodb"
	"github.com/fieldgate/fieldgate/sources/nearline"
)

// store is a nearline store that knows how far it was written.
type store struct {
	*dynamodb.Tables

	mu sync.Mutex
	at map[stream.ShardID]stream.Sequence
}

// openTables opens tables; without a prefix in cfg, of their own.
func openTables(t testing.TB, cfg dynamodb.Config) *store {
	t.Helper()
	s := &store{at: map[stream.ShardID]stream.Sequence{}}
	if cfg.Prefix == "" {
		cfg.Prefix = unique("near")
	}
	if cfg.Through == nil {
		cfg.Through = s.through
	}
	var err error
	if s.Tables, err = dynamodb.Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *store) Write(ctx context.Context, rows []nearline.Row) ([]nearline.Outcome, error) {
	outcomes, err := s.Tables.Write(ctx, rows)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, r := range rows {
			if r.Position.Seq.Compare(s.at[r.Position.Shard]) > 0 {
				s.at[r.Position.Shard] = r.Position.Seq
			}
		}
	}
	return outcomes, err
}

func (s *store) through(_ context.Context, _ bool, shard stream.ShardID) (stream.Sequence, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at[shard], nil
}
