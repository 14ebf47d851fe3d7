package dynamodb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// weekState is what the registry says of a week that has, had or gets a table.
type weekState string

// The states, in their order. A table is made only after the registry says
// making, has rows only after it says open, and is deleted only after it says
// dropping: so a missing table of an open week is never taken for an empty one.
const (
	weekMaking   weekState = "making"
	weekOpen     weekState = "open"
	weekDropping weekState = "dropping"
	weekDropped  weekState = "dropped"
)

// weekEntry is the registry's document of a week.
type weekEntry struct {
	Format int       `json:"format"`
	State  weekState `json:"state"`
	// Emptied is when all rows were found to be in the lake; zero: they are not.
	Emptied time.Time `json:"emptied,omitzero"`
	version uint64
}

// registryFormat is the version of the registry's documents.
const registryFormat = 1

// registry is what this process knows of the weeks. What it knows of a week is
// old at worst: one that it takes for open can be dropped, which a read finds out.
type registry struct {
	mu     sync.Mutex
	known  map[week]weekEntry
	loaded time.Time
}

func (r *registry) get(w week) (weekEntry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.known[w]
	return e, ok
}

func (r *registry) set(w week, e weekEntry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[w] = e
}

// all lists the weeks in order.
func (r *registry) all() ([]week, map[week]weekEntry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.known)), maps.Clone(r.known)
}

// since is when the registry was read last.
func (r *registry) since() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.loaded
}

func weekKey(w week) item {
	return item{attrPartition: blob([]byte(weeksPartition)), attrSort: blob(appendTime(nil, int64(w)))}
}

// loadWeeks reads the registry.
func (t *Tables) loadWeeks(ctx context.Context) error {
	began := t.cfg.Now()
	known := map[week]weekEntry{}
	err := t.queryAll(ctx, &awsdynamodb.QueryInput{
		TableName: aws.String(t.control()), ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("p = :p"),
		ExpressionAttributeValues: item{":p": blob([]byte(weeksPartition))},
	}, func(i item) error {
		key := bytesOf(i, attrSort)
		if len(key) != timeBytes {
			return fmt.Errorf("week key %x is not of this version", key)
		}
		var e weekEntry
		version, err := decodeDocument(i, &e)
		if err == nil && e.Format != registryFormat {
			err = fmt.Errorf("format %d, of which this version knows only %d", e.Format, registryFormat)
		}
		e.version = version
		known[week(timeAt(key))] = e
		return err
	})
	if err != nil {
		return fmt.Errorf("read the registry of weeks: %w", err)
	}
	t.weeks.mu.Lock()
	defer t.weeks.mu.Unlock()
	t.weeks.known, t.weeks.loaded = known, began
	return nil
}

// errRaced says that another process changed a document first.
var errRaced = errors.New("changed by another process")

// saveWeek replaces the registry's document of a week by a later one of the same
// version: errRaced if another did.
func (t *Tables) saveWeek(ctx context.Context, w week, e weekEntry) error {
	e.Format = registryFormat
	version, err := t.saveDocument(ctx, weekKey(w), e, e.version)
	if err != nil {
		return fmt.Errorf("register week %s: %w", w, err)
	}
	e.version = version
	t.weeks.set(w, e)
	return nil
}

// A document is an item of the control table that is changed by compare-and-swap:
// JSON and a version that rises by one.

func decodeDocument(i item, into any) (version uint64, err error) {
	s, err := decodeItem(i)
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(s.Value, into); err != nil {
		return 0, fmt.Errorf("item %x: %w", s.Key, err)
	}
	return s.Version, nil
}

func (t *Tables) saveDocument(ctx context.Context, key item, document any, expect uint64) (version uint64, err error) {
	text, err := json.Marshal(document)
	if err != nil {
		return 0, err
	}
	full := maps.Clone(key)
	full[attrValue], full[attrVersion] = blob(text), number(expect+1)
	in := &awsdynamodb.PutItemInput{
		TableName: aws.String(t.control()), Item: full,
		ConditionExpression: aws.String("n = :e"), ExpressionAttributeValues: item{":e": number(expect)},
	}
	if expect == 0 {
		in.ConditionExpression, in.ExpressionAttributeValues = aws.String("attribute_not_exists(n)"), nil
	}
	_, err = call(ctx, t.api.PutItem, in)
	if hasCode(err, codeCondition) {
		return 0, errRaced
	}
	return expect + 1, err
}

// loadDocument reads a document; version 0: there is none.
func (t *Tables) loadDocument(ctx context.Context, key item, into any) (version uint64, err error) {
	out, err := call(ctx, t.api.GetItem, &awsdynamodb.GetItemInput{TableName: aws.String(t.control()), Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil || out.Item == nil {
		return 0, err
	}
	return decodeDocument(out.Item, into)
}

// queryAll visits all items of a query, page by page.
func (t *Tables) queryAll(ctx context.Context, in *awsdynamodb.QueryInput, visit func(i item) error) error {
	for {
		out, err := call(ctx, t.api.Query, in)
		if err != nil {
			return err
		}
		for _, i := range out.Items {
			if err := visit(i); err != nil {
				return err
			}
		}
		if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
			return nil
		}
	}
}

// between is the query of sort keys from one to another in a partition.
func (t *Tables) between(table string, partition, from, to []byte) *awsdynamodb.QueryInput {
	return &awsdynamodb.QueryInput{
		TableName: &table, ConsistentRead: aws.Bool(!t.cfg.Eventual), KeyConditionExpression: aws.String("p = :p AND s BETWEEN :a AND :b"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":p": blob(partition), ":a": blob(from), ":b": blob(to)},
	}
}
