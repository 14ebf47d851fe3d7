package schema

// ErrorTable is the declaration behind errors.stream, the same for every tenant:
// what the pipeline could not make a row of its own metric. Its rows are those of
// ErrorDataset, its ID is 0, and it has no timestamp column; handled_at is an
// ordinary field.
func ErrorTable() *Metric {
	m := &Metric{Name: ErrorMetric, Comment: "events that could not be stored as rows of their metric"}
	for _, f := range []struct{ name, typeName, comment string }{
		{"handled_at", "timestamptz", "when the stage gave the event up"},
		{"stage", "text", "raw, staging or batch"},
		{"kind", "text", "malformed (the sender's), commit (ours) or conflict"},
		{"reason", "text", "what was wrong"},
		{"event", "text", "the event as it was sent, if that is text"},
		{"event_bytes", "bytea", "the event's exact bytes"},
		{"receipt", "text", "the receipt of the request that brought it"},
		{"index", "integer", "which event of that request it was, from 0"},
		{"metric", "text", "the metric it was meant for, as far as known"},
	} {
		m.Fields = append(m.Fields, Field{
			Number:  len(m.Fields) + 1,
			Name:    f.name,
			Type:    Type{Name: f.typeName},
			Sources: []Source{{Name: f.name}},
			Comment: f.comment,
		})
	}
	return m
}
