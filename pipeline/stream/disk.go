package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"math/bits"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldgate/fieldgate/sources/vfs"
)

var _ Log = (*Disk)(nil)

const (
	lockName      = "LOCK"
	defaultShards = 4
	maxShards     = 1024
)

// DiskConfig says how a Disk keeps its log.
type DiskConfig struct {
	Dir          string           // the log's own directory; made if it is not there
	FS           vfs.FS           // default vfs.OS{}
	Shards       int              // fixed when the log is made. 0 is as it was made, or 4; another number than it was made with is an error
	SegmentBytes int64            // a segment that would grow past this is sealed; default 64 MiB, at most 1 GiB
	MaxPending   int              // bytes of a shard's entries that may wait to be durable before Put waits for room; default 8 MiB, at most 1 GiB
	Logger       *slog.Logger     // default discards
	Now          func() time.Time // gives arrival times; default time.Now
}

func (c DiskConfig) withDefaults() DiskConfig {
	if c.FS == nil {
		c.FS = vfs.OS{}
	}
	if c.SegmentBytes == 0 {
		c.SegmentBytes = 64 << 20
	}
	if c.MaxPending == 0 {
		c.MaxPending = 8 << 20
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c *DiskConfig) validate() error {
	switch {
	case c.Dir == "":
		return errors.New("log directory is not given")
	case c.Shards < 0 || c.Shards > maxShards:
		return fmt.Errorf("%d shards, want 1 to %d", c.Shards, maxShards)
	case c.SegmentBytes < segmentHeaderBytes || c.SegmentBytes > 1<<30:
		return fmt.Errorf("segments of %d bytes, want %d to %d", c.SegmentBytes, segmentHeaderBytes, 1<<30)
	case c.MaxPending < 0 || c.MaxPending > 1<<30:
		return fmt.Errorf("at most %d bytes pending, want at most %d", c.MaxPending, 1<<30)
	}
	return nil
}

// Disk is a Log in a directory of this machine. It starts no goroutines: of the writers that wait in a shard one, the
// leader, writes for all of them.
type Disk struct {
	cfg    DiskConfig
	shards []*shard
	lock   io.Closer
	failed atomic.Pointer[error]
	closed atomic.Bool
	close  func() error
}

// OpenDisk opens the log in a directory, making it if the directory is empty, and recovers it: what a crash tore off is
// cut, what was acknowledged is there. Where acknowledged records are damaged the error is a *CorruptError that names
// file and offset. vfs.ErrLocked if another Disk has the directory. The caller closes the log.
func OpenDisk(cfg DiskConfig) (*Disk, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	if err := vfs.MakeDirs(cfg.FS, cfg.Dir); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	lock, err := cfg.FS.Lock(filepath.Join(cfg.Dir, lockName))
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	d := &Disk{cfg: cfg, lock: lock}
	d.close = sync.OnceValue(d.shut)
	if err := d.open(); err != nil {
		return nil, fmt.Errorf("open log %s: %w", cfg.Dir, errors.Join(err, d.close()))
	}
	return d, nil
}

func (d *Disk) open() error {
	count, err := readMeta(d.cfg.FS, d.cfg.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		count, err = createLog(&d.cfg)
	}
	if err != nil {
		return err
	}
	if d.cfg.Shards != 0 && d.cfg.Shards != count {
		return fmt.Errorf("the log was made with %d shards, which cannot become %d", count, d.cfg.Shards)
	}
	for id := range ShardID(count) {
		dir := shardDir(d.cfg.Dir, id)
		r, err := recoverShard(d.cfg.FS, dir, id, d.cfg.Logger)
		if err != nil {
			return fmt.Errorf("recover shard %d: %w", id, err)
		}
		d.shards = append(d.shards, newShard(d, id, dir, r))
	}
	return nil
}

// Close makes durable what Puts still wait for, refuses more, ends waiting iterators and lets go of the directory. A
// second Close gives the same answer.
func (d *Disk) Close() error { return d.close() }

func (d *Disk) shut() error {
	d.closed.Store(true)
	var errs []error
	for _, s := range d.shards {
		if err := s.close(); err != nil {
			errs = append(errs, fmt.Errorf("close shard %d: %w", s.id, err))
		}
	}
	return errors.Join(append(errs, d.lock.Close())...)
}

// fail stops the log for good.
func (d *Disk) fail(cause error) error {
	err := fmt.Errorf("%w: %w", ErrFailed, cause)
	d.failed.CompareAndSwap(nil, &err)
	for _, s := range d.shards {
		s.wake()
	}
	return err
}

// failure is the error the log has failed with, or nil.
func (d *Disk) failure() error {
	if err := d.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// shardOf is the shard that a hash belongs to: the hashes are cut into ranges of the same size.
func (d *Disk) shardOf(hash uint64) ShardID {
	n, _ := bits.Mul64(hash, uint64(len(d.shards)))
	return ShardID(n)
}

// firstHash is the first hash of a shard: the least h for which shardOf(h) is the shard.
func (d *Disk) firstHash(id ShardID) uint64 {
	first, rest := bits.Div64(uint64(id), 0, uint64(len(d.shards)))
	if rest > 0 {
		first++
	}
	return first
}

// Shards implements Log.
func (d *Disk) Shards(ctx context.Context) ([]Shard, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	shards := make([]Shard, len(d.shards))
	for i := range shards {
		id, to := ShardID(i), uint64(math.MaxUint64)
		if i+1 < len(shards) {
			to = d.firstHash(id+1) - 1
		}
		shards[i] = Shard{ID: id, HashFrom: d.firstHash(id), HashTo: to, Open: true}
	}
	return shards, nil
}

// Put implements Log.
func (d *Disk) Put(ctx context.Context, entries []Entry) ([]Placed, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	batches, err := d.split(entries)
	if err != nil {
		return nil, fmt.Errorf("put: %w", err)
	}
	placed := make([]Placed, len(entries))
	switch len(batches) {
	case 0:
	case 1:
		err = d.shards[batches[0].shard].put(ctx, batches[0], placed)
	default:
		errs := make([]error, len(batches))
		var wg sync.WaitGroup
		for i, b := range batches {
			wg.Go(func() { errs[i] = d.shards[b.shard].put(ctx, b, placed) })
		}
		wg.Wait()
		err = errors.Join(errs...)
	}
	if err != nil {
		return nil, fmt.Errorf("put: %w", err)
	}
	return placed, nil
}

// batch is what one Put brings to one shard.
type batch struct {
	disk    *Disk
	shard   ShardID
	entries []Entry // of the whole Put
	count   int
	bytes   int // of the frame's payload
}

// split counts the entries of each shard.
func (d *Disk) split(entries []Entry) ([]batch, error) {
	var batches []batch
	for i := range entries {
		id := d.shardOf(entries[i].Hash)
		at := 0
		for at < len(batches) && batches[at].shard != id {
			at++
		}
		if at == len(batches) {
			batches = append(batches, batch{disk: d, shard: id, entries: entries})
		}
		b := &batches[at]
		b.count++
		b.bytes += recordHeaderBytes + len(entries[i].Data)
		if b.bytes > maxFrameBytes {
			return nil, fmt.Errorf("%w: over %d bytes for shard %d at once", ErrTooLarge, maxFrameBytes, id)
		}
	}
	return batches, nil
}

// appendFrame appends the batch as a frame, to be finished.
func (b *batch) appendFrame(dst []byte) []byte {
	dst = beginFrame(dst, b.bytes, b.count)
	for i := range b.entries {
		if b.count == len(b.entries) || b.disk.shardOf(b.entries[i].Hash) == b.shard {
			dst = appendRecord(dst, b.entries[i].Data)
		}
	}
	return dst
}

// place fills in where the batch's entries went.
func (b *batch) place(placed []Placed, first uint64) {
	for i := range b.entries {
		if b.count == len(b.entries) || b.disk.shardOf(b.entries[i].Hash) == b.shard {
			placed[i] = Placed{Shard: b.shard, Seq: SequenceOf(first)}
			first++
		}
	}
}

// Iterate implements Log.
func (d *Disk) Iterate(ctx context.Context, shard ShardID, start Start) (Iterator, error) {
	s, err := d.begin(ctx, shard)
	if err != nil {
		return nil, err
	}
	it, err := s.iterate(start)
	if err != nil {
		return nil, fmt.Errorf("iterate shard %d, %s: %w", shard, start, err)
	}
	return it, nil
}

// Oldest implements Log.
func (d *Disk) Oldest(ctx context.Context, shard ShardID) (Sequence, error) {
	s, err := d.begin(ctx, shard)
	if err != nil {
		return Sequence{}, err
	}
	return SequenceOf(s.oldest()), nil
}

// Tail implements Log.
func (d *Disk) Tail(ctx context.Context, shard ShardID, _ Sequence) (Sequence, error) {
	s, err := d.begin(ctx, shard)
	if err != nil {
		return Sequence{}, err
	}
	return SequenceOf(s.last()), nil
}

// Waiting implements Log.
func (d *Disk) Waiting(ctx context.Context, shard ShardID, after Sequence) (arrivedAt int64, err error) {
	s, err := d.begin(ctx, shard)
	if err != nil || SequenceOf(s.last()).Compare(after) <= 0 {
		return 0, err
	}
	it, err := d.Iterate(ctx, shard, After(after))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	records, err := it.Next(ctx, 1, 1)
	if err != nil {
		return 0, err
	}
	return records[0].ArrivedAt, nil
}

// Trim implements Log. Whole segments are freed; the one that is written to stays.
func (d *Disk) Trim(ctx context.Context, shard ShardID, through Sequence, arrivedBefore int64) error {
	s, err := d.begin(ctx, shard)
	if err != nil {
		return err
	}
	if err := s.trim(ctx, through, arrivedBefore); err != nil {
		return fmt.Errorf("trim shard %d: %w", shard, err)
	}
	return nil
}

func (d *Disk) begin(ctx context.Context, id ShardID) (*shard, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if d.closed.Load() {
		return nil, ErrClosed
	}
	if uint64(id) >= uint64(len(d.shards)) {
		return nil, fmt.Errorf("%w: %d", ErrNoShard, id)
	}
	return d.shards[id], nil
}
