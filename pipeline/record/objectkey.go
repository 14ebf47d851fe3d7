package record

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// The stages that have an archive. The archive of the error stream holds staged events too.
const (
	StageRaw    = "raw"
	StageStaged = "staged"
	StageErrors = "errors"
)

const (
	archiveFolder  = "archive/"
	shardDigits    = 20 // of 2^64-1
	sequenceDigits = 58 // of 2^192-1
	hourLayout     = "2006/01/02/15"
)

// Object says what an archive object holds: every record of a shard after one and through another.
type Object struct {
	Stage string
	// Hour is the one in which the log took the first of the records, UTC.
	Hour    time.Time
	Shard   stream.ShardID
	After   stream.Sequence
	Through stream.Sequence
}

func extension(stage string) string {
	if stage == StageRaw {
		return ".ndjson.zst"
	}
	return ".avro"
}

// ArchivePrefix is what the keys of a stage's objects begin with.
func ArchivePrefix(stage string) string { return archiveFolder + stage + "/" }

// HourPrefix is what the keys of an hour's objects begin with. Keys sort by hour, then shard, then range; a shard's
// hours never go back, so its objects sort in the order of its records.
func HourPrefix(stage string, hour time.Time) string {
	return ArchivePrefix(stage) + hour.UTC().Format(hourLayout) + "/"
}

// ObjectKey is the key of an archive object, such as
// archive/staged/2026/11/23/10/<shard>-<after>-<through>.avro with the numbers in decimal at their full width.
func ObjectKey(o Object) string {
	return fmt.Sprintf("%s%0*d-%0*s-%0*s%s", HourPrefix(o.Stage, o.Hour), shardDigits, uint64(o.Shard),
		sequenceDigits, o.After.String(), sequenceDigits, o.Through.String(), extension(o.Stage))
}

// ParseObjectKey reads what ObjectKey made, and nothing else.
func ParseObjectKey(key string) (Object, error) {
	o, err := parseObjectKey(key)
	if err == nil && ObjectKey(o) != key {
		err = errors.New("not in canonical form")
	}
	if err != nil {
		return Object{}, fmt.Errorf("archive object key %q: %w", key, err)
	}
	return o, nil
}

func parseObjectKey(key string) (Object, error) {
	var o Object
	stage, rest, _ := strings.Cut(strings.TrimPrefix(key, archiveFolder), "/")
	switch stage {
	case StageRaw, StageStaged, StageErrors:
		o.Stage = stage
	default:
		return o, fmt.Errorf("no stage %q has an archive", stage)
	}
	if len(rest) < len(hourLayout)+1 {
		return o, errors.New("too short")
	}
	var err error
	if o.Hour, err = time.Parse(hourLayout, rest[:len(hourLayout)]); err != nil {
		return o, fmt.Errorf("hour: %w", err)
	}
	parts := strings.Split(strings.TrimSuffix(rest[len(hourLayout)+1:], extension(o.Stage)), "-")
	if len(parts) != 3 {
		return o, fmt.Errorf("%d numbers, want shard, after and through", len(parts))
	}
	shard, err := strconv.ParseUint(parts[0], 10, 64)
	if err != nil {
		return o, fmt.Errorf("shard: %w", err)
	}
	o.Shard = stream.ShardID(shard)
	if o.After, err = stream.ParseSequence(parts[1]); err != nil {
		return o, err
	}
	if o.Through, err = stream.ParseSequence(parts[2]); err != nil {
		return o, err
	}
	if o.Through.Compare(o.After) <= 0 {
		return o, errors.New("ends before it begins")
	}
	return o, nil
}
