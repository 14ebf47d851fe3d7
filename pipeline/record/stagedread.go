package record

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/fieldgate/fieldgate/schema"
)

// minStagedRow is the least length of an event in a staged record: dataset, shape, two times, id.
const minStagedRow = 4 + len(schema.ID{})

// StagedDecoder reads staged records. It remembers names from record to record, so that equal names are one string. The
// zero StagedDecoder is ready; it is for one goroutine.
type StagedDecoder struct {
	known    names
	datasets []schema.Dataset
	names    []string
	shapes   [][]schema.Value // each value with its name and kind alone
	event    schema.Event
	values   []schema.Value
}

// DecodeStaged is StagedDecoder.Decode for one record.
func DecodeStaged(data []byte, yield func(index uint32, e *schema.Event) bool) error {
	return new(StagedDecoder).Decode(data, yield)
}

// Decode yields the events of a record in order until yield returns false; index counts them from 0. The event and its
// values are used again when yield returns; the Text of the values lies in data, and names may be kept.
func (d *StagedDecoder) Decode(data []byte, yield func(index uint32, e *schema.Event) bool) error {
	if len(data) < 2 {
		return fmt.Errorf("%w: staged record of %d bytes", ErrCorrupt, len(data))
	}
	if data[0] != stagedVersion || data[1] != 0 {
		return fmt.Errorf("%w: staged record of version %d, flags %#x", ErrVersion, data[0], data[1])
	}
	in := decoder{data: data[2:], ok: true}
	d.readDictionaries(&in)
	count := in.count(minStagedRow)
	e := &d.event
	e.Time, e.ReceivedAt = 0, 0
	for i := range count {
		if !d.readEvent(&in) {
			break
		}
		if !yield(uint32(i), e) {
			return nil
		}
	}
	return in.end("staged record")
}

func (d *StagedDecoder) readDictionaries(in *decoder) {
	d.datasets, d.names, d.shapes = d.datasets[:0], d.names[:0], d.shapes[:0]
	for i := range in.count(4) {
		var ds schema.Dataset
		if i < cap(d.datasets) {
			ds = d.datasets[:i+1][i]
		}
		ds.Tenant = in.keep(ds.Tenant)
		ds.Namespace = in.keep(ds.Namespace)
		ds.Metric = in.keep(ds.Metric)
		ds.Generation = in.uint32()
		d.datasets = append(d.datasets, ds)
	}
	for range in.count(1) {
		d.names = append(d.names, d.known.intern(in.bytes()))
	}
	for range in.count(1) {
		d.readShape(in)
	}
}

// readShape reads a list of names, which rise, with their kinds.
func (d *StagedDecoder) readShape(in *decoder) {
	at := len(d.shapes)
	if at < cap(d.shapes) {
		d.shapes = d.shapes[:at+1]
	} else {
		d.shapes = append(d.shapes, nil)
	}
	shape := d.shapes[at][:0]
	for i := range in.count(2) {
		number, kind := in.uvarint(), schema.Kind(in.byte())
		if number >= uint64(len(d.names)) || !isKind(kind) {
			in.fail()
			break
		}
		name := d.names[number]
		if i > 0 && name <= shape[i-1].Name {
			in.fail()
			break
		}
		shape = append(shape, schema.Value{Name: name, Kind: kind})
	}
	d.shapes[at] = shape
}

func isKind(k schema.Kind) bool {
	switch k {
	case schema.KindInt, schema.KindNumber, schema.KindBool, schema.KindText, schema.KindJSON:
		return true
	default:
		return false
	}
}

// readEvent reads the next event into d.event, and says whether there was one.
func (d *StagedDecoder) readEvent(in *decoder) bool {
	e := &d.event
	dataset, shape := in.uvarint(), in.uvarint()
	distinct := shape&1 == 1
	shape >>= 1
	if dataset >= uint64(len(d.datasets)) || shape >= uint64(len(d.shapes)) {
		in.fail()
		return false
	}
	e.Dataset = d.datasets[dataset]
	e.Time += in.varint()
	e.ReceivedAt += in.varint()
	copy(e.ID[:], in.take(uint64(len(e.ID))))
	e.Hash = e.ID
	if distinct {
		copy(e.Hash[:], in.take(uint64(len(e.Hash))))
	}
	d.values = append(d.values[:0], d.shapes[shape]...)
	for i := range d.values {
		v := &d.values[i]
		switch v.Kind {
		case schema.KindInt:
			v.Int = in.varint()
		case schema.KindNumber:
			if b := in.take(8); b != nil {
				v.Num = math.Float64frombits(binary.LittleEndian.Uint64(b))
			}
		case schema.KindBool:
			v.Int = int64(in.byte() & 1)
		default:
			v.Text = in.bytes()
		}
	}
	e.Values = d.values
	return in.ok
}
