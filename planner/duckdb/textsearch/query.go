package textsearch

import "github.com/fieldgate/fieldgate/schema/postgres"

// Query reads a query whose operands are texts, of which the configuration makes lexemes. Several lexemes of one operand are
// joined by join: postgres.TSPhrase asks for them one after the other, postgres.TSAnd for all of them. It is nil if
// nothing is left.
func (c Config) Query(text string, syntax postgres.TSSyntax, join postgres.TSOperator) (*postgres.TSQuery, error) {
	q, err := postgres.ReadTSQuery(text, syntax, func(operand string, weights uint8, prefix bool) (*postgres.TSQuery, error) {
		return c.operand(operand, join, weights, prefix), nil
	})
	if err != nil {
		return nil, err
	}
	q, _, _ = withoutStops(q)
	return q, nil
}

// operand is what an operand's text comes to. Stop words between others keep their places.
func (c Config) operand(text string, join postgres.TSOperator, weights uint8, prefix bool) *postgres.TSQuery {
	w := words{config: c}
	w.add(text)
	if len(w.lexemes) == 0 {
		return &postgres.TSQuery{Stop: true}
	}
	var q *postgres.TSQuery
	add := func(next *postgres.TSQuery) {
		if q == nil {
			q = next
			return
		}
		q = &postgres.TSQuery{Operator: join, Left: q, Right: next, Distance: 1}
	}
	at := int(w.lexemes[0].Positions[0].At)
	for _, l := range w.lexemes {
		for ; at < int(l.Positions[0].At); at++ {
			add(&postgres.TSQuery{Stop: true})
		}
		add(&postgres.TSQuery{Word: l.Word, Weights: weights, Prefix: prefix})
		at++
	}
	return q
}

// withoutStops removes what stop words have left of a query. Before and after are by how much the distances of a phrase
// grow on the left and on the right of the place (clean_stopword_intree in tsquery_cleanup.c).
func withoutStops(q *postgres.TSQuery) (out *postgres.TSQuery, before, after int) {
	switch {
	case q == nil || q.Stop:
		return nil, 0, 0
	case q.Operator == postgres.TSOperand:
		return q, 0, 0
	case q.Operator == postgres.TSNot:
		arg, before, after := withoutStops(q.Right)
		if arg == nil {
			return nil, before, after
		}
		return &postgres.TSQuery{Operator: postgres.TSNot, Right: arg}, before, after
	}
	left, leftBefore, leftAfter := withoutStops(q.Left)
	right, rightBefore, rightAfter := withoutStops(q.Right)
	phrase := q.Operator == postgres.TSPhrase
	switch {
	case left == nil && right == nil:
		// What is empty has one width, told on both sides.
		width := max(leftBefore, rightBefore)
		if phrase {
			width = leftBefore + q.Distance + rightBefore
		}
		return nil, width, width
	case left == nil:
		if phrase {
			rightBefore += leftBefore + q.Distance
		}
		return right, rightBefore, rightAfter
	case right == nil:
		if phrase {
			leftAfter += q.Distance + rightAfter
		}
		return left, leftBefore, leftAfter
	}
	kept := *q
	kept.Left, kept.Right = left, right
	if !phrase {
		return &kept, 0, 0
	}
	kept.Distance += leftAfter + rightBefore
	return &kept, leftBefore, rightAfter
}

// Indexable is what of a query an index could look for (querytree): nil if that is nothing, and all if everything matches.
func Indexable(q *postgres.TSQuery) (out *postgres.TSQuery, all bool) {
	switch {
	case q == nil:
		return nil, false
	case q.Operator == postgres.TSOperand:
		return q, false
	case q.Operator == postgres.TSNot:
		return nil, true
	}
	left, leftAll := Indexable(q.Left)
	right, rightAll := Indexable(q.Right)
	switch {
	case q.Operator == postgres.TSOr && (leftAll || rightAll), leftAll && rightAll:
		return nil, true
	case leftAll:
		return right, false
	case rightAll:
		return left, false
	}
	kept := *q
	kept.Left, kept.Right = left, right
	return &kept, false
}
