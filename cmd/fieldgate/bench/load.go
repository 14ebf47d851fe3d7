package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	batchEvents = 100
	connections = 32
	devices     = 1000
	// firstTime is the time of event 0; events follow each other by a
	// millisecond, so 3.6 million make an hour.
	firstTime = int64(1_760_000_000_000)
)

// body is a request of batchEvents events of about 300 bytes. Numbers have
// fixed widths, so the next body is the same bytes with other digits.
type body struct {
	text  []byte
	at    []int // of each event's first byte
	place place
}

const eventTemplate = `{"timestamp":0000000000000,"n":0000000000,"device":"device-0000","site":"plant 07, hall 3","temperature":000.5,` +
	`"pressure":1000.25,"humidity":00.5,"status":"running","rpm":1450.5,"ok":true,"firmware":"2.14.0-rc1","message":"periodic report of the main spindle, no finding, next in 60 s"}` + "\n"

// place is where in the template the bytes stand that change from event to event.
type place struct{ time, number, device, temperature, humidity, speed int }

func placesOf(template string) place {
	after := func(text string) int { return strings.Index(template, text) + len(text) }
	return place{
		time: after(`"timestamp":`), number: after(`"n":`), device: after("device-"),
		temperature: after(`"temperature":`), humidity: after(`"humidity":`), speed: after(`"rp`),
	}
}

func newBody() *body {
	b := &body{place: placesOf(eventTemplate)}
	for range batchEvents {
		b.at = append(b.at, len(b.text))
		b.text = append(b.text, eventTemplate...)
	}
	return b
}

// set makes it the events from number first on. A JSON number has no leading
// zeros, so values start at a power of ten.
func (b *body) set(first int64) {
	for i, at := range b.at {
		n := first + int64(i)
		digits(b.text[at+b.place.time:], 13, firstTime+n)
		digits(b.text[at+b.place.number:], 10, 1_000_000_000+n)
		digits(b.text[at+b.place.device:], 4, n*7919%devices)
		digits(b.text[at+b.place.temperature:], 3, 100+n%400)
		digits(b.text[at+b.place.humidity:], 2, 10+n%80)
		b.text[at+b.place.speed] = "mx"[n%2] // half of the devices call it rpx
	}
}

func digits(to []byte, width int, n int64) {
	for i := width - 1; i >= 0; i-- {
		to[i] = byte('0' + n%10)
		n /= 10
	}
}

// refusedPause is how long a refused request waits before it is sent again.
const refusedPause = 50 * time.Millisecond

// pause returns after a while, or with an error when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// load posts events as fast as they are taken, until ctx ends or there are
// enough, and counts what was acknowledged.
type load struct {
	url   string
	next  atomic.Int64
	acked atomic.Int64
	// refused counts requests that were answered with 503.
	refused atomic.Int64
	limit   int64
}

func (l *load) run(ctx context.Context) error {
	client := trusting()
	defer client.CloseIdleConnections()
	var writers sync.WaitGroup
	errs := make([]error, connections)
	for c := range connections {
		writers.Go(func() {
			b := newBody()
			for ctx.Err() == nil && errs[c] == nil {
				first := l.next.Add(batchEvents) - batchEvents
				if l.limit > 0 && first >= l.limit {
					return
				}
				b.set(first)
				errs[c] = l.post(ctx, client, b.text)
			}
		})
	}
	writers.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(errs...)
}

// post sends a body until it is acknowledged; 503 says to slow down.
func (l *load) post(ctx context.Context, client *http.Client, text []byte) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, bytes.NewReader(text))
		if err != nil {
			return err
		}
		req.Header.Set("X-Api-Key", "demo-key")
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		// The status says it all; a connection whose answer is left unread is not used again.
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		switch res.StatusCode {
		case http.StatusOK:
			l.acked.Add(batchEvents)
			return nil
		case http.StatusServiceUnavailable:
			l.refused.Add(1)
			if err := pause(ctx, refusedPause); err != nil {
				return err
			}
		default:
			return fmt.Errorf("status %s", res.Status)
		}
	}
}
