// Arithmetic with PostgreSQL's errors, where DuckDB's own operators answer
// something else: infinity, NULL or a wrapped value. It is C because a filter
// over millions of rows runs it, a vector at a time.

#include "scalar.h"

#include <math.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

static const char division_by_zero[] = "FG22012:division by zero";
static const char overflow[] = "FG22003:value out of range: overflow";
static const char underflow[] = "FG22003:value out of range: underflow";
static const char int2_range[] = "FG22003:smallint out of range";
static const char int4_range[] = "FG22003:integer out of range";
static const char int8_range[] = "FG22003:bigint out of range";

static const char long_epoch[] = "FG0A000:the epoch of an interval of so many days is not supported";
static const char infinite_field[] = "FG0A000:a field of an infinite timestamp is not supported";

// BINARY is a strict function of two arguments; body reads a and b and sets r,
// error or null.
#define BINARY(name, left, right, result, body)                                     \
	static void name(void *info, void *input, void *output) {                       \
		void *v0 = duckdb_data_chunk_get_vector(input, 0);                          \
		void *v1 = duckdb_data_chunk_get_vector(input, 1);                          \
		const left *d0 = duckdb_vector_get_data(v0);                                \
		const right *d1 = duckdb_vector_get_data(v1);                               \
		const uint64_t *m0 = duckdb_vector_get_validity(v0);                        \
		const uint64_t *m1 = duckdb_vector_get_validity(v1);                        \
		result *out = duckdb_vector_get_data(output);                               \
		uint64_t *mask = NULL;                                                      \
		uint64_t count = duckdb_data_chunk_get_size(input);                         \
		for (uint64_t i = 0; i < count; i++) {                                      \
			if (!is_valid(m0, i) || !is_valid(m1, i)) {                             \
				set_null(output, &mask, i);                                         \
				continue;                                                           \
			}                                                                       \
			left a = d0[i];                                                         \
			right b = d1[i];                                                        \
			result r = 0;                                                           \
			const char *error = NULL;                                               \
			bool null = false;                                                      \
			body;                                                                   \
			if (error != NULL) {                                                    \
				duckdb_scalar_function_set_error(info, error);                      \
				return;                                                             \
			}                                                                       \
			if (null) {                                                             \
				set_null(output, &mask, i);                                         \
				continue;                                                           \
			}                                                                       \
			out[i] = r;                                                             \
		}                                                                           \
	}

// UNARY is a strict function of one argument.
#define UNARY(name, argument, result, body)                                         \
	static void name(void *info, void *input, void *output) {                       \
		void *v0 = duckdb_data_chunk_get_vector(input, 0);                          \
		const argument *d0 = duckdb_vector_get_data(v0);                            \
		const uint64_t *m0 = duckdb_vector_get_validity(v0);                        \
		result *out = duckdb_vector_get_data(output);                               \
		uint64_t *mask = NULL;                                                      \
		uint64_t count = duckdb_data_chunk_get_size(input);                         \
		for (uint64_t i = 0; i < count; i++) {                                      \
			if (!is_valid(m0, i)) {                                                 \
				set_null(output, &mask, i);                                         \
				continue;                                                           \
			}                                                                       \
			argument a = d0[i];                                                     \
			result r = 0;                                                           \
			const char *error = NULL;                                               \
			bool null = false;                                                      \
			body;                                                                   \
			if (error != NULL) {                                                    \
				duckdb_scalar_function_set_error(info, error);                      \
				return;                                                             \
			}                                                                       \
			if (null) {                                                             \
				set_null(output, &mask, i);                                         \
				continue;                                                           \
			}                                                                       \
			out[i] = r;                                                             \
		}                                                                           \
	}

// FLOAT_OPERATOR is arithmetic of two floats; expression is its result, and check
// sets error where a result that is zero, infinite or no number is PostgreSQL's
// error (float8_pl, float8_mul and float8_div; utils/float.h). A word's worth of rows is computed without a branch, and looked at one by
// one only if a result is one of these.
#define FLOAT_OPERATOR(name, type, expression, check)                               \
	static void name(void *info, void *input, void *output) {                       \
		void *v0 = duckdb_data_chunk_get_vector(input, 0);                          \
		void *v1 = duckdb_data_chunk_get_vector(input, 1);                          \
		const type *restrict d0 = duckdb_vector_get_data(v0);                       \
		const type *restrict d1 = duckdb_vector_get_data(v1);                       \
		const uint64_t *m0 = duckdb_vector_get_validity(v0);                        \
		const uint64_t *m1 = duckdb_vector_get_validity(v1);                        \
		type *restrict out = duckdb_vector_get_data(output);                        \
		uint64_t *mask = NULL;                                                      \
		uint64_t count = duckdb_data_chunk_get_size(input);                         \
		for (uint64_t from = 0; from < count; from += 64) {                         \
			uint64_t rows = count - from < 64 ? count - from : 64;                  \
			uint64_t all = rows < 64 ? ((uint64_t)1 << rows) - 1 : ~(uint64_t)0;    \
			uint64_t valid = all & (m0 == NULL ? all : m0[from >> 6]) & (m1 == NULL ? all : m1[from >> 6]); \
			int odd = 0;                                                            \
			for (uint64_t i = from; i < from + rows; i++) {                         \
				type a = d0[i], b = d1[i];                                          \
				type r = expression;                                                \
				out[i] = r;                                                         \
				odd |= !(r > 0 || r < 0) | !(r - r == 0);                           \
			}                                                                       \
			if (odd) {                                                              \
				for (uint64_t i = from; i < from + rows; i++) {                     \
					if ((valid >> (i - from) & 1) == 0) continue;                   \
					type a = d0[i], b = d1[i], r = out[i];                          \
					const char *error = NULL;                                       \
					check;                                                          \
					if (error != NULL) {                                            \
						duckdb_scalar_function_set_error(info, error);              \
						return;                                                     \
					}                                                               \
				}                                                                   \
			}                                                                       \
			if (valid != all) {                                                     \
				set_null(output, &mask, from);                                      \
				mask[from >> 6] = valid;                                            \
			}                                                                       \
		}                                                                           \
	}

#define FLOATS(type, suffix)                                                        \
	FLOAT_OPERATOR(add_##suffix, type, a + b, {                                     \
		if (isinf(r) && !isinf(a) && !isinf(b)) error = overflow;                   \
	})                                                                              \
	FLOAT_OPERATOR(sub_##suffix, type, a - b, {                                     \
		if (isinf(r) && !isinf(a) && !isinf(b)) error = overflow;                   \
	})                                                                              \
	FLOAT_OPERATOR(mul_##suffix, type, a * b, {                                     \
		if (isinf(r) && !isinf(a) && !isinf(b)) error = overflow;                   \
		if (r == 0 && a != 0 && b != 0) error = underflow;                          \
	})                                                                              \
	FLOAT_OPERATOR(div_##suffix, type, a / b, {                                     \
		if (b == 0 && !isnan(a)) error = division_by_zero;                          \
		if (error == NULL && isinf(r) && !isinf(a)) error = overflow;               \
		if (error == NULL && r == 0 && a != 0 && !isinf(b)) error = underflow;      \
	})

FLOATS(double, float8)
FLOATS(float, float4)

#define INTEGERS(type, suffix, least, range)                                        \
	BINARY(div_##suffix, type, type, type, {                                        \
		if (b == 0)                                                                 \
			error = division_by_zero;                                               \
		else if (b == -1 && a == least)                                             \
			error = range;                                                          \
		else                                                                        \
			r = a / b;                                                              \
	})                                                                              \
	BINARY(mod_##suffix, type, type, type, {                                        \
		if (b == 0)                                                                 \
			error = division_by_zero;                                               \
		else if (b == -1)                                                           \
			r = 0;                                                                  \
		else                                                                        \
			r = a % b;                                                              \
	})

INTEGERS(int16_t, int2, INT16_MIN, int2_range)
INTEGERS(int32_t, int4, INT32_MIN, int4_range)
INTEGERS(int64_t, int8, INT64_MIN, int8_range)

// A linear conversion of a double is a chain of steps, each with a constant. Its
// number is where it stands among lines, a hash table that only grows: DuckDB writes
// out every argument of a function for each row, constants too, and a small number
// costs a tenth of what all of them did.
enum { STEP_ADD = 1, STEP_SUB, STEP_MUL, STEP_DIV, STEP_SUB_FROM };

#define MAX_LINES 32768

struct chain {
	int32_t ops[FIELDGATE_STEPS]; // 0 after the last
	double constants[FIELDGATE_STEPS];
};

static struct chain lines[MAX_LINES]; // without a first step: free
static int32_t known_lines;
static pthread_mutex_t lines_lock = PTHREAD_MUTEX_INITIALIZER;

int32_t fieldgate_line(const int32_t *ops, const double *constants) {
	struct chain wanted;
	memcpy(wanted.ops, ops, sizeof wanted.ops);
	memcpy(wanted.constants, constants, sizeof wanted.constants);
	uint64_t hash = 14695981039346656037u; // FNV-1a
	for (size_t i = 0; i < sizeof wanted; i++) hash = (hash ^ ((const unsigned char *)&wanted)[i]) * 1099511628211u;
	int32_t at = (int32_t)((hash ^ hash >> 32) % MAX_LINES);
	pthread_mutex_lock(&lines_lock);
	while (lines[at].ops[0] != 0 && memcmp(&lines[at], &wanted, sizeof wanted) != 0) at = (at + 1) % MAX_LINES;
	if (lines[at].ops[0] == 0) {
		if (known_lines >= MAX_LINES / 4 * 3) {
			at = -1;
		} else {
			lines[at] = wanted;
			known_lines++;
		}
	}
	pthread_mutex_unlock(&lines_lock);
	return at;
}

static inline double step(int op, double a, double c) {
	switch (op) {
	case STEP_ADD:
		return a + c;
	case STEP_SUB:
		return a - c;
	case STEP_MUL:
		return a * c;
	case STEP_DIV:
		return a / c;
	default:
		return c - a;
	}
}

// step_fails says that a step is an error: what float8_pl and its like raise.
static inline bool step_fails(int op, double a, double c, double r) {
	if (op == STEP_DIV) return (c == 0 && !isnan(a)) || (isinf(r) && !isinf(a)) || (r == 0 && a != 0 && !isinf(c));
	if (isinf(r) && !isinf(a) && !isinf(c)) return true;
	return op == STEP_MUL && r == 0 && a != 0 && c != 0;
}

// Where the compiler can, loops over doubles are compiled for wider registers too,
// and the processor decides. Fused operations, which round once, are not among them.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

typedef double doubles __attribute__((vector_size(32), aligned(8)));
typedef int64_t truths __attribute__((vector_size(32), aligned(8)));

// HELD is how many doubles stay in registers, eight times four, from the first step
// to the last.
#define HELD 32
#define EACH(body)                                                                  \
	_Pragma("GCC unroll 8") for (int i = 0; i < HELD / 4; i++) {                    \
		doubles a = v[i];                                                           \
		body;                                                                       \
	}

// steps takes rows through a chain, and says that some may be an error: a product or
// quotient is zero and should not be, or the end is infinite or no number. What is
// that once stays so in later steps.
WIDE static bool steps(const struct chain *chain, const double *restrict in, double *restrict out, uint64_t rows) {
	truths odd = {0};
	uint64_t row = 0;
	for (; row + HELD <= rows; row += HELD) {
		doubles v[HELD / 4];
		EACH(v[i] = *(const doubles *)(in + row + 4 * i); (void)a)
		for (int s = 0; s < FIELDGATE_STEPS && chain->ops[s] != 0; s++) {
			double c = chain->constants[s];
			switch (chain->ops[s]) {
			case STEP_ADD:
				EACH(v[i] = a + c)
				break;
			case STEP_SUB:
				EACH(v[i] = a - c)
				break;
			case STEP_MUL:
				EACH(v[i] = a * c; odd |= (v[i] == 0) & (a != 0))
				break;
			case STEP_DIV:
				EACH(v[i] = a / c; odd |= (v[i] == 0) & (a != 0))
				break;
			default:
				EACH(v[i] = c - a)
			}
		}
		EACH(*(doubles *)(out + row + 4 * i) = a; odd |= ~((a - a) == 0))
	}
	bool rest = false;
	for (; row < rows; row++) {
		double a = in[row];
		for (int s = 0; s < FIELDGATE_STEPS && chain->ops[s] != 0; s++) {
			double r = step(chain->ops[s], a, chain->constants[s]);
			rest |= r == 0 && a != 0;
			a = r;
		}
		out[row] = a;
		rest |= !(a - a == 0);
	}
	return rest || (odd[0] | odd[1] | odd[2] | odd[3]) != 0;
}

// line is value and the number of a chain; an error gives NULL.
static void line(void *info, void *input, void *output) {
	(void)info;
	uint64_t count = duckdb_data_chunk_get_size(input);
	if (count == 0) return;
	void *value = duckdb_data_chunk_get_vector(input, 0);
	const double *in = duckdb_vector_get_data(value);
	const uint64_t *present = duckdb_vector_get_validity(value);
	const int16_t *number = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 1));
	const struct chain *chain = &lines[*number];
	double *out = duckdb_vector_get_data(output);
	uint64_t *mask = NULL;
	for (uint64_t from = 0; from < count; from += 64) {
		uint64_t rows = count - from < 64 ? count - from : 64;
		uint64_t all = rows < 64 ? ((uint64_t)1 << rows) - 1 : ~(uint64_t)0;
		uint64_t valid = present == NULL ? all : all & present[from >> 6];
		bool odd = valid != 0 && steps(chain, in + from, out + from, rows);
		for (uint64_t i = 0; odd && i < rows; i++) {
			double a = in[from + i];
			for (int s = 0; s < FIELDGATE_STEPS && chain->ops[s] != 0 && (valid >> i & 1) != 0; s++) {
				double r = step(chain->ops[s], a, chain->constants[s]);
				if (step_fails(chain->ops[s], a, chain->constants[s], r)) valid &= ~((uint64_t)1 << i);
				a = r;
			}
		}
		if (valid != all) {
			set_null(output, &mask, from);
			mask[from >> 6] = valid;
		}
	}
}

// first is the first of two values that is not NULL. DuckDB's COALESCE and CASE put
// rows apart and together again, which takes them three times as long.
static void first(void *info, void *input, void *output) {
	(void)info;
	void *v0 = duckdb_data_chunk_get_vector(input, 0);
	void *v1 = duckdb_data_chunk_get_vector(input, 1);
	const uint64_t *d0 = duckdb_vector_get_data(v0);
	const uint64_t *d1 = duckdb_vector_get_data(v1);
	const uint64_t *m0 = duckdb_vector_get_validity(v0);
	const uint64_t *m1 = duckdb_vector_get_validity(v1);
	uint64_t *restrict out = duckdb_vector_get_data(output);
	uint64_t *mask = NULL;
	uint64_t count = duckdb_data_chunk_get_size(input);
	for (uint64_t from = 0; from < count; from += 64) {
		uint64_t rows = count - from < 64 ? count - from : 64;
		uint64_t all = rows < 64 ? ((uint64_t)1 << rows) - 1 : ~(uint64_t)0;
		uint64_t has0 = m0 == NULL ? all : all & m0[from >> 6];
		uint64_t has1 = m1 == NULL ? all : all & m1[from >> 6];
		if (has0 == all || has0 == 0) {
			memcpy(out + from, (has0 == 0 ? d1 : d0) + from, rows * sizeof *out);
		} else {
			for (uint64_t i = 0; i < rows; i++) out[from + i] = (has0 >> i & 1) != 0 ? d0[from + i] : d1[from + i];
		}
		if ((has0 | has1) != all) {
			set_null(output, &mask, from);
			mask[from >> 6] = has0 | has1;
		}
	}
}

// Casts of floats to integers round half to even and check the range (dtoi4 and
// its like). The limits are exact in the float type; try_ ones give NULL.
#define TO_INTEGER(name, type, result, low, high, range)                            \
	UNARY(name##_int, type, result, {                                               \
		type rounded = (type)rint((double)a);                                       \
		if (!(rounded >= (type)low && rounded < (type)high))                        \
			error = range;                                                          \
		else                                                                        \
			r = (result)rounded;                                                    \
	})                                                                              \
	UNARY(name##_try, type, result, {                                               \
		type rounded = (type)rint((double)a);                                       \
		if (!(rounded >= (type)low && rounded < (type)high))                        \
			null = true;                                                            \
		else                                                                        \
			r = (result)rounded;                                                    \
		(void)error;                                                                \
	})

TO_INTEGER(float8_int2, double, int16_t, -32768.0, 32768.0, int2_range)
TO_INTEGER(float8_int4, double, int32_t, -2147483648.0, 2147483648.0, int4_range)
TO_INTEGER(float8_int8, double, int64_t, -9223372036854775808.0, 9223372036854775808.0, int8_range)
TO_INTEGER(float4_int2, float, int16_t, -32768.0, 32768.0, int2_range)
TO_INTEGER(float4_int4, float, int32_t, -2147483648.0, 2147483648.0, int4_range)
TO_INTEGER(float4_int8, float, int64_t, -9223372036854775808.0, 9223372036854775808.0, int8_range)

UNARY(float8_float4, double, float, {
	r = (float)a;
	if (isinf(r) && !isinf(a)) error = overflow;
	if (r == 0 && a != 0) error = underflow;
})

UNARY(float8_float4_try, double, float, {
	r = (float)a;
	null = (isinf(r) && !isinf(a)) || (r == 0 && a != 0);
})

// Functions of floats, by the same library as PostgreSQL's, with its errors
// (float.c).
static const char input_range[] = "FG22003:input is out of range";
static const char negative_root[] = "FG2201F:cannot take square root of a negative number";
static const char zero_log[] = "FG2201E:cannot take logarithm of zero";
static const char negative_log[] = "FG2201E:cannot take logarithm of a negative number";
static const char zero_power[] = "FG2201F:zero raised to a negative power is undefined";
static const char complex_power[] = "FG2201F:a negative number raised to a non-integer power yields a complex result";

#define TRIGONOMETRIC(name, expression)                                             \
	UNARY(name, double, double, {                                                   \
		if (isinf(a)) error = input_range;                                          \
		r = expression;                                                             \
	})

TRIGONOMETRIC(sine, sin(a))
TRIGONOMETRIC(cosine, cos(a))
TRIGONOMETRIC(tangent, tan(a))
TRIGONOMETRIC(cotangent, 1.0 / tan(a))

// Of degrees, PostgreSQL promises exact results where there are some: everything is
// scaled by what the library gives for 30, 45 and 60 degrees (float.c).
static double sine_to_30(double a) { return (sin(a * 0.0174532925199432957692) / sin(30.0 * 0.0174532925199432957692)) / 2.0; }

static double cosine_to_60(double a) {
	return 1.0 - ((1.0 - cos(a * 0.0174532925199432957692)) / (1.0 - cos(60.0 * 0.0174532925199432957692))) / 2.0;
}

static double sine_to_90(double a) { return a <= 30.0 ? sine_to_30(a) : cosine_to_60(90.0 - a); }

static double cosine_to_90(double a) { return a <= 60.0 ? cosine_to_60(a) : sine_to_30(90.0 - a); }

// first_quadrant brings an angle into the first quadrant; flips counts the changes of
// sign on the way, at zero, at 180 and at 90 degrees.
static double first_quadrant(double a, int *zero, int *half, int *quarter) {
	a = fmod(a, 360.0);
	*zero = *half = *quarter = 1;
	if (a < 0.0) {
		a = -a;
		*zero = -1;
	}
	if (a > 180.0) {
		a = 360.0 - a;
		*half = -1;
	}
	if (a > 90.0) {
		a = 180.0 - a;
		*quarter = -1;
	}
	return a;
}

static double sine_of_degrees(double a) {
	int zero, half, quarter;
	a = first_quadrant(a, &zero, &half, &quarter);
	return zero * half * sine_to_90(a);
}

static double cosine_of_degrees(double a) {
	int zero, half, quarter;
	a = first_quadrant(a, &zero, &half, &quarter);
	return quarter * cosine_to_90(a);
}

static double tangent_of_degrees(double a) {
	int zero, half, quarter;
	a = first_quadrant(a, &zero, &half, &quarter);
	double r = zero * half * quarter * ((sine_to_90(a) / cosine_to_90(a)) / (sine_to_90(45.0) / cosine_to_90(45.0)));
	return r == 0.0 ? 0.0 : r;
}

static double cotangent_of_degrees(double a) {
	int zero, half, quarter;
	a = first_quadrant(a, &zero, &half, &quarter);
	double r = zero * half * quarter * ((cosine_to_90(a) / sine_to_90(a)) / (cosine_to_90(45.0) / sine_to_90(45.0)));
	return r == 0.0 ? 0.0 : r;
}

static double arc_sine_to_1(double a) {
	return a <= 0.5 ? (asin(a) / asin(0.5)) * 30.0 : 90.0 - (acos(a) / acos(0.5)) * 60.0;
}

static double arc_cosine_to_1(double a) {
	return a <= 0.5 ? 90.0 - (asin(a) / asin(0.5)) * 30.0 : (acos(a) / acos(0.5)) * 60.0;
}

TRIGONOMETRIC(sine_degrees, sine_of_degrees(a))
TRIGONOMETRIC(cosine_degrees, cosine_of_degrees(a))
TRIGONOMETRIC(tangent_degrees, tangent_of_degrees(a))
TRIGONOMETRIC(cotangent_degrees, cotangent_of_degrees(a))

UNARY(arc_tangent_degrees, double, double, { r = (atan(a) / atan(1.0)) * 45.0; })
BINARY(arc_tangent2_degrees, double, double, double, { r = (atan2(a, b) / atan(1.0)) * 45.0; })

#define ARC(name, expression)                                                       \
	UNARY(name, double, double, {                                                   \
		if (a < -1 || a > 1) error = input_range;                                   \
		r = expression;                                                             \
	})

ARC(arc_sine, asin(a))
ARC(arc_cosine, acos(a))
ARC(arc_sine_degrees, a >= 0.0 ? arc_sine_to_1(a) : -arc_sine_to_1(-a))
ARC(arc_cosine_degrees, a >= 0.0 ? arc_cosine_to_1(a) : 90.0 + arc_sine_to_1(-a))
ARC(area_hyperbolic_tangent, atanh(a))

UNARY(hyperbolic_sine, double, double, { r = sinh(a); })
UNARY(hyperbolic_cosine, double, double, { r = cosh(a); })
UNARY(area_hyperbolic_sine, double, double, { r = asinh(a); })

UNARY(area_hyperbolic_cosine, double, double, {
	if (a < 1) error = input_range;
	r = acosh(a);
})

UNARY(sign_of, double, double, { r = (a > 0) - (a < 0); })

// radians_per_degree is RADIANS_PER_DEGREE of float.c.
static const double radians_per_degree = 0.0174532925199432957692;

UNARY(to_degrees, double, double, {
	r = a / radians_per_degree;
	if (isinf(r) && !isinf(a)) error = overflow;
})

UNARY(to_radians, double, double, { r = a * radians_per_degree; })

UNARY(square_root, double, double, {
	if (a < 0) error = negative_root;
	r = sqrt(a);
})

UNARY(exponential, double, double, {
	r = exp(a);
	if (isinf(r) && !isinf(a)) error = overflow;
	if (r == 0 && !isinf(a)) error = underflow;
})

#define LOGARITHM(name, expression)                                                 \
	UNARY(name, double, double, {                                                   \
		if (a == 0) error = zero_log;                                               \
		if (a < 0) error = negative_log;                                            \
		r = expression;                                                             \
	})

LOGARITHM(natural_log, log(a))
LOGARITHM(decimal_log, log10(a))

BINARY(power, double, double, double, {
	bool infinite = isinf(a) || isinf(b);
	if (a == 0 && b < 0) error = zero_power;
	if (a < 0 && !isinf(b) && !isnan(b) && floor(b) != b) error = complex_power;
	r = pow(a, b);
	if (error == NULL && isinf(r) && !infinite) error = overflow;
	if (error == NULL && r == 0 && !infinite && a != 0) error = underflow;
})

// PostgreSQL shifts by the low bits of the count and drops what falls out.
#define SHIFTS(type, unsigned_type, suffix, bits)                                   \
	BINARY(shl_##suffix, type, int32_t, type, { r = (type)((unsigned_type)a << (b & (bits - 1))); }) \
	BINARY(shr_##suffix, type, int32_t, type, { r = (type)(a >> (b & (bits - 1))); })

SHIFTS(int16_t, uint32_t, int2, 32)
SHIFTS(int32_t, uint32_t, int4, 32)
SHIFTS(int64_t, uint64_t, int8, 64)

UNARY(round_even, double, double, { r = rint(a); })

// A sum that is infinite has overflowed, or has summed infinities, and one that is 0 may be
// of -0 alone: it does not tell.
UNARY(certain, double, double, {
	r = a;
	if (isinf(a) || a == 0) error = overflow;
})

// An average from which no square of a summed number can be told to be out of range, if
// they did not cancel out.
UNARY(moderate, double, double, {
	r = a;
	if (!(fabs(a) < 1e140)) error = overflow;
})

// Fields of timestamps and intervals. The numbers are those of the enumeration
// in table_time.go. Seconds and what is derived from them are microseconds.
enum field {
	FIELD_YEAR,
	FIELD_MONTH,
	FIELD_DAY,
	FIELD_HOUR,
	FIELD_MINUTE,
	FIELD_SECOND,
	FIELD_DOW,
	FIELD_ISODOW,
	FIELD_DOY,
	FIELD_WEEK,
	FIELD_ISOYEAR,
	FIELD_QUARTER,
	FIELD_DECADE,
	FIELD_CENTURY,
	FIELD_MILLENNIUM,
	FIELD_EPOCH,
	FIELD_JULIAN,
	FIELD_MONTHS, // all months of an interval
	FIELD_TIME,   // all its microseconds
};

#define MICROS_PER_DAY INT64_C(86400000000)

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

// days_from_civil is the number of a day since 1970-01-01 (H. Hinnant's
// chrono-compatible calendar algorithms), as is its inverse in civil.
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
	year -= month <= 2;
	int64_t era = floor_div(year, 400);
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void civil(int64_t days, int64_t *year, int64_t *month, int64_t *day) {
	days += 719468;
	int64_t era = floor_div(days, 146097);
	int64_t day_of_era = days - era * 146097;
	int64_t of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t of_year = day_of_era - (365 * of_era + of_era / 4 - of_era / 100);
	int64_t shifted = (5 * of_year + 2) / 153;
	*day = of_year - (153 * shifted + 2) / 5 + 1;
	*month = shifted < 10 ? shifted + 3 : shifted - 9;
	*year = of_era + era * 400 + (*month <= 2);
}

// shown_year counts as people do, without a year 0.
static int64_t shown_year(int64_t year) { return year > 0 ? year : year - 1; }

static int64_t per(int64_t year, int64_t length) {
	year = shown_year(year);
	return year > 0 ? (year + length - 1) / length : -((length - 1 - year) / length);
}

// iso_week is the number of the week in the year that its Thursday lies in.
static int64_t iso_week(int64_t days, int64_t *iso_year) {
	int64_t thursday = floor_div(days + 3, 7) * 7;
	int64_t month, day;
	civil(thursday, iso_year, &month, &day);
	return (thursday - days_from_civil(*iso_year, 1, 1)) / 7 + 1;
}

static int64_t timestamp_field(int32_t field, int64_t micros) {
	if (field == FIELD_EPOCH) return micros;
	int64_t days = floor_div(micros, MICROS_PER_DAY);
	int64_t time = micros - days * MICROS_PER_DAY;
	int64_t year, month, day, iso_year;
	switch (field) {
	case FIELD_HOUR:
		return time / INT64_C(3600000000);
	case FIELD_MINUTE:
		return time / 60000000 % 60;
	case FIELD_SECOND:
		return time % 60000000;
	case FIELD_DOW:
		return days + 4 - floor_div(days + 4, 7) * 7;
	case FIELD_ISODOW:
		return days + 3 - floor_div(days + 3, 7) * 7 + 1;
	case FIELD_JULIAN:
		return days + 2440588;
	}
	civil(days, &year, &month, &day);
	switch (field) {
	case FIELD_YEAR:
		return shown_year(year);
	case FIELD_MONTH:
		return month;
	case FIELD_DAY:
		return day;
	case FIELD_DOY:
		return days - days_from_civil(year, 1, 1) + 1;
	case FIELD_QUARTER:
		return (month - 1) / 3 + 1;
	case FIELD_DECADE:
		return floor_div(year, 10);
	case FIELD_CENTURY:
		return per(year, 100);
	case FIELD_MILLENNIUM:
		return per(year, 1000);
	case FIELD_WEEK:
		return iso_week(days, &iso_year);
	default:
		iso_week(days, &iso_year);
		return shown_year(iso_year);
	}
}

// grows says that a field of infinity is infinity; that of others is NULL.
static bool grows(int32_t field) {
	return field == FIELD_YEAR || field == FIELD_ISOYEAR || field >= FIELD_DECADE;
}

BINARY(field_of_timestamp, int32_t, int64_t, int64_t, {
	bool infinite = b == INT64_MAX || b == -INT64_MAX;
	if (infinite && grows(a))
		error = infinite_field;
	else if (infinite)
		null = true;
	else
		r = timestamp_field(a, b);
})

typedef struct {
	int32_t months, days;
	int64_t micros;
} interval;

// EPOCH_DAYS is about how many days 64 bits of microseconds hold, with room for
// months and time.
#define EPOCH_DAYS 35000000

// interval_field reads a part of an interval as interval_part does (timestamp.c).
static int64_t interval_field(int32_t field, interval v) {
	int64_t years = v.months / 12;
	switch (field) {
	case FIELD_MONTHS:
		return v.months;
	case FIELD_TIME:
		return v.micros;
	case FIELD_YEAR:
		return years;
	case FIELD_MONTH:
		return v.months % 12;
	case FIELD_DAY:
		return v.days;
	case FIELD_HOUR:
		return v.micros / INT64_C(3600000000);
	case FIELD_MINUTE:
		return v.micros / 60000000 % 60;
	case FIELD_SECOND:
		return v.micros % 60000000;
	case FIELD_QUARTER:
		return v.months % 12 / 3 + 1;
	case FIELD_DECADE:
		return years / 10;
	case FIELD_CENTURY:
		return years / 100;
	case FIELD_MILLENNIUM:
		return years / 1000;
	default:
		// A year has 365.25 days and a month 30.
		return years * (MICROS_PER_DAY / 4 * 1461) + v.months % 12 * 30 * MICROS_PER_DAY + v.days * MICROS_PER_DAY + v.micros;
	}
}

BINARY(field_of_interval, int32_t, interval, int64_t, {
	if (a == FIELD_EPOCH && (b.days > EPOCH_DAYS || b.days < -EPOCH_DAYS || b.months > EPOCH_DAYS / 31 || b.months < -EPOCH_DAYS / 31))
		error = long_epoch;
	else
		r = interval_field(a, b);
})

static const struct {
	const char *name;
	fieldgate_function function;
} functions[] = {
    {"fg_add_float8", add_float8},
    {"fg_sub_float8", sub_float8},
    {"fg_mul_float8", mul_float8},
    {"fg_div_float8", div_float8},
    {"fg_first", first},
    {"fg_line", line},
    {"fg_add_float4", add_float4},
    {"fg_sub_float4", sub_float4},
    {"fg_mul_float4", mul_float4},
    {"fg_div_float4", div_float4},
    {"fg_div_int2", div_int2},
    {"fg_div_int4", div_int4},
    {"fg_div_int8", div_int8},
    {"fg_mod_int2", mod_int2},
    {"fg_mod_int4", mod_int4},
    {"fg_mod_int8", mod_int8},
    {"fg_sin", sine},
    {"fg_cos", cosine},
    {"fg_tan", tangent},
    {"fg_cot", cotangent},
    {"fg_asin", arc_sine},
    {"fg_acos", arc_cosine},
    {"fg_sinh", hyperbolic_sine},
    {"fg_cosh", hyperbolic_cosine},
    {"fg_asinh", area_hyperbolic_sine},
    {"fg_acosh", area_hyperbolic_cosine},
    {"fg_atanh", area_hyperbolic_tangent},
    {"fg_sind", sine_degrees},
    {"fg_cosd", cosine_degrees},
    {"fg_tand", tangent_degrees},
    {"fg_cotd", cotangent_degrees},
    {"fg_asind", arc_sine_degrees},
    {"fg_acosd", arc_cosine_degrees},
    {"fg_atand", arc_tangent_degrees},
    {"fg_atan2d", arc_tangent2_degrees},
    {"fg_float8_sign", sign_of},
    {"fg_degrees", to_degrees},
    {"fg_radians", to_radians},
    {"fg_sqrt", square_root},
    {"fg_exp", exponential},
    {"fg_ln", natural_log},
    {"fg_log10", decimal_log},
    {"fg_power", power},
    {"fg_shl_int2", shl_int2},
    {"fg_shl_int4", shl_int4},
    {"fg_shl_int8", shl_int8},
    {"fg_shr_int2", shr_int2},
    {"fg_shr_int4", shr_int4},
    {"fg_shr_int8", shr_int8},
    {"fg_certain", certain},
    {"fg_moderate", moderate},
    {"fg_round_even", round_even},
    {"fg_timestamp_field", field_of_timestamp},
    {"fg_interval_field", field_of_interval},
    {"fg_int2_of_float8", float8_int2_int},
    {"fg_int4_of_float8", float8_int4_int},
    {"fg_int8_of_float8", float8_int8_int},
    {"fg_int2_of_float4", float4_int2_int},
    {"fg_int4_of_float4", float4_int4_int},
    {"fg_int8_of_float4", float4_int8_int},
    {"fg_float4_of_float8", float8_float4},
    {"fg_try_int2_of_float8", float8_int2_try},
    {"fg_try_int4_of_float8", float8_int4_try},
    {"fg_try_int8_of_float8", float8_int8_try},
    {"fg_try_int2_of_float4", float4_int2_try},
    {"fg_try_int4_of_float4", float4_int4_try},
    {"fg_try_int8_of_float4", float4_int8_try},
    {"fg_try_float4_of_float8", float8_float4_try},
};

fieldgate_function fieldgate_arithmetic(const char *name) {
	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
		if (strcmp(functions[i].name, name) == 0) return functions[i].function;
	}
	return NULL;
}

// The number itself is the state, so that there is nothing to free.
static void note_connection(void *info) {
	void *context = NULL;
	duckdb_scalar_function_init_get_client_context(info, &context);
	uint64_t number = duckdb_client_context_get_connection_id(context);
	duckdb_destroy_client_context(&context);
	duckdb_scalar_function_init_set_state(info, (void *)(uintptr_t)number, NULL);
}

void fieldgate_note_connections(void *function) {
	duckdb_scalar_function_set_init(function, note_connection);
}

uint64_t fieldgate_connection(void *info) {
	return (uintptr_t)duckdb_scalar_function_get_state(info);
}

void fieldgate_assign_strings(void *vector, uint64_t from, uint64_t count, const uint32_t *offsets, const char *text,
                              const uint64_t *valid) {
	for (uint64_t i = 0; i < count; i++) {
		if (!is_valid(valid, i)) continue;
		duckdb_vector_assign_string_element_len(vector, from + i, text + offsets[i], offsets[i + 1] - offsets[i]);
	}
}

void fieldgate_assign_chosen(void *vector, uint64_t from, uint64_t count, const uint32_t *rows, const uint32_t *offsets,
                             const char *text) {
	for (uint64_t i = 0; i < count; i++) {
		uint32_t row = rows[i];
		duckdb_vector_assign_string_element_len(vector, from + i, text + offsets[row], offsets[row + 1] - offsets[row]);
	}
}

// string_header is DuckDB's string in a vector: its length, and its bytes or where they are.
typedef struct {
	uint64_t words[2];
} string_header;

void fieldgate_repeat_string(void *vector, uint64_t from, uint64_t count, const char *text, uint64_t length) {
	duckdb_vector_assign_string_element_len(vector, from, text, length);
	string_header *strings = duckdb_vector_get_data(vector);
	for (uint64_t i = 1; i < count; i++) strings[from + i] = strings[from];
}
