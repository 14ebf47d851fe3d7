package s3

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/fieldgate/fieldgate/sources/objstore"
)

// Config says where a Bucket's objects lie and how they are kept.
type Config struct {
	// Client reaches the service; its retryer bounds attempts and delays. Required.
	Client *s3.Client
	// Bucket is S3's name of the bucket, which must be there. Required.
	Bucket string
	// Prefix comes before every key; "", or a folder that ends in a slash.
	Prefix string
	// Encryption is "" for the bucket's own default, AES256 or aws:kms. KMSKeyID
	// names the key of aws:kms, "" the account's own; BucketKey asks for fewer calls
	// of KMS by a key of the bucket.
	Encryption string
	KMSKeyID   string
	BucketKey  bool
	// StorageClass of new objects; "" says nothing, which is STANDARD.
	StorageClass string
	// PartBytes is the size of the parts in which larger objects are sent, several
	// at once. At least 5 MB, as S3 has it. Default: 16 MB.
	PartBytes int
	// StallTime is how long a body may bring nothing before its connection is given
	// up and the rest asked for anew. Default: 20 s.
	StallTime time.Duration
}

// minPartBytes is S3's least size of all parts but the last.
const minPartBytes = 5 << 20

func (c Config) withDefaults() Config {
	if c.PartBytes == 0 {
		c.PartBytes = 16 << 20
	}
	if c.StallTime == 0 {
		c.StallTime = 20 * time.Second
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Client == nil:
		return errors.New("s3: no client")
	case c.Bucket == "":
		return errors.New("s3: no bucket")
	case c.PartBytes < minPartBytes:
		return fmt.Errorf("s3: parts of %d bytes, fewer than %d", c.PartBytes, minPartBytes)
	case c.StallTime < 0:
		return fmt.Errorf("s3: stall time of %v", c.StallTime)
	}
	return CheckSettings(c.Prefix, c.Encryption, c.KMSKeyID, c.BucketKey)
}

// maxPrefixBytes leaves keys their MaxKeyBytes of the 1,024 that S3 allows.
const maxPrefixBytes = 1024 - objstore.MaxKeyBytes

// CheckSettings says what is wrong with settings of a bucket.
func CheckSettings(prefix, encryption, kmsKeyID string, bucketKey bool) error {
	kms := encryption == string(types.ServerSideEncryptionAwsKms)
	switch {
	case prefix != "" && (!strings.HasSuffix(prefix, "/") || strings.HasPrefix(prefix, "/") || len(prefix) > maxPrefixBytes):
		return fmt.Errorf("prefix %q: want a folder of at most %d bytes that ends in a slash", prefix, maxPrefixBytes)
	case encryption != "" && encryption != string(types.ServerSideEncryptionAes256) && !kms:
		return fmt.Errorf("encryption %q: want AES256, aws:kms or nothing", encryption)
	case !kms && (kmsKeyID != "" || bucketKey):
		return errors.New("a KMS key and a bucket key go with encryption aws:kms only")
	}
	return nil
}
