package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
)

// heapEvery is the pause between two looks at the server's heap.
const heapEvery = time.Second

// heap is what the server's Go heap takes, free space in its spans not counted.
func (s *server) heap(ctx context.Context) (bytes int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.debugAddr+"/debug/vars", http.NoBody)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	var vars struct {
		MemStats struct{ HeapInuse int64 } `json:"memstats"`
	}
	if err := json.NewDecoder(res.Body).Decode(&vars); err != nil {
		return 0, err
	}
	return vars.MemStats.HeapInuse, nil
}

// watchHeap looks at the heap until stop is called, which gives the most there was.
func (s *server) watchHeap(ctx context.Context) (stop func() (most int64, err error)) {
	within, cancel := context.WithCancel(ctx)
	var most int64
	done := make(chan error, 1)
	go func() {
		for {
			bytes, err := s.heap(within)
			if within.Err() != nil {
				done <- nil
				return
			}
			if err != nil {
				done <- fmt.Errorf("read heap: %w", err)
				return
			}
			most = max(most, bytes)
			_ = pause(within, heapEvery) // looked at above
		}
	}()
	return func() (int64, error) {
		cancel()
		err := <-done
		return most, err
	}
}

// streamed is what was seen while rows came.
type streamed struct {
	rows  int
	first time.Time // when the first row was there
	most  int64     // bytes that the server had resident at most
}

// drain reads all rows, and looks at the server's memory after every so many.
func (s *server) drain(rows pgx.Rows, every int) (seen streamed, err error) {
	for rows.Next() {
		if seen.rows == 0 {
			seen.first = time.Now()
		}
		if seen.rows++; seen.rows%every == 0 {
			u, err := s.usage()
			if err != nil {
				return seen, err
			}
			seen.most = max(seen.most, u.rss)
		}
	}
	return seen, rows.Err()
}
