package lake

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/fieldgate/fieldgate/sources/objstore"
)

// footerSum is what a manifest keeps of the end of a file, which tells where all else
// lies and has no checksum of its own, as pages have: its length in bytes and its CRC-32C.
type footerSum [2]uint32

// footerEnd is what Parquet ends a file with: the length of its metadata, and PAR1.
const footerEnd = 8

// footerOf is the footer of a whole file.
func footerOf(data []byte) *footerSum {
	n := footerEnd + binary.LittleEndian.Uint32(data[len(data)-footerEnd:])
	return &footerSum{n, sumOf(data[len(data)-int(n):])}
}

func sumOf(data []byte) uint32 { return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) }

// readFooter reads a file's footer, and refuses one that is not as it was written. Of a
// file of an earlier version it reads nothing, since nothing is known of its footer.
func readFooter(ctx context.Context, bucket objstore.Bucket, f *File) ([]byte, error) {
	if f.footer == nil {
		return nil, nil
	}
	n := int64(f.footer[0])
	body, err := bucket.GetRange(ctx, f.Key, f.Bytes-n, n)
	if err != nil {
		return nil, fmt.Errorf("read footer: %w", err)
	}
	defer func() { _ = body.Close() }() // it was only read from
	data := make([]byte, n)
	if _, err := io.ReadFull(body, data); err != nil {
		return nil, fmt.Errorf("read footer: %w", err)
	}
	if sumOf(data) != f.footer[1] {
		return nil, errors.New("the file is damaged: its footer is not as it was written")
	}
	return data, nil
}
