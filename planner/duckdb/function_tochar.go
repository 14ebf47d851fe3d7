package duckdb

// formatFunctions format and read values by templates.
func formatFunctions() definitions {
	return definitions{}
}
