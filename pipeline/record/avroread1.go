package record

import "github.com/fieldgate/fieldgate/schema"

// stagedFormat1 is the value of formatKey of the first format, in which an Avro record is an event with all that its
// staged record knew of it, fields as a map. It is read only.
const stagedFormat1 = "1"

// firstFormat reads the events of the first format.
type firstFormat struct {
	known  names
	shared [3]string // tenant, namespace and metric of the last event
	values []schema.Value
}

// readEvent reads what follows an event's position.
func (f *firstFormat) readEvent(in *decoder, e *schema.Event) {
	for i := range f.shared {
		if text := in.avroText(); string(text) != f.shared[i] {
			f.shared[i] = string(text)
		}
	}
	e.Dataset = schema.Dataset{Tenant: f.shared[0], Namespace: f.shared[1], Metric: f.shared[2], Generation: in.avroUint32()}
	e.Time = in.varint()
	e.ReceivedAt = in.varint()
	copy(e.ID[:], in.take(uint64(len(e.ID))))
	copy(e.Hash[:], in.take(uint64(len(e.Hash))))
	f.values = f.values[:0]
	for in.ok {
		count := in.varint()
		if count == 0 {
			break
		}
		if count < 0 { // then the block's size in bytes follows
			count = -count
			in.varint()
		}
		for range count {
			v := schema.Value{Name: f.known.intern(in.avroText())}
			if readValue(in, &v); !in.ok {
				return
			}
			f.values = append(f.values, v)
		}
	}
	e.Values = f.values
}
