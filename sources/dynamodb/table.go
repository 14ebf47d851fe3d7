package dynamodb

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The attributes that every table's key has: partition and sort key.
const (
	attrPartition = "p"
	attrSort      = "s"
)

// capacity is what a provisioned table may consume a second; zero is on demand.
type capacity struct{ read, write int64 }

func (c capacity) provisioned() *types.ProvisionedThroughput {
	return &types.ProvisionedThroughput{ReadCapacityUnits: &c.read, WriteCapacityUnits: &c.write}
}

// makeTable makes a table if it is missing, and returns once it can be used. made
// says that it was missing.
func (c client) makeTable(ctx context.Context, name string, throughput capacity) (made bool, err error) {
	status, err := c.tableStatus(ctx, name)
	if err != nil {
		return false, err
	}
	if status == "" {
		if made, err = c.createTable(ctx, name, throughput); err != nil {
			return false, err
		}
	}
	for attempt := 0; status != types.TableStatusActive && status != types.TableStatusUpdating; attempt++ {
		if status == types.TableStatusDeleting {
			return made, fmt.Errorf("make table %s: %w", name, errTableEnds)
		}
		if status, err = c.tableStatus(ctx, name); err != nil {
			return made, err
		}
		if status == types.TableStatusActive {
			break
		}
		if err := pause(ctx, attempt); err != nil {
			return made, err
		}
	}
	return made, nil
}

// createTable asks for a table. made is false if another has asked.
func (c client) createTable(ctx context.Context, name string, throughput capacity) (made bool, err error) {
	in := &awsdynamodb.CreateTableInput{
		TableName: &name,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String(attrPartition), AttributeType: types.ScalarAttributeTypeB},
			{AttributeName: aws.String(attrSort), AttributeType: types.ScalarAttributeTypeB},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String(attrPartition), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(attrSort), KeyType: types.KeyTypeRange},
		},
		BillingMode: types.BillingModePayPerRequest,
	}
	if throughput != (capacity{}) {
		in.BillingMode, in.ProvisionedThroughput = types.BillingModeProvisioned, throughput.provisioned()
	}
	if c.kmsKey != "" {
		in.SSESpecification = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms, KMSMasterKeyId: &c.kmsKey}
	}
	_, err = call(ctx, c.api.CreateTable, in)
	switch {
	case hasCode(err, codeInUse):
		return false, nil
	case err != nil:
		return false, wrapCall("make table", name, err)
	}
	return true, nil
}

// tableStatus is "" if there is no such table.
func (c client) tableStatus(ctx context.Context, name string) (types.TableStatus, error) {
	out, err := call(ctx, c.api.DescribeTable, &awsdynamodb.DescribeTableInput{TableName: &name})
	switch {
	case hasCode(err, codeNotFound):
		return "", nil
	case err != nil:
		return "", wrapCall("look for table", name, err)
	}
	return out.Table.TableStatus, nil
}

// item is an item of a table, and key the part that names it.
type item = map[string]types.AttributeValue

// blob is a binary attribute. It may be empty, but nil would be none at all.
func blob(b []byte) types.AttributeValue {
	if b == nil {
		b = []byte{}
	}
	return &types.AttributeValueMemberB{Value: b}
}

// bytesOf is a binary attribute; nil if the item has none.
func bytesOf(i item, name string) []byte {
	if b, ok := i[name].(*types.AttributeValueMemberB); ok {
		return b.Value
	}
	return nil
}
