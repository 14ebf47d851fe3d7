package stores

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/dynamodb"
)

// openDynamoKV opens the table of the key-value store, or makes it.
func openDynamoKV(ctx context.Context, c *config.Config) (schema.KV, error) {
	access, err := AWSConfig(ctx, c.KeyValue.Region, c.KeyValue.Endpoint)
	if err != nil {
		return nil, err
	}
	return dynamodb.OpenKV(ctx, dynamodb.KVConfig{AWS: access, Table: c.KeyValue.Prefix + "-keyvalue", KMSKeyID: c.KeyValue.KMSKeyID, Now: c.Now})
}

// openTables opens the tables of recent events. Rows that are too large for them
// lie among the objects.
func (s *Stores) openTables(ctx context.Context, c *config.Config, log *slog.Logger) error {
	n := &c.Nearline
	access, err := AWSConfig(ctx, n.Region, n.Endpoint)
	if err != nil {
		return fmt.Errorf("nearline: %w", err)
	}
	own, err := ownName(ctx, s.KV)
	if err != nil {
		return fmt.Errorf("name of the key-value store: %w", err)
	}
	t := dynamodb.Config{
		AWS: access, Prefix: n.Prefix, KMSKeyID: n.KMSKeyID, Owner: own.Name, Retention: n.RetentionWeeks, MaxTables: n.MaxTables, Eventual: n.Eventual,
		Bucket: s.Objects, Known: s.Lake, ReadOnly: !c.Has(config.RoleStage) && !c.Has(config.RoleCompact), Interval: c.KeepEvery, Logger: log, Now: c.Now,
		Watermarks: func(ctx context.Context, ds schema.Dataset) (sources.Watermarks, error) {
			v, err := s.Lake.Version(ctx, ds)
			if err != nil {
				return nil, err
			}
			return v.Watermarks(), nil
		},
		Through: func(ctx context.Context, errors bool, shard stream.ShardID) (stream.Sequence, error) {
			log := pipeline.LogStaged
			if errors {
				log = pipeline.LogErrors
			}
			at, _, err := s.Checkpoints(log).Load(ctx, pipeline.ConsumerStaging, shard)
			return at, err
		},
	}
	if n.Capacity == config.CapacityProvisioned {
		t.Throughput = &dynamodb.Throughput{
			Read:   dynamodb.Units{Least: int64(n.ReadUnits), Greatest: int64(n.MaxReadUnits)},
			Write:  dynamodb.Units{Least: int64(n.WriteUnits), Greatest: int64(n.MaxWriteUnits)},
			Target: float64(n.TargetPercent) / 100, Fixed: n.Scaling == config.ScalingNone,
		}
	}
	if s.Tables, err = dynamodb.Open(ctx, t); err != nil {
		return fmt.Errorf("nearline: %w", err)
	}
	if t.Throughput != nil && !t.Throughput.Fixed {
		s.TablesReporter = s.Tables.NewReporter(s.KV)
	}
	s.TablesScaler, err = dynamodb.NewScaler(dynamodb.ScalerConfig{
		Tables: s.Tables, KV: s.KV, DryRun: n.Scaling == config.ScalingDryRun, Interval: c.ScaleEvery, Logger: log,
	})
	return err
}

// notClosed is a store that needs no closing.
type notClosed struct{}

var _ io.Closer = notClosed{}

func (notClosed) Close() error { return nil }
