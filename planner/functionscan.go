package planner

// Reads says that the functions take columns of a relation that stands before them in FROM.
func (s *FunctionScan) Reads(r Relation) bool {
	column := func(e Expr) bool {
		c, ok := e.(*Column)
		return ok && c.Relation == r
	}
	if contains(s.Call, column) {
		return true
	}
	for _, f := range s.More {
		if contains(f, column) {
			return true
		}
	}
	return false
}

// Relations are those that an item of FROM joins.
func Relations(item FromItem) []Relation {
	if j, ok := item.(*Join); ok {
		return append(Relations(j.Left), Relations(j.Right)...)
	}
	if r, ok := item.(Relation); ok {
		return []Relation{r}
	}
	return nil
}
