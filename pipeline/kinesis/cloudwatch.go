package kinesis

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// What CloudWatch has of a stream ("Basic Stream-level Metrics", Kinesis developer guide): sums a minute.
const (
	metricsNamespace = "AWS/Kinesis"
	metricsStream    = "StreamName"
	metricsPeriod    = time.Minute
	// metricsSpan is that of which the busiest minute counts: the last minutes may not be
	// there yet.
	metricsSpan = 5 * time.Minute

	metricBytes     = "IncomingBytes"
	metricRecords   = "IncomingRecords"
	metricThrottled = "WriteProvisionedThroughputExceeded" // records that were refused
)

// incoming gives what everybody puts into the stream, by CloudWatch: the most that a
// minute of the last few had. counted says that it has numbers; it has none of minutes
// in which nobody put anything.
func (r *Rescaler) incoming(ctx context.Context) (most stream.Load, counted bool, err error) {
	end := time.Now().Truncate(metricsPeriod)
	in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(end.Add(-metricsSpan)), EndTime: &end}
	for _, name := range []string{metricBytes, metricRecords, metricThrottled} {
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{
			Id: aws.String(strings.ToLower(name)), Label: aws.String(name),
			MetricStat: &types.MetricStat{
				Metric: &types.Metric{
					Namespace: aws.String(metricsNamespace), MetricName: aws.String(name),
					Dimensions: []types.Dimension{{Name: aws.String(metricsStream), Value: aws.String(r.cfg.Stream.Name())}},
				},
				Period: aws.Int32(int32(metricsPeriod / time.Second)), Stat: aws.String(string(types.StatisticSum)),
			},
		})
	}
	minutes := map[time.Time]stream.Load{}
	for pages := cloudwatch.NewGetMetricDataPaginator(r.cfg.CloudWatch, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return most, false, fmt.Errorf("ask CloudWatch what is put into %s: %w", r.cfg.Stream.Name(), err)
		}
		for _, result := range page.MetricDataResults {
			if result.StatusCode == types.StatusCodeInternalError || result.StatusCode == types.StatusCodeForbidden {
				return most, false, fmt.Errorf("ask CloudWatch what is put into %s: %s is answered with %s", r.cfg.Stream.Name(), aws.ToString(result.Label), result.StatusCode)
			}
			for i, at := range result.Timestamps[:min(len(result.Timestamps), len(result.Values))] {
				rate, l := result.Values[i]/metricsPeriod.Seconds(), minutes[at]
				if aws.ToString(result.Id) == strings.ToLower(metricBytes) {
					l.BytesPerSecond += rate
				} else {
					l.RecordsPerSecond += rate
				}
				minutes[at] = l
			}
		}
	}
	for _, l := range minutes {
		most.BytesPerSecond = max(most.BytesPerSecond, l.BytesPerSecond)
		most.RecordsPerSecond = max(most.RecordsPerSecond, l.RecordsPerSecond)
	}
	return most, len(minutes) > 0, nil
}

// addOthers adds to what each open shard takes of those who tell it what others put, which
// is what all put beyond. It is taken to be spread evenly over the hashes.
func addOthers(load map[stream.ShardID]stream.Load, shards []stream.Shard, all stream.Load) {
	for _, s := range shards {
		if s.Open {
			all.BytesPerSecond -= load[s.ID].BytesPerSecond
			all.RecordsPerSecond -= load[s.ID].RecordsPerSecond
		}
	}
	for _, s := range shards {
		if !s.Open {
			continue
		}
		part := (float64(s.HashTo-s.HashFrom) + 1) / (math.MaxUint64 + 1.0)
		l := load[s.ID]
		l.BytesPerSecond += part * max(all.BytesPerSecond, 0)
		l.RecordsPerSecond += part * max(all.RecordsPerSecond, 0)
		load[s.ID] = l
	}
}
