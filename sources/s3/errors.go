package s3

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/fieldgate/fieldgate/sources/objstore"
)

// mapped wraps the sentinels of objstore around the service's errors. The text of
// the service stays.
func mapped(err error) error {
	var as error
	switch statusOf(err) {
	case http.StatusNotFound:
		if codeOf(err) == "NoSuchBucket" {
			return err
		}
		as = objstore.ErrNotFound
	case http.StatusPreconditionFailed:
		as = objstore.ErrPrecondition
	case http.StatusRequestedRangeNotSatisfiable:
		as = objstore.ErrRange
	default:
		return err
	}
	return fmt.Errorf("%w: %w", as, err)
}

// readError is mapped for who reads an object: a connection's io.EOF would be
// taken for the object's end.
func readError(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %s", io.ErrUnexpectedEOF, err.Error())
	}
	return mapped(err)
}

// statusOf is the HTTP status of an answer; 0 if there was none.
func statusOf(err error) int {
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	return 0
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// isConflict says that another conditional write of the key was under way, and
// that neither it nor this one has decided anything: ConditionalRequestConflict.
func isConflict(err error) bool { return statusOf(err) == http.StatusConflict }

// patient retries answers that were cut amid their text too, which the SDK takes
// for answers that cannot be understood.
type patient struct{ aws.Retryer }

// IsErrorRetryable implements aws.Retryer.
func (p patient) IsErrorRetryable(err error) bool {
	var answer *smithy.DeserializationError
	return p.Retryer.IsErrorRetryable(err) || errors.As(err, &answer) && errors.Is(err, io.ErrUnexpectedEOF)
}
