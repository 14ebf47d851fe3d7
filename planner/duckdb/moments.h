// The part of DuckDB's C interface for aggregates that moments.c and percentile.c use, and
// what both call; see scalar.h.

#ifndef FIELDGATE_MOMENTS_H
#define FIELDGATE_MOMENTS_H

#include <stdbool.h>
#include <stdint.h>

extern void *duckdb_create_aggregate_function(void);
extern void duckdb_destroy_aggregate_function(void **function);
extern void duckdb_aggregate_function_set_name(void *function, const char *name);
extern void duckdb_aggregate_function_add_parameter(void *function, void *type);
extern void duckdb_aggregate_function_set_return_type(void *function, void *type);
extern void duckdb_aggregate_function_set_functions(
    void *function, uint64_t (*state_size)(void *info), void (*init)(void *info, void *state),
    void (*update)(void *info, void *input, void **states),
    void (*combine)(void *info, void **sources, void **targets, uint64_t count),
    void (*finalize)(void *info, void **states, void *result, uint64_t count, uint64_t at));
extern void duckdb_aggregate_function_set_destructor(void *function, void (*destroy)(void **states, uint64_t count));
extern int duckdb_register_aggregate_function(void *connection, void *function);
extern void duckdb_aggregate_function_set_error(void *info, const char *error);

// aggregate is an aggregate of ours: its name, the type of its result and of each of its
// arguments, and how it is computed. destroy may be NULL.
struct aggregate {
	const char *name;
	void *type;
	int args;
	uint64_t (*size)(void *info);
	void (*begin)(void *info, void *state);
	void (*update)(void *info, void *input, void **states);
	void (*combine)(void *info, void **sources, void **targets, uint64_t count);
	void (*end)(void *info, void **states, void *result, uint64_t count, uint64_t at);
	void (*destroy)(void **states, uint64_t count);
};

// fieldgate_register_aggregate is false if it is refused.
bool fieldgate_register_aggregate(void *connection, const struct aggregate *a);

// fieldgate_register_moments registers the aggregates of moments.c, given the types
// DOUBLE and FLOAT. It returns NULL, or the name of the one that was refused.
const char *fieldgate_register_moments(void *connection, void *number, void *single);

// fieldgate_register_percentiles registers those of percentile.c, given the type DOUBLE.
const char *fieldgate_register_percentiles(void *connection, void *number);

#endif
