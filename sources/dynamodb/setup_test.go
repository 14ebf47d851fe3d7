package dynamodb_test

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"go.uber.org/goleak"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// servers are the local servers that the suites run against.
var servers = []struct {
	name  string
	start func(t testing.TB) string
}{{"dynalite", testdeps.Dynalite}, {"moto", testdeps.Moto}}

// onServers runs a test on each server.
func onServers(t *testing.T, test func(t *testing.T, url string)) {
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			test(t, s.start(t))
		})
	}
}

// awsConfig is that of a client of a local server.
func awsConfig(t testing.TB, url string) aws.Config {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: &url, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

// unique is a name that no other test has.
func unique(name string) string { return name + "-" + strings.ToLower(rand.Text()) }
