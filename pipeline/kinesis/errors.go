package kinesis

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
)

// What passes is tried again after a pause that doubles from the least to the
// greatest, of which a random part is left out.
const (
	leastPause    = 50 * time.Millisecond
	greatestPause = 5 * time.Second
)

func pauseAfter(attempt int) time.Duration {
	pause := greatestPause
	if doubled := leastPause << min(attempt-1, 20); doubled < pause {
		pause = doubled
	}
	return pause - rand.N(pause)
}

// passes says that an error is one of the moment: throttling, a server's failure,
// a connection's, an answer that was cut. What the server says of the request
// itself does not pass.
func passes(err error) bool {
	var said smithy.APIError
	return !errors.As(err, &said) || isThrottled(err) || said.ErrorFault() == smithy.FaultServer || retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}

// retryer has the SDK try again after every error that passes: its own does not
// where an answer was cut.
type retryer struct{ aws.Retryer }

// IsErrorRetryable implements aws.Retryer.
func (r retryer) IsErrorRetryable(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return r.Retryer.IsErrorRetryable(err)
	}
	return passes(err)
}

// onceLate has the SDK leave an answer that does not come in time to its caller, who
// asks for less.
type onceLate struct{ aws.Retryer }

// IsErrorRetryable implements aws.Retryer.
func (r onceLate) IsErrorRetryable(err error) bool {
	return !isLate(err) && r.Retryer.IsErrorRetryable(err)
}

func isThrottled(err error) bool {
	return retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary
}

// isLate says that no answer came in the time that the client allows.
func isLate(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func isNotFound(err error) bool {
	var notFound *types.ResourceNotFoundException
	return errors.As(err, &notFound)
}

func isInvalid(err error) bool {
	var invalid *types.InvalidArgumentException
	return errors.As(err, &invalid)
}

func isExpired(err error) bool {
	var expired *types.ExpiredIteratorException
	return errors.As(err, &expired)
}
