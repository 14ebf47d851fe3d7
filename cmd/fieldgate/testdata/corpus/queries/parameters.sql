-- with: east
SELECT order_id FROM orders WHERE region = $1 ORDER BY order_id;
-- with: 100 | 5
SELECT order_id FROM orders WHERE amount > $1 AND quantity < $2 ORDER BY 1;
-- with: 2024-01-01 | 2024-06-01
SELECT order_id FROM orders WHERE ordered >= $1 AND ordered < $2 ORDER BY 1;
-- with: a
SELECT $1 || 'x', $1;
-- with: 41 | z
SELECT $1 + 1, $2::text;
-- with: {1,2,3}
SELECT order_id FROM orders WHERE order_id = ANY ($1) ORDER BY 1;
-- with: \N
SELECT order_id FROM orders WHERE (region = $1 OR $1 IS NULL) ORDER BY 1;
-- with: 3 | 2
SELECT order_id FROM orders ORDER BY order_id LIMIT $1 OFFSET $2;
-- with: \N
SELECT coalesce($1, region) FROM orders ORDER BY order_id LIMIT 2;
-- with: 3 | big
SELECT CASE WHEN quantity > $1 THEN $2 ELSE status END FROM orders ORDER BY order_id;
-- with: 4
SELECT g FROM generate_series(1, $1) g;
-- with: %a%
SELECT order_id FROM orders WHERE customer LIKE $1 ORDER BY 1;
-- with: 2024-01-01 | 2024-12-31
SELECT order_id FROM orders WHERE due BETWEEN $1 AND $2 ORDER BY 1;
-- with: 1.5 | 2 | 4
SELECT order_id, amount * $1 FROM orders WHERE order_id IN ($2, $3) ORDER BY 1;
-- with: new | paid
SELECT sum(amount) FROM orders WHERE status = $1 OR status = $2;
-- with: 1 day
SELECT now() - $1::interval < now();
-- with: 2024-01-01 12:00+00 | Asia/Tokyo
SELECT $1::timestamptz AT TIME ZONE $2;
-- with: {east,west} | 111.93
SELECT order_id FROM orders WHERE region = ANY ($1::text[]) AND amount IS DISTINCT FROM $2 ORDER BY 1;
-- with: 2 | 1
SELECT substring(customer, $1, $2) FROM orders ORDER BY order_id;
-- with: abc
SELECT order_id FROM orders WHERE amount > $1;
