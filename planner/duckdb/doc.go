// Package duckdb is the planner's engine on embedded DuckDB.
//
// An [Engine] keeps one in-memory DuckDB instance a tenant, prints a plan's
// bound tree as DuckDB's SQL, runs it through the C interface and hands the
// rows on as they stream. What PostgreSQL means by a function, an operator or a
// cast is written down once, in the printing tables (table_*.go): each entry
// stands beside the signature it belongs to, and what has no entry is refused
// with 0A000. Where DuckDB's own functions answer otherwise than PostgreSQL's,
// the printing calls a function of ours, which is registered in every instance:
// in C for arithmetic (scalar.c), in Go for everything else (function_*.go).
//
// The engine reads Parquet files, tables that the nearline store keeps inside
// the instance ([Engine] implements its port for them) and batches in Go memory.
// It leaves names, types, grants and pruning to the planner.
package duckdb
