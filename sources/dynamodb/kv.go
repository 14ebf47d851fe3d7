package dynamodb

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fieldgate/fieldgate/schema"
)

var _ schema.KV = (*KV)(nil)

// The attributes of a value's item. Its sort key is the key, its partition the
// key up to its first slash.
const (
	attrValue   = "v"
	attrVersion = "n"
	// attrWriter is drawn by each write: a writer whose answer was lost finds out
	// by it that the write was done.
	attrWriter = "w"
	// attrGone marks the trace of a deleted key, which goes at the time, in seconds
	// since 1970, of attrExpires.
	attrGone    = "d"
	attrExpires = "x"
)

// traceDays is how long a deleted key's version is remembered. From then on new
// versions, which begin with the time in microseconds, are above it by
// themselves; until then clocks of different machines may disagree.
const traceDays = 7

// rootGroup is the partition of keys without a slash.
const rootGroup = "/"

// KVConfig configures a KV.
type KVConfig struct {
	// AWS has region, credentials and, for servers other than AWS, the endpoint.
	AWS aws.Config
	// Table is the table's name. It is made if it is missing.
	Table string
	// KMSKeyID is the KMS key of a table that is made, by id, ARN or alias. Default: one
	// that DynamoDB owns.
	KMSKeyID string
	// Now is the clock that new keys' versions begin with. Default time.Now.
	Now func() time.Time
}

// KV is a schema.KV in a table of DynamoDB. Reads are strongly consistent.
type KV struct {
	client
	table string
	now   func() time.Time
}

// OpenKV opens the table, or makes it.
func OpenKV(ctx context.Context, cfg KVConfig) (*KV, error) {
	if cfg.Table == "" {
		return nil, errors.New("dynamodb key-value store: no table")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	kv := &KV{client: newClient(cfg.AWS, cfg.KMSKeyID), table: cfg.Table, now: cfg.Now}
	made, err := kv.makeTable(ctx, kv.table, capacity{})
	if err != nil {
		return nil, err
	}
	if made {
		return kv, kv.expire(ctx)
	}
	return kv, nil
}

// expire has DynamoDB delete traces once they are of no use. A server that cannot
// keeps them.
func (kv *KV) expire(ctx context.Context) error {
	_, err := call(ctx, kv.api.UpdateTimeToLive, &awsdynamodb.UpdateTimeToLiveInput{
		TableName:               &kv.table,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(attrExpires), Enabled: aws.Bool(true)},
	})
	if err != nil && !hasCode(err, codeUnknown) {
		return wrapCall("let items expire in table", kv.table, err)
	}
	return nil
}

// group is the partition of a key, or of all keys with a prefix that has a slash.
func group(key string) string {
	if at := strings.IndexByte(key, '/'); at >= 0 {
		return key[:at+1]
	}
	return rootGroup
}

func keyOf(key string) item {
	return item{attrPartition: blob([]byte(group(key))), attrSort: blob([]byte(key))}
}

// stored is what an item says.
type stored struct {
	schema.Item
	writer []byte
	gone   bool
}

func decodeItem(i item) (stored, error) {
	s := stored{Item: schema.Item{Key: string(bytesOf(i, attrSort)), Value: bytesOf(i, attrValue)}, writer: bytesOf(i, attrWriter)}
	_, s.gone = i[attrGone]
	n, ok := i[attrVersion].(*types.AttributeValueMemberN)
	if !ok {
		return s, fmt.Errorf("item %q has no version", s.Key)
	}
	var err error
	if s.Version, err = strconv.ParseUint(n.Value, 10, 64); err != nil {
		return s, fmt.Errorf("item %q: %w", s.Key, err)
	}
	return s, nil
}

// read gives what is stored under a key; version 0: nothing.
func (kv *KV) read(ctx context.Context, key string) (stored, error) {
	out, err := call(ctx, kv.api.GetItem, &awsdynamodb.GetItemInput{TableName: &kv.table, Key: keyOf(key), ConsistentRead: aws.Bool(true)})
	if err != nil || out.Item == nil {
		return stored{}, err
	}
	return decodeItem(out.Item)
}

// Get returns a value and its version.
func (kv *KV) Get(ctx context.Context, key string) (schema.Item, error) {
	if err := schema.CheckItem(key, nil); err != nil {
		return schema.Item{}, fmt.Errorf("get %q: %w: %w", key, schema.ErrNotFound, err)
	}
	s, err := kv.read(ctx, key)
	if err == nil && (s.Version == 0 || s.gone) {
		err = schema.ErrNotFound
	}
	if err != nil {
		return schema.Item{}, fmt.Errorf("get %q: %w", key, err)
	}
	return s.Item, nil
}

// Put stores a value if its key is at the version expected.
func (kv *KV) Put(ctx context.Context, key string, value []byte, expect uint64) (uint64, error) {
	err := schema.CheckItem(key, value)
	var version uint64
	if err == nil {
		version, err = kv.put(ctx, key, value, expect)
	}
	if err != nil {
		return 0, fmt.Errorf("put %q: %w", key, err)
	}
	return version, nil
}

func (kv *KV) put(ctx context.Context, key string, value []byte, expect uint64) (uint64, error) {
	w := write{key: key, item: item{attrValue: blob(value)}, condition: "n = :e AND attribute_not_exists(d)", expect: expect, version: expect + 1}
	if expect == 0 {
		w.condition = "attribute_not_exists(n) OR attribute_exists(d) AND n < :e"
		w.version = uint64(max(kv.now().UnixMicro(), 1))
		w.expect = w.version
	}
	for {
		found, err := kv.write(ctx, &w)
		switch {
		case err != nil:
			return 0, err
		case found == nil:
			return w.version, nil
		case expect == 0 && found.gone:
			// It was deleted by a faster clock.
			w.version = found.Version + 1
			w.expect = w.version
		default:
			return 0, schema.ErrConflict
		}
	}
}

// Delete removes a key if it is at the version expected.
func (kv *KV) Delete(ctx context.Context, key string, expect uint64) error {
	expires := kv.now().AddDate(0, 0, traceDays).Unix()
	w := write{
		key: key, condition: "n = :e AND attribute_not_exists(d)", expect: expect, version: expect,
		item: item{attrGone: &types.AttributeValueMemberBOOL{Value: true}, attrExpires: number(uint64(max(expires, 0)))},
	}
	found, err := kv.write(ctx, &w)
	switch {
	case err != nil:
	case found == nil:
		return nil
	case found.Version == 0 || found.gone:
		err = schema.ErrNotFound
	default:
		err = schema.ErrConflict
	}
	return fmt.Errorf("delete %q: %w", key, err)
}

// write puts an item on a condition in which :e is the version expected.
type write struct {
	key             string
	item            item // without key, version and writer
	condition       string
	expect, version uint64
}

// write makes a write. found is nil if it was made, and else what stands in its
// way. A condition that fails may be the write's own doing: an answer that was
// lost made it be tried again.
func (kv *KV) write(ctx context.Context, w *write) (found *stored, err error) {
	writer := make([]byte, 16)
	if _, err := rand.Read(writer); err != nil {
		return nil, err
	}
	full := keyOf(w.key)
	for name, v := range w.item {
		full[name] = v
	}
	full[attrVersion], full[attrWriter] = number(w.version), blob(writer)
	_, err = call(ctx, kv.api.PutItem, &awsdynamodb.PutItemInput{
		TableName: &kv.table, Item: full, ConditionExpression: &w.condition, ExpressionAttributeValues: item{":e": number(w.expect)},
	})
	if !hasCode(err, codeCondition) {
		return nil, err
	}
	s, err := kv.read(ctx, w.key)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(s.writer, writer) {
		return nil, nil
	}
	return &s, nil
}

func number(n uint64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatUint(n, 10)}
}

// List returns a page of the items under a prefix.
func (kv *KV) List(ctx context.Context, prefix, after string, limit int) ([]schema.Item, error) {
	list := kv.query
	if !strings.Contains(prefix, "/") {
		list = kv.scan
	}
	if after > prefix && !strings.HasPrefix(after, prefix) {
		return nil, ctx.Err() // beyond all that have the prefix
	}
	items, err := list(ctx, prefix, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list %q: %w", prefix, err)
	}
	return items, nil
}

// query lists keys of one partition.
func (kv *KV) query(ctx context.Context, prefix, after string, limit int) (items []schema.Item, err error) {
	in := &awsdynamodb.QueryInput{
		TableName: &kv.table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("p = :p AND begins_with(s, :s)"),
		ExpressionAttributeValues: item{":p": blob([]byte(group(prefix))), ":s": blob([]byte(prefix))},
	}
	if after >= prefix && after != "" {
		in.ExclusiveStartKey = item{attrPartition: blob([]byte(group(prefix))), attrSort: blob([]byte(after))}
	}
	for len(items) < limit {
		in.Limit = aws.Int32(int32(min(limit-len(items), math.MaxInt32)))
		out, err := call(ctx, kv.api.Query, in)
		if err != nil {
			return nil, err
		}
		for _, i := range out.Items {
			s, err := decodeItem(i)
			if err != nil {
				return nil, err
			}
			if !s.gone {
				items = append(items, s.Item)
			}
		}
		if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
			break
		}
	}
	return items, nil
}

// scan lists keys of all partitions. It reads the whole table: only who looks
// through everything asks so.
func (kv *KV) scan(ctx context.Context, prefix, after string, limit int) (items []schema.Item, err error) {
	in := &awsdynamodb.ScanInput{TableName: &kv.table, ConsistentRead: aws.Bool(true)}
	for {
		out, err := call(ctx, kv.api.Scan, in)
		if err != nil {
			return nil, err
		}
		for _, i := range out.Items {
			s, err := decodeItem(i)
			if err != nil {
				return nil, err
			}
			if !s.gone && strings.HasPrefix(s.Key, prefix) && (after == "" || s.Key > after) {
				items = append(items, s.Item)
			}
		}
		if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
			break
		}
	}
	slices.SortFunc(items, func(a, b schema.Item) int { return strings.Compare(a.Key, b.Key) })
	return items[:min(limit, len(items))], nil
}
