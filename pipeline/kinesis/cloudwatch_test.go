package kinesis_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/pipeline/kinesis"
)

// newCloudWatch is a client of moto, by the one protocol of CloudWatch's that moto
// speaks: the SDK's default is CBOR.
func newCloudWatch(t *testing.T) *cloudwatch.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return cloudwatch.New(cloudwatch.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(testdeps.Moto(t)), HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, func(o *cloudwatch.Options) { o.Protocol = awsquery.New(schemas.GraniteServiceVersion20100801) })
}

// count notes in CloudWatch what was put into the test's stream in a minute, as Kinesis
// does.
func (st *scaleTest) count(c *cloudwatch.Client, metric string, ago time.Duration, sum float64) {
	st.t.Helper()
	_, err := c.PutMetricData(st.t.Context(), &cloudwatch.PutMetricDataInput{
		Namespace: aws.String("AWS/Kinesis"), MetricData: []types.MetricDatum{{
			MetricName: &metric, Value: &sum, Timestamp: aws.Time(time.Now().Add(-ago)),
			Dimensions: []types.Dimension{{Name: aws.String("StreamName"), Value: &st.name}},
		}},
	})
	if err != nil {
		st.t.Fatal(err)
	}
}

// TestRescaleByCloudWatch scales a stream by what other programs put, of which no process
// tells and CloudWatch does; by records that were refused as well as by those that were
// put; not by what was long ago; and by what its own processes tell where CloudWatch has
// not counted that yet.
func TestRescaleByCloudWatch(t *testing.T) {
	t.Parallel()
	const target, minute = scaleTarget, 60 // and its seconds
	for name, test := range map[string]struct {
		counts map[string]float64 // a second, of a minute that is over
		ago    time.Duration
		own    int // bytes that a process puts and tells
		shards int
		says   string
	}{
		"nothing": {ago: 2 * time.Minute, shards: 1},
		"bytes": {
			counts: map[string]float64{"IncomingBytes": 1.5 * target * (1 << 20), "IncomingRecords": 1}, ago: 2 * time.Minute,
			shards: 2, says: "1 shards take 15 KB and 1 records a second, 1 % of what they can",
		},
		"records half refused": {
			counts: map[string]float64{"IncomingBytes": 1, "IncomingRecords": 0.7 * target * 1000, "WriteProvisionedThroughputExceeded": 0.7 * target * 1000},
			ago:    2 * time.Minute, shards: 2, says: "14 records a second",
		},
		"an hour ago": {counts: map[string]float64{"IncomingBytes": 10 << 20}, ago: time.Hour, shards: 1},
		"more by a process": {
			counts: map[string]float64{"IncomingBytes": 1, "IncomingRecords": 1}, ago: 2 * time.Minute,
			own: 4 << 20, shards: 2, says: "writers=1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			metrics := newCloudWatch(t)
			st := newScaleTest(t, 1, 1)
			for metric, rate := range test.counts {
				st.count(metrics, metric, test.ago, minute*rate)
			}
			r := st.rescaler(false, func(c *kinesis.RescalerConfig) { c.CloudWatch = metrics })
			if test.own > 0 {
				if err := r.Look(t.Context()); err != nil {
					t.Fatal(err)
				}
				for done := 0; done < test.own; done += 512 << 10 {
					put(t, st.writers[0].s, 0, strings.Repeat("x", 512<<10))
				}
				st.report(st.writers...)
			}
			st.look(r, test.shards, test.says)
		})
	}
}
