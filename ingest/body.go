package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Content encodings that a body may have.
const (
	encodingGzip = "gzip"
	encodingZstd = "zstd"
)

// The first bytes of compressed data, to tell a body that was sent without its header.
const (
	gzipMagic = "\x1f\x8b"
	zstdMagic = "\x28\xb5\x2f\xfd"
)

// maxWindow bounds the window of zstd frames, and so a decoder's memory. All decoders should take one of 8 MB (RFC 8878,
// 3.1.1.1.2).
const maxWindow = 8 << 20

// bodyReader reads bodies. It keeps its decompressors from one to the next.
type bodyReader struct {
	buf  bytes.Buffer
	gzip *gzip.Reader
	zstd *zstd.Decoder
}

// read reads the body of a request, decompressed. It stays until the next read. What cannot be read, or is larger than
// limit before or after decompression, is a *Problem.
func (b *bodyReader) read(w http.ResponseWriter, r *http.Request, limit int) ([]byte, error) {
	if err := checkContentType(r.Header.Get("Content-Type")); err != nil {
		return nil, err
	}
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	if r.ContentLength > int64(limit) {
		return nil, tooLarge(limit)
	}
	body := http.MaxBytesReader(w, r.Body, int64(limit))
	b.buf.Reset()
	switch encoding {
	case "", "identity":
		if r.ContentLength > 0 {
			b.buf.Grow(int(r.ContentLength) + bytes.MinRead)
		}
		if _, err := b.buf.ReadFrom(body); err != nil {
			return nil, readProblem(err, limit)
		}
		return b.buf.Bytes(), nil
	case encodingGzip, encodingZstd:
		if err := b.decompress(body, encoding, limit); err != nil {
			return nil, err
		}
		return b.buf.Bytes(), nil
	default:
		return nil, &Problem{
			Status: http.StatusUnsupportedMediaType,
			Detail: fmt.Sprintf("Content-Encoding %q is not supported; gzip, zstd and identity are", encoding),
		}
	}
}

// decompress fills the buffer, with one byte more than limit at most.
func (b *bodyReader) decompress(body io.Reader, encoding string, limit int) error {
	plain, err := b.decompressor(body, encoding)
	if err == nil {
		_, err = b.buf.ReadFrom(io.LimitReader(plain, int64(limit)+1))
	}
	if b.zstd != nil {
		_ = b.zstd.Reset(nil) // lets go of the request; the decoder is reset before it is used again
	}
	tooBig := (*http.MaxBytesError)(nil)
	switch {
	case b.buf.Len() > limit || errors.As(err, &tooBig) || errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return tooLarge(limit)
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return &Problem{
			Status: http.StatusRequestEntityTooLarge,
			Detail: fmt.Sprintf("the body's zstd frames need a window of more than %d bytes; compress without --long and --ultra", maxWindow),
		}
	case err != nil:
		return &Problem{
			Status: http.StatusBadRequest,
			Detail: fmt.Sprintf("Content-Encoding is %s, but the body cannot be read as that: %v", encoding, err),
		}
	}
	return nil
}

func (b *bodyReader) decompressor(body io.Reader, encoding string) (io.Reader, error) {
	if encoding == encodingGzip {
		if b.gzip == nil {
			b.gzip = new(gzip.Reader)
		}
		return b.gzip, b.gzip.Reset(body)
	}
	if b.zstd == nil {
		// One at a time, so that the decoder starts no goroutines; the window bounds its memory.
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		b.zstd = d
	}
	return b.zstd, b.zstd.Reset(body)
}

func tooLarge(limit int) *Problem {
	return &Problem{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("the body has more than %d bytes; send fewer events a request", limit)}
}

// readProblem is why a body could not be read.
func readProblem(err error, limit int) error {
	if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) {
		return tooLarge(limit)
	}
	return &Problem{Status: http.StatusBadRequest, Detail: "the body ended early"}
}

// checkContentType refuses what says that it is something else than JSON. The bytes decide between an object, an array
// and NDJSON; application/x-www-form-urlencoded is what curl -d says when it is told nothing.
func checkContentType(header string) error {
	if header == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(header)
	if err != nil && media == "" {
		media = strings.ToLower(header)
	}
	switch media {
	case "application/json", "text/json", "application/x-ndjson", "application/ndjson", "text/x-ndjson", "application/jsonl",
		"application/x-jsonlines", "application/jsonlines", "application/json-lines", "application/octet-stream", "text/plain",
		"application/x-www-form-urlencoded":
		return nil
	}
	if strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json") {
		return nil
	}
	return &Problem{
		Status: http.StatusUnsupportedMediaType,
		Detail: fmt.Sprintf("Content-Type %q is not supported; send application/json or application/x-ndjson", media),
	}
}

// encodingHint says what a body that is no JSON may be instead.
func encodingHint(body []byte) string {
	switch {
	case bytes.HasPrefix(body, []byte(gzipMagic)):
		return "; it looks compressed: is Content-Encoding: gzip missing?"
	case bytes.HasPrefix(body, []byte(zstdMagic)):
		return "; it looks compressed: is Content-Encoding: zstd missing?"
	default:
		return ""
	}
}
