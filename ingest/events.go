package ingest

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

const (
	// receiptLength is that of a receipt: 100 random bits in base 32.
	receiptLength = 20

	// Pauses that are advised when a request is refused for now.
	retrySoon  = time.Second
	retryLater = 5 * time.Second

	// copies is how often a body is held: as it came, and in raw records.
	copies = 2

	// keptBytes bounds the buffers that a request leaves for the next one.
	keptBytes = 1 << 20
)

// work is what one request needs. It is used again for the next.
type work struct {
	body    bodyReader
	split   record.Splitter
	data    []byte
	ends    []int // of each record in data
	entries []stream.Entry
	answer  []byte

	// For events that are partitioned by what is in them: the hash of each.
	flat   record.Flattener
	values []schema.Value
	hashes []uint64
}

// stamps are what ingest decides about a request. A repeated request gets those of the first.
type stamps struct {
	receipt       string
	arrivedAt     int64 // microseconds since 1970 UTC
	schemaVersion uint64
	// life tells a tenant from former ones of its name: the later, the greater.
	life uint32
}

// serveEvents answers a request of events.
func (h *Handler) serveEvents(w http.ResponseWriter, r *http.Request) {
	k := h.work.Get().(*work)
	defer h.release(k)
	answer, err := h.events(w, r, k)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	_, _ = w.Write(answer) // the events are durable, whether their sender hears or not
}

// release keeps what a request used for the next, unless it has grown large.
func (h *Handler) release(k *work) {
	if k.body.buf.Cap() <= keptBytes && cap(k.data) <= keptBytes {
		h.work.Put(k)
	}
}

// refuse answers what went wrong. What is no Problem is a store of ours that fails: the sender may try again. An answer
// is always written, since package net/http makes a 200 of none, and a sender that has ended its half of the connection
// still reads.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if problem := (*Problem)(nil); !errors.As(err, &problem) {
		if r.Context().Err() == nil {
			h.cfg.Logger.Error("request failed", "path", r.URL.Path, "err", err)
		}
		err = &Problem{Status: http.StatusServiceUnavailable, Detail: "events cannot be taken at the moment", RetryAfter: retryLater}
	}
	WriteProblem(w, err)
}

// events takes the events of a request and gives the answer.
func (h *Handler) events(w http.ResponseWriter, r *http.Request, k *work) ([]byte, error) {
	key, err := h.cfg.Keys.Authorize(r, ScopeIngest)
	if err != nil {
		return nil, err
	}
	metric := r.PathValue("metric")
	if len(metric) > record.MaxMetricBytes || !utf8.ValidString(metric) || strings.IndexByte(metric, 0) >= 0 {
		return nil, &Problem{
			Status: http.StatusBadRequest,
			Detail: fmt.Sprintf("the metric in the URL must be UTF-8 of at most %d bytes", record.MaxMetricBytes),
		}
	}
	if h.cfg.Gate != nil {
		if err := h.cfg.Gate(r.Context()); err != nil {
			return nil, &Problem{Status: http.StatusServiceUnavailable, Detail: err.Error(), RetryAfter: retryLater}
		}
	}
	size, err := h.reserve(r)
	if err != nil {
		return nil, err
	}
	defer h.memory.Release(size)
	body, err := k.body.read(w, r, h.cfg.BodyBytes)
	if err != nil {
		return nil, err
	}
	h.busy.storing.Add(1)
	defer h.busy.storing.Add(-1)
	if err := h.split(body, k); err != nil {
		return nil, err
	}
	if h.limiter != nil {
		if wait := h.limiter.take(key.ID, len(k.split.Events)+len(k.split.Rejected)); wait > 0 {
			return nil, &Problem{Status: http.StatusTooManyRequests, Detail: "the API key sends more events than it may", RetryAfter: wait}
		}
	}
	// The request is whole. Its context ends when its sender ends its half of the connection, which is no reason to
	// refuse it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), h.cfg.PutTimeout)
	defer cancel()
	s, err := h.stamp(ctx, key)
	if err != nil {
		return nil, err
	}
	store := func(s stamps) ([]byte, error) { return h.store(ctx, k, key.Tenant, metric, s) }
	if _, repeated := r.Header["Idempotency-Key"]; repeated {
		return h.repeats.once(ctx, repeat{
			tenant: key.Tenant, key: r.Header.Get("Idempotency-Key"), fingerprint: fingerprint(metric, body),
		}, s, store)
	}
	return store(s)
}

// reserve waits until there is memory for a request, and takes it.
func (h *Handler) reserve(r *http.Request) (size int64, err error) {
	size = int64(h.cfg.BodyBytes) // a compressed body tells nothing
	if r.ContentLength >= 0 && r.Header.Get("Content-Encoding") == "" {
		size = min(size, r.ContentLength)
	}
	size *= copies
	if h.memory.TryAcquire(size) {
		return size, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.cfg.PutTimeout)
	defer cancel()
	if err := h.memory.Acquire(ctx, size); err != nil {
		return 0, &Problem{Status: http.StatusServiceUnavailable, Detail: "too many requests at once", RetryAfter: retrySoon}
	}
	return size, nil
}

// split splits the body.
func (h *Handler) split(body []byte, k *work) error {
	err := k.split.Split(body, h.cfg.Limits)
	switch {
	case errors.Is(err, record.ErrTooManyEvents):
		return &Problem{
			Status: http.StatusRequestEntityTooLarge,
			Detail: fmt.Sprintf("more than %d events; send fewer a request", h.cfg.Limits.Events),
		}
	case err != nil:
		return &Problem{Status: http.StatusBadRequest, Detail: err.Error() + encodingHint(body)}
	}
	return nil
}

// stamp decides what a request is stamped with.
func (h *Handler) stamp(ctx context.Context, key *Key) (stamps, error) {
	snapshot, err := h.cfg.Schemas.Current(ctx, key.Tenant)
	if errors.Is(err, schema.ErrNotFound) {
		return stamps{}, &Problem{Status: http.StatusUnauthorized, Detail: "the API key's tenant does not exist any more"}
	}
	if err != nil {
		return stamps{}, fmt.Errorf("read schema of tenant %s: %w", key.Tenant, err)
	}
	return stamps{
		receipt: rand.Text()[:receiptLength], arrivedAt: h.cfg.Now().UnixMicro(),
		schemaVersion: snapshot.Version, life: snapshot.FirstGeneration,
	}, nil
}

// store puts the events that were split into the log and gives the answer.
func (h *Handler) store(ctx context.Context, k *work, tenant, metric string, s stamps) ([]byte, error) {
	if len(k.split.Events) > 0 {
		h.encode(k, &record.Raw{
			Tenant: tenant, SchemaVersion: s.schemaVersion, ArrivedAt: s.arrivedAt, Receipt: s.receipt, Metric: metric,
		})
		if err := h.put(ctx, k.entries); err != nil {
			return nil, err
		}
		h.busy.stored.Add(int64(len(k.split.Events)))
	}
	return k.appendAnswer(s.receipt)
}

// encode makes raw records of the events that were split, each of events of one hash. Without a partitioning all go to
// one shard, and so into the log together.
func (h *Handler) encode(k *work, raw *record.Raw) {
	k.data, k.ends, k.entries = k.data[:0], k.ends[:0], k.entries[:0]
	// The receipt is random, and so is the shard.
	own := binary.LittleEndian.Uint64([]byte(raw.Receipt)) * 0x9e3779b97f4a7c15
	k.partition(&h.cfg.Partition, raw.Tenant, own)
	events, indexes, hashes := k.split.Events, k.split.Indexes, k.hashes
	for len(events) > 0 {
		n, size := 1, len(events[0])
		for n < len(events) && hashes[n] == hashes[0] && size+len(events[n]) <= h.cfg.RecordBytes {
			size += len(events[n])
			n++
		}
		raw.Events, raw.Indexes = events[:n], indexes[:n]
		k.data = record.AppendRaw(k.data, raw)
		k.ends = append(k.ends, len(k.data))
		k.entries = append(k.entries, stream.Entry{Hash: hashes[0]})
		events, indexes, hashes = events[n:], indexes[n:], hashes[n:]
	}
	from := 0
	for i, end := range k.ends {
		k.entries[i].Data = k.data[from:end]
		from = end
	}
}

// partition gives each event its hash, own unless the partitioning says another, and puts events of one hash together,
// in the order in which they were sent.
func (k *work) partition(p *record.Partitioning, tenant string, own uint64) {
	k.hashes = k.hashes[:0]
	for _, event := range k.split.Events {
		k.values = k.values[:0]
		if p.By == record.ByDevice {
			// What is wrong with an event is the raw stage's to say: values are what could be read.
			k.values, _ = k.flat.Flatten(k.values, event)
		}
		hash, shared := p.Hash(tenant, k.values)
		if !shared {
			hash = own
		}
		k.hashes = append(k.hashes, hash)
	}
	if p.By == record.ByDevice {
		sort.Stable(byHash{k.split.Events, k.split.Indexes, k.hashes})
	}
}

// byHash sorts events by their hashes.
type byHash struct {
	events  [][]byte
	indexes []uint32
	hashes  []uint64
}

func (b byHash) Len() int           { return len(b.hashes) }
func (b byHash) Less(i, j int) bool { return b.hashes[i] < b.hashes[j] }
func (b byHash) Swap(i, j int) {
	b.events[i], b.events[j] = b.events[j], b.events[i]
	b.indexes[i], b.indexes[j] = b.indexes[j], b.indexes[i]
	b.hashes[i], b.hashes[j] = b.hashes[j], b.hashes[i]
}

// put returns when the entries are durable. That they are not, or that nobody knows, is a *Problem: the sender tries
// again, and what was stored after all is found to be the same.
func (h *Handler) put(ctx context.Context, entries []stream.Entry) error {
	_, err := h.cfg.Log.Put(ctx, entries)
	if err == nil {
		return nil
	}
	if errors.Is(err, stream.ErrBusy) {
		return &Problem{Status: http.StatusServiceUnavailable, Detail: "too many events are waiting to be stored", RetryAfter: retrySoon}
	}
	if ctx.Err() == nil {
		h.cfg.Logger.Error("events not stored", "err", err)
	}
	return &Problem{Status: http.StatusServiceUnavailable, Detail: "events cannot be stored at the moment", RetryAfter: retryLater}
}

// appendAnswer words the answer.
func (k *work) appendAnswer(receipt string) ([]byte, error) {
	a := k.answer[:0]
	a = append(a, `{"receipt":"`...)
	a = append(a, receipt...)
	a = append(a, `","accepted":`...)
	a = strconv.AppendInt(a, int64(len(k.split.Events)), 10)
	a = append(a, `,"rejected":`...)
	if len(k.split.Rejected) == 0 {
		a = append(a, "[]"...)
	} else {
		list, err := json.Marshal(k.split.Rejected)
		if err != nil {
			return nil, fmt.Errorf("encode rejections: %w", err)
		}
		a = append(a, list...)
	}
	a = append(a, "}\n"...)
	k.answer = a
	return a, nil
}
