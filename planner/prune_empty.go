package planner

// Much of what clients ask of a catalog is about what nobody has here: indexes,
// constraints, triggers. A plan whose result has no rows because a relation of the
// catalog has none does not reach the engine.

// isEmpty says that a query is known to have no rows, once the rows of the catalog
// are selected.
func isEmpty(q *Query) bool {
	if s := q.SetOp; s != nil {
		left, right := isEmpty(s.Left), isEmpty(s.Right)
		switch s.Kind {
		case Union:
			return left && right
		case Intersect:
			return left || right
		}
		return left
	}
	if q.Values != nil || q.GroupingSets != nil || q.Aggregated && len(q.GroupBy) == 0 {
		return false
	}
	for _, f := range q.From {
		if isEmptyItem(f) {
			return true
		}
	}
	return false
}

// withoutEmpty leaves out the sides of outer joins that are known to have no rows. The
// relations of those are absent: all of their columns are NULL.
func withoutEmpty(f FromItem, absent map[Relation]bool) FromItem {
	j, ok := f.(*Join)
	if !ok {
		return f
	}
	left, right := withoutEmpty(j.Left, absent), withoutEmpty(j.Right, absent)
	note := func(r Relation) { absent[r] = true }
	switch {
	case (j.Kind == LeftJoin || j.Kind == FullJoin) && isEmptyItem(right):
		visitRelations(j.Right, note)
		return left
	case (j.Kind == RightJoin || j.Kind == FullJoin) && isEmptyItem(left):
		visitRelations(j.Left, note)
		return right
	case left == j.Left && right == j.Right:
		return j
	}
	return &Join{Kind: j.Kind, Left: left, Right: right, On: j.On}
}

func isEmptyItem(f FromItem) bool {
	switch f := f.(type) {
	case *CatalogScan:
		return f.Rows != nil && f.Len() == 0
	case *SubqueryScan:
		return isEmpty(f.Query)
	case *Join:
		left, right := isEmptyItem(f.Left), isEmptyItem(f.Right)
		switch f.Kind {
		case InnerJoin:
			return left || right
		case LeftJoin:
			return left
		case RightJoin:
			return right
		}
		return left && right
	}
	return false
}
