// Package dynamodb keeps small versioned values and recent events in DynamoDB:
// KV is schema.KV, one table; Tables is nearline, one table an ISO week of event
// time.
//
// Every write is right by itself: a condition on one item, or none at all. No
// transaction is needed, and the local servers that tests run against have none.
// What lies in the items is in docs/format/dynamodb.md.
package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
)

const (
	// firstDelay and maxDelay bound the pause before a call is made again. It is
	// drawn from the whole range up to a bound that doubles, so that callers who
	// were throttled together do not come back together.
	firstDelay = 25 * time.Millisecond
	maxDelay   = 5 * time.Second

	// patience is how long a call is made again while DynamoDB fails or is out of
	// reach.
	patience = 30 * time.Second
)

// client calls DynamoDB and waits out what passes.
type client struct {
	api *awsdynamodb.Client
	// kmsKey encrypts the tables that are made; "" is a key of DynamoDB's own.
	kmsKey string
}

// newClient makes a client that leaves no retry to the SDK: what is throttled is
// waited out for as long as the caller likes, not for a number of attempts.
func newClient(c aws.Config, kmsKey string, options ...func(*awsdynamodb.Options)) client {
	options = append(options, func(o *awsdynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	return client{awsdynamodb.NewFromConfig(c, options...), kmsKey}
}

// call makes a call until it is answered: through throttling until ctx ends, and
// through failures for the length of patience.
func call[I, O any](ctx context.Context, do func(context.Context, I, ...func(*awsdynamodb.Options)) (O, error), in I) (O, error) {
	return callWithin(ctx, patience, do, in)
}

// callWithin is call with another patience.
func callWithin[I, O any](ctx context.Context, patience time.Duration, do func(context.Context, I, ...func(*awsdynamodb.Options)) (O, error), in I) (O, error) {
	began := time.Now()
	for attempt := 0; ; attempt++ {
		out, err := do(ctx, in)
		if err == nil {
			return out, nil
		}
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
		if !isThrottled(err) && (!passes(err) || time.Since(began) > patience) {
			return out, err
		}
		if err := pause(ctx, attempt); err != nil {
			return out, err
		}
	}
}

// pause waits before a further attempt, the first being number 0.
func pause(ctx context.Context, attempt int) error {
	bound := min(firstDelay<<min(attempt, 16), maxDelay)
	timer := time.NewTimer(rand.N(bound) + 1)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// isThrottled says that DynamoDB took the call for one too many.
func isThrottled(err error) bool {
	return retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err).Bool()
}

// passes says that an error is of the kind that a later attempt need not meet:
// whatever is no answer, and answers that say so.
func passes(err error) bool {
	var answered smithy.APIError
	if !errors.As(err, &answered) {
		return true
	}
	var response interface{ HTTPStatusCode() int }
	return errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError ||
		retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err).Bool()
}

// hasCode says that DynamoDB answered with an error of that code.
func hasCode(err error, code string) bool {
	var answered smithy.APIError
	return errors.As(err, &answered) && answered.ErrorCode() == code
}

// The codes of answers that mean something to us.
const (
	codeCondition = "ConditionalCheckFailedException"
	codeInUse     = "ResourceInUseException"
	codeLimit     = "LimitExceededException"
	codeNotFound  = "ResourceNotFoundException"
	codeUnknown   = "UnknownOperationException"
)

// errTableEnds says that a table is being deleted, or was, while it was waited
// for.
var errTableEnds = errors.New("the table is being deleted")

// wrapCall names the table of a call that failed. Errors of the caller's context
// stand as they are.
func wrapCall(what, table string, err error) error {
	return fmt.Errorf("%s %s: %w", what, table, err)
}
