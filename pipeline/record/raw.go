package record

import (
	"encoding/binary"
	"fmt"
)

// rawVersion is the first byte of a raw record.
const rawVersion = 1

// Raw is what the raw stream holds: the events of one request, or of a part of a large one, as they came, and what
// ingest knew about them. The raw stage is a function of this and of the schema at SchemaVersion.
type Raw struct {
	Tenant        string
	SchemaVersion uint64 // the tenant's when the request arrived
	ArrivedAt     int64  // microseconds since 1970 UTC
	Receipt       string // of the request
	Metric        string // of the URL, or ""
	Namespace     string // "" but for a replay's target
	Events        [][]byte
	Indexes       []uint32 // of each event in its request, rising
}

// AppendRaw appends the record's bytes.
func AppendRaw(dst []byte, r *Raw) []byte {
	dst = append(dst, rawVersion)
	dst = appendBytes(dst, r.Tenant)
	dst = binary.AppendUvarint(dst, r.SchemaVersion)
	dst = binary.AppendVarint(dst, r.ArrivedAt)
	dst = appendBytes(dst, r.Receipt)
	dst = appendBytes(dst, r.Metric)
	dst = appendBytes(dst, r.Namespace)
	dst = binary.AppendUvarint(dst, uint64(len(r.Events)))
	next := uint32(0)
	for i, event := range r.Events {
		dst = binary.AppendUvarint(dst, uint64(r.Indexes[i]-next))
		dst = appendBytes(dst, event)
		next = r.Indexes[i] + 1
	}
	return dst
}

// DecodeRaw reads what AppendRaw wrote. The events lie in data. The slices of into are used again, and its strings where
// they are the same, so that decoding into one Raw again and again allocates little.
func DecodeRaw(data []byte, into *Raw) error {
	if len(data) == 0 {
		return fmt.Errorf("%w: empty raw record", ErrCorrupt)
	}
	if data[0] != rawVersion {
		return fmt.Errorf("%w: raw record of version %d", ErrVersion, data[0])
	}
	d := decoder{data: data[1:], ok: true}
	into.Tenant = d.keep(into.Tenant)
	into.SchemaVersion = d.uvarint()
	into.ArrivedAt = d.varint()
	into.Receipt = d.keep(into.Receipt)
	into.Metric = d.keep(into.Metric)
	into.Namespace = d.keep(into.Namespace)
	into.Events, into.Indexes = into.Events[:0], into.Indexes[:0]
	next := uint64(0)
	for range d.count(2) {
		next += d.uvarint()
		if next > 1<<32-1 {
			d.fail()
		}
		into.Events = append(into.Events, d.bytes())
		into.Indexes = append(into.Indexes, uint32(next))
		next++
	}
	return d.end("raw record")
}
