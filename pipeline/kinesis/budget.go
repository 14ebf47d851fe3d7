package kinesis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/fieldgate/fieldgate/schema"
)

// budgetedCall is an operation whose calls Kinesis counts for all processes together.
type budgetedCall struct {
	// each is how many there may be in a window of a second. Two windows may meet in one
	// second, so it is half of what Kinesis allows, or less: others use the account too.
	each int
	// account: it counts for the account and not for each stream.
	account bool
}

// budgeted are the calls that processes make the more of, the more of them there are,
// by operation ("Kinesis Data Streams control plane API limits", developer guide).
func budgeted(operation string) (budgetedCall, bool) {
	switch operation {
	case "DescribeStreamSummary": // 20 a second
		return budgetedCall{each: 10, account: true}, true
	case "DescribeStreamConsumer": // 20 a second and stream
		return budgetedCall{each: 10}, true
	case "RegisterStreamConsumer": // 5 a second and stream
		return budgetedCall{each: 2}, true
	case "ListShards": // 1000 a second and stream
		return budgetedCall{each: 100}, true
	}
	return budgetedCall{}, false
}

// budgetWindow is how long a window lasts at least.
const budgetWindow = time.Second

// budget has the processes of a key-value store share what Kinesis allows of a call.
//
// Calls are counted by windows. Nobody compares clocks: who has seen a window for its
// duration begins the next, whose number is one higher; while one is full, callers wait.
type budget struct {
	kv     schema.KV
	stream string

	mu   sync.Mutex
	seen map[string]windowSeen // by key
}

// windowSeen is when a window was first seen here.
type windowSeen struct {
	number uint64
	since  time.Time
}

// callWindow is the stored window of a call.
type callWindow struct {
	Format int    `json:"format"`
	Number uint64 `json:"number"`
	Used   int    `json:"used"`
}

const windowFormat = 1

// limit has each attempt of a budgeted call wait for its turn.
func (b *budget) limit(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("CallBudget", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		operation := awsmiddleware.GetOperationName(ctx)
		if call, ok := budgeted(operation); ok {
			key := "budgets/kinesis/" + operation
			if !call.account {
				key += "/" + b.stream
			}
			if err := b.take(ctx, key, call.each); err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, err
			}
		}
		return next.HandleFinalize(ctx, in)
	}), "Retry", middleware.After)
}

// take returns when there may be one call more. A key-value store that fails holds
// nobody up: Kinesis refuses what is too much, and it is tried again.
func (b *budget) take(ctx context.Context, key string, each int) error {
	for {
		wait, err := b.tryTake(ctx, key, each)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, schema.ErrConflict):
			wait = rand.N(20 * time.Millisecond)
		case err != nil || wait == 0:
			return nil
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// tryTake counts a call, or says how long to wait before the next try.
func (b *budget) tryTake(ctx context.Context, key string, each int) (time.Duration, error) {
	var w callWindow
	item, err := b.kv.Get(ctx, key)
	switch {
	case errors.Is(err, schema.ErrNotFound):
		w = callWindow{Format: windowFormat}
	case err != nil:
		return 0, err
	default:
		if err := json.Unmarshal(item.Value, &w); err != nil || w.Format != windowFormat {
			return 0, fmt.Errorf("budget %s cannot be read", key)
		}
	}
	age := b.sighted(key, w.Number)
	switch {
	case age >= budgetWindow:
		w.Number, w.Used = w.Number+1, 0
	case w.Used >= each:
		return budgetWindow - age + rand.N(budgetWindow/20), nil
	}
	w.Used++
	data, err := json.Marshal(w)
	if err != nil {
		return 0, err
	}
	_, err = b.kv.Put(ctx, key, data, item.Version)
	if err == nil {
		b.sighted(key, w.Number)
	}
	return 0, err
}

// sighted says how long a window has been known here.
func (b *budget) sighted(key string, number uint64) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at, known := b.seen[key]; known && at.number == number {
		return time.Since(at.since)
	}
	b.seen[key] = windowSeen{number, time.Now()}
	return 0
}
