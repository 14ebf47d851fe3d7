package record

import (
	"fmt"

	"github.com/fieldgate/fieldgate/schema"
)

// Least lengths in a staged record: of a dataset; of an event, which has dataset, shape, two times, id, no hash, no values.
const (
	minStagedDataset = 9
	minStagedRow     = 4 + len(schema.ID{}) + 2
)

// StagedDecoder reads staged records. It remembers names from record to record, so that equal names are one string. The
// zero StagedDecoder is ready; it is for one goroutine.
type StagedDecoder struct {
	known    names
	datasets []schema.Dataset
	names    []string
	shapes   [][]schema.Value // each value with its name alone, in the first version with its kind too
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
	version, err := stagedVersionOf(data)
	if err != nil {
		return err
	}
	in := decoder{data: data[stagedHead:], ok: true}
	decode := d.decode
	if version == stagedVersion1 {
		decode = d.decode1
	}
	if decode(&in, yield) {
		return nil
	}
	return in.end("staged record")
}

// stagedVersionOf is the version of a record that is not a pointer.
func stagedVersionOf(data []byte) (byte, error) {
	if len(data) < stagedHead {
		return 0, fmt.Errorf("%w: staged record of %d bytes", ErrCorrupt, len(data))
	}
	if version := data[0]; (version == stagedVersion || version == stagedVersion1) && data[1] == 0 {
		return version, nil
	}
	return 0, fmt.Errorf("%w: staged record of version %d, flags %#x", ErrVersion, data[0], data[1])
}

// decode is Decode for what follows the first two bytes of a record.
func (d *StagedDecoder) decode(in *decoder, yield func(index uint32, e *schema.Event) bool) (stopped bool) {
	d.readDictionaries(in)
	count := in.avroCount(minStagedRow)
	d.begin()
	for i := range count {
		if !d.readEvent(in) {
			return false
		}
		if !yield(uint32(i), &d.event) {
			return true
		}
	}
	in.endArray(count)
	return false
}

// begin has the next event's times count from 0.
func (d *StagedDecoder) begin() { d.event.Time, d.event.ReceivedAt = 0, 0 }

func (d *StagedDecoder) readDictionaries(in *decoder) {
	d.datasets, d.names, d.shapes = d.datasets[:0], d.names[:0], d.shapes[:0]
	count := in.avroCount(minStagedDataset)
	for i := range count {
		var of DatasetSummary
		if i < cap(d.datasets) {
			of.Dataset = d.datasets[:i+1][i]
		}
		of.readAvro(in)
		d.datasets = append(d.datasets, of.Dataset)
	}
	in.endArray(count)
	count = in.avroCount(1)
	for range count {
		d.names = append(d.names, d.known.intern(in.avroText()))
	}
	in.endArray(count)
	count = in.avroCount(1)
	for range count {
		d.readShape(in)
	}
	in.endArray(count)
}

// readShape reads a list of names.
func (d *StagedDecoder) readShape(in *decoder) {
	shape := d.addShape()
	count := in.avroCount(1)
	for range count {
		d.addName(in, shape, uint64(in.varint()), 0)
	}
	in.endArray(count)
}

// addShape begins another shape, in the memory of one of an earlier record.
func (d *StagedDecoder) addShape() *[]schema.Value {
	at := len(d.shapes)
	if at < cap(d.shapes) {
		d.shapes = d.shapes[:at+1]
	} else {
		d.shapes = append(d.shapes, nil)
	}
	d.shapes[at] = d.shapes[at][:0]
	return &d.shapes[at]
}

// addName adds a name, by its number, to a shape, whose names rise.
func (d *StagedDecoder) addName(in *decoder, shape *[]schema.Value, number uint64, kind schema.Kind) {
	if number >= uint64(len(d.names)) {
		in.fail()
		return
	}
	name := d.names[number]
	if n := len(*shape); n > 0 && name <= (*shape)[n-1].Name {
		in.fail()
		return
	}
	*shape = append(*shape, schema.Value{Name: name, Kind: kind})
}

// readEvent reads the next event into d.event, and says whether there was one.
func (d *StagedDecoder) readEvent(in *decoder) bool {
	e := &d.event
	dataset, shape := in.varint(), in.varint()
	if dataset < 0 || dataset >= int64(len(d.datasets)) || shape < 0 || shape >= int64(len(d.shapes)) {
		in.fail()
		return false
	}
	e.Dataset = d.datasets[dataset]
	e.Time += in.varint()
	e.ReceivedAt += in.varint()
	copy(e.ID[:], in.take(uint64(len(e.ID))))
	e.Hash = e.ID
	switch in.byte() {
	case branchNoHash:
	case branchHash:
		copy(e.Hash[:], in.take(uint64(len(e.Hash))))
	default:
		in.fail()
	}
	d.values = append(d.values[:0], d.shapes[shape]...)
	count := in.avroCount(2)
	if count != len(d.values) {
		in.fail()
		return false
	}
	for i := range d.values {
		readValue(in, &d.values[i])
	}
	in.endArray(count)
	e.Values = d.values
	return in.ok
}
