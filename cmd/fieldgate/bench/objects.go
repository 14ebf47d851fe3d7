package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/jackc/pgx/v5"
	"github.com/parquet-go/parquet-go"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
	"github.com/fieldgate/fieldgate/sources/s3"
)

const (
	wideColumns  = 20
	wideFileRows = 400_000
	wideBytes    = 1 << 30
	wideBucket   = "bench"
	wideQuery    = `select avg(f03), max(f11) from wide`
)

// benchObjects compares a server whose objects are on versitygw with one whose
// objects are files, over the same gigabyte.
func benchObjects(ctx context.Context, o options, out io.Writer) (err error) {
	target, err := testdeps.StartVersityGW()
	if err != nil {
		return fmt.Errorf("start versitygw: %w", err)
	}
	count, err := newCounter(target)
	if err != nil {
		return err
	}
	defer count.close()
	local, err := startServer(ctx, o.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, local.stop()) }()
	if err := declareWide(ctx, o, local, func() error { return writeWide(ctx, local.objects()) }); err != nil {
		return err
	}
	if err := copyToS3(ctx, target, local.objects()); err != nil {
		return err
	}
	distant, err := startServer(ctx, o.binary, "FIELDGATE_OBJECTS_KIND=s3", "FIELDGATE_OBJECTS_BUCKET="+wideBucket, "FIELDGATE_OBJECTS_ENDPOINT="+count.url,
		"FIELDGATE_OBJECTS_PATH_STYLE=true", "AWS_ACCESS_KEY_ID="+testdeps.S3AccessKeyID, "AWS_SECRET_ACCESS_KEY="+testdeps.S3SecretAccessKey)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, distant.stop()) }()
	if err := declareWide(ctx, o, distant, func() error { return nil }); err != nil {
		return err
	}
	total, needed, err := chunksOf(local.objects(), "n_f03", "n_f11")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "%d MB of Parquet in %d columns, `%s`, %d rounds.\n\n", total>>20, wideColumns, wideQuery, o.rounds); err != nil {
		return err
	}
	return measureObjects(ctx, o, local, distant, count, needed, out)
}

func measureObjects(ctx context.Context, o options, local, distant *server, count *counter, needed int64, out io.Writer) error {
	var cold, fetched []float64
	for range o.rounds {
		if err := errors.Join(distant.end(), os.RemoveAll(filepath.Join(distant.data(), "cache"))); err != nil {
			return err
		}
		if err := distant.start(ctx, o.binary); err != nil {
			return err
		}
		before := count.bytes.Load()
		took, err := timeQuery(ctx, distant, wideQuery)
		if err != nil {
			return err
		}
		cold, fetched = append(cold, millis(took)), append(fetched, float64(count.bytes.Load()-before)/float64(needed))
	}
	var warm, files []float64
	for range 3 * o.rounds {
		for _, m := range []struct {
			s  *server
			to *[]float64
		}{{distant, &warm}, {local, &files}} {
			took, err := timeQuery(ctx, m.s, wideQuery)
			if err != nil {
				return err
			}
			*m.to = append(*m.to, millis(took))
		}
	}
	w, f := spreadOf(warm), spreadOf(files)
	_, err := fmt.Fprintf(out, "| | |\n| --- | --- |\n| bytes fetched, of those of the column chunks needed | %s |\n| cold, ms | %s |\n| warm, ms | %s |\n| local files, ms | %s |\n| warm, of local files | %.2f |\n",
		spreadOf(fetched).format(2), spreadOf(cold).format(0), w.format(1), f.format(1), w.median/f.median)
	return err
}

func timeQuery(ctx context.Context, s *server, sql string) (took time.Duration, err error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	start := time.Now()
	if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		return 0, fmt.Errorf("%s: %w", sql, err)
	}
	return time.Since(start), nil
}

// declareWide declares the table, and fills it while the server is down.
func declareWide(ctx context.Context, o options, s *server, fill func() error) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	var columns []string
	for c := range wideColumns {
		columns = append(columns, wideName(c)+" double precision")
	}
	_, err = conn.Exec(ctx, "create table wide ("+strings.Join(columns, ", ")+")")
	if err := errors.Join(err, conn.Close(ctx), s.end()); err != nil {
		return err
	}
	return errors.Join(fill(), s.start(ctx, o.binary))
}

func wideName(c int) string { return fmt.Sprintf("f%02d", c) }

// writeWide writes random numbers, of which nothing can be compressed away.
func writeWide(ctx context.Context, objects string) error {
	store, err := openLake(objects)
	if err != nil {
		return err
	}
	ds := schema.Dataset{Tenant: "demo", Metric: "wide"}
	var files []*lake.File
	for n, bytes := 0, int64(0); bytes < wideBytes; n++ {
		batch := wideBatch(n)
		order := make([]lake.Row, batch.Rows)
		for i := range order {
			order[i].Row = uint32(i)
		}
		written, err := store.Write(ctx, ds, []*sources.Batch{batch}, order, nil)
		if err != nil {
			return err
		}
		for _, f := range written {
			bytes += f.Bytes
		}
		files = append(files, written...)
	}
	v, err := store.Version(ctx, ds)
	if err != nil {
		return err
	}
	_, err = store.Commit(ctx, v, lake.Commit{Add: files})
	return err
}

func wideBatch(n int) *sources.Batch {
	random := rand.New(rand.NewPCG(uint64(n), 0))
	times, ids := make([]int64, wideFileRows), make([]schema.ID, wideFileRows)
	for i := range times {
		times[i] = firstTime*1000 + int64(n*wideFileRows+i)*1_000_000
		binary.LittleEndian.PutUint64(ids[i][:], random.Uint64())
		binary.LittleEndian.PutUint64(ids[i][8:], random.Uint64())
	}
	b := sources.NewBuilder(times, times, ids, ids)
	for c := range wideColumns {
		column := b.At(b.Column(wideName(c), schema.KindNumber))
		for i := range times {
			column.SetNum(i, random.NormFloat64())
		}
	}
	return b.Batch()
}

// copyToS3 makes the bucket and puts a directory's objects into it.
func copyToS3(ctx context.Context, target, objects string) error {
	client := awss3.New(awss3.Options{
		Region: "us-east-1", BaseEndpoint: &target, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(testdeps.S3AccessKeyID, testdeps.S3SecretAccessKey, ""),
	})
	name := wideBucket
	if _, err := client.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: &name}); err != nil {
		return err
	}
	to, err := s3.New(s3.Config{Client: client, Bucket: name})
	if err != nil {
		return err
	}
	from, err := objstore.OpenDir(objstore.DirConfig{Root: objects})
	if err != nil {
		return err
	}
	all, err := from.List(ctx, "lake/", "", 1000)
	if err != nil {
		return err
	}
	for _, info := range all {
		data, _, err := objstore.Read(ctx, from, info.Key)
		if err != nil {
			return err
		}
		if _, err := to.Put(ctx, info.Key, data); err != nil {
			return err
		}
	}
	return nil
}

// chunksOf sums up all Parquet files, and the chunks of some of their columns.
func chunksOf(objects string, columns ...string) (total, chunks int64, err error) {
	wanted := map[string]bool{}
	for _, c := range columns {
		wanted[c] = true
	}
	err = filepath.Walk(objects, func(path string, info os.FileInfo, err error) error {
		if err != nil || filepath.Ext(path) != ".parquet" {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // it was only read from
		file, err := parquet.OpenFile(f, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
		if err != nil {
			return err
		}
		total += info.Size()
		for _, g := range file.Metadata().RowGroups {
			for _, c := range g.Columns {
				if wanted[c.MetaData.PathInSchema[0]] {
					chunks += c.MetaData.TotalCompressedSize
				}
			}
		}
		return nil
	})
	return total, chunks, err
}

// counter stands before a server of S3's API and counts the bytes of objects that
// are read.
type counter struct {
	url   string
	bytes atomic.Int64
	close func()
}

func newCounter(target string) (*counter, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	c := &counter{}
	srv := httptest.NewServer(&httputil.ReverseProxy{
		// The signature covers the host that was asked.
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host },
		ModifyResponse: func(r *http.Response) error {
			if strings.HasSuffix(r.Request.URL.Path, ".parquet") && r.Request.Method == http.MethodGet {
				c.bytes.Add(r.ContentLength)
			}
			return nil
		},
	})
	c.url, c.close = srv.URL, srv.Close
	return c, nil
}
