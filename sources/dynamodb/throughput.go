package dynamodb

// Throughput is the provisioned capacity of tables, in units a second.
type Throughput struct {
	// Read and Write are what a new table gets.
	Read, Write int64
}

// initial is the capacity of a new table; without one it is on demand.
func (t *Throughput) initial() capacity {
	if t == nil {
		return capacity{}
	}
	return capacity{read: max(t.Read, 1), write: max(t.Write, 1)}
}
