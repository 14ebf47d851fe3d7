package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/nearline"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

var (
	_ nearline.Tables  = (*Tables)(nil)
	_ sources.Nearline = (*Tables)(nil)
)

// Config says where recent events lie, for how long, and what tells of the lake.
type Config struct {
	// AWS has region, credentials and, for servers other than AWS, the endpoint.
	AWS aws.Config
	// Prefix begins the tables' names: <prefix>-2026-W47, <prefix>-late and
	// <prefix>-nearline, which says what weeks there are.
	Prefix string
	// KMSKeyID is the KMS key of tables that are made, by id, ARN or alias. Default: one
	// that DynamoDB owns.
	KMSKeyID string
	// Owner names whose positions the rows have: tables of another's are refused.
	// Optional.
	Owner string
	// Retention is how many weeks before the clock's have a table. Default 4.
	Retention int
	// MaxTables bounds the weeks that have a table. Default 256.
	MaxTables int
	// Grace is how long rows stay after the commit that brought them into the lake:
	// longer than any statement. Default 2 h.
	Grace time.Duration
	// Eventual makes reads eventually consistent, at half the price: then a
	// statement may miss the last second's rows.
	Eventual bool
	// Throughput of the weeks' tables; nil: they are on demand. See Scaler, too.
	Throughput *Throughput
	// Bucket takes values that are too large for an item. Optional.
	Bucket objstore.Bucket
	// Known tells rows that the lake may hold; nil: there are none.
	Known nearline.Known
	// Watermarks are a dataset's in the lake's newest manifest. Nil: the lake is
	// empty, and nothing is ever let go of.
	Watermarks func(ctx context.Context, dataset schema.Dataset) (sources.Watermarks, error)
	// Through says up to where a shard of the staged log, or of that of error rows,
	// has been written. Nil: it is not known, and nearline never answers alone.
	Through func(ctx context.Context, errors bool, shard stream.ShardID) (stream.Sequence, error)
	// AloneRows is how many rows nearline may be expected to have for it to answer
	// alone: more are read faster from files. Default 20,000.
	AloneRows int
	// ReadBytes bounds what one statement reads of a dataset. Default 256 MB.
	ReadBytes int
	// ReadOnly has Open make nothing, and wait until another process has made the tables.
	// Then nothing may be written, and Run must not run.
	ReadOnly bool
	// Parallel bounds the calls that one write or read has under way. Default 8.
	Parallel int
	// Interval is the pause between two looks at which tables are to be made and
	// dropped. Default 1 minute.
	Interval time.Duration
	Logger   *slog.Logger
	// Now is the clock that says which weeks have a table. Default time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.Retention == 0 {
		c.Retention = 4
	}
	if c.MaxTables == 0 {
		c.MaxTables = 256
	}
	if c.Grace == 0 {
		c.Grace = 2 * time.Hour
	}
	if c.AloneRows == 0 {
		c.AloneRows = 20_000
	}
	if c.ReadBytes == 0 {
		c.ReadBytes = 256 << 20
	}
	if c.Parallel == 0 {
		c.Parallel = 8
	}
	if c.Interval == 0 {
		c.Interval = time.Minute
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Throughput = c.Throughput.withDefaults()
	return c
}

func (c *Config) validate() error {
	switch {
	case c.Prefix == "":
		return errors.New("dynamodb nearline: no prefix")
	case c.Retention < 1 || c.MaxTables < 1 || c.Grace < 0 || c.AloneRows < 0 || c.ReadBytes < 0 || c.Parallel < 1 || c.Interval < 0:
		return errors.New("dynamodb nearline: a limit is negative, or too small")
	case c.Retention+2 > c.MaxTables:
		return fmt.Errorf("dynamodb nearline: %d weeks of retention need %d tables, and %d are allowed", c.Retention, c.Retention+2, c.MaxTables)
	}
	return c.Throughput.validate()
}

// Tables is nearline on DynamoDB. Many processes write, read and keep the same
// tables. All methods may be called at once from many goroutines; see
// nearline.Tables for who writes what.
//
// A writer reads nothing: every row is Stored. Who reads drops copies, and
// compaction makes the error rows of conflicts.
type Tables struct {
	client
	cfg     Config
	weeks   registry
	noted   notes
	through throughs
	// meter counts what this process consumes, if the tables' capacity follows that.
	meter *meter
}

// Open opens the tables of nearline, and makes those that are missing for the
// clock's weeks.
func Open(ctx context.Context, cfg Config) (*Tables, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	t := &Tables{cfg: cfg}
	var metered []func(*awsdynamodb.Options)
	if cfg.Throughput.isFollowed() {
		t.meter = newMeter(cfg.Now())
		metered = append(metered, awsdynamodb.WithAPIOptions(t.meter.install))
	}
	t.client = newClient(cfg.AWS, cfg.KMSKeyID, metered...)
	if cfg.ReadOnly {
		return t, t.await(ctx)
	}
	g, within := errgroup.WithContext(ctx)
	for _, name := range []string{t.control(), t.late().rows} {
		g.Go(func() error {
			_, err := t.makeTable(within, name, capacity{}) // late rows come unevenly
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := t.claim(ctx); err != nil {
		return nil, err
	}
	if err := t.loadWeeks(ctx); err != nil {
		return nil, err
	}
	return t, t.makeWeeks(ctx)
}

// ownerDocument says whose the tables are.
type ownerDocument struct {
	Format int    `json:"format"`
	Owner  string `json:"owner"`
}

// claim makes the tables the owner's, or finds that they are another's: positions
// of another log would be taken for this one's.
func (t *Tables) claim(ctx context.Context) error {
	if t.cfg.Owner == "" {
		return nil
	}
	key := item{attrPartition: blob([]byte(ownerPartition)), attrSort: blob([]byte{0})}
	_, err := t.saveDocument(ctx, key, ownerDocument{registryFormat, t.cfg.Owner}, 0)
	if !errors.Is(err, errRaced) {
		return err
	}
	_, err = t.isOwn(ctx)
	return err
}

// isOwn says whose the tables are: false, nobody's yet; an error, another's.
func (t *Tables) isOwn(ctx context.Context) (bool, error) {
	key := item{attrPartition: blob([]byte(ownerPartition)), attrSort: blob([]byte{0})}
	var own ownerDocument
	version, err := t.loadDocument(ctx, key, &own)
	if err != nil {
		return false, fmt.Errorf("find whose the tables of %s are: %w", t.cfg.Prefix, err)
	}
	if version > 0 && own.Owner != t.cfg.Owner {
		return false, fmt.Errorf("the tables of prefix %s belong to another key-value store: set another prefix, or the key-value store that they were used with", t.cfg.Prefix)
	}
	return version > 0, nil
}

// await returns when another process has made the tables and claimed them.
func (t *Tables) await(ctx context.Context) error {
	for attempt := 0; ; attempt++ {
		made := true
		for _, name := range []string{t.control(), t.late().rows} {
			status, err := t.tableStatus(ctx, name)
			if err != nil {
				return err
			}
			made = made && (status == types.TableStatusActive || status == types.TableStatusUpdating)
		}
		if made {
			own, err := t.isOwn(ctx)
			if err != nil {
				return err
			}
			if own || t.cfg.Owner == "" {
				return t.loadWeeks(ctx)
			}
		}
		if attempt == 0 {
			t.cfg.Logger.Info("waiting for the tables of recent events, which a process of role stage or compact makes", "prefix", t.cfg.Prefix)
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// place is where rows lie, and where the index that tells of them does.
type place struct {
	rows, index string
	// folder of large values.
	folder string
	// week of the rows; late ones are of any.
	week   week
	isLate bool
}

func (t *Tables) control() string { return t.cfg.Prefix + "-nearline" }

// hourOf names the entry of the index that a time belongs to by its first hour. An
// entry is an hour, and a week of late rows: those are few and far between, and
// not read hour by hour.
func (p *place) hourOf(micros int64) int64 {
	if p.isLate {
		return firstHourOf(hourOf(micros))
	}
	return hourOf(micros)
}

// entryBounds are the times of an entry.
func (p *place) entryBounds(hour int64) sources.Bounds {
	span := hourMicros
	if p.isLate {
		span = weekMicros
	}
	return sources.Bounds{Min: hour * hourMicros, Max: hour*hourMicros + span - 1}
}

// late is the place of rows whose week has no table. Its index lies in the control
// table, so that a statement over times of which it has nothing reads no table of
// rows.
func (t *Tables) late() place {
	return place{rows: t.cfg.Prefix + "-late", index: t.control(), folder: "late", isLate: true}
}

func (t *Tables) placeOf(w week) place {
	name := t.cfg.Prefix + "-" + w.String()
	return place{rows: name, index: name, folder: w.String(), week: w}
}

// throughs remembers how far shards are known to be written: it only rises.
type throughs struct {
	mu sync.Mutex
	at map[logShard]stream.Sequence
}

// logShard is a shard of the staged log or of that of error rows.
type logShard struct {
	errors bool
	shard  stream.ShardID
}

// reaches says that everything up to the watermarks of a dataset is written.
func (t *Tables) reaches(ctx context.Context, ds *schema.Dataset, marks sources.Watermarks) (bool, error) {
	if t.cfg.Through == nil {
		return false, nil
	}
	for shard, seq := range marks {
		of := logShard{ds.Namespace == schema.NamespaceErrors, shard}
		if t.through.get(of).Compare(seq) >= 0 {
			continue
		}
		at, err := t.cfg.Through(ctx, of.errors, shard)
		if err != nil {
			return false, fmt.Errorf("find how far shard %d is written: %w", shard, err)
		}
		t.through.raise(of, at)
		if at.Compare(seq) < 0 {
			return false, nil
		}
	}
	return true, nil
}

func (t *throughs) get(of logShard) stream.Sequence {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.at[of]
}

func (t *throughs) raise(of logShard, to stream.Sequence) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.at == nil {
		t.at = map[logShard]stream.Sequence{}
	}
	if to.Compare(t.at[of]) > 0 {
		t.at[of] = to
	}
}
