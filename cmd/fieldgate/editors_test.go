package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// editor changes the schema over HTTP, or by SQL, from a goroutine of its own.
type editor struct {
	i    *instance
	conn *pgconn.PgConn
}

func (e *editor) patch(ctx context.Context, path, body, match string) (status int, etag, answer string, err error) {
	method := http.MethodPatch
	if body == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+e.i.c.HTTPAddr+path, strings.NewReader(body))
	if err != nil {
		return 0, "", "", err
	}
	req.Header.Set("X-Api-Key", "demo-key")
	if match != "" {
		req.Header.Set("If-Match", match)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", "", err
	}
	text, err := io.ReadAll(res.Body)
	_ = res.Body.Close() // it was read
	return res.StatusCode, res.Header.Get("ETag"), string(text), err
}

// TestRacingEditors has owners change one metric at once, by SQL, over HTTP without and
// with If-Match: what was said to hold holds in the end, all of it, and the history has
// each change once.
func TestRacingEditors(t *testing.T) {
	t.Parallel()
	const editors, changes = 8, 12
	i := start(t, t.TempDir())
	i.query(t, `create table press (temp integer)`)
	i.query(t, `create view hot as select temp from press`)
	before := i.query(t, `select count(*) from fieldgate.schema_history`)
	var refused atomic.Int64
	group, ctx := errgroup.WithContext(t.Context())
	for n := range editors {
		e := &editor{i: i, conn: i.dial(t)}
		t.Cleanup(func() { _ = e.conn.Close(context.WithoutCancel(t.Context())) })
		group.Go(func() error {
			for c := range changes {
				if err := e.change(ctx, n, c, &refused); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	e := &editor{i: i}
	_, _, text, err := e.patch(t.Context(), "/v1/schema/metrics/press", "", "")
	if err != nil {
		t.Fatal(err)
	}
	var metric struct {
		Aliases []string
		Fields  []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(text), &metric); err != nil {
		t.Fatal(err)
	}
	var got []string
	got = append(got, metric.Aliases...)
	for _, f := range metric.Fields[1:] {
		got = append(got, f.Name)
	}
	var want []string
	for n := range editors {
		for c := range changes {
			want = append(want, fmt.Sprintf("e%d_%d", n, c))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d changes hold of %d: %v", len(got), len(want), got)
	}
	if n := i.query(t, `select count(*) - `+before+` from fieldgate.schema_history`); n != fmt.Sprint(editors*changes) {
		t.Errorf("the history has %s changes, want %d", n, editors*changes)
	}
	t.Logf("%d requests had another version and were sent again", refused.Load())
}

// change makes the c-th change of editor n: it adds a field or an alias of its own name.
func (e *editor) change(ctx context.Context, n, c int, refused *atomic.Int64) error {
	name := fmt.Sprintf("e%d_%d", n, c)
	switch n % 4 {
	case 0:
		_, err := e.conn.Exec(ctx, `alter table press add column `+name+` text`).ReadAll()
		return err
	case 1:
		_, err := e.conn.Exec(ctx, `select fieldgate.add_alias('press', '`+name+`')`).ReadAll()
		return err
	}
	for { // what is got is what the change is made of
		_, etag, text, err := e.patch(ctx, "/v1/schema/metrics/press", "", "")
		if err != nil {
			return err
		}
		var metric struct {
			Aliases []string          `json:"aliases"`
			Fields  []json.RawMessage `json:"fields"`
		}
		if err := json.Unmarshal([]byte(text), &metric); err != nil {
			return err
		}
		member := map[string]any{"aliases": append(metric.Aliases, name)}
		if n%4 == 3 {
			member = map[string]any{"fields": append(metric.Fields, json.RawMessage(`{"name":"`+name+`","type":"text"}`))}
		}
		body, err := json.Marshal(member)
		if err != nil {
			return err
		}
		status, _, answer, err := e.patch(ctx, "/v1/schema/metrics/press", string(body), etag)
		switch {
		case err != nil:
			return err
		case status == http.StatusOK:
			return nil
		case status != http.StatusConflict:
			return fmt.Errorf("%s: %d %s", name, status, answer)
		}
		refused.Add(1)
	}
}
