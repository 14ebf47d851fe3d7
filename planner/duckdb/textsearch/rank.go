package textsearch

import (
	"math"
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Weights are what a position counts by its weight: D, C, B, A.
type Weights [4]float32

// DefaultWeights are those of ts_rank.
func DefaultWeights() Weights { return Weights{0.1, 0.2, 0.4, 1} }

// The bits of a normalization (tsrank.c).
const (
	rankLogLength = 1 << iota
	rankLength
	rankDistance // between covers: of ts_rank_cd alone
	rankUnique
	rankLogUnique
	rankIntoOne
)

// farPosition stands for the position of a lexeme that has none.
const farPosition = postgres.MaxTSPosition - 1

// Rank is ts_rank: how well a document matches a query. Arithmetic is in single precision where PostgreSQL's is.
func Rank(v postgres.TSVector, q *postgres.TSQuery, weights Weights, normalization int) float32 {
	if len(v) == 0 || q == nil {
		return 0
	}
	operands := distinctOperands(q)
	var rank float32
	if (q.Operator == postgres.TSAnd || q.Operator == postgres.TSPhrase) && len(operands) > 1 {
		rank = rankTogether(v, operands, weights)
	} else {
		rank = rankApart(v, operands, weights)
	}
	if rank < 0 {
		rank = 1e-20
	}
	length := documentLength(v)
	if normalization&rankLogLength != 0 {
		rank = float32(float64(rank) / (math.Log(float64(length+1)) / math.Ln2))
	}
	if normalization&rankLength != 0 {
		rank /= float32(length)
	}
	if normalization&rankUnique != 0 {
		rank /= float32(len(v))
	}
	if normalization&rankLogUnique != 0 {
		rank = float32(float64(rank) / (math.Log(float64(len(v)+1)) / math.Ln2))
	}
	if normalization&rankIntoOne != 0 {
		rank /= rank + 1
	}
	return rank
}

// documentLength is how many words a document has.
func documentLength(v postgres.TSVector) int {
	length := 0
	for _, l := range v {
		length += max(len(l.Positions), 1)
	}
	return length
}

// distinctOperands are a query's operands in the order of their words, none twice.
func distinctOperands(q *postgres.TSQuery) []*postgres.TSQuery {
	out := operandsOf(q)
	slices.SortStableFunc(out, func(a, b *postgres.TSQuery) int { return strings.Compare(a.Word, b.Word) })
	return slices.CompactFunc(out, func(a, b *postgres.TSQuery) bool { return a.Word == b.Word })
}

// operandsOf are a query's operands.
func operandsOf(q *postgres.TSQuery) []*postgres.TSQuery {
	var out []*postgres.TSQuery
	var visit func(q *postgres.TSQuery)
	visit = func(q *postgres.TSQuery) {
		switch {
		case q == nil:
		case q.Left == nil && q.Right == nil:
			out = append(out, q)
		default:
			visit(q.Left)
			visit(q.Right)
		}
	}
	visit(q)
	return out
}

// rankApart adds up the operands that are there (calc_rank_or).
func rankApart(v postgres.TSVector, operands []*postgres.TSQuery, weights Weights) float32 {
	const limit = 1.64493406685 // of the sum of 1/n²
	var rank float32
	for _, operand := range operands {
		for _, l := range lexemesOf(v, operand) {
			positions := l.Positions
			if len(positions) == 0 {
				positions = []postgres.TSPosition{{}}
			}
			var sum float32
			best, at := float32(-1), 0
			for i, p := range positions {
				w := weights[p.Weight]
				sum += w / float32((i+1)*(i+1))
				if w > best {
					best, at = w, i
				}
			}
			rank = float32(float64(rank) + float64(best+sum-best/float32((at+1)*(at+1)))/limit)
		}
	}
	return rank / float32(len(operands))
}

// rankTogether weighs how near to each other the operands stand (calc_rank_and); below 0: none are.
func rankTogether(v postgres.TSVector, operands []*postgres.TSQuery, weights Weights) float32 {
	rank := float32(-1)
	found := make([]postgres.TSLexeme, len(operands))
	for i, operand := range operands {
		for _, l := range lexemesOf(v, operand) {
			found[i] = l
			for _, other := range found[:i] {
				if other.Word != "" {
					rank = rankPair(rank, l, other, weights)
				}
			}
		}
	}
	return rank
}

// rankPair goes on with a rank over the positions of two lexemes.
func rankPair(rank float32, a, b postgres.TSLexeme, weights Weights) float32 {
	positions := func(l postgres.TSLexeme) (of []postgres.TSPosition, none bool) {
		if len(l.Positions) == 0 {
			return []postgres.TSPosition{{At: farPosition}}, true
		}
		return l.Positions, false
	}
	left, leftNone := positions(a)
	right, rightNone := positions(b)
	for _, p := range left {
		for _, o := range right {
			distance := max(p.At, o.At) - min(p.At, o.At)
			if distance == 0 {
				if !leftNone && !rightNone {
					continue
				}
				distance = postgres.MaxTSPosition
			}
			weight := float32(math.Sqrt(float64(weights[p.Weight] * weights[o.Weight] * nearness(distance))))
			if rank < 0 {
				rank = weight
			} else {
				rank = float32(1 - (1-float64(rank))*(1-float64(weight)))
			}
		}
	}
	return rank
}

// nearness falls with the distance of two words (word_distance).
func nearness(distance uint16) float32 {
	if distance > 100 {
		return 1e-30
	}
	return float32(1 / (1.005 + 0.05*math.Exp(float64(distance)/1.5-2)))
}
