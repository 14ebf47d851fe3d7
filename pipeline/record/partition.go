package record

import (
	"strconv"

	"github.com/zeebo/xxh3"

	"github.com/fieldgate/fieldgate/schema"
)

// Partitioning says which events of the streams meet in one shard, where they keep their order. Raw and staged records
// go by the same; error rows always by their identity.
type Partitioning struct {
	By PartitionBy
	// DeviceNames are the sent names that may tell an event's device, in the order in which they are looked for.
	DeviceNames []string
}

// PartitionBy is what events have in common that meet in one shard.
type PartitionBy uint8

// The zero PartitionBy is ByIdentity.
const (
	// ByIdentity spreads events evenly: only copies of one event meet.
	ByIdentity PartitionBy = iota
	// ByDevice has events of a tenant's device meet. One that has none of the DeviceNames goes by its identity.
	ByDevice
	// ByTenant has all events of a tenant meet, which so has the throughput of one shard.
	ByTenant
)

// Hash gives the hash of what the event has in common with others, or false if its identity is to choose the shard.
// values are sorted by name.
func (p *Partitioning) Hash(tenant string, values []schema.Value) (uint64, bool) {
	switch p.By {
	case ByTenant:
		return xxh3.HashString(tenant), true
	case ByDevice:
		for _, name := range p.DeviceNames {
			if v := find(values, name); v != nil && (v.Kind != schema.KindText || len(v.Text) > 0) {
				// A tenant's name has no NUL.
				return xxh3.Hash(appendPlain(append([]byte(tenant), 0), v)), true
			}
		}
	}
	return 0, false
}

// appendPlain appends a value as text, so that a number and the text of it are one device.
func appendPlain(dst []byte, v *schema.Value) []byte {
	switch v.Kind {
	case schema.KindInt, schema.KindNumber:
		return appendNumberText(dst, v)
	case schema.KindBool:
		return strconv.AppendBool(dst, v.Int != 0)
	default:
		return append(dst, v.Text...)
	}
}
