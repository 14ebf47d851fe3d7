package planner

import "slices"

// Reads says that the functions take columns of a relation that stands before them in FROM.
func (s *FunctionScan) Reads(r Relation) bool {
	return slices.ContainsFunc(s.Calls(), func(f *Func) bool { return hasColumnOf(f, r) })
}

// Calls are the functions whose rows stand side by side.
func (s *FunctionScan) Calls() []*Func { return append([]*Func{s.Call}, s.More...) }

// ReadBy says that e shows what the function returns.
func (s *FunctionScan) ReadBy(e Expr) bool { return hasColumnOf(e, s) }

func hasColumnOf(e Expr, r Relation) bool {
	return contains(e, func(e Expr) bool {
		c, ok := e.(*Column)
		return ok && c.Relation == r
	})
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
