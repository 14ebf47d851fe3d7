package nearline

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
)

const (
	// slotBytes is the size of a slot.
	slotBytes = 24

	// minSlots is the least size of the table, a power of two. At most maxLoad
	// quarters of the slots are in use.
	minSlots = 64
	maxLoad  = 3

	// shrinkShare is how many times the slots that its rows need make a table too large.
	shrinkShare = 4

	// tagBits of a slot's mark name its generation, one says that the lake may hold
	// another row of the identity, which came first, and the others are of the hash.
	tagBits    = 16
	tagMask    = 1<<tagBits - 1
	suspectBit = 1 << tagBits
	hashMask   = ^uint64(tagMask | suspectBit)

	// generationRows ends a generation of an identity set; letting go of rows ends
	// one too, as long as there are at most maxEndedGenerations.
	generationRows      = 256 << 10
	maxEndedGenerations = 8
)

// identity is the time and id of a row, mixed: distinct for distinct ids of one
// time and for distinct times of one id; other pairs collide once in 2^128.
type identity struct{ hi, lo uint64 }

func identityOf(time int64, id *schema.ID) identity {
	// Odd multipliers (2^64 divided by the golden ratio, and splitmix64's) are
	// bijections of the time.
	t := uint64(time)
	return identity{
		hi: binary.BigEndian.Uint64(id[:8]) ^ t*0x9e3779b97f4a7c15,
		lo: binary.BigEndian.Uint64(id[8:]) ^ bits.RotateLeft64(t*0xbf58476d1ce4e5b9, 32),
	}
}

// identities is the set of the rows that a dataset holds, and at times of some it
// held, with 47 bits of each row's hash. Every row belongs to a generation, which
// goes when none of its rows is held any more.
//
// It is a hash table of its own because every row of the house passes here: keys
// are hashes already, and a row is looked up and added by one probe, most often
// of one cache line, where a map for each generation takes several of each.
type identities struct {
	slots       []slot // a power of two of them, or none
	used        int
	seed        uint64        // odd; which slots keys share is not for senders to choose
	generations []*generation // oldest first; the last one grows
	lastTag     uint64
	warmed      uint64 // what warm read, so that it does
}

// slot is free if mark is 0. A mark is bits of a hash above suspectBit and a
// generation's tag.
type slot struct {
	key  identity
	mark uint64
}

// generation is a run of rows that are let go of together.
type generation struct {
	tag   uint64 // never 0
	rows  int
	spans spans
}

// meeting is what a row meets in the set.
type meeting uint8

const (
	meetsNone    meeting = iota // it is added
	meetsSame                   // the same event
	meetsOther                  // another event of the identity
	meetsSuspect                // another, which may itself be the second after one in the lake
)

// add adds a row, marked suspect or not, unless one of its identity is there.
func (s *identities) add(r *Row, suspect bool) meeting {
	if 4*(s.used+1) > maxLoad*len(s.slots) {
		s.resize(2 * len(s.slots))
	}
	key := identityOf(r.Event.Time, &r.Event.ID)
	mark := markOf(&r.Event.Hash)
	at := s.probe(key)
	if there := s.slots[at].mark; there != 0 {
		switch {
		case there&hashMask == mark:
			return meetsSame
		case there&suspectBit != 0:
			return meetsSuspect
		}
		return meetsOther
	}
	g := s.growing()
	g.rows++
	g.spans.add(r.Position.Shard, r.Position.Seq)
	if suspect {
		mark |= suspectBit
	}
	s.slots[at] = slot{key, mark | g.tag}
	s.used++
	return meetsNone
}

// markOf is the part of a mark that a hash makes.
func markOf(hash *schema.ID) uint64 { return binary.BigEndian.Uint64(hash[:8]) & hashMask }

// clear ends the suspicion of an identity: the event that came first has the hash,
// or is the one that is here if hash is nil.
func (s *identities) clear(time int64, id, hash *schema.ID) {
	if len(s.slots) == 0 {
		return
	}
	slot := &s.slots[s.probe(identityOf(time, id))]
	slot.mark &^= suspectBit
	if slot.mark != 0 && hash != nil {
		slot.mark = markOf(hash) | slot.mark&tagMask
	}
}

// probe finds the slot of a key, or the free one where it belongs.
func (s *identities) probe(key identity) int {
	mask := uint64(len(s.slots) - 1)
	at := s.home(key)
	for s.slots[at].mark != 0 && s.slots[at].key != key {
		at = (at + 1) & mask
	}
	return int(at)
}

// growing is the generation that takes further rows.
func (s *identities) growing() *generation {
	if n := len(s.generations); n > 0 && s.generations[n-1].rows < generationRows {
		return s.generations[n-1]
	}
	return s.begin()
}

// begin begins a generation, with a tag that no other has.
func (s *identities) begin() *generation {
	taken := true
	for taken {
		s.lastTag = s.lastTag%tagMask + 1
		taken = slices.ContainsFunc(s.generations, func(g *generation) bool { return g.tag == s.lastTag })
	}
	g := &generation{tag: s.lastTag}
	s.generations = append(s.generations, g)
	return g
}

// home is the slot where a key lies unless others lie there.
func (s *identities) home(key identity) uint64 {
	return key.hi * s.seed >> (64 - bits.Len64(uint64(len(s.slots)-1)))
}

// warm reads the slots of rows that are about to be added. Nearly every one is a
// cache miss, and misses that do not wait for each other take a fraction of the
// time.
func (s *identities) warm(rows []Row, at []int) {
	if len(s.slots) == 0 {
		return
	}
	marks := uint64(0)
	for _, n := range at {
		e := &rows[n].Event
		marks |= s.slots[s.home(identityOf(e.Time, &e.ID))].mark
	}
	s.warmed = marks
}

// resize makes the table anew.
func (s *identities) resize(size int) {
	old := s.slots
	if s.seed == 0 {
		s.seed = rand.Uint64() | 1
	}
	s.slots, s.used = make([]slot, max(size, minSlots)), 0
	for i := range old {
		if old[i].mark != 0 {
			s.slots[s.probe(old[i].key)] = old[i]
			s.used++
		}
	}
}

// drop frees the slots of gone generations, by tag, where they lie. Every other slot of a run
// of used ones moves towards its home, so that a probe still finds it: going from a
// free slot on, all that lie between have been put again before.
func (s *identities) drop(gone *[tagMask + 1]bool) {
	first := slices.IndexFunc(s.slots, func(one slot) bool { return one.mark == 0 })
	for i := range s.slots {
		at := (first + i) & (len(s.slots) - 1)
		one := s.slots[at]
		if one.mark == 0 {
			continue
		}
		s.slots[at] = slot{}
		if gone[one.mark&tagMask] {
			s.used--
			continue
		}
		s.slots[s.probe(one.key)] = one
	}
}

// bytes is what the set takes in memory.
func (s *identities) bytes() int64 { return int64(len(s.slots)) * slotBytes }

// release lets go of the generations none of whose rows is among those held. One
// that has rows of both kinds ends, so that it can go later although rows keep
// coming.
func (s *identities) release(held []spans) {
	var gone [tagMask + 1]bool
	some, rows := false, 0
	s.generations = slices.DeleteFunc(s.generations, func(g *generation) bool {
		if slices.ContainsFunc(held, g.spans.meets) {
			rows += g.rows
			return false
		}
		if g.rows > 0 {
			gone[g.tag], some = true, true
		}
		return true
	})
	if n := len(s.generations); n > 0 && n < maxEndedGenerations && s.generations[n-1].rows > 0 {
		s.begin()
	}
	switch {
	case !some:
	case rows == 0:
		s.slots, s.used = nil, 0
	default:
		s.drop(&gone)
		// As many rows again will come, most often: a table that would soon grow stays.
		if size := 1 << bits.Len(uint(4*rows/maxLoad)); shrinkShare*size <= len(s.slots) {
			s.resize(size)
		}
	}
}
