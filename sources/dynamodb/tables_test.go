package dynamodb_test

import (
	"testing"

	"github.com/fieldgate/fieldgate/sources/dynamodb"
	"github.com/fieldgate/fieldgate/sources/nearline/nearlinetest"
)

func TestTables(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, url string) {
		nearlinetest.Run(t, nearlinetest.Options{Remote: true}, func(t *testing.T) nearlinetest.Store {
			return openTables(t, dynamodb.Config{AWS: awsConfig(t, url)})
		})
	})
}
