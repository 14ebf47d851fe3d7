package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Mapping is an event source mapping from a stream to a function: it polls every
// shard once its parents are done, calls the function with batches, and after an
// answer that names failures or an error calls again, from the lowest of the failed
// records on, without end. See "Using Lambda to process records from Kinesis" and
// "Configuring partial batch response", AWS Lambda developer guide.
type Mapping struct {
	Client   *kinesis.Client
	Stream   string
	Function *Function
	// BatchSize is how many records a call has at most, and Window how long it waits
	// for them.
	BatchSize int
	Window    time.Duration
	// Bisect halves a batch whose call ended in an error.
	Bisect bool
	// Again calls a second time with some batches that were handled, as Lambda may.
	// 0: with none; 1: with all.
	Again float64

	failures, errors, repeats atomic.Int64
}

// Counts are how many calls named failures, ended in errors, and were made again
// with what was handled.
func (m *Mapping) Counts() (failures, errs, repeats int64) {
	return m.failures.Load(), m.errors.Load(), m.repeats.Load()
}

// pollEvery is the pause between two reads of a shard without records. Lambda makes
// it a second.
const pollEvery = 500 * time.Millisecond

// Run runs until ctx ends.
func (m *Mapping) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	var mu sync.Mutex
	begun, done := map[string]bool{}, map[string]bool{}
	for pause(ctx, pollEvery) {
		shards, err := m.shards(ctx)
		if err != nil {
			continue // it is asked again
		}
		listed := func(id *string) bool {
			return id != nil && slices.ContainsFunc(shards, func(s types.Shard) bool { return *s.ShardId == *id })
		}
		for _, s := range shards {
			mu.Lock()
			waits := listed(s.ParentShardId) && !done[aws.ToString(s.ParentShardId)] ||
				listed(s.AdjacentParentShardId) && !done[aws.ToString(s.AdjacentParentShardId)]
			mu.Unlock()
			id := *s.ShardId
			if waits || begun[id] {
				continue
			}
			begun[id] = true
			running.Go(func() {
				m.shard(ctx, id)
				mu.Lock()
				defer mu.Unlock()
				done[id] = true
			})
		}
	}
}

func (m *Mapping) shards(ctx context.Context) ([]types.Shard, error) {
	var all []types.Shard
	for in := (&kinesis.ListShardsInput{StreamName: &m.Stream}); ; {
		page, err := m.Client.ListShards(ctx, in)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Shards...)
		if page.NextToken == nil {
			return all, nil
		}
		in = &kinesis.ListShardsInput{NextToken: page.NextToken}
	}
}

// shard calls with the records of one shard until its end or ctx's.
func (m *Mapping) shard(ctx context.Context, id string) {
	var token *string
	last := ""
	var waiting []types.Record
	var since time.Time
	for ctx.Err() == nil {
		if token == nil {
			in := &kinesis.GetShardIteratorInput{StreamName: &m.Stream, ShardId: &id, ShardIteratorType: types.ShardIteratorTypeTrimHorizon}
			if last != "" {
				in.ShardIteratorType, in.StartingSequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &last
			}
			out, err := m.Client.GetShardIterator(ctx, in)
			if err != nil {
				pause(ctx, pollEvery)
				continue
			}
			token = out.ShardIterator
		}
		out, err := m.Client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: token, Limit: aws.Int32(int32(m.BatchSize))})
		if err != nil || out.NextShardIterator == nil && out.MillisBehindLatest == nil { // expired, or cut
			token = nil
			pause(ctx, pollEvery)
			continue
		}
		token = out.NextShardIterator
		if len(waiting) == 0 {
			since = time.Now()
		}
		if waiting = append(waiting, out.Records...); len(waiting) > 0 {
			last = *waiting[len(waiting)-1].SequenceNumber
		}
		ended := token == nil
		for len(waiting) >= m.BatchSize || len(waiting) > 0 && (ended || time.Since(since) >= m.Window) {
			n := min(len(waiting), m.BatchSize)
			m.deliver(ctx, id, waiting[:n])
			if ctx.Err() == nil && rand.Float64() < m.Again {
				m.repeats.Add(1)
				m.deliver(ctx, id, waiting[rand.IntN(n):n])
			}
			waiting = waiting[n:]
		}
		if ended {
			return
		}
		if len(out.Records) == 0 {
			pause(ctx, pollEvery)
		}
	}
}

// deliver calls with a batch until all of it is handled.
func (m *Mapping) deliver(ctx context.Context, shard string, batch []types.Record) {
	for attempt := 1; len(batch) > 0 && ctx.Err() == nil; attempt++ {
		payload, err := m.event(shard, batch)
		if err != nil {
			panic(err) // what is encoded is ours
		}
		answer, err := m.Function.Invoke(ctx, payload)
		if err == nil {
			var left []types.Record
			if left, err = failed(batch, answer); err == nil {
				if batch = left; len(left) > 0 {
					m.failures.Add(1)
					pause(ctx, backoff(attempt))
				}
				continue
			}
		}
		m.errors.Add(1)
		pause(ctx, backoff(attempt))
		if m.Bisect && len(batch) > 1 {
			half := len(batch) / 2
			m.deliver(ctx, shard, batch[:half])
			batch = batch[half:]
		}
	}
}

// failed are the records from the lowest failed one on. An answer that names what
// the batch does not have, or nothing, is as an error.
func failed(batch []types.Record, answer []byte) ([]types.Record, error) {
	var said struct {
		BatchItemFailures []struct {
			ItemIdentifier *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return nil, fmt.Errorf("answer %s: %w", answer, err)
	}
	lowest := len(batch)
	for _, f := range said.BatchItemFailures {
		at := slices.IndexFunc(batch, func(r types.Record) bool { return f.ItemIdentifier != nil && *r.SequenceNumber == *f.ItemIdentifier })
		if at < 0 {
			return nil, errors.New("the answer names a record that was not in the batch")
		}
		lowest = min(lowest, at)
	}
	return batch[lowest:], nil
}

// event is what the function is called with.
func (m *Mapping) event(shard string, batch []types.Record) ([]byte, error) {
	type data struct {
		Version  string      `json:"kinesisSchemaVersion"`
		Key      string      `json:"partitionKey"`
		Sequence string      `json:"sequenceNumber"`
		Data     []byte      `json:"data"`
		Arrived  json.Number `json:"approximateArrivalTimestamp"`
	}
	type entry struct {
		Kinesis  data   `json:"kinesis"`
		Source   string `json:"eventSource"`
		Version  string `json:"eventVersion"`
		ID       string `json:"eventID"`
		Name     string `json:"eventName"`
		Identity string `json:"invokeIdentityArn"`
		Region   string `json:"awsRegion"`
		ARN      string `json:"eventSourceARN"`
	}
	var event struct{ Records []entry }
	for _, r := range batch {
		arrived := new(big.Rat).SetFrac64(r.ApproximateArrivalTimestamp.UnixMilli(), 1000).FloatString(3)
		event.Records = append(event.Records, entry{
			Kinesis: data{"1.0", *r.PartitionKey, *r.SequenceNumber, r.Data, json.Number(arrived)},
			Source:  "aws:kinesis", Version: "1.0", ID: shard + ":" + *r.SequenceNumber, Name: "aws:kinesis:record",
			Identity: "arn:aws:iam::000000000000:role/lambda-role", Region: "us-east-1",
			ARN: "arn:aws:kinesis:us-east-1:000000000000:stream/" + m.Stream,
		})
	}
	return json.Marshal(event)
}

func backoff(attempt int) time.Duration {
	return min(100*time.Millisecond<<min(attempt, 5), 2*time.Second)
}

// pause returns after a pause; false if ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
