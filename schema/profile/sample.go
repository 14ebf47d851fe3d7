package profile

import "math"

const (
	// sampleRows is how many events are kept as a sample: 4 bytes of each numeric name.
	sampleRows = 96
	// strata is how many shapes of events share the sample evenly, so that what only
	// few devices send is in it: the remembered ones, and all others together.
	strata = maxShapes + 1
)

// sampleRow is an event of the sample; its values are in the columns of names.
type sampleRow struct {
	// priority is a hash of the event; of a shape, the lowest are kept.
	priority uint64
	// time is the event's, in microseconds since 1970 UTC.
	time    int64
	stratum uint8
}

// sample chooses the events to keep.
type sample struct {
	rows []sampleRow
	// limits has for each stratum the priority below which another event enters.
	limits [strata]uint64
}

func newSample() sample {
	var s sample
	for i := range s.limits {
		s.limits[i] = math.MaxUint64
	}
	return s
}

// place is the row for an event that enters the sample, whatever is there.
func (s *sample) place(r sampleRow) int {
	if len(s.rows) < sampleRows {
		s.rows = append(s.rows, r)
		s.setLimits()
		return len(s.rows) - 1
	}
	counts := s.counts()
	from := int(r.stratum)
	for i, n := range counts {
		if n > counts[from]+1 || from != int(r.stratum) && n > counts[from] {
			from = i
		}
	}
	at := s.worst(uint8(from))
	s.rows[at] = r
	s.setLimits()
	return at
}

func (s *sample) counts() (counts [strata]int) {
	for i := range s.rows {
		counts[s.rows[i].stratum]++
	}
	return counts
}

// worst is the row of a stratum that has the greatest priority, -1 for none.
func (s *sample) worst(stratum uint8) int {
	at := -1
	for i := range s.rows {
		if s.rows[i].stratum == stratum && (at < 0 || s.rows[i].priority > s.rows[at].priority) {
			at = i
		}
	}
	return at
}

func (s *sample) setLimits() {
	counts := s.counts()
	most := 0
	for _, n := range counts {
		most = max(most, n)
	}
	for i := range s.limits {
		s.limits[i] = math.MaxUint64
		if len(s.rows) == sampleRows && counts[i]+1 >= most {
			s.limits[i] = 0
			if at := s.worst(uint8(i)); at >= 0 {
				s.limits[i] = s.rows[at].priority
			}
		}
	}
}
