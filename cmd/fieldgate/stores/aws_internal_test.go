package stores

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

func TestAWSConfig(t *testing.T) {
	testdeps.AWSKeys(t, "id", "secret")
	for name, call := range map[string]func(context.Context, aws.Config) error{
		"s3": func(ctx context.Context, c aws.Config) error {
			_, err := s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }).ListBuckets(ctx, &s3.ListBucketsInput{})
			return err
		},
		"dynamodb": func(ctx context.Context, c aws.Config) error {
			_, err := dynamodb.NewFromConfig(c).ListTables(ctx, &dynamodb.ListTablesInput{})
			return err
		},
		"kinesis": func(ctx context.Context, c aws.Config) error {
			_, err := kinesis.NewFromConfig(c).ListStreams(ctx, &kinesis.ListStreamsInput{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var signed []string
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				signed = append(signed, r.Header.Get("Authorization"))
				if len(signed) < 3 {
					w.WriteHeader(http.StatusServiceUnavailable)
				} else if name == "s3" {
					_, _ = w.Write([]byte(`<ListAllMyBucketsResult/>`))
				} else {
					_, _ = w.Write([]byte(`{}`))
				}
			}))
			defer srv.Close()
			c, err := AWSConfig(t.Context(), "eu-north-1", srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			if err := call(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if len(signed) != 3 || !strings.Contains(signed[2], "Credential=id/") || !strings.Contains(signed[2], "/eu-north-1/"+name+"/") {
				t.Errorf("requests signed %q, want three of the key in the region", signed)
			}
		})
	}
}

func TestAWSConfigWithoutCredentials(t *testing.T) {
	testdeps.AWSKeys(t, "", "")
	_, err := AWSConfig(t.Context(), "eu-north-1", "")
	if err == nil || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") {
		t.Errorf("AWSConfig: %v, want what to set", err)
	}
}
