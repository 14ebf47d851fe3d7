package record

import (
	"encoding/binary"
	"math"

	"github.com/fieldgate/fieldgate/schema"
)

// stagedVersion1 is the first byte of staged records of the first version, which are read only.
const stagedVersion1 = 1

// minStagedRow1 is the least length of an event in one: dataset, shape, two times, id.
const minStagedRow1 = 4 + len(schema.ID{})

// decode1 is Decode for what follows the first two bytes of a record of the first version.
func (d *StagedDecoder) decode1(in *decoder, yield func(index uint32, e *schema.Event) bool) (stopped bool) {
	d.readDictionaries1(in)
	count := in.count(minStagedRow1)
	d.begin()
	for i := range count {
		if !d.readEvent1(in) {
			return false
		}
		if !yield(uint32(i), &d.event) {
			return true
		}
	}
	return false
}

func (d *StagedDecoder) readDictionaries1(in *decoder) {
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
		d.readShape1(in)
	}
}

// readShape1 reads a list of names with their kinds.
func (d *StagedDecoder) readShape1(in *decoder) {
	shape := d.addShape()
	for range in.count(2) {
		number, kind := in.uvarint(), schema.Kind(in.byte())
		if !isKind(kind) {
			in.fail()
		}
		d.addName(in, shape, number, kind)
	}
}

func isKind(k schema.Kind) bool {
	switch k {
	case schema.KindInt, schema.KindNumber, schema.KindBool, schema.KindText, schema.KindJSON:
		return true
	default:
		return false
	}
}

// readEvent1 reads the next event into d.event, and says whether there was one.
func (d *StagedDecoder) readEvent1(in *decoder) bool {
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
