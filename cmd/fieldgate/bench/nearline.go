package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/dynamodb"
	"github.com/fieldgate/fieldgate/sources/nearline"
)

const (
	// nearlineRows are what a round writes and then reads.
	nearlineRows = 4000
	// nearlineBatch is how many rows a Write gets, as the staging stage gives them.
	nearlineBatch = 1000
	// nearlineCalls are under way at once, ours and the bare loop's.
	nearlineCalls = 8
	bareBatch     = 25 // what BatchWriteItem takes
	bareTable     = "bare"
)

// benchNearline writes and reads recent events through dynalite, and so does a bare
// loop of BatchWriteItem and Query calls with items of the same length.
func benchNearline(ctx context.Context, o options, out io.Writer) error {
	url, err := testdeps.StartDynalite()
	if err != nil {
		return err
	}
	access := aws.Config{Region: "us-east-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	tables, err := dynamodb.Open(ctx, dynamodb.Config{AWS: access, Prefix: "bench", Parallel: nearlineCalls})
	if err != nil {
		return err
	}
	bare := &bareLoop{awsdynamodb.NewFromConfig(access)}
	if err := bare.makeTable(ctx); err != nil {
		return err
	}
	var writes, bareWrites, reads, bareReads []float64
	for round := range o.rounds {
		rows := nearlineRound(round)
		for _, sides := range [][]nearlineSide{
			{{&writes, func() error { return writeNearline(ctx, tables, rows) }}, {&bareWrites, func() error { return bare.write(ctx, round, rows) }}},
			{{&reads, func() error { return readNearline(ctx, tables, &rows[0].Event.Dataset) }}, {&bareReads, func() error { return bare.read(ctx, round) }}},
		} {
			// Who goes first has the server tidy up what was done before.
			if round%2 == 1 {
				slices.Reverse(sides)
			}
			for _, s := range sides {
				if err := s.run(); err != nil {
					return err
				}
			}
		}
	}
	w, bw, r, br := spreadOf(writes), spreadOf(bareWrites), spreadOf(reads), spreadOf(bareReads)
	_, err = fmt.Fprintf(out, "%d rows of ten fields a round, %d rounds interleaved, dynalite, %d calls at once; thousand rows/s.\n\n"+
		"| | nearline | bare loop | ratio of medians |\n| --- | --- | --- | --- |\n| write, BatchWriteItem | %s | %s | %.2f |\n| read, Query | %s | %s | %.2f |\n",
		nearlineRows, o.rounds, nearlineCalls, w.format(1), bw.format(1), w.median/bw.median, r.format(1), br.format(1), r.median/br.median)
	return err
}

// nearlineSide is one of the two who do the same.
type nearlineSide struct {
	into *[]float64 // thousand rows/s
	do   func() error
}

func (s nearlineSide) run() error {
	began := time.Now()
	err := s.do()
	*s.into = append(*s.into, nearlineRows/time.Since(began).Seconds()/1000)
	return err
}

// nearlineRound makes the rows of a round: a metric of its own, so that a read
// meets no other's.
func nearlineRound(round int) []nearline.Row {
	ds := schema.Dataset{Tenant: "bench", Metric: fmt.Sprintf("m%d", round)}
	rows := make([]nearline.Row, nearlineRows)
	for i := range rows {
		e := schema.Event{Dataset: ds, Time: time.Now().UnixMicro() - int64(i)*1000}
		e.ReceivedAt = e.Time + 100_000
		binary.BigEndian.PutUint64(e.ID[:], uint64(i)*0x9e3779b97f4a7c15)
		e.Hash = e.ID
		for f := range 10 {
			v := schema.Value{Name: fmt.Sprintf("field_%d", f), Kind: schema.KindNumber, Num: float64(i*f) / 7}
			if f%3 == 0 {
				v.Kind, v.Text = schema.KindText, fmt.Appendf(nil, "value %d of a device", i%50)
			}
			e.Values = append(e.Values, v)
		}
		rows[i] = nearline.Row{Event: e, Position: stream.Position{Seq: stream.SequenceOf(uint64(i/nearlineBatch) + 1), Index: uint32(i % nearlineBatch)}}
	}
	return rows
}

func writeNearline(ctx context.Context, tables *dynamodb.Tables, rows []nearline.Row) error {
	for from := 0; from < len(rows); from += nearlineBatch {
		if _, err := tables.Write(ctx, rows[from:from+nearlineBatch]); err != nil {
			return err
		}
	}
	return nil
}

// readNearline reads the metric's last hour, as a statement does: the indexes first,
// then the rows, into batches.
func readNearline(ctx context.Context, tables *dynamodb.Tables, ds *schema.Dataset) error {
	pin, err := tables.Pin(ctx, []schema.Dataset{*ds})
	if err != nil {
		return err
	}
	defer pin.Release()
	now := time.Now()
	lastHour := sources.Bounds{Min: now.Add(-time.Hour).UnixMicro(), Max: now.UnixMicro()}
	recent, err := pin.Splits(ctx, *ds, nil, sources.Filter{Bounds: lastHour})
	n := 0
	for _, s := range recent.Splits {
		n += s.Batch.Batch.Rows
	}
	if err == nil && n != nearlineRows {
		err = fmt.Errorf("nearline has %d rows of %d", n, nearlineRows)
	}
	return err
}

// bareLoop calls DynamoDB and does nothing else.
type bareLoop struct{ api *awsdynamodb.Client }

func (b *bareLoop) makeTable(ctx context.Context) error {
	_, err := b.api.CreateTable(ctx, &awsdynamodb.CreateTableInput{
		TableName: aws.String(bareTable), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("p"), AttributeType: types.ScalarAttributeTypeB}, {AttributeName: aws.String("s"), AttributeType: types.ScalarAttributeTypeB},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("p"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("s"), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		return err
	}
	return awsdynamodb.NewTableExistsWaiter(b.api, func(o *awsdynamodb.TableExistsWaiterOptions) { o.MinDelay = 10 * time.Millisecond }).
		Wait(ctx, &awsdynamodb.DescribeTableInput{TableName: aws.String(bareTable)}, time.Minute)
}

// bareItem has the lengths that a row has in nearline's tables: partition and sort
// key, and a value with the names and values of its fields.
func bareItem(round, i int, r *nearline.Row) map[string]types.AttributeValue {
	n := 6
	for _, v := range r.Event.Values {
		n += 2 + len(v.Name) + max(len(v.Text)+1, 8)
	}
	sort := binary.BigEndian.AppendUint64(make([]byte, 0, 60), uint64(i))
	return map[string]types.AttributeValue{
		"p": &types.AttributeValueMemberB{Value: barePartition(round)},
		"s": &types.AttributeValueMemberB{Value: sort[:cap(sort)]},
		"v": &types.AttributeValueMemberB{Value: make([]byte, n)},
	}
}

func barePartition(round int) []byte { return fmt.Appendf(nil, "bench##0#m%d##", round) }

func (b *bareLoop) write(ctx context.Context, round int, rows []nearline.Row) error {
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(nearlineCalls)
	for from := 0; from < len(rows); from += bareBatch {
		g.Go(func() error {
			var requests []types.WriteRequest
			for i := from; i < from+bareBatch; i++ {
				requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: bareItem(round, i, &rows[i])}})
			}
			out, err := b.api.BatchWriteItem(within, &awsdynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{bareTable: requests}})
			if err == nil && len(out.UnprocessedItems) > 0 {
				err = errors.New("the server left items unprocessed")
			}
			return err
		})
	}
	return g.Wait()
}

// read asks as nearline does, for sort keys from one to another.
func (b *bareLoop) read(ctx context.Context, round int) error {
	most := binary.BigEndian.AppendUint64(nil, nearlineRows)
	in := &awsdynamodb.QueryInput{
		TableName: aws.String(bareTable), ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("p = :p AND s BETWEEN :a AND :b"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":p": &types.AttributeValueMemberB{Value: barePartition(round)},
			":a": &types.AttributeValueMemberB{Value: []byte{0}}, ":b": &types.AttributeValueMemberB{Value: most},
		},
	}
	for n := 0; ; {
		out, err := b.api.Query(ctx, in)
		if err != nil {
			return err
		}
		n += len(out.Items)
		if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
			if n != nearlineRows {
				return fmt.Errorf("the bare loop read %d rows of %d", n, nearlineRows)
			}
			return nil
		}
	}
}
