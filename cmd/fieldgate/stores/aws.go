package stores

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

const (
	// awsAttempts and awsBackoff bound the SDK's own retries of one call: with
	// full jitter between them they ride out a few seconds of throttling. Who must
	// not give up, a stage, tries again above.
	awsAttempts = 6
	awsBackoff  = 5 * time.Second

	// awsConnections is how many idle connections to one endpoint are kept. The
	// SDK's ten would be opened anew all the time by parallel range reads.
	awsConnections = 64

	// awsAnswer is how long a service may take from the end of a request to the
	// first byte of its answer.
	awsAnswer = 30 * time.Second

	// awsCredentials is how long the SDK may look for credentials when the server
	// starts; off EC2 it asks an address that nobody has.
	awsCredentials = 15 * time.Second
)

// AWSConfig is the configuration of an AWS client in a region; the endpoint is
// for servers other than AWS, "" is AWS itself. Credentials come from the SDK's
// chain: the environment, the shared files, the role of the task or machine.
// They are looked for once here, so that a server without any says so when it
// starts.
func AWSConfig(ctx context.Context, region, endpoint string) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns = 0 // bounded by host
		t.MaxIdleConnsPerHost = awsConnections
		t.ResponseHeaderTimeout = awsAnswer
	})
	c, err := awsconfig.LoadDefaultConfig(ctx,
		awsconfig.WithRegion(region), awsconfig.WithHTTPClient(client), awsconfig.WithRetryer(awsRetryer))
	if err != nil {
		return aws.Config{}, fmt.Errorf("read AWS configuration: %w", err)
	}
	// What it has to say beside errors is of its own workings.
	c.Logger = logging.Nop{}
	if endpoint != "" {
		c.BaseEndpoint = &endpoint
	}
	look, cancel := context.WithTimeout(ctx, awsCredentials)
	defer cancel()
	if _, err := c.Credentials.Retrieve(look); err != nil {
		return aws.Config{}, fmt.Errorf("no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role: %w", err)
	}
	return c, nil
}

// awsRetryer retries with exponential delays and full jitter. The SDK's budget
// of retries across calls is off: it would fail calls at once under a long
// throttling, and what is open at once is bounded here by other means.
func awsRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = awsAttempts
		o.MaxBackoff = awsBackoff
		o.RateLimiter = ratelimit.None
	})
}
