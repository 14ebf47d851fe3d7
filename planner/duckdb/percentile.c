// percentile_cont of PostgreSQL over floats, interpolated as it does (float8_lerp of
// orderedsetaggs.c), so that the digits are the same.

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "moments.h"
#include "scalar.h"

static const char no_room[] = "FG53200:out of memory";

// values are those of a group, in no order until one is chosen.
struct values {
	double *at, fraction;
	uint64_t count, room;
};

static uint64_t size_of(void *info) {
	(void)info;
	return sizeof(struct values);
}

static void begin(void *info, void *state) {
	(void)info;
	memset(state, 0, sizeof(struct values));
}

static void destroy(void **states, uint64_t count) {
	for (uint64_t i = 0; i < count; i++) free(((struct values *)states[i])->at);
}

// reserve makes room for more values.
static bool reserve(struct values *v, uint64_t more) {
	if (v->room - v->count >= more) return true;
	uint64_t room = v->count + more < 2 * v->room ? 2 * v->room : v->count + more;
	double *at = realloc(v->at, room * sizeof(double));
	if (at == NULL) return false;
	v->at = at;
	v->room = room;
	return true;
}

static void gather(void *info, void *input, void **states) {
	void *v = duckdb_data_chunk_get_vector(input, 0);
	const double *x = duckdb_vector_get_data(v), *fraction = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 1));
	const uint64_t *valid = duckdb_vector_get_validity(v);
	uint64_t count = duckdb_data_chunk_get_size(input);
	for (uint64_t i = 0; i < count; i++) {
		struct values *group = states[i];
		if (!is_valid(valid, i)) continue;
		if (!reserve(group, 1)) {
			duckdb_aggregate_function_set_error(info, no_room);
			return;
		}
		group->at[group->count++] = x[i];
		group->fraction = fraction[i];
	}
}

static void combine(void *info, void **sources, void **targets, uint64_t count) {
	for (uint64_t i = 0; i < count; i++) {
		const struct values *from = sources[i];
		struct values *to = targets[i];
		if (from->count == 0) continue;
		if (!reserve(to, from->count)) {
			duckdb_aggregate_function_set_error(info, no_room);
			return;
		}
		memcpy(to->at + to->count, from->at, from->count * sizeof(double));
		to->count += from->count;
		to->fraction = from->fraction;
	}
}

// less is the order of PostgreSQL's floats, in which NaN comes last.
static inline bool less(double a, double b) { return a < b || (isnan(b) && !isnan(a)); }

// at_place is the value that comes at n in the order (Hoare's Find). Pivots are drawn, so
// that no order of the values is a bad one.
static double at_place(double *x, int64_t count, int64_t n) {
	int64_t low = 0, high = count - 1;
	uint64_t draw = (uint64_t)count;
	while (low < high) {
		draw = draw * 6364136223846793005u + 1442695040888963407u;
		double pivot = x[low + (int64_t)((draw >> 11) % (uint64_t)(high - low + 1))];
		int64_t i = low, j = high;
		while (i <= j) {
			while (less(x[i], pivot)) i++;
			while (less(pivot, x[j])) j--;
			if (i > j) break;
			double was = x[i];
			x[i++] = x[j];
			x[j--] = was;
		}
		// Up to j none is greater than the pivot, from i on none is less, and between all are equal.
		if (n <= j) {
			high = j;
		} else if (n >= i) {
			low = i;
		} else {
			break;
		}
	}
	return x[n];
}

static void end(void *info, void **states, void *result, uint64_t count, uint64_t at, bool descending) {
	(void)info;
	double *out = duckdb_vector_get_data(result);
	uint64_t *valid = NULL;
	for (uint64_t i = 0; i < count; i++) {
		struct values *v = states[i];
		if (v->count == 0) {
			set_null(result, &valid, at + i);
			continue;
		}
		int64_t n = (int64_t)v->count, last = n - 1;
		double where = v->fraction * (double)last;
		int64_t first = (int64_t)floor(where), second = (int64_t)ceil(where);
		double low = at_place(v->at, n, descending ? last - first : first);
		if (first == second) {
			out[at + i] = low;
			continue;
		}
		double high = at_place(v->at, n, descending ? last - second : second);
		out[at + i] = low + (where - (double)first) * (high - low);
	}
}

static void end_ascending(void *info, void **states, void *result, uint64_t count, uint64_t at) {
	end(info, states, result, count, at, false);
}

static void end_descending(void *info, void **states, void *result, uint64_t count, uint64_t at) {
	end(info, states, result, count, at, true);
}

static const struct {
	const char *name;
	void (*end)(void *info, void **states, void *result, uint64_t count, uint64_t at);
} percentiles[] = {
    {"fg_percentile", end_ascending},
    {"fg_percentile_desc", end_descending},
};

const char *fieldgate_register_percentiles(void *connection, void *number) {
	for (size_t i = 0; i < sizeof percentiles / sizeof percentiles[0]; i++) {
		struct aggregate a = {percentiles[i].name, number, 2, size_of, begin, gather, combine, percentiles[i].end, destroy};
		if (!fieldgate_register_aggregate(connection, &a)) return a.name;
	}
	return NULL;
}
