package textsearch

import (
	"cmp"
	"math"
	"slices"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// A cover is a part of a document in which a query matches and which has no shorter such
// part. Cover density ranks a document by how many covers it has, and how short they are
// (Clarke, Cormack and Tudhope; calc_rank_cd in tsrank.c).

// occurrence is a lexeme that some operand of the query may mean, at one of its places.
type occurrence struct {
	lexeme int
	at     postgres.TSPosition
}

// RankCover is ts_rank_cd. Arithmetic is in double precision, as PostgreSQL's is.
func RankCover(v postgres.TSVector, q *postgres.TSQuery, weights Weights, normalization int) float32 {
	if len(v) == 0 || q == nil {
		return 0
	}
	s := &coverSearch{query: q, document: v, found: occurrences(v, q)}
	var rank, previous, distances float64
	covers := 0
	for from := 0; ; {
		first, last, ok := s.next(&from)
		if !ok {
			break
		}
		inverse := 0.0
		for _, o := range s.found[first : last+1] {
			inverse += 1 / float64(weights[o.at.Weight])
		}
		begin, end := int(s.found[first].at.At), int(s.found[last].at.At)
		noise := end - begin - (last - first)
		if noise < 0 { // places beyond the greatest are all the greatest
			noise = (last - first) / 2
		}
		rank += float64(last-first+1) / inverse / float64(1+noise)
		middle := float64(begin+end) / 2
		if covers > 0 && middle > previous {
			distances += 1 / (middle - previous)
		}
		previous = middle
		covers++
	}
	return float32(normalizedCover(rank, v, normalization, covers, distances))
}

func normalizedCover(rank float64, v postgres.TSVector, normalization, covers int, distances float64) float64 {
	length := documentLength(v)
	if normalization&rankLogLength != 0 {
		rank /= math.Log(float64(length + 1))
	}
	if normalization&rankLength != 0 && length > 0 {
		rank /= float64(length)
	}
	if normalization&rankDistance != 0 && covers > 0 && distances > 0 {
		rank /= float64(covers) / distances
	}
	if normalization&rankUnique != 0 {
		rank /= float64(len(v))
	}
	if normalization&rankLogUnique != 0 {
		rank /= math.Log(float64(len(v)+1)) / math.Ln2
	}
	if normalization&rankIntoOne != 0 {
		rank /= rank + 1
	}
	return rank
}

// occurrences are the places of all lexemes that operands may mean, in the document's
// order. Lexemes without places are not looked at.
func occurrences(v postgres.TSVector, q *postgres.TSQuery) []occurrence {
	var out []occurrence
	for _, operand := range operandsOf(q) {
		for _, l := range lexemesOf(v, operand) {
			index := slices.IndexFunc(v, func(o postgres.TSLexeme) bool { return o.Word == l.Word })
			for _, p := range l.Positions {
				if hasWeight(p, operand.Weights) {
					out = append(out, occurrence{index, p})
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b occurrence) int {
		return cmp.Or(cmp.Compare(a.at.At, b.at.At), cmp.Compare(a.at.Weight, b.at.Weight), cmp.Compare(a.lexeme, b.lexeme))
	})
	return slices.Compact(out)
}

// coverSearch finds the covers of a query one after the other.
type coverSearch struct {
	query    *postgres.TSQuery
	document postgres.TSVector
	found    []occurrence
}

// next finds the first cover from an occurrence on, which it moves behind the cover's
// begin (Cover in tsrank.c).
func (s *coverSearch) next(from *int) (first, last int, ok bool) {
	for ; *from < len(s.found); *from++ {
		last, ok = s.reach(*from, len(s.found), 1)
		if !ok {
			return 0, 0, false
		}
		if first, ok = s.reach(last, *from-1, -1); ok {
			*from = first + 1
			return first, last, true
		}
	}
	return 0, 0, false
}

// reach gathers occurrences from one on until the query matches them.
func (s *coverSearch) reach(from, end, step int) (at int, ok bool) {
	seen := make(map[int][]postgres.TSPosition)
	for i := from; i != end; i += step {
		o := s.found[i]
		if step > 0 {
			seen[o.lexeme] = append(seen[o.lexeme], o.at)
		} else {
			seen[o.lexeme] = append([]postgres.TSPosition{o.at}, seen[o.lexeme]...)
		}
		part := make(postgres.TSVector, 0, len(seen))
		for index, positions := range seen {
			part = append(part, postgres.TSLexeme{Word: s.document[index].Word, Positions: positions})
		}
		slices.SortFunc(part, func(a, b postgres.TSLexeme) int { return cmp.Compare(a.Word, b.Word) })
		if matches(part, s.query) {
			return i, true
		}
	}
	return 0, false
}
