package planner

import (
	"unicode/utf8"

	"github.com/jackc/pgerrcode"
)

// maxNameDistance is how many edits a hint's name may be off (MAX_FUZZY_DISTANCE
// of PostgreSQL's parse_relation.c).
const maxNameDistance = 3

// missingColumn says that no column has the name, and which one comes nearest.
func (b *binder) missingColumn(items []*item, qualifier, name string, at int32) error {
	e := errorAt(at, pgerrcode.UndefinedColumn, "column %q does not exist", name)
	if qualifier != "" {
		e = errorAt(at, pgerrcode.UndefinedColumn, "column %s.%s does not exist", qualifier, name)
	}
	e.missed = missedOf(items, name)
	near, err := nearestColumns(items, name)
	if err != nil {
		return err
	}
	switch len(near) {
	case 1:
		e.Hint = "Perhaps you meant to reference the column " + near[0] + "."
	case 2:
		e.Hint = "Perhaps you meant to reference the column " + near[0] + " or the column " + near[1] + "."
	}
	return e
}

// nearestColumns are the one or two columns, declared or sent, whose names come
// nearest, quoted for a message; none if three or more come equally near.
func nearestColumns(items []*item, name string) ([]string, error) {
	var near []string
	best := min(maxNameDistance, utf8.RuneCountInString(name)/2)
	consider := func(it *item, column string) {
		d := editDistance(name, column, best)
		if d > best {
			return
		}
		if d < best {
			best, near = d, nil
		}
		near = append(near, `"`+it.name+"."+column+`"`)
	}
	for _, it := range items {
		seen := map[string]bool{}
		for _, c := range it.columns {
			seen[c.name] = true
			consider(it, c.name)
		}
		if it.metric == nil {
			continue
		}
		fields, err := it.metric.sentFields()
		if err != nil {
			return nil, err
		}
		for _, f := range fields {
			if !seen[f.sent] {
				consider(it, f.sent)
			}
		}
	}
	if len(near) > 2 {
		return nil, nil
	}
	return near, nil
}

// editDistance is the Levenshtein distance of two names in characters, or limit+1
// if it is more than limit.
func editDistance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) > limit || len(y)-len(x) > limit {
		return limit + 1
	}
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal, least := row[0], i+1
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
			least = min(least, row[j+1])
		}
		if least > limit {
			return limit + 1
		}
	}
	return min(row[len(y)], limit+1)
}
