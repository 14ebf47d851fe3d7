package record

import (
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/schema"
)

// maxShapeNames bounds the names of all shapes that are remembered. Shapes come from outside; past the bound all are
// forgotten and learnt anew.
const maxShapeNames = 1 << 16

// shape is what events that look alike have in common: the names of their members as sent, no two the same, and how
// sorting by name moves them.
type shape struct {
	names []string
	order []int // order[i] is the member that comes i-th
}

// shapes remembers the shapes of events, so that sorting their members, and looking for names given twice, is done once
// for each. The zero shapes is ready.
type shapes struct {
	byHash map[uint64]*shape
	size   int // names of all of them
}

// find gives the shape of the members, whose names have the hash.
func (s *shapes) find(hash uint64, members []schema.Value) (*shape, error) {
	if known := s.byHash[hash]; known != nil && known.matches(members) {
		return known, nil
	}
	made, err := newShape(members)
	if err != nil {
		return nil, err
	}
	if s.byHash == nil || s.size+len(members) > maxShapeNames {
		s.byHash, s.size = make(map[uint64]*shape), 0
	}
	s.byHash[hash] = made
	s.size += len(members)
	return made, nil
}

func (s *shape) matches(members []schema.Value) bool {
	if len(members) != len(s.names) {
		return false
	}
	for i := range members {
		if !sameText(members[i].Name, s.names[i]) {
			return false
		}
	}
	return true
}

func newShape(members []schema.Value) (*shape, error) {
	s := &shape{names: make([]string, len(members)), order: make([]int, len(members))}
	for i := range members {
		s.names[i], s.order[i] = members[i].Name, i
	}
	slices.SortFunc(s.order, func(a, b int) int { return strings.Compare(s.names[a], s.names[b]) })
	for i := 1; i < len(s.order); i++ {
		if name := s.names[s.order[i]]; name == s.names[s.order[i-1]] {
			return nil, malformed("name %s given twice", quoted(name))
		}
	}
	return s, nil
}
