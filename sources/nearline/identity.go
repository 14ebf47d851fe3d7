package nearline

import (
	"encoding/binary"
	"math/bits"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

const (
	// identityBytes is about what one entry of an identity set takes: 24 bytes and
	// a control byte at the map's mean load.
	identityBytes = 40

	// generationRows ends a generation of an identity set; trimming ends one too,
	// as long as there are at most maxTrimGenerations.
	generationRows     = 256 << 10
	maxTrimGenerations = 8
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
// held. It is a list of generations, so that letting go of old ones costs
// nothing: a generation goes when a watermark has passed its last row.
type identities struct {
	generations []*generation // oldest first; the last one grows
}

// generation maps identities to the first 8 bytes of the row's hash.
type generation struct {
	hashes map[identity]uint64
	spans  spans
}

// find gives the hash of a row of that identity.
func (s *identities) find(key identity) (hash uint64, found bool) {
	for i := len(s.generations) - 1; i >= 0; i-- {
		if hash, found = s.generations[i].hashes[key]; found {
			return hash, true
		}
	}
	return 0, false
}

func (s *identities) add(key identity, hash uint64, at *Row) {
	n := len(s.generations)
	if n == 0 || len(s.generations[n-1].hashes) >= generationRows {
		s.generations = append(s.generations, &generation{hashes: map[identity]uint64{}})
		n++
	}
	g := s.generations[n-1]
	g.hashes[key] = hash
	g.spans.add(at.Position.Shard, at.Position.Seq)
}

func (s *identities) len() int {
	n := 0
	for _, g := range s.generations {
		n += len(g.hashes)
	}
	return n
}

// trim lets go of the generations at or below the watermarks and says whether
// there was one. One that the watermarks cut ends, so that a later trim lets go
// of it although rows keep coming.
func (s *identities) trim(past sources.Watermarks) bool {
	kept := make([]*generation, 0, len(s.generations)+1)
	for _, g := range s.generations {
		if g.spans.coverage(past) != coveredAll {
			kept = append(kept, g)
		}
	}
	dropped := len(kept) < len(s.generations)
	if n := len(kept); n > 0 && n < maxTrimGenerations && kept[n-1].spans.coverage(past) == coveredSome {
		kept = append(kept, &generation{hashes: map[identity]uint64{}})
	}
	s.generations = kept
	return dropped
}
