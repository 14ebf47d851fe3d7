package schema

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"time"
)

const (
	observedPrefix   = "observed/"
	datasetsFolder   = "/datasets/"
	fieldsFolder     = "/fields/"
	undeclaredFolder = "/undeclared/"

	// chunkBytes is the size of names after which a document of fields is not
	// added to. JSON may write each byte as six (\u0001), which is still under the
	// limit of a KV value.
	chunkBytes = 32 << 10
	// fieldBytes is what a field takes in a document beside its name.
	fieldBytes = 120
	// maxSegment bounds the part of a key that stands for one sent name.
	maxSegment = 200
	// flushAttempts bounds how often a dataset is merged anew when other
	// processes write it.
	flushAttempts = 50
)

type (
	// datasetDocument is what is known of a dataset but for its fields.
	datasetDocument struct {
		Format     int    `json:"format"`
		Metric     string `json:"metric"`
		Namespace  string `json:"namespace,omitempty"`
		Generation uint32 `json:"generation,omitempty"`
		Events     int64  `json:"events"`
		// FirstSeen and LastSeen are in microseconds since 1970 UTC.
		FirstSeen int64 `json:"first_seen"`
		LastSeen  int64 `json:"last_seen"`
	}
	// fieldsDocument is a run of a dataset's fields.
	fieldsDocument struct {
		Format int                     `json:"format"`
		Fields []observedFieldDocument `json:"fields"`
	}
	observedFieldDocument struct {
		Name      string `json:"name"`
		Type      string `json:"type"`
		Kinds     string `json:"kinds"`
		FirstSeen int64  `json:"first_seen"`
	}
)

// fieldChunk is one document of fields as the KV has it.
type fieldChunk struct {
	version uint64
	fields  []ObservedField
	// own is how many of the fields no chunk before it has. One that has others as well
	// was written by a process that had read the chunks while another wrote them.
	own int
}

func (doc *datasetDocument) dataset(tenant string) Dataset {
	return Dataset{Tenant: tenant, Namespace: doc.Namespace, Metric: doc.Metric, Generation: doc.Generation}
}

// segment writes a name as one part of a key, and a long one as its beginning
// and its hash: an escaped name has no asterisk.
func segment(name string) string {
	escaped := url.PathEscape(name)
	if len(escaped) <= maxSegment {
		return escaped
	}
	sum := sha256.Sum256([]byte(name))
	return escaped[:maxSegment-2*len(sum)-1] + "*" + hex.EncodeToString(sum[:])
}

// KeyPath is a part of a KV key that stands for the dataset within its tenant.
func (ds Dataset) KeyPath() string {
	return segment(ds.Metric) + "/" + padded(uint64(ds.Generation)) + "/" + segment(ds.Namespace)
}

func (d *observedDataset) countsKey() string {
	return observedPrefix + d.name.Tenant + datasetsFolder + d.name.KeyPath()
}

func (d *observedDataset) chunksPrefix() string {
	return observedPrefix + d.name.Tenant + fieldsFolder + d.name.KeyPath() + "/"
}

// refresh merges what the KV has, if that was not done since the TTL.
func (d *observedDataset) refresh(ctx context.Context, kv KV, now time.Time, ttl time.Duration) error {
	if err := d.io.enter(ctx); err != nil {
		return err
	}
	defer d.io.leave()
	if !d.readAt.IsZero() && now.Sub(d.readAt) < ttl {
		return nil
	}
	return d.read(ctx, kv, now)
}

// flush writes what the KV does not have. What others wrote meanwhile is merged.
func (d *observedDataset) flush(ctx context.Context, kv KV, now time.Time) error {
	if err := d.io.enter(ctx); err != nil {
		return err
	}
	defer d.io.leave()
	for range flushAttempts {
		if d.readAt.IsZero() {
			if err := d.read(ctx, kv, now); err != nil {
				return err
			}
		}
		err := d.write(ctx, kv)
		if !errors.Is(err, ErrConflict) {
			return err
		}
		d.readAt = time.Time{}
		if err := pause(ctx, rand.N(maxBackoff)); err != nil {
			return err
		}
	}
	return fmt.Errorf("write what was observed of metric %q: %w", d.name.Metric, ErrConflict)
}

// read takes over what the KV has, within io.
func (d *observedDataset) read(ctx context.Context, kv KV, now time.Time) error {
	var chunks []fieldChunk
	prefix := d.chunksPrefix()
	for after := ""; ; {
		items, err := kv.List(ctx, prefix, after, pageSize)
		if err != nil {
			return fmt.Errorf("read observed fields of metric %q: %w", d.name.Metric, err)
		}
		for _, item := range items {
			after = item.Key
			fields, err := decodeFields(item)
			if err != nil {
				return err
			}
			chunks = append(chunks, fieldChunk{version: item.Version, fields: fields})
		}
		if len(items) < pageSize {
			break
		}
	}
	item, err := kv.Get(ctx, d.countsKey())
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return fmt.Errorf("read counts of metric %q: %w", d.name.Metric, err)
	default:
		var doc datasetDocument
		if err := decodeDocument(item, &doc); err != nil {
			return err
		}
		d.takeCounts(item.Version, &doc)
	}
	d.merge(chunks)
	d.readAt = now
	return nil
}

// takeCounts notes the stored counts, unless they are older than those known.
func (d *observedDataset) takeCounts(version uint64, doc *datasetDocument) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if version <= d.stored.version {
		return
	}
	d.stored.version, d.stored.events = version, doc.Events
	d.widen(doc.FirstSeen, doc.LastSeen)
}

// merge puts the stored names first, in their order, and those noted here and
// not stored after them.
func (d *observedDataset) merge(chunks []fieldChunk) {
	d.mu.Lock()
	defer d.mu.Unlock()
	local := d.fields.Load()
	limit := len(local.list)
	for _, c := range chunks {
		limit += len(c.fields)
	}
	b := (&fieldSet{}).builder(limit)
	for i := range chunks {
		before := len(b.list)
		for _, f := range chunks[i].fields {
			b.add(f, kindsOf(f.Kinds))
		}
		chunks[i].own = len(b.list) - before
	}
	for _, f := range local.list {
		b.add(f, kindsOf(f.Kinds))
	}
	merged := b.set()
	if merged.byName == nil {
		merged.byName = map[string]fieldEntry{}
	}
	merged.full = local.full
	d.fields.Store(merged)
	d.stored.chunks = chunks
}

// write puts the documents that differ from the stored ones, within io.
// ErrConflict if another process wrote one meanwhile.
func (d *observedDataset) write(ctx context.Context, kv KV) error {
	d.mu.Lock()
	list := d.fields.Load().list
	stored := slices.Clone(d.stored.chunks)
	d.news = false
	d.mu.Unlock()
	err := d.writeFields(ctx, kv, list, &stored)
	if err == nil {
		err = d.writeCounts(ctx, kv)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stored.chunks = stored
	if err != nil {
		d.news = true
	}
	return err
}

// writeFields cuts the list as it is cut in stored, and new names into further
// chunks, and puts the chunks that differ. It keeps stored up to date.
func (d *observedDataset) writeFields(ctx context.Context, kv KV, list []ObservedField, stored *[]fieldChunk) error {
	for i, from := 0, 0; from < len(list); i++ {
		if i == len(*stored) {
			*stored = append(*stored, fieldChunk{})
		}
		chunk := &(*stored)[i]
		to := from + chunk.own
		if i == len(*stored)-1 {
			to = endOfChunk(list, from, to)
		}
		fields := list[from:to]
		from = to
		if slices.EqualFunc(chunk.fields, fields, sameField) {
			continue
		}
		data, err := encodeFields(fields)
		if err != nil {
			return fmt.Errorf("encode observed fields of metric %q: %w", d.name.Metric, err)
		}
		version, err := kv.Put(ctx, d.chunksPrefix()+padded(uint64(i)), data, chunk.version)
		if err != nil {
			return fmt.Errorf("write observed fields of metric %q: %w", d.name.Metric, err)
		}
		*chunk = fieldChunk{version: version, fields: fields, own: len(fields)}
	}
	return nil
}

// endOfChunk extends list[from:to] up to the size of a chunk.
func endOfChunk(list []ObservedField, from, to int) int {
	size := 0
	for _, f := range list[from:to] {
		size += len(f.Sent) + fieldBytes
	}
	for to < len(list) && size < chunkBytes {
		size += len(list[to].Sent) + fieldBytes
		to++
	}
	return to
}

func sameField(a, b ObservedField) bool {
	return a.Sent == b.Sent && a.Type == b.Type && slices.Equal(a.Kinds, b.Kinds)
}

func encodeFields(fields []ObservedField) ([]byte, error) {
	doc := fieldsDocument{Format: documentFormat, Fields: make([]observedFieldDocument, len(fields))}
	for i, f := range fields {
		kinds := make([]byte, len(f.Kinds))
		for k, kind := range f.Kinds {
			kinds[k] = byte(kind)
		}
		doc.Fields[i] = observedFieldDocument{
			Name:      f.Sent,
			Type:      f.Type.String(),
			Kinds:     string(kinds),
			FirstSeen: f.FirstSeen.UnixMicro(),
		}
	}
	return json.Marshal(doc)
}

func decodeFields(item Item) ([]ObservedField, error) {
	var doc fieldsDocument
	if err := decodeDocument(item, &doc); err != nil {
		return nil, err
	}
	fields := make([]ObservedField, len(doc.Fields))
	for i, f := range doc.Fields {
		t, err := ParseType(f.Type)
		if err != nil {
			return nil, fmt.Errorf("decode %s: field %q: %w", item.Key, f.Name, err)
		}
		kinds := make([]Kind, len(f.Kinds))
		for k := range kinds {
			kinds[k] = Kind(f.Kinds[k])
		}
		fields[i] = ObservedField{Sent: f.Name, Type: t, Kinds: kinds, FirstSeen: time.UnixMicro(f.FirstSeen).UTC()}
	}
	return fields, nil
}

// writeCounts puts the counts of the dataset.
func (d *observedDataset) writeCounts(ctx context.Context, kv KV) error {
	d.mu.Lock()
	version, delta := d.stored.version, d.events.Load()
	doc := datasetDocument{
		Format:     documentFormat,
		Metric:     d.name.Metric,
		Namespace:  d.name.Namespace,
		Generation: d.name.Generation,
		Events:     d.stored.events + delta,
		FirstSeen:  d.first.Load(),
		LastSeen:   d.last.Load(),
	}
	d.mu.Unlock()
	if version != 0 && delta == 0 {
		return nil
	}
	data, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("encode counts of metric %q: %w", d.name.Metric, err)
	}
	version, err = kv.Put(ctx, d.countsKey(), data, version)
	if err != nil {
		return fmt.Errorf("write counts of metric %q: %w", d.name.Metric, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stored.version, d.stored.events = version, doc.Events
	d.events.Add(-delta)
	return nil
}
