package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/fieldgate/fieldgate/schema"
)

const (
	repeatFolder  = "idempotency/" // in the key-value store, followed by tenant and hash of the key
	repeatVersion = 1              // of the values there
	repeatPage    = 500            // values listed at once
	maxRepeatKey  = 255            // bytes of an Idempotency-Key
	sweepEvery    = time.Hour
)

// repeats see that a request with an Idempotency-Key is carried out once.
//
// A request first reserves its key: receipt, arrival and schema version are durable before any event is. Then the events
// go into the log, then the answer into the reservation. If the process dies between, the next request with the key
// finds the reservation without an answer and stores the events again under the same stamps: that gives the same
// identities, also to events without a time, so they are found to be duplicates.
type repeats struct {
	kv        schema.KV
	schemas   Schemas
	retention time.Duration
	now       func() time.Time
	logger    *slog.Logger

	mu sync.Mutex
	// busy has the keys that this process works on. The channel is closed by who works when it is done.
	busy map[string]chan struct{}
}

func newRepeats(cfg *Config) *repeats {
	return &repeats{
		kv: cfg.KV, schemas: cfg.Schemas, retention: cfg.Retention, now: cfg.Now, logger: cfg.Logger, busy: make(map[string]chan struct{}),
	}
}

// repeat is a request with an Idempotency-Key.
type repeat struct {
	tenant      string
	key         string
	fingerprint string // of what was sent
}

// fingerprint tells a request's content from another's, however it was compressed.
func fingerprint(metric string, body []byte) string {
	h := sha256.New()
	_, _ = h.Write([]byte(metric)) // a hash takes everything
	_, _ = h.Write([]byte{0})
	_, _ = h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// reservation is the value kept of an Idempotency-Key.
type reservation struct {
	Version       int       `json:"version"`
	Fingerprint   string    `json:"fingerprint"`
	ReservedAt    time.Time `json:"reserved_at"`
	Receipt       string    `json:"receipt"`
	ArrivedAt     int64     `json:"arrived_at"`
	SchemaVersion uint64    `json:"schema_version"`
	Answer        string    `json:"answer,omitempty"` // "" until the events are durable
}

// once gives the answer of the first request with the key, after carrying it out if it is the first, or if that was
// never finished. fresh are the stamps if nothing is reserved.
func (p *repeats) once(ctx context.Context, r repeat, fresh stamps, store func(stamps) ([]byte, error)) ([]byte, error) {
	if r.key == "" || len(r.key) > maxRepeatKey {
		return nil, &Problem{Status: http.StatusBadRequest, Detail: fmt.Sprintf("Idempotency-Key must have 1 to %d bytes", maxRepeatKey)}
	}
	sum := sha256.Sum256([]byte(r.key))
	name := repeatFolder + r.tenant + "/" + hex.EncodeToString(sum[:])
	done, err := p.acquire(ctx, name)
	if err != nil {
		return nil, err
	}
	defer done()
	held, version, err := p.reserve(ctx, name, r, fresh)
	if err != nil {
		return nil, err
	}
	if held.Fingerprint != r.fingerprint {
		return nil, &Problem{Status: http.StatusUnprocessableEntity, Detail: "the Idempotency-Key was used for another request"}
	}
	if held.Answer != "" {
		return []byte(held.Answer), nil
	}
	answer, err := store(stamps{receipt: held.Receipt, arrivedAt: held.ArrivedAt, schemaVersion: held.SchemaVersion})
	if err != nil {
		return nil, err
	}
	held.Answer = string(answer)
	if _, err := p.put(ctx, name, held, version); err != nil {
		// The events are durable, and a repeated request would be answered the same from the reservation.
		p.logger.Warn("answer to an idempotent request not kept", "tenant", r.tenant, "err", err)
	}
	return answer, nil
}

// acquire waits until no other request of this process works on the name, and takes it.
func (p *repeats) acquire(ctx context.Context, name string) (release func(), err error) {
	for {
		p.mu.Lock()
		other, taken := p.busy[name]
		if !taken {
			mine := make(chan struct{})
			p.busy[name] = mine
			p.mu.Unlock()
			return func() {
				p.mu.Lock()
				delete(p.busy, name)
				p.mu.Unlock()
				close(mine)
			}, nil
		}
		p.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// reserve finds the reservation, or makes it with the fresh stamps.
func (p *repeats) reserve(ctx context.Context, name string, r repeat, fresh stamps) (reservation, uint64, error) {
	for {
		item, err := p.kv.Get(ctx, name)
		if err != nil && !errors.Is(err, schema.ErrNotFound) {
			return reservation{}, 0, fmt.Errorf("read reservation: %w", err)
		}
		if err == nil {
			held, err := decodeReservation(item)
			if err != nil {
				return reservation{}, 0, err
			}
			former, err := p.former(ctx, r.tenant, &held, &fresh)
			if err != nil {
				return reservation{}, 0, err
			}
			if !p.expired(&held) && !former {
				return held, item.Version, nil
			}
		}
		held := reservation{
			Fingerprint: r.fingerprint, ReservedAt: p.now().UTC(),
			Receipt: fresh.receipt, ArrivedAt: fresh.arrivedAt, SchemaVersion: fresh.schemaVersion,
		}
		version, err := p.put(ctx, name, held, item.Version)
		if !errors.Is(err, schema.ErrConflict) { // else another process was first: see what it reserved
			return held, version, err
		}
	}
}

// former says that a reservation was made for a tenant that was dropped since, and is nothing to the one that has its
// name now.
func (p *repeats) former(ctx context.Context, tenant string, r *reservation, fresh *stamps) (bool, error) {
	if r.SchemaVersion >= fresh.schemaVersion {
		return false, nil
	}
	then, err := p.schemas.At(ctx, tenant, r.SchemaVersion)
	if err != nil {
		return false, fmt.Errorf("read schema version %d of tenant %s: %w", r.SchemaVersion, tenant, err)
	}
	return then.FirstGeneration < fresh.life, nil
}

func (p *repeats) expired(r *reservation) bool { return p.now().Sub(r.ReservedAt) >= p.retention }

func (p *repeats) put(ctx context.Context, name string, r reservation, expect uint64) (uint64, error) {
	r.Version = repeatVersion
	value, err := json.Marshal(r)
	if err != nil {
		return 0, fmt.Errorf("encode reservation: %w", err)
	}
	version, err := p.kv.Put(ctx, name, value, expect)
	if err != nil {
		return 0, fmt.Errorf("store reservation: %w", err)
	}
	return version, nil
}

func decodeReservation(item schema.Item) (reservation, error) {
	var r reservation
	if err := json.Unmarshal(item.Value, &r); err != nil {
		return r, fmt.Errorf("decode reservation %s: %w", item.Key, err)
	}
	if r.Version != repeatVersion {
		return r, fmt.Errorf("decode reservation %s: version %d is not known", item.Key, r.Version)
	}
	return r, nil
}

// sweep removes the reservations that are past their time.
func (p *repeats) sweep(ctx context.Context) error {
	for after := ""; ; {
		items, err := p.kv.List(ctx, repeatFolder, after, repeatPage)
		if err != nil {
			return fmt.Errorf("list reservations: %w", err)
		}
		for _, item := range items {
			after = item.Key
			r, err := decodeReservation(item)
			if err != nil {
				return err
			}
			if !p.expired(&r) {
				continue
			}
			// One that changed meanwhile was reserved anew.
			err = p.kv.Delete(ctx, item.Key, item.Version)
			if err != nil && !errors.Is(err, schema.ErrConflict) && !errors.Is(err, schema.ErrNotFound) {
				return fmt.Errorf("delete reservation: %w", err)
			}
		}
		if len(items) < repeatPage {
			return nil
		}
	}
}
