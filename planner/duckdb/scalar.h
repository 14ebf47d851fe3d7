// The part of DuckDB's C interface that the code in this folder calls from C.
// The library comes with the bindings, whose header cannot be found from here,
// so what is used is declared again.

#ifndef FIELDGATE_SCALAR_H
#define FIELDGATE_SCALAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void (*fieldgate_function)(void *info, void *input, void *output);

extern void *duckdb_data_chunk_get_vector(void *chunk, uint64_t column);
extern uint64_t duckdb_data_chunk_get_size(void *chunk);
extern void *duckdb_vector_get_data(void *vector);
extern uint64_t *duckdb_vector_get_validity(void *vector);
extern void duckdb_vector_ensure_validity_writable(void *vector);
extern void duckdb_vector_assign_string_element_len(void *vector, uint64_t index, const char *text, uint64_t length);
extern void duckdb_scalar_function_set_error(void *info, const char *error);
extern void duckdb_scalar_function_set_init(void *function, void (*init)(void *info));
extern void duckdb_scalar_function_init_get_client_context(void *info, void **context);
extern void duckdb_scalar_function_init_set_state(void *info, void *state, void (*destroy)(void *state));
extern void *duckdb_scalar_function_get_state(void *info);
extern uint64_t duckdb_client_context_get_connection_id(void *context);
extern void duckdb_destroy_client_context(void **context);

// is_valid says that a row is not NULL; a NULL mask has no NULL rows.
static inline bool is_valid(const uint64_t *mask, uint64_t row) {
	return mask == NULL || (mask[row >> 6] >> (row & 63) & 1) != 0;
}

// set_null makes a row of a result NULL. The mask is that of the vector, NULL until the
// first row is.
static inline void set_null(void *vector, uint64_t **mask, uint64_t row) {
	if (*mask == NULL) {
		duckdb_vector_ensure_validity_writable(vector);
		*mask = duckdb_vector_get_validity(vector);
	}
	(*mask)[row >> 6] &= ~((uint64_t)1 << (row & 63));
}

// fieldgate_note_connections has the calls of a function know the connection of their
// statement, whose number fieldgate_connection gives.
void fieldgate_note_connections(void *function);
uint64_t fieldgate_connection(void *info);

// fieldgate_arithmetic finds the checked arithmetic of scalar.c by name, or
// returns NULL.
fieldgate_function fieldgate_arithmetic(const char *name);

// FIELDGATE_STEPS is how many steps a linear conversion has at most.
#define FIELDGATE_STEPS 4

// fieldgate_line gives the number by which fg_line knows a linear conversion: its
// steps, 0 after the last, and their constants. It is -1 if there are too many.
int32_t fieldgate_line(const int32_t *ops, const double *constants);

// fieldgate_assign_strings sets the strings from..from+count of a vector: string
// i is text[offsets[i]..offsets[i+1]]. Strings whose bit in valid is not set are
// left out; valid may be NULL.
void fieldgate_assign_strings(void *vector, uint64_t from, uint64_t count, const uint32_t *offsets, const char *text,
                              const uint64_t *valid);

// fieldgate_assign_chosen does so with the strings rows[0], rows[1], …, whatever their
// validity.
void fieldgate_assign_chosen(void *vector, uint64_t from, uint64_t count, const uint32_t *rows, const uint32_t *offsets,
                             const char *text);

// fieldgate_repeat_string sets all of them, of which there is one at least, to one
// string, which is copied once.
void fieldgate_repeat_string(void *vector, uint64_t from, uint64_t count, const char *text, uint64_t length);

#endif
