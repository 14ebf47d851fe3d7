package dynamodb

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/sources"
)

// entry is one of a dataset's index: up to which position of a shard rows of an
// hour stand, or of the week that the hour begins if they are late, and about how
// many.
type entry struct {
	hour  int64
	shard stream.ShardID
	bits  uint8
	last  stream.Sequence
	rows  uint64
}

// isPast says that rows of the entry may lie past the watermarks.
func (e *entry) isPast(marks sources.Watermarks) bool { return e.last.Compare(marks[e.shard]) > 0 }

// entries reads the index of a dataset over the hours that bounds touch.
func (t *Tables) entries(ctx context.Context, at place, dataset string, bounds sources.Bounds) (out []entry, err error) {
	from, to := at.hourRange(bounds)
	in := t.between(at.index, indexPartition(dataset), from, to)
	in.ConsistentRead = aws.Bool(true) // it costs little, and an hour that is not in it is not read at all
	err = t.queryAll(ctx, in, func(i item) error {
		e, err := decodeEntry(i)
		out = append(out, e)
		return err
	})
	return out, err
}

func decodeEntry(i item) (e entry, err error) {
	if e.hour, e.shard, e.bits, err = parseHourKey(bytesOf(i, attrSort)); err != nil {
		return e, err
	}
	if e.last, err = stream.DecodeSequence(bytesOf(i, "l")); err != nil {
		return e, fmt.Errorf("index entry of hour %d: %w", e.hour, err)
	}
	if n, ok := i["c"].(*types.AttributeValueMemberN); ok {
		e.rows, err = strconv.ParseUint(n.Value, 10, 64)
	}
	return e, err
}
