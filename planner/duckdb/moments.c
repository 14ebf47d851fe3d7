// The aggregates of PostgreSQL over floats that are sums, or are made of sums and of sums
// of squared distances: variances, deviations and regression. They are computed as
// PostgreSQL does (float8pl, float8_accum, float8_regr_accum and what follows them in
// float.c), by the method of Youngs and Cramer, so that the digits are the same.

#include "moments.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "scalar.h"

static const char overflow[] = "FG22003:value out of range: overflow";

// moments are what is known of the rows of a group. Of an aggregate over single
// values the second half stays unused. failed: a sum was out of range.
struct moments {
	double n, sx, sxx, sy, syy, sxy;
	bool failed;
};

static uint64_t size_of(void *info) {
	(void)info;
	return sizeof(struct moments);
}

static void begin(void *info, void *state) {
	(void)info;
	memset(state, 0, sizeof(struct moments));
}

static void add(struct moments *m, double x) {
	double before = m->n, sum = m->sx;
	m->n += 1;
	m->sx += x;
	if (before == 0) {
		if (!isfinite(x)) m->sxx = NAN;
		return;
	}
	double distance = x * m->n - m->sx;
	m->sxx += distance * distance / (m->n * before);
	if (isinf(m->sx) || isinf(m->sxx)) {
		if (!isinf(sum) && !isinf(x)) m->failed = true;
		m->sxx = NAN;
	}
}

static void add_pair(struct moments *m, double y, double x) {
	double before = m->n, sum_x = m->sx, sum_y = m->sy;
	m->n += 1;
	m->sx += x;
	m->sy += y;
	if (before == 0) {
		if (!isfinite(x)) m->sxx = m->sxy = NAN;
		if (!isfinite(y)) m->syy = m->sxy = NAN;
		return;
	}
	double dx = x * m->n - m->sx, dy = y * m->n - m->sy, scale = 1.0 / (m->n * before);
	m->sxx += dx * dx * scale;
	m->syy += dy * dy * scale;
	m->sxy += dx * dy * scale;
	bool finite_x = !isinf(sum_x) && !isinf(x), finite_y = !isinf(sum_y) && !isinf(y);
	if (((isinf(m->sx) || isinf(m->sxx)) && finite_x) || ((isinf(m->sy) || isinf(m->syy)) && finite_y) ||
	    (isinf(m->sxy) && finite_x && finite_y))
		m->failed = true;
	if (isinf(m->sxx)) m->sxx = NAN;
	if (isinf(m->syy)) m->syy = NAN;
	if (isinf(m->sxy)) m->sxy = NAN;
}

static void update(void *info, void *input, void **states) {
	(void)info;
	void *v = duckdb_data_chunk_get_vector(input, 0);
	const double *x = duckdb_vector_get_data(v);
	const uint64_t *valid = duckdb_vector_get_validity(v);
	uint64_t count = duckdb_data_chunk_get_size(input);
	for (uint64_t i = 0; i < count; i++) {
		if (is_valid(valid, i)) add(states[i], x[i]);
	}
}

static void update_pairs(void *info, void *input, void **states) {
	(void)info;
	void *v0 = duckdb_data_chunk_get_vector(input, 0), *v1 = duckdb_data_chunk_get_vector(input, 1);
	const double *y = duckdb_vector_get_data(v0), *x = duckdb_vector_get_data(v1);
	const uint64_t *valid0 = duckdb_vector_get_validity(v0), *valid1 = duckdb_vector_get_validity(v1);
	uint64_t count = duckdb_data_chunk_get_size(input);
	for (uint64_t i = 0; i < count; i++) {
		if (is_valid(valid0, i) && is_valid(valid1, i)) add_pair(states[i], y[i], x[i]);
	}
}

// combined is the sum of squared distances of two groups together.
static double combined(double s1, double s2, double n1, double n2, double d1, double d2, bool *failed) {
	double s = s1 + s2 + n1 * n2 * d1 * d2 / (n1 + n2);
	if (isinf(s) && !isinf(s1) && !isinf(s2)) *failed = true;
	return s;
}

static void combine(void *info, void **sources, void **targets, uint64_t count) {
	(void)info;
	for (uint64_t i = 0; i < count; i++) {
		const struct moments *from = sources[i];
		struct moments *to = targets[i];
		if (from->n == 0) continue;
		if (to->n == 0) {
			*to = *from;
			continue;
		}
		bool failed = to->failed || from->failed;
		double dx = to->sx / to->n - from->sx / from->n, dy = to->sy / to->n - from->sy / from->n;
		struct moments sum = {
		    .n = to->n + from->n,
		    .sx = to->sx + from->sx,
		    .sxx = combined(to->sxx, from->sxx, to->n, from->n, dx, dx, &failed),
		    .sy = to->sy + from->sy,
		    .syy = combined(to->syy, from->syy, to->n, from->n, dy, dy, &failed),
		    .sxy = combined(to->sxy, from->sxy, to->n, from->n, dx, dy, &failed),
		};
		if ((isinf(sum.sx) && !isinf(to->sx) && !isinf(from->sx)) || (isinf(sum.sy) && !isinf(to->sy) && !isinf(from->sy)))
			failed = true;
		sum.failed = failed;
		*to = sum;
	}
}

// STATISTIC is the end of an aggregate: body reads m and sets r, or null.
#define STATISTIC(name, body)                                                                 \
	static void name(void *info, void **states, void *result, uint64_t count, uint64_t at) {  \
		double *out = duckdb_vector_get_data(result);                                         \
		uint64_t *valid = NULL;                                                               \
		for (uint64_t i = 0; i < count; i++) {                                                \
			const struct moments *m = states[i];                                              \
			double r = 0;                                                                     \
			bool null = m->n == 0;                                                            \
			if (m->failed) {                                                                  \
				duckdb_aggregate_function_set_error(info, overflow);                          \
				return;                                                                       \
			}                                                                                 \
			if (!null) {                                                                      \
				body;                                                                         \
			}                                                                                 \
			if (null) {                                                                       \
				set_null(result, &valid, at + i);                                             \
				continue;                                                                     \
			}                                                                                 \
			out[at + i] = r;                                                                  \
		}                                                                                     \
	}

STATISTIC(avg, r = m->sx / m->n)
STATISTIC(var_pop, r = m->sxx / m->n)
STATISTIC(var_samp, null = m->n < 2; r = m->sxx / (m->n - 1))
STATISTIC(stddev_pop, r = sqrt(m->sxx / m->n))
STATISTIC(stddev_samp, null = m->n < 2; r = sqrt(m->sxx / (m->n - 1)))
STATISTIC(regr_sxx, r = m->sxx)
STATISTIC(regr_syy, r = m->syy)
STATISTIC(regr_sxy, r = m->sxy)
STATISTIC(regr_avgx, r = m->sx / m->n)
STATISTIC(regr_avgy, r = m->sy / m->n)
STATISTIC(covar_pop, r = m->sxy / m->n)
STATISTIC(covar_samp, null = m->n < 2; r = m->sxy / (m->n - 1))
STATISTIC(corr, null = m->sxx == 0 || m->syy == 0; r = m->sxy / sqrt(m->sxx * m->syy))
STATISTIC(regr_r2, null = m->sxx == 0; r = m->syy == 0 ? 1 : m->sxy * m->sxy / (m->sxx * m->syy))
STATISTIC(regr_slope, null = m->sxx == 0; r = m->sxy / m->sxx)
STATISTIC(regr_intercept, null = m->sxx == 0; r = (m->sy - m->sx * m->sxy / m->sxx) / m->n)

static const struct {
	const char *name;
	bool pairs;
	void (*end)(void *info, void **states, void *result, uint64_t count, uint64_t at);
} statistics[] = {
    {"fg_var_pop", false, var_pop},
    {"fg_var_samp", false, var_samp},
    {"fg_stddev_pop", false, stddev_pop},
    {"fg_stddev_samp", false, stddev_samp},
    {"fg_regr_sxx", true, regr_sxx},
    {"fg_regr_syy", true, regr_syy},
    {"fg_regr_sxy", true, regr_sxy},
    {"fg_regr_avgx", true, regr_avgx},
    {"fg_regr_avgy", true, regr_avgy},
    {"fg_covar_pop", true, covar_pop},
    {"fg_covar_samp", true, covar_samp},
    {"fg_avg", false, avg},
    {"fg_corr", true, corr},
    {"fg_regr_r2", true, regr_r2},
    {"fg_regr_slope", true, regr_slope},
    {"fg_regr_intercept", true, regr_intercept},
};

// A sum begins with its first value (float8pl, float4pl of float.c) and not with 0, to
// which adding -0 gives 0. Of real numbers every step is rounded to one.
struct sum {
	double value;
	bool any, failed;
};

static uint64_t size_of_sum(void *info) {
	(void)info;
	return sizeof(struct sum);
}

static void begin_sum(void *info, void *state) {
	(void)info;
	memset(state, 0, sizeof(struct sum));
}

static inline void include(struct sum *s, double x, bool single) {
	if (!s->any) {
		s->any = true;
		s->value = x;
		return;
	}
	double sum = single ? (float)((float)s->value + (float)x) : s->value + x;
	if (isinf(sum) && !isinf(s->value) && !isinf(x)) s->failed = true;
	s->value = sum;
}

#define SUM(type, single)                                                                                  \
	static void add_##type(void *info, void *input, void **states) {                                       \
		(void)info;                                                                                        \
		void *v = duckdb_data_chunk_get_vector(input, 0);                                                  \
		const type *x = duckdb_vector_get_data(v);                                                         \
		const uint64_t *valid = duckdb_vector_get_validity(v);                                             \
		uint64_t count = duckdb_data_chunk_get_size(input);                                                \
		struct sum s, *at = NULL;                                                                          \
		for (uint64_t i = 0; i < count; i++) {                                                             \
			if (!is_valid(valid, i)) continue;                                                             \
			if (states[i] != at) {                                                                         \
				if (at != NULL) *at = s;                                                                   \
				at = states[i];                                                                            \
				s = *at;                                                                                   \
			}                                                                                              \
			include(&s, x[i], single);                                                                     \
		}                                                                                                  \
		if (at != NULL) *at = s;                                                                           \
	}                                                                                                      \
                                                                                                           \
	static void combine_##type(void *info, void **sources, void **targets, uint64_t count) {               \
		(void)info;                                                                                        \
		for (uint64_t i = 0; i < count; i++) {                                                             \
			const struct sum *from = sources[i];                                                           \
			struct sum *to = targets[i];                                                                   \
			if (!from->any) continue;                                                                      \
			include(to, from->value, single);                                                              \
			to->failed = to->failed || from->failed;                                                       \
		}                                                                                                  \
	}                                                                                                      \
                                                                                                           \
	static void end_##type(void *info, void **states, void *result, uint64_t count, uint64_t at) {         \
		type *out = duckdb_vector_get_data(result);                                                        \
		uint64_t *valid = NULL;                                                                            \
		for (uint64_t i = 0; i < count; i++) {                                                             \
			const struct sum *s = states[i];                                                               \
			if (s->failed) {                                                                               \
				duckdb_aggregate_function_set_error(info, overflow);                                       \
				return;                                                                                    \
			}                                                                                              \
			if (s->any) {                                                                                  \
				out[at + i] = (type)s->value;                                                              \
				continue;                                                                                  \
			}                                                                                              \
			set_null(result, &valid, at + i);                                                              \
		}                                                                                                  \
	}

SUM(double, false)
SUM(float, true)

static const struct {
	const char *name;
	bool single;
	void (*add)(void *info, void *input, void **states);
	void (*combine)(void *info, void **sources, void **targets, uint64_t count);
	void (*end)(void *info, void **states, void *result, uint64_t count, uint64_t at);
} sums[] = {
    {"fg_sum_float8", false, add_double, combine_double, end_double},
    {"fg_sum_float4", true, add_float, combine_float, end_float},
};

bool fieldgate_register_aggregate(void *connection, const struct aggregate *a) {
	void *f = duckdb_create_aggregate_function();
	duckdb_aggregate_function_set_name(f, a->name);
	for (int i = 0; i < a->args; i++) duckdb_aggregate_function_add_parameter(f, a->type);
	duckdb_aggregate_function_set_return_type(f, a->type);
	duckdb_aggregate_function_set_functions(f, a->size, a->begin, a->update, a->combine, a->end);
	if (a->destroy != NULL) duckdb_aggregate_function_set_destructor(f, a->destroy);
	int refused = duckdb_register_aggregate_function(connection, f);
	duckdb_destroy_aggregate_function(&f);
	return !refused;
}

const char *fieldgate_register_moments(void *connection, void *number, void *single) {
	for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
		struct aggregate a = {
		    sums[i].name, sums[i].single ? single : number, 1, size_of_sum, begin_sum, sums[i].add, sums[i].combine, sums[i].end, NULL,
		};
		if (!fieldgate_register_aggregate(connection, &a)) return a.name;
	}
	for (size_t i = 0; i < sizeof statistics / sizeof statistics[0]; i++) {
		bool pairs = statistics[i].pairs;
		struct aggregate a = {
		    statistics[i].name, number, pairs ? 2 : 1, size_of, begin, pairs ? update_pairs : update, combine, statistics[i].end, NULL,
		};
		if (!fieldgate_register_aggregate(connection, &a)) return a.name;
	}
	return NULL;
}
