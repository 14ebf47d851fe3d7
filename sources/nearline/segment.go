package nearline

import (
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// segment is a run of rows in memory. Readers share it, nobody changes it.
type segment struct {
	batch   *sources.Batch
	spans   spans
	suspect []uint32
	bytes   int64 // without indexes
	// indexes find rows by value; nil: it is too short-lived for them.
	indexes *indexes
}

// split is some rows of the segment, or all if rows is nil.
func (s *segment) split(rows, suspect []uint32) *sources.BatchSplit {
	return &sources.BatchSplit{Batch: s.batch, Select: rows, Suspect: suspect, Kept: s.indexes != nil}
}

// age is the time by which the segment is told old from new: that of a row in
// its middle, lest one with a time of the far future keeps all the others.
func (s *segment) age() int64 { return s.batch.TS[s.batch.Rows/2] }

// rest copies the rows that are not covered into an open segment, or gives nil
// if they are more than half: then copying them would free too little. gone are
// the times of the others.
func (s *segment) rest(past sources.Watermarks) (rest *openSegment, gone []int64) {
	left := 0
	for r := range s.batch.Positions {
		if !covered(&s.batch.Positions[r], past) {
			left++
		}
	}
	if left > s.batch.Rows/2 {
		return nil, nil
	}
	suspect := make(map[uint32]bool, len(s.suspect))
	for _, r := range s.suspect {
		suspect[r] = true
	}
	rest, gone = &openSegment{}, make([]int64, 0, s.batch.Rows-left)
	for r := range s.batch.Rows {
		if covered(&s.batch.Positions[r], past) {
			gone = append(gone, s.batch.TS[r])
			continue
		}
		row := Row{Event: s.batch.Event(r, schema.Dataset{}), Position: s.batch.Positions[r]}
		rest.add(&row, suspect[uint32(r)])
	}
	rest.measure()
	return rest, gone
}
