package stores

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	awskinesis "github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/kinesis"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// errorShards are those of the log of error rows.
const errorShards = 1

// stagedShards are those that a new log of staged events gets. A shard has a
// reader in each stage, so half as many as there are cores keep these busy; more
// would only cut the fsyncs smaller.
func stagedShards() int { return min(max(runtime.GOMAXPROCS(0)/2, 1), 8) }

// rawShards are at least two: while one waits for its fsync, the other gathers
// requests.
func rawShards() int { return max(stagedShards(), 2) }

// RawBytes is, on Kinesis, where a large request goes on in another raw record, so that
// only a large event makes a record that Kinesis does not take.
const RawBytes = 768 << 10

// Runner is a part that runs until its context ends.
type Runner interface {
	Run(ctx context.Context) error
}

// Reporter tells other processes what this one has counted: while it runs, or, where it
// is stopped between calls, with a call when it is time to.
type Reporter interface {
	Runner
	ReportDue(ctx context.Context) error
}

// Log is a log and what runs beside it.
type Log struct {
	stream.Log
	Name string
	// Runners run in one process at a time, of those that compact; Reporter, if there is
	// one, runs in each process that puts.
	Runners  []Runner
	Reporter Reporter
	// Kinesis is the stream that the log is on; nil: it is on disk.
	Kinesis *kinesis.Stream
	// readers are, by consumer, other views of the log; who has none reads Log.
	readers map[string]stream.Log
}

// Reader is the log as a consumer reads it.
func (l *Log) Reader(consumer string) stream.Log {
	if r, ok := l.readers[consumer]; ok {
		return r
	}
	return l.Log
}

// partitioning says which events meet in one shard.
func partitioning(c *config.Stream) record.Partitioning {
	return record.Partitioning{
		By: map[string]record.PartitionBy{
			config.PartitionByEvent: record.ByIdentity, config.PartitionByDevice: record.ByDevice, config.PartitionByTenant: record.ByTenant,
		}[c.PartitionBy],
		DeviceNames: c.DeviceNames,
	}
}

// openLogs opens the logs of the kind that the configuration names.
func (s *Stores) openLogs(ctx context.Context, c *config.Config, log *slog.Logger) error {
	s.Partition = partitioning(&c.Stream)
	for _, l := range []struct {
		name      string
		shards    int // of an embedded log
		max       int // bytes of a record that stays in the log; 0: any
		consumers []string
		to        **Log
	}{
		{pipeline.LogRaw, rawShards(), 0, []string{pipeline.ConsumerRaw, pipeline.ConsumerDelivery}, &s.Raw},
		{pipeline.LogStaged, stagedShards(), record.StagedMax, []string{pipeline.ConsumerStaging, pipeline.ConsumerDelivery}, &s.Staged},
		{pipeline.LogErrors, errorShards, record.StagedMax, []string{pipeline.ConsumerStaging, pipeline.ConsumerDelivery}, &s.Errors},
	} {
		if l.name != pipeline.LogRaw && !c.Has(config.RoleStage) && !c.Has(config.RoleCompact) && !c.Has(config.RoleGateway) {
			continue
		}
		store := &Log{Name: l.name, readers: map[string]stream.Log{}}
		*l.to = store
		if c.Stream.Kind != config.Kinesis {
			d, err := s.openDisk(c.DataDir, l.name, l.shards, log)
			if err != nil {
				return err
			}
			if err := s.spill(store, d, l.name, l.max, log); err != nil {
				return err
			}
			continue
		}
		if l.max == 0 {
			l.max = kinesis.MaxEntry
		}
		k, err := s.openKinesis(ctx, c, l.name, "", log)
		if err != nil {
			return err
		}
		store.Kinesis = k
		if err := s.spill(store, k, l.name, l.max, log); err != nil {
			return err
		}
		if err := store.scale(ctx, &c.Stream, k, log); err != nil {
			return err
		}
		if !c.Stream.FanOut || !c.Has(config.RoleStage) {
			slow := k.Slow(deliveryReads(&c.Stream))
			if store.readers[pipeline.ConsumerDelivery], err = s.newSpill(slow, l.name, l.max, log); err != nil {
				return err
			}
			continue
		}
		for _, consumer := range l.consumers {
			k, err := s.openKinesis(ctx, c, l.name, consumer, log)
			if err != nil {
				return err
			}
			if store.readers[consumer], err = s.newSpill(k, l.name, l.max, log); err != nil {
				return err
			}
		}
	}
	return nil
}

// deliveryReads is how often a second delivery polls a shard. It has half a minute to
// fill an object, so it leaves what a shard gives to the stages, which are waited for.
func deliveryReads(c *config.Stream) float64 { return min(1, float64(c.ReadsPerSecond)/5) }

// stageReads is how often a second all else may. Where both are of different processes
// they keep to reads_per_second together.
func stageReads(c *config.Stream) float64 { return float64(c.ReadsPerSecond) - deliveryReads(c) }

// scale has a stream's number of shards follow what all processes put, if that is
// configured.
func (l *Log) scale(ctx context.Context, c *config.Stream, k *kinesis.Stream, log *slog.Logger) error {
	if c.Scaling == config.ScalingNone {
		return nil
	}
	l.Reporter = kinesis.NewReporter(k)
	scaler, err := stream.NewScaler(stream.ScalerConfig{})
	if err != nil {
		return err
	}
	cfg := kinesis.RescalerConfig{Stream: k, Scaler: scaler, DryRun: c.Scaling == config.ScalingDryRun, Logger: log}
	if c.Utilisation == config.UtilisationCloudWatch {
		access, err := AWSConfig(ctx, c.Region, "")
		if err != nil {
			return fmt.Errorf("stream.utilisation: %w", err)
		}
		cfg.CloudWatch = cloudwatch.NewFromConfig(access)
	}
	r, err := kinesis.NewRescaler(cfg)
	if err != nil {
		return err
	}
	l.Runners = append(l.Runners, r)
	return nil
}

// spill has a log keep records over max bytes among the objects; 0: none.
func (s *Stores) spill(to *Log, l stream.Log, name string, maxBytes int, log *slog.Logger) error {
	if maxBytes == 0 {
		to.Log = l
		return nil
	}
	spill, err := s.newSpill(l, name, maxBytes, log)
	if err != nil {
		return err
	}
	to.Log, to.Runners = spill, append(to.Runners, spill)
	return nil
}

func (s *Stores) newSpill(l stream.Log, name string, maxBytes int, log *slog.Logger) (*pipeline.Spill, error) {
	return pipeline.NewSpill(pipeline.SpillConfig{Log: l, Name: name, Bucket: s.Objects, Max: maxBytes, Logger: log, Now: s.now})
}

// openDisk opens a log as it was made, or makes it with the given shards.
func (s *Stores) openDisk(dir, name string, shards int, log *slog.Logger) (*stream.Disk, error) {
	folder := filepath.Join(dir, StreamsFolder, name)
	if _, err := os.Stat(folder); err == nil {
		shards = 0
	}
	d, err := stream.OpenDisk(stream.DiskConfig{Dir: folder, Shards: shards, Logger: log, Now: s.now})
	if err != nil {
		return nil, fmt.Errorf("open %s stream: %w", name, err)
	}
	s.closers = append(s.closers, d)
	return d, nil
}

// openKinesis opens a log's stream, and makes it if there is none. It is read by
// subscriptions of the consumer, if one is named.
func (s *Stores) openKinesis(ctx context.Context, c *config.Config, name, consumer string, log *slog.Logger) (*kinesis.Stream, error) {
	access, err := AWSConfig(ctx, c.Stream.Region, c.Stream.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("stream: %w", err)
	}
	shards, reads := c.Stream.Shards, stageReads(&c.Stream)
	if name == pipeline.LogErrors {
		shards = min(shards, errorShards)
	}
	k, err := kinesis.Open(ctx, kinesis.Config{
		Client: awskinesis.NewFromConfig(access), Stream: c.Stream.Prefix + "-" + name, Shards: shards,
		Retention: time.Duration(c.Stream.RetentionHours) * time.Hour, KV: s.KV, FanOut: consumer, FirstRead: s.firstRead,
		Reads: reads, Poll: time.Duration(float64(time.Second) / reads), Logger: log,
	})
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, k)
	return k, nil
}
