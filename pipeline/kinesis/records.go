package kinesis

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// Records gives what an iterator would give of records that another has read of a
// shard, in their order. ends has, for each of them, how many entries it and those
// before it have. Where one cannot be read it is the first that ends lacks, and
// beside the error there is what those before it have. The entries' data are the
// records'.
func (s *Stream) Records(ctx context.Context, id stream.ShardID, read []types.Record) (records []stream.Record, ends []int, err error) {
	sh, err := s.find(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	it := iterator{s: s, shard: sh}
	for i := range read {
		if err := it.takeRecord(&read[i]); err != nil {
			return it.records, ends, err
		}
		ends = append(ends, len(it.records))
	}
	return it.records, ends, nil
}
