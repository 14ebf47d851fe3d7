SELECT id, div(m, 3), div(m, k) FROM numbers WHERE abs(m) < 1e20 AND k <> 0 ORDER BY id;
SELECT div(7, 2), div(-7, 2), div(7.5, 2), div(1e20, 3);
SELECT sum(div(amount, 10)) FROM orders;
SELECT div(amount, 7) AS d, count(*) FROM orders GROUP BY div(amount, 7) ORDER BY d;
SELECT order_id FROM orders WHERE div(quantity, 2) = 1 ORDER BY order_id;
SELECT id, scale(k), scale(i4 * 1.50) FROM numbers ORDER BY id;
SELECT scale(1.50), scale(1), scale('NaN'), scale(1e-10), scale(0.10 * 0.10);
SELECT scale(num), scale(price) FROM readings ORDER BY id;
SELECT max(scale(amount)), min(scale(amount / 3)) FROM orders;
SELECT scale(avg(quantity)) FROM orders;
SELECT id, min_scale(m), min_scale(k) FROM numbers ORDER BY id;
SELECT min_scale(1.500), min_scale(100), min_scale('inf'), min_scale(0.000);
SELECT min_scale(price) AS s, count(*) FROM readings GROUP BY 1 ORDER BY 1;
SELECT id FROM readings WHERE min_scale(num) > 2 ORDER BY id;
SELECT max(min_scale(amount)) FROM orders;
SELECT id, trim_scale(m), trim_scale(k) FROM numbers ORDER BY id;
SELECT trim_scale(1.500), trim_scale(100.00), trim_scale(0.0), trim_scale('NaN');
SELECT trim_scale(avg(amount)), trim_scale(sum(price)) FROM orders, readings WHERE order_id = 1;
SELECT DISTINCT trim_scale(price) FROM readings ORDER BY 1;
SELECT trim_scale(amount)::text || '!' FROM orders ORDER BY order_id;
SELECT id, width_bucket(i4, -10, 20, 5), width_bucket(k, 0, 10, 4) FROM numbers WHERE id NOT IN (8, 9, 10) ORDER BY id;
SELECT width_bucket(5.35, 0.024, 10.06, 5), width_bucket(-1, 0, 10, 5), width_bucket(10, 0, 10, 5), width_bucket(7, 10, 0, 5);
SELECT width_bucket(amount, 0, 500, 5) AS b, count(*), min(amount) FROM orders GROUP BY b ORDER BY b;
SELECT width_bucket(d, 0, 100, 10) FROM numbers WHERE d BETWEEN -1000 AND 1000 ORDER BY id;
SELECT width_bucket(quantity, ARRAY[2, 4, 6]) FROM orders ORDER BY order_id;
SELECT sind(30), sind(90), sind(-30), sind(d) FROM numbers WHERE abs(d) < 1000 ORDER BY id;
SELECT sind(0), sind(180), sind(NULL);
SELECT sum(sind(quantity * 30)) FROM orders;
SELECT sind('NaN'), sind(720), round(sind(45)::numeric, 6);
SELECT order_id FROM orders WHERE sind(quantity * 45) > 0.5 ORDER BY order_id;
SELECT cosd(60), cosd(0), cosd(90), cosd(d) FROM numbers WHERE abs(d) < 1000 ORDER BY id;
SELECT cosd(-60), cosd(180), cosd(360);
SELECT max(cosd(order_id)) FROM orders;
SELECT cosd(quantity * 60) AS c, count(*) FROM orders GROUP BY 1 ORDER BY 1;
SELECT tand(45), tand(0), tand(135), tand(d) FROM numbers WHERE abs(d) < 80 ORDER BY id;
SELECT tand(-45), tand(180), tand(225);
SELECT tand(90), cotd(0), cotd(45), cotd(90);
SELECT cotd(30) > 1.7, cotd(-45), cotd(135);
SELECT asind(0.5), asind(1), asind(-1), acosd(0.5), acosd(0), acosd(-1), atand(1), atand(0), atan2d(1, 1), atan2d(0, -1);
SELECT asind(2);
SELECT acosd(discount), asind(discount), atand(discount) FROM orders ORDER BY order_id;
SELECT atan2d(quantity, order_id) > 0 FROM orders WHERE quantity > 0 ORDER BY order_id;
SELECT every(ok) FROM readings WHERE ok IS NOT NULL;
SELECT sensor, every(f8 > 0) FROM readings GROUP BY sensor ORDER BY sensor;
SELECT every(amount > 0), every(amount > 100) FROM orders;
SELECT order_id, every(quantity > 1) OVER (PARTITION BY region ORDER BY order_id) FROM orders ORDER BY order_id;
SELECT region FROM orders GROUP BY region HAVING every(quantity IS NOT NULL) ORDER BY region;
SELECT every(id > 0) FILTER (WHERE id < 0), every(NULL::bool) FROM numbers;
SELECT num_nulls(1, NULL, 'a'), num_nonnulls(1, NULL, 'a'), num_nulls(NULL), num_nonnulls();
-- refused: function num_nulls("any") is not supported
SELECT id, num_nulls(i2, i4, i8, j4, d, m, k) FROM numbers ORDER BY id;
-- refused: function num_nulls("any") is not supported
SELECT num_nulls(customer, amount, due) AS n, count(*) FROM orders GROUP BY 1 ORDER BY 1;
-- refused: function num_nulls("any") is not supported
SELECT order_id FROM orders WHERE num_nulls(shipped, due) > 0 ORDER BY order_id;
-- refused: function num_nulls("any") is not supported
SELECT num_nulls(VARIADIC ARRAY[1, NULL, 2]);
-- refused: function num_nonnulls("any") is not supported
SELECT sum(num_nonnulls(label, sensor)) FROM readings;
SELECT pg_typeof(id), pg_typeof(s), pg_typeof(NULL), pg_typeof('x'), pg_typeof(1.5), pg_typeof(ARRAY[1]) FROM strings LIMIT 1;
SELECT pg_typeof(amount), pg_typeof(ordered), pg_typeof(sum(amount) OVER ()) FROM orders LIMIT 1;
SELECT pg_typeof(count(*)), pg_typeof(avg(quantity)), pg_typeof(array_agg(customer)), pg_typeof(extract(year FROM max(due))) FROM orders;
SELECT pg_typeof(id)::text || '!', pg_typeof(pg_typeof(id)) FROM numbers LIMIT 1;
SELECT pg_typeof(x) = 'integer'::regtype FROM (VALUES (1)) v(x);
-- refused: function array_fill(anyelement, integer[]) is not supported
SELECT array_fill(7, ARRAY[3]), array_fill('x'::text, ARRAY[2]), array_fill(NULL::int, ARRAY[2]);
-- refused: function array_fill(anyelement, integer[]) is not supported
SELECT array_fill(id, ARRAY[id]) FROM numbers WHERE id < 4 ORDER BY id;
-- refused: function array_fill(anyelement, integer[]) is not supported
SELECT array_length(array_fill(0, ARRAY[5]), 1), array_fill(1, ARRAY[]::int[]);
SELECT array_remove(ARRAY[1, 2, 1, NULL], 1), array_remove(ARRAY[1, NULL], NULL), array_remove(ARRAY['a'], 'b');
SELECT array_remove(string_to_array(s, ' '), '') FROM strings ORDER BY id;
SELECT array_remove(array_agg(customer ORDER BY order_id), NULL) FROM orders;
SELECT array_remove(tags::text[], 'hot') FROM sensors ORDER BY name;
SELECT cardinality(array_remove(ARRAY[1.0, 1.00, 2], 1));
SELECT array_replace(ARRAY[1, 2, 1], 1, 9), array_replace(ARRAY[1, NULL], NULL, 0), array_replace(ARRAY['a'], 'a', NULL);
SELECT array_replace(array_agg(status ORDER BY order_id), 'new', 'NEW') FROM orders WHERE order_id < 6;
SELECT array_replace(string_to_array(s, 'o'), '', '_') FROM strings ORDER BY id;
SELECT name, array_replace(tags::text[], 'wet', 'dry') FROM sensors ORDER BY name;
SELECT array_replace(NULL::int[], 1, 2), array_replace(ARRAY[]::int[], 1, 2);
SELECT array_positions(ARRAY['a', 'b', 'a'], 'a'), array_positions(ARRAY[1, NULL], NULL), array_positions(ARRAY[1], 2);
SELECT array_positions(array_agg(region ORDER BY order_id), 'east') FROM orders;
SELECT id, array_positions(string_to_array(s, NULL), 'a') FROM strings ORDER BY id;
-- refused: function array_position(anycompatiblearray, anycompatible, integer) is not supported
SELECT cardinality(array_positions(ARRAY[1, 1, 2], 1)), array_position(ARRAY[5, 6, 5], 5, 2);
SELECT array_positions(tags::text[], 'dry') FROM sensors ORDER BY name;
SELECT array_upper(string_to_array(s, ' '), 1), array_lower(string_to_array(s, ' '), 1), array_ndims(string_to_array(s, ' ')) FROM strings ORDER BY id;
SELECT array_upper(ARRAY[1, 2, 3], 1), array_upper(ARRAY[]::int[], 1), array_upper(ARRAY[1], 2);
SELECT max(array_upper(tags::text[], 1)) FROM sensors;
SELECT name FROM sensors WHERE array_upper(tags::text[], 1) > 1 ORDER BY name;
SELECT region, array_upper(array_agg(DISTINCT status), 1) FROM orders GROUP BY region ORDER BY region;
-- refused: an array of several dimensions or another lower bound is not supported
SELECT array_lower('[3:4]={1,2}'::int[], 1);
SELECT array_lower(tags::text[], 1), array_lower(NULL::text[], 1) FROM sensors ORDER BY name;
SELECT array_lower(array_agg(id), 1) FROM numbers;
SELECT count(array_lower(string_to_array(label, ','), 1)) FROM readings;
-- refused: an array of several dimensions is not supported
SELECT array_ndims(ARRAY[[1, 2], [3, 4]]), array_dims(ARRAY[[1, 2]]);
SELECT array_ndims(tags::text[]), array_dims(tags::text[]) FROM sensors ORDER BY name;
SELECT array_ndims(array_agg(id)), array_dims(array_agg(id)) FROM numbers;
SELECT array_dims(string_to_array(s, 'a')) FROM strings ORDER BY id;
-- refused: function array_fill(anyelement, integer[]) is not supported
SELECT array_dims(ARRAY[1, 2, 3]), array_dims('{}'::int[]), array_dims(array_fill(1, ARRAY[4]));
SELECT count(DISTINCT array_dims(tags::text[])), count(DISTINCT array_ndims(tags::text[])) FROM sensors;
SELECT array_ndims(ARRAY(SELECT id FROM numbers)), array_dims(ARRAY(SELECT id FROM numbers));
SELECT cardinality(string_to_array(s, 'o')) FROM strings ORDER BY id;
SELECT id FROM strings WHERE cardinality(string_to_array(s, ' ')) > 2 ORDER BY id;
SELECT sum(cardinality(tags::text[])) FROM sensors;
SELECT a, b FROM unnest(ARRAY[1, 2, 3], ARRAY['a', 'b']) AS t(a, b) ORDER BY a DESC;
SELECT o.order_id, u.a, u.b FROM orders o, unnest(ARRAY[o.quantity, 1], ARRAY[o.region, o.status]) AS u(a, b) WHERE o.order_id < 3 ORDER BY 1, 2, 3;
SELECT * FROM unnest(ARRAY[1, 2], ARRAY[3, 4, 5]) WITH ORDINALITY;
SELECT sum(a * b) FROM unnest(ARRAY[1, 2, 3], ARRAY[4, 5, 6]) AS t(a, b);
SELECT count(*) FROM unnest(ARRAY[1], ARRAY[NULL]::text[], ARRAY[true, false]) AS t(x, y, z);
SELECT rank(100) WITHIN GROUP (ORDER BY amount) FROM orders;
SELECT region, rank(100) WITHIN GROUP (ORDER BY amount DESC), dense_rank(100) WITHIN GROUP (ORDER BY amount DESC) FROM orders GROUP BY region ORDER BY region;
SELECT rank(5, 'paid') WITHIN GROUP (ORDER BY quantity, status) FROM orders;
SELECT rank(3) WITHIN GROUP (ORDER BY id NULLS FIRST) FILTER (WHERE id > 2) FROM numbers;
SELECT rank('m') WITHIN GROUP (ORDER BY s) FROM strings;
SELECT dense_rank(4) WITHIN GROUP (ORDER BY quantity) FROM orders;
SELECT status, dense_rank(5) WITHIN GROUP (ORDER BY quantity) FROM orders GROUP BY status ORDER BY status;
SELECT dense_rank(date '2024-01-01') WITHIN GROUP (ORDER BY due) FROM orders;
SELECT dense_rank(1, 2) WITHIN GROUP (ORDER BY i2, j4) FROM numbers;
SELECT dense_rank(0) WITHIN GROUP (ORDER BY id) FROM nothing;
SELECT percent_rank(100) WITHIN GROUP (ORDER BY amount) FROM orders;
SELECT region, percent_rank(3) WITHIN GROUP (ORDER BY quantity DESC) FROM orders GROUP BY region ORDER BY region;
SELECT percent_rank(1) WITHIN GROUP (ORDER BY id) FROM nothing;
SELECT percent_rank('b') WITHIN GROUP (ORDER BY region) FROM orders;
SELECT round(percent_rank(2.5) WITHIN GROUP (ORDER BY d)::numeric, 4) FROM numbers;
SELECT cume_dist(100) WITHIN GROUP (ORDER BY amount) FROM orders;
SELECT region, cume_dist(3) WITHIN GROUP (ORDER BY quantity) FROM orders GROUP BY region ORDER BY region;
SELECT cume_dist(1) WITHIN GROUP (ORDER BY id) FROM nothing;
SELECT cume_dist('north') WITHIN GROUP (ORDER BY region DESC) FROM orders;
SELECT cume_dist(timestamptz '2024-01-01') WITHIN GROUP (ORDER BY ordered) FROM orders;
SELECT id, i4 # 3, |/ abs(d), ||/ d FROM numbers WHERE abs(d) < 1000 AND false UNION ALL SELECT 0, 1, 2.0, 3.0 FROM numbers ORDER BY id;
SELECT |/ 16.0, ||/ 27.0, @ -5, 2 ^ 10, 5 # 3, ~5, 1 << 4, 256 >> 2, 5 & 6, 5 | 6, !! true IS NULL;
SELECT |/ 25.0, ||/ -8, @ (-2.5), 3 ^ 0.5, -3 ^ 2;
SELECT id FROM numbers WHERE i4 BETWEEN SYMMETRIC 10 AND 1 ORDER BY id;
SELECT 5 NOT BETWEEN SYMMETRIC 10 AND 6, NULL BETWEEN 1 AND 2, 5 BETWEEN 1 AND NULL;
SELECT ARRAY[1, 2] || 3, 0 || ARRAY[1], ARRAY[1] || ARRAY[2], ARRAY['a'] || NULL::text, ARRAY[1] || '{2,3}';
SELECT id FROM numbers WHERE id = ANY ('{1,2,99}') ORDER BY id;
SELECT 1 OPERATOR(pg_catalog.+) 2, 'a' OPERATOR(pg_catalog.||) 'b', 'abc' OPERATOR(pg_catalog.~) 'b';
SELECT ARRAY[1, 2] && ARRAY[2, 3], ARRAY[1, 2] @> ARRAY[1], ARRAY[1] <@ ARRAY[1, 2], ARRAY[1, NULL] @> ARRAY[NULL::int], ARRAY[1, 2] = ARRAY[1, 2], ARRAY[1, 2] < ARRAY[1, 3];
SELECT (ARRAY[1, 2, 3])[2], (ARRAY[1, 2, 3])[4], (ARRAY[1, 2, 3])[2:3], (ARRAY['a', 'b'])[1:1], (string_to_array('x-y', '-'))[2];
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount), percentile_disc(0.5) WITHIN GROUP (ORDER BY amount), mode() WITHIN GROUP (ORDER BY status) FROM orders;
SELECT region, percentile_cont(0.9) WITHIN GROUP (ORDER BY discount) FROM orders GROUP BY region ORDER BY region;
SELECT percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY quantity), percentile_disc(ARRAY[0, 1]) WITHIN GROUP (ORDER BY customer) FROM orders;
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY due DESC), percentile_cont(0.25) WITHIN GROUP (ORDER BY quantity DESC) FROM orders;
-- refused: aggregate percentile_cont(double precision, interval) is not supported
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) FROM readings;
SELECT percentile_cont(1.5) WITHIN GROUP (ORDER BY quantity) FROM orders;
-- near: the interpolation rounds in another order
SELECT status, percentile_cont(0.95) WITHIN GROUP (ORDER BY amount::float8) FILTER (WHERE amount > 10) FROM orders GROUP BY status ORDER BY status;
SELECT exp(1), ln(10), log(1000), log10(100), pi(), sqrt(2), cbrt(27), power(2, 3), sign(-2.5), abs(-7), degrees(pi()), radians(180);
SELECT sin(1), cos(1), tan(1), asin(0.5), acos(0.5), atan(1), atan2(1, 2), sinh(1), cosh(1), tanh(1), asinh(1), acosh(2), atanh(0.5), cot(1);
SELECT ceil(-1.5), ceiling(1.2), floor(-1.5), trunc(-1.567, 2), round(-1.567, 2), mod(-7, 3), greatest(1, NULL, 3), least(NULL, 2.5, 1);
SELECT bit_and(i4), bit_or(i4), bit_xor(i4) FROM numbers WHERE i4 > 0;
SELECT gcd(12, 18), lcm(4, 6), gcd(0, 0), gcd(-12, 18), lcm(0, 5), gcd(7.5, 2.5), lcm(1.5, 2);
SELECT i2 = j4, i4 > i8, m >= k, d < m, r = d FROM numbers ORDER BY id;
SELECT max(cosd(quantity)) > 0.9 FROM orders;
-- refused: aggregate max(anyarray) is not supported
SELECT max(array_fill(quantity, ARRAY[2])) FROM orders WHERE order_id = 1;
-- refused: function array_fill(anyelement, integer[]) is not supported
SELECT order_id, array_fill(status, ARRAY[2]) FROM orders WHERE order_id < 3 ORDER BY 1;
