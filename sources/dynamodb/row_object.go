package dynamodb

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/fieldgate/fieldgate/sources/objstore"
)

// objectFolder holds the values that are too large for an item.
const objectFolder = "nearline/"

// objectKey is where the value of a row lies: in the folder of its table, under
// the hash of its partition and its sort key. A row that is written again
// overwrites itself.
func objectKey(folder string, partition, sort []byte) string {
	sum := sha256.Sum256(partition)
	return objectFolder + folder + "/" + hex.EncodeToString(sum[:8]) + "/" + hex.EncodeToString(sort)
}

// spill puts a value into the bucket and gives what stands in the item instead.
func (t *Tables) spill(ctx context.Context, key string, value []byte) ([]byte, error) {
	if t.cfg.Bucket == nil {
		return nil, fmt.Errorf("a row of %d bytes is too large for an item, and there is no bucket", len(value))
	}
	if _, err := t.cfg.Bucket.Put(ctx, key, value); err != nil {
		return nil, fmt.Errorf("put a row of %d bytes: %w", len(value), err)
	}
	sum := sha256.Sum256(value)
	pointer := binary.AppendUvarint([]byte{rowVersion, flagObject}, uint64(len(value)))
	return append(pointer, sum[:]...), nil
}

func isSpilled(value []byte) bool {
	return len(value) > 2 && value[0] == rowVersion && value[1]&flagObject != 0
}

// fetch reads a value that spill put.
func (t *Tables) fetch(ctx context.Context, key string, pointer []byte) ([]byte, error) {
	if t.cfg.Bucket == nil {
		return nil, fmt.Errorf("%s is a row's value, and there is no bucket", key)
	}
	value, _, err := objstore.Read(ctx, t.cfg.Bucket, key)
	if err != nil {
		return nil, fmt.Errorf("read a row's value: %w", err)
	}
	size, n := binary.Uvarint(pointer[2:])
	sum := sha256.Sum256(value)
	if n <= 0 || size != uint64(len(value)) || string(pointer[2+n:]) != string(sum[:]) {
		return nil, fmt.Errorf("%w: %s", errRow, key)
	}
	return value, nil
}

// dropObjects deletes the objects of a folder.
func (t *Tables) dropObjects(ctx context.Context, folder string) error {
	if t.cfg.Bucket == nil {
		return nil
	}
	const page = 1000
	for prefix, after := objectFolder+folder+"/", ""; ; {
		infos, err := t.cfg.Bucket.List(ctx, prefix, after, page)
		if err != nil {
			return fmt.Errorf("list values of %s: %w", folder, err)
		}
		for _, info := range infos {
			if err := t.cfg.Bucket.Delete(ctx, info.Key); err != nil {
				return fmt.Errorf("delete a value of %s: %w", folder, err)
			}
			after = info.Key
		}
		if len(infos) < page {
			return nil
		}
	}
}
