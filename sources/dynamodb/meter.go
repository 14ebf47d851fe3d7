package dynamodb

import (
	"context"
	"maps"
	"sync"
	"time"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
)

// used is what a table has given and refused since a process began.
type used struct {
	// Read and Write are units, the others requests that were refused for want of them.
	Read         float64 `json:"read"`
	Write        float64 `json:"write"`
	ReadRefused  int64   `json:"readRefused,omitempty"`
	WriteRefused int64   `json:"writeRefused,omitempty"`
}

// meter counts by table what a client's calls consume, as DynamoDB's answers say.
type meter struct {
	began time.Time

	mu     sync.Mutex
	tables map[string]used
}

func newMeter(began time.Time) *meter { return &meter{began: began, tables: map[string]used{}} }

// all is what was counted by now.
func (m *meter) all() map[string]used {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.tables)
}

func (m *meter) count(table string, add func(u *used)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.tables[table]
	add(&u)
	m.tables[table] = u
}

// install has the calls of a client counted. Each attempt is one.
func (m *meter) install(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("ConsumedCapacity", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		ask(in.Parameters)
		out, metadata, err := next.HandleInitialize(ctx, in)
		switch {
		case err == nil:
			m.given(in.Parameters, out.Result)
		case isThrottled(err):
			m.refused(in.Parameters)
		}
		return out, metadata, err
	}), middleware.Before)
}

// ask has DynamoDB say what a call consumes.
func ask(in any) {
	const total = types.ReturnConsumedCapacityTotal
	switch in := in.(type) {
	case *awsdynamodb.GetItemInput:
		in.ReturnConsumedCapacity = total
	case *awsdynamodb.QueryInput:
		in.ReturnConsumedCapacity = total
	case *awsdynamodb.PutItemInput:
		in.ReturnConsumedCapacity = total
	case *awsdynamodb.UpdateItemInput:
		in.ReturnConsumedCapacity = total
	case *awsdynamodb.DeleteItemInput:
		in.ReturnConsumedCapacity = total
	case *awsdynamodb.BatchWriteItemInput:
		in.ReturnConsumedCapacity = total
	}
}

// given counts what a call has consumed.
func (m *meter) given(in, out any) {
	read := func(c *types.ConsumedCapacity) {
		if c != nil && c.TableName != nil && c.CapacityUnits != nil {
			m.count(*c.TableName, func(u *used) { u.Read += *c.CapacityUnits })
		}
	}
	write := func(c *types.ConsumedCapacity) {
		if c != nil && c.TableName != nil && c.CapacityUnits != nil {
			m.count(*c.TableName, func(u *used) { u.Write += *c.CapacityUnits })
		}
	}
	switch out := out.(type) {
	case *awsdynamodb.GetItemOutput:
		read(out.ConsumedCapacity)
	case *awsdynamodb.QueryOutput:
		read(out.ConsumedCapacity)
	case *awsdynamodb.PutItemOutput:
		write(out.ConsumedCapacity)
	case *awsdynamodb.UpdateItemOutput:
		write(out.ConsumedCapacity)
	case *awsdynamodb.DeleteItemOutput:
		write(out.ConsumedCapacity)
	case *awsdynamodb.BatchWriteItemOutput:
		for i := range out.ConsumedCapacity {
			write(&out.ConsumedCapacity[i])
		}
		if _, ok := in.(*awsdynamodb.BatchWriteItemInput); ok {
			m.refusedWrites(out.UnprocessedItems)
		}
	}
}

// refused counts a call that was refused.
func (m *meter) refused(in any) {
	read := func(table *string) { m.count(*table, func(u *used) { u.ReadRefused++ }) }
	write := func(table *string) { m.count(*table, func(u *used) { u.WriteRefused++ }) }
	switch in := in.(type) {
	case *awsdynamodb.GetItemInput:
		read(in.TableName)
	case *awsdynamodb.QueryInput:
		read(in.TableName)
	case *awsdynamodb.PutItemInput:
		write(in.TableName)
	case *awsdynamodb.UpdateItemInput:
		write(in.TableName)
	case *awsdynamodb.DeleteItemInput:
		write(in.TableName)
	case *awsdynamodb.BatchWriteItemInput:
		m.refusedWrites(in.RequestItems)
	}
}

// refusedWrites counts the writes of a batch that were not made.
func (m *meter) refusedWrites(left map[string][]types.WriteRequest) {
	for table, requests := range left {
		if len(requests) > 0 {
			m.count(table, func(u *used) { u.WriteRefused += int64(len(requests)) })
		}
	}
}
