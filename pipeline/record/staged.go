package record

import (
	"encoding/binary"
	"math"

	"github.com/fieldgate/fieldgate/schema"
)

const (
	// stagedVersion is the first byte of a staged record.
	stagedVersion = 1

	// StagedTarget is the size in bytes at which a staged record should be ended, so that records stay under StagedMax.
	// One event may be larger than that by itself.
	StagedTarget = 256 << 10

	// triedShapes is how many of a record's shapes are compared with an event before its own is encoded to look it up:
	// most records have few.
	triedShapes = 8
)

// StagedEncoder groups the events of one staged record. All of them go to one shard. The zero StagedEncoder is ready and
// may be used again after Reset; it is for one goroutine.
//
// Events that look alike share their names: the record has one dictionary of names and one of shapes, which are lists
// of names with kinds, and an event is a shape followed by bare values.
type StagedEncoder struct {
	datasets []schema.Dataset
	byName   map[schema.Dataset]int
	names    []string
	numbers  map[string]uint32 // of names
	shapes   []stagedShape
	byKey    map[string]int // shapes, by their encoding
	key      []byte
	dicts    int // bytes of the datasets, names and shapes, about

	rows         []byte
	count        int
	lastDataset  int
	lastShape    int
	lastTime     int64
	lastReceived int64
	out          []byte
}

type stagedShape struct {
	columns []stagedColumn
	key     string // the shape as it is encoded
}

type stagedColumn struct {
	name string
	kind schema.Kind
}

// Reset forgets all events.
func (s *StagedEncoder) Reset() {
	clear(s.byName)
	clear(s.numbers)
	clear(s.byKey)
	*s = StagedEncoder{
		datasets: s.datasets[:0], byName: s.byName, names: s.names[:0], numbers: s.numbers, shapes: s.shapes[:0], byKey: s.byKey,
		key: s.key[:0], rows: s.rows[:0], out: s.out[:0],
	}
}

// Len is the number of events added.
func (s *StagedEncoder) Len() int { return s.count }

// Size is about the number of bytes that Bytes will give.
func (s *StagedEncoder) Size() int { return len(s.rows) + s.dicts }

// Add adds an event. Its values are sorted by name. Nothing of it is kept but its strings.
func (s *StagedEncoder) Add(e *schema.Event) {
	distinct := uint64(0)
	if e.ID != e.Hash {
		distinct = 1
	}
	rows := binary.AppendUvarint(s.rows, uint64(s.dataset(&e.Dataset)))
	rows = binary.AppendUvarint(rows, uint64(s.shape(e.Values))<<1|distinct)
	rows = binary.AppendVarint(rows, e.Time-s.lastTime)
	rows = binary.AppendVarint(rows, e.ReceivedAt-s.lastReceived)
	s.lastTime, s.lastReceived = e.Time, e.ReceivedAt
	rows = append(rows, e.ID[:]...)
	if distinct == 1 {
		rows = append(rows, e.Hash[:]...)
	}
	for i := range e.Values {
		v := &e.Values[i]
		switch v.Kind {
		case schema.KindInt:
			rows = binary.AppendVarint(rows, v.Int)
		case schema.KindNumber:
			rows = binary.LittleEndian.AppendUint64(rows, math.Float64bits(v.Num))
		case schema.KindBool:
			rows = append(rows, byte(v.Int))
		default:
			rows = appendBytes(rows, v.Text)
		}
	}
	s.rows = rows
	s.count++
}

func (s *StagedEncoder) dataset(ds *schema.Dataset) int {
	if len(s.datasets) > 0 && s.datasets[s.lastDataset] == *ds {
		return s.lastDataset
	}
	at, ok := s.byName[*ds]
	if !ok {
		at = s.addDataset(ds)
	}
	s.lastDataset = at
	return at
}

func (s *StagedEncoder) addDataset(ds *schema.Dataset) int {
	if s.byName == nil {
		s.byName = make(map[schema.Dataset]int)
	}
	at := len(s.datasets)
	s.byName[*ds] = at
	s.datasets = append(s.datasets, *ds)
	s.dicts += len(ds.Tenant) + len(ds.Namespace) + len(ds.Metric) + 8
	return at
}

// shape finds the shape of the values, or makes it.
func (s *StagedEncoder) shape(values []schema.Value) int {
	if len(s.shapes) > 0 && s.shapes[s.lastShape].matches(values) {
		return s.lastShape
	}
	for at := range min(len(s.shapes), triedShapes) {
		if s.shapes[at].matches(values) {
			s.lastShape = at
			return at
		}
	}
	if s.byKey == nil {
		s.byKey, s.numbers = make(map[string]int), make(map[string]uint32)
	}
	s.key = binary.AppendUvarint(s.key[:0], uint64(len(values)))
	for i := range values {
		s.key = binary.AppendUvarint(s.key, uint64(s.name(values[i].Name)))
		s.key = append(s.key, byte(values[i].Kind))
	}
	at, ok := s.byKey[string(s.key)]
	if !ok {
		at = len(s.shapes)
		s.addShape(values)
	}
	s.lastShape = at
	return at
}

func (s *StagedEncoder) addShape(values []schema.Value) {
	at := len(s.shapes)
	if at < cap(s.shapes) {
		s.shapes = s.shapes[:at+1]
	} else {
		s.shapes = append(s.shapes, stagedShape{})
	}
	shape := &s.shapes[at]
	shape.columns = shape.columns[:0]
	for i := range values {
		shape.columns = append(shape.columns, stagedColumn{values[i].Name, values[i].Kind})
	}
	shape.key = string(s.key)
	s.byKey[shape.key] = at
	s.dicts += len(shape.key)
}

func (s *StagedEncoder) name(text string) uint32 {
	n, ok := s.numbers[text]
	if !ok {
		n = uint32(len(s.names))
		s.names = append(s.names, text)
		s.numbers[text] = n
		s.dicts += len(text) + 2
	}
	return n
}

func (h *stagedShape) matches(values []schema.Value) bool {
	if len(values) != len(h.columns) {
		return false
	}
	for i := range values {
		if values[i].Kind != h.columns[i].kind || values[i].Name != h.columns[i].name {
			return false
		}
	}
	return true
}

// Bytes gives the record. It stays until the next call of a method.
func (s *StagedEncoder) Bytes() []byte {
	out := s.out[:0]
	out = append(out, stagedVersion, 0)
	out = binary.AppendUvarint(out, uint64(len(s.datasets)))
	for i := range s.datasets {
		ds := &s.datasets[i]
		out = appendBytes(out, ds.Tenant)
		out = appendBytes(out, ds.Namespace)
		out = appendBytes(out, ds.Metric)
		out = binary.AppendUvarint(out, uint64(ds.Generation))
	}
	out = binary.AppendUvarint(out, uint64(len(s.names)))
	for _, name := range s.names {
		out = appendBytes(out, name)
	}
	out = binary.AppendUvarint(out, uint64(len(s.shapes)))
	for i := range s.shapes {
		out = append(out, s.shapes[i].key...)
	}
	out = binary.AppendUvarint(out, uint64(s.count))
	out = append(out, s.rows...)
	s.out = out
	return out
}
