package pipeline

import (
	"fmt"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// archive makes one object after the other of a shard's records.
type archive interface {
	// add takes a record, of which nothing is kept.
	add(r *stream.Record) error
	// full says that the object should take no further record, whatever its size.
	full() bool
	// finish gives the object's bytes and begins the next.
	finish() ([]byte, error)
	// reset forgets what was added to the object.
	reset()
}

// key names the object by what it holds.
func (o *object) key(log string, shard stream.ShardID) string {
	return record.ObjectKey(record.Object{
		Stage: log, Hour: time.UnixMicro(o.arrivedAt), Shard: shard, After: o.after, Through: o.through,
	})
}

// rawArchive makes objects of raw records.
type rawArchive struct {
	writer *record.RawWriter
	raw    record.Raw
}

func newRawArchive() (archive, error) {
	w, err := record.NewRawWriter()
	return &rawArchive{writer: w}, err
}

func (a *rawArchive) add(r *stream.Record) error {
	if err := record.DecodeRaw(r.Data, &a.raw); err != nil {
		return fmt.Errorf("decode raw record %s: %w", r.Seq, err)
	}
	a.writer.Add(r.Shard, r.Seq, &a.raw)
	return nil
}

func (a *rawArchive) full() bool              { return false }
func (a *rawArchive) finish() ([]byte, error) { return a.writer.Finish(), nil }
func (a *rawArchive) reset()                  { a.writer.Reset() }

// stagedArchive makes objects of staged records.
type stagedArchive struct{ writer *record.StagedWriter }

func newStagedArchive() (archive, error) {
	w, err := record.NewStagedWriter()
	return &stagedArchive{writer: w}, err
}

func (a *stagedArchive) add(r *stream.Record) error {
	if err := a.writer.Add(r.Shard, r.Seq, r.Data); err != nil {
		return fmt.Errorf("archive staged record %s: %w", r.Seq, err)
	}
	return nil
}

func (a *stagedArchive) full() bool { return a.writer.Full() }

func (a *stagedArchive) finish() ([]byte, error) {
	data, _, err := a.writer.Finish()
	return data, err
}

func (a *stagedArchive) reset() { a.writer.Reset() }
