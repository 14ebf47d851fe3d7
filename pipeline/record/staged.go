package record

import (
	"encoding/binary"
	"math"

	"github.com/fieldgate/fieldgate/schema"
)

const (
	// stagedVersion is the first byte of a staged record, and stagedHead how many bytes stand before its Avro datum.
	stagedVersion = 2
	stagedHead    = 2

	// StagedTarget is the size in bytes at which a staged record should be ended: with its last event it mostly fits a
	// block of the archive. One event may be larger than that by itself.
	StagedTarget = 60 << 10

	// triedShapes is how many of a record's shapes are compared with an event before its own is encoded to look it up:
	// most records have few.
	triedShapes = 8
)

// StagedEncoder groups the events of one staged record. All of them go to one shard. The zero StagedEncoder is ready and
// may be used again after Reset; it is for one goroutine.
//
// Events that look alike share their names: the record has one dictionary of names and one of shapes, which are lists
// of names, and an event is a shape followed by values. All of it is Avro, the end of a datum of batchAvro, so that the
// archive takes records as they are.
type StagedEncoder struct {
	datasets []DatasetSummary
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
	names []string
	key   string // the shape as it is encoded
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
	dataset := s.dataset(e)
	rows := binary.AppendVarint(s.rows, int64(dataset))
	rows = binary.AppendVarint(rows, int64(s.shape(e.Values)))
	rows = binary.AppendVarint(rows, e.Time-s.lastTime)
	rows = binary.AppendVarint(rows, e.ReceivedAt-s.lastReceived)
	s.lastTime, s.lastReceived = e.Time, e.ReceivedAt
	rows = append(rows, e.ID[:]...)
	if e.ID == e.Hash {
		rows = append(rows, branchNoHash)
	} else {
		rows = append(append(rows, branchHash), e.Hash[:]...)
	}
	rows = appendValues(rows, e.Values)
	s.datasets[dataset].add(e, len(rows)-len(s.rows))
	s.rows = rows
	s.count++
}

// appendValues appends an Avro array of values.
func appendValues(dst []byte, values []schema.Value) []byte {
	if len(values) > 0 {
		dst = binary.AppendVarint(dst, int64(len(values)))
	}
	for i := range values {
		v := &values[i]
		switch v.Kind {
		case schema.KindInt:
			dst = binary.AppendVarint(append(dst, branchInt), v.Int)
		case schema.KindNumber:
			dst = binary.LittleEndian.AppendUint64(append(dst, branchNumber), math.Float64bits(v.Num))
		case schema.KindBool:
			dst = append(dst, branchBool, byte(v.Int))
		case schema.KindText:
			dst = appendAvroText(append(dst, branchText), v.Text)
		case schema.KindJSON:
			dst = appendAvroText(append(dst, branchJSON), v.Text)
		}
	}
	return append(dst, 0) // ends the array
}

func (s *StagedEncoder) dataset(e *schema.Event) int {
	if len(s.datasets) > 0 && s.datasets[s.lastDataset].Dataset == e.Dataset {
		return s.lastDataset
	}
	at, ok := s.byName[e.Dataset]
	if !ok {
		at = s.addDataset(e)
	}
	s.lastDataset = at
	return at
}

func (s *StagedEncoder) addDataset(e *schema.Event) int {
	if s.byName == nil {
		s.byName = make(map[schema.Dataset]int)
	}
	at := len(s.datasets)
	s.byName[e.Dataset] = at
	s.datasets = append(s.datasets, DatasetSummary{Dataset: e.Dataset, MinTime: e.Time, MaxTime: e.Time, OldestReceivedAt: e.ReceivedAt})
	s.dicts += datasetBytes(&e.Dataset)
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
	s.key = s.key[:0]
	if len(values) > 0 {
		s.key = binary.AppendVarint(s.key, int64(len(values)))
	}
	for i := range values {
		s.key = binary.AppendVarint(s.key, int64(s.name(values[i].Name)))
	}
	s.key = append(s.key, 0)
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
	shape.names = shape.names[:0]
	for i := range values {
		shape.names = append(shape.names, values[i].Name)
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
	if len(values) != len(h.names) {
		return false
	}
	for i := range values {
		if !sameText(values[i].Name, h.names[i]) {
			return false
		}
	}
	return true
}

// Bytes gives the record. It stays until the next call of a method.
func (s *StagedEncoder) Bytes() []byte {
	s.out = s.AppendTo(s.out[:0])
	return s.out
}

// AppendTo appends the record.
func (s *StagedEncoder) AppendTo(out []byte) []byte {
	out = append(out, stagedVersion, 0)
	out = appendArray(out, len(s.datasets), func(out []byte, i int) []byte { return s.datasets[i].appendAvro(out) })
	out = appendArray(out, len(s.names), func(out []byte, i int) []byte { return appendAvroText(out, s.names[i]) })
	out = appendArray(out, len(s.shapes), func(out []byte, i int) []byte { return append(out, s.shapes[i].key...) })
	if s.count > 0 {
		out = append(binary.AppendVarint(out, int64(s.count)), s.rows...)
	}
	return append(out, 0)
}

// appendArray appends an Avro array of n elements: a block of all of them, and one of none.
func appendArray(dst []byte, n int, element func(dst []byte, i int) []byte) []byte {
	if n > 0 {
		dst = binary.AppendVarint(dst, int64(n))
	}
	for i := range n {
		dst = element(dst, i)
	}
	return append(dst, 0)
}
