package nearline

import (
	"slices"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/sources"
)

// spans are, by shard, the first and last sequence of some rows: a handful, so a
// list is searched faster than a map.
type spans []span

type span struct {
	shard       stream.ShardID
	first, last stream.Sequence
}

func (s *spans) add(shard stream.ShardID, seq stream.Sequence) {
	for i := range *s {
		if p := &(*s)[i]; p.shard == shard {
			if seq == p.last {
				return // as most rows of a record
			}
			if seq.Compare(p.last) > 0 {
				p.last = seq
			}
			if seq.Compare(p.first) < 0 {
				p.first = seq
			}
			return
		}
	}
	*s = append(*s, span{shard, seq, seq})
}

// meets says that some of the rows may be among the others.
func (s spans) meets(other spans) bool {
	return slices.ContainsFunc(s, func(p span) bool {
		return slices.ContainsFunc(other, func(o span) bool {
			return p.shard == o.shard && p.first.Compare(o.last) <= 0 && o.first.Compare(p.last) <= 0
		})
	})
}

// coverage says how many of some rows lie at or below watermarks.
type coverage uint8

const (
	coveredNone coverage = iota
	coveredSome
	coveredAll
)

// coverage of no rows is coveredNone.
func (s spans) coverage(past sources.Watermarks) coverage {
	below := func(seq stream.Sequence, shard stream.ShardID) bool { return seq.Compare(past[shard]) <= 0 }
	switch {
	case !slices.ContainsFunc(s, func(p span) bool { return below(p.first, p.shard) }):
		return coveredNone
	case slices.ContainsFunc(s, func(p span) bool { return !below(p.last, p.shard) }):
		return coveredSome
	default:
		return coveredAll
	}
}

// covered says whether a row lies at or below the watermarks.
func covered(at *stream.Position, past sources.Watermarks) bool {
	return at.Seq.Compare(past[at.Shard]) <= 0
}
