package testdeps

import (
	"encoding/base64"
	"errors"
	"os"
	"sync"
	"testing"
)

// The local servers of S3's API. versitygw keeps objects as files and passes
// everything of conditions and multipart uploads, but ignores encryption and
// storage classes; MinIO has encryption. Addresses are path-style.

// The credentials of both.
const (
	S3AccessKeyID     = "testuser"
	S3SecretAccessKey = "testsecret123"
)

// MinIOKey is the name of a KMS key that MinIO has.
const MinIOKey = "testkey"

var (
	versityOnce = sync.OnceValues(startVersityGW)
	minioOnce   = sync.OnceValues(startMinIO)
)

// VersityGW returns the URL of versitygw, or skips the test. All tests of a
// process share it, so their buckets bear names of their own.
func VersityGW(t testing.TB) string {
	t.Helper()
	return serverOrSkip(t, "versitygw", versityOnce)
}

// MinIO is VersityGW for MinIO.
func MinIO(t testing.TB) string {
	t.Helper()
	return serverOrSkip(t, "minio", minioOnce)
}

// StartVersityGW is VersityGW for programs that are no test: an error where there
// is none.
func StartVersityGW() (url string, err error) {
	s, err := versityOnce()
	return s.url, err
}

func startVersityGW() (apiServer, error) {
	return startS3("versitygw", []string{"ROOT_ACCESS_KEY=" + S3AccessKeyID, "ROOT_SECRET_KEY=" + S3SecretAccessKey},
		func(address, dir string) []string { return []string{"--quiet", "--port", address, "posix", dir} })
}

func startMinIO() (apiServer, error) {
	env := []string{
		"MINIO_ROOT_USER=" + S3AccessKeyID, "MINIO_ROOT_PASSWORD=" + S3SecretAccessKey, "MINIO_CI_CD=1", "MINIO_BROWSER=off",
		"MINIO_KMS_SECRET_KEY=" + MinIOKey + ":" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
	}
	return startS3("minio", env, func(address, dir string) []string { return []string{"server", "--quiet", "--address", address, dir} })
}

// startS3 starts a program that keeps its objects in a new folder, which goes
// with it.
func startS3(name string, env []string, arguments func(address, dir string) []string) (apiServer, error) {
	program, err := installed(name)
	if err != nil {
		return apiServer{}, err
	}
	dir, err := os.MkdirTemp("", "fieldgate-"+name+"-")
	if err != nil {
		return apiServer{}, err
	}
	s, err := startAPI(dir, append(env, removeVariable+"="+dir), func(port string) []string {
		return append([]string{program}, arguments(loopback(port), dir)...)
	})
	if err != nil {
		return apiServer{}, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// AWSKeys gives the AWS SDK's chain the credentials of a local server, and nothing
// of the machine's.
func AWSKeys(t *testing.T, id, secret string) {
	t.Helper()
	for name, value := range awsKeys(id, secret) {
		t.Setenv(name, value)
	}
}

// SetAWSKeys is AWSKeys, with the keys of the S3 servers, for all tests of a process:
// its TestMain calls it, so that they may run in parallel.
func SetAWSKeys() error {
	for name, value := range awsKeys(S3AccessKeyID, S3SecretAccessKey) {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

func awsKeys(id, secret string) map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID":           id,
		"AWS_SECRET_ACCESS_KEY":       secret,
		"AWS_CONFIG_FILE":             "/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
		"AWS_EC2_METADATA_DISABLED":   "true",
	}
}
